// softmax(q k^T * scale + mask) v becomes FusedAttention, spelled out or as ONNX's Attention; a Where of a constant and a very low number is a mask of
// bools. See fuse.h.
#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

struct Scores {
  ValueId q = kNone, k_transposed = kNone, mask = kNone;
  float scale = 1;
  bool hides = false;  // the mask says what is hidden, not what is seen
};

// v == q k^T, or scaled by a constant.
std::optional<Scores> scores_of_product(const Rewriter& r, ValueId v) {
  Scores s;
  if (const Node* mul = r.producer(v, "Mul"); mul && r.read_once(v)) {
    auto scaled = r.with_scalar(*mul);
    if (!scaled) return std::nullopt;
    s.scale = scaled->factor;
    v = scaled->value;
  } else if (const Node* div = r.producer(v, "Div"); div && r.read_once(v)) {
    auto divisor = r.scalar(div->inputs[1]);
    if (!divisor) return std::nullopt;
    s.scale = 1.0f / *divisor;
    v = div->inputs[0];
  }
  const Node* matmul = r.producer(v, "MatMul");
  if (matmul == nullptr || !r.read_once(v) || (r.shape(v).rank() != 3 && r.shape(v).rank() != 4)) return std::nullopt;
  s.q = matmul->inputs[0];
  s.k_transposed = matmul->inputs[1];
  return s;
}

// A mask that is larger than the scores makes more of them, which one FusedAttention cannot.
bool broadcasts_to(const Shape& sum, const Shape& scores) {
  return sum.rank() == scores.rank() && std::equal(sum.dims().begin(), sum.dims().end(), scores.dims().begin(),
                                                   [](const Dim& a, const Dim& b) { return !a.known() || !b.known() || a == b; });
}

// Below this the exponential of a score is 0 beside any that is seen.
constexpr float kHidden = -1e30f;

// Does every row show something? One that shows nothing is an average of all values in the chain, and zeros in FusedAttention.
bool shows_in_each_row(const Tensor& mask, bool hides) {
  const int64_t columns = mask.dims()[mask.dims().rank - 1];
  const auto* at = mask.data<uint8_t>();
  for (int64_t row = 0; row < mask.count(); row += columns) {
    if (std::all_of(at + row, at + row + columns, [&](uint8_t b) { return (b != 0) == hides; })) return false;
  }
  return true;
}

// Where(seen, scores, low) or, as masked_fill has it, Where(hidden, low, scores).
std::optional<Scores> chosen(const Rewriter& r, ValueId v) {
  const Node* where = r.producer(v, "Where");
  if (where == nullptr || !r.read_once(v) || !r.graph.is_constant(where->inputs[0])) return std::nullopt;
  const Tensor& mask = r.graph.value(where->inputs[0]).constant;
  for (size_t i : {1u, 2u}) {
    auto s = scores_of_product(r, where->inputs[i]);
    const auto low = r.scalar(where->inputs[3 - i]);
    if (!s || !low || !(*low <= kHidden)) continue;
    const Shape& scores = r.shape(where->inputs[i]);
    const int rank = mask.dims().rank;
    if (rank < 1 || rank > scores.rank() || !scores[scores.rank() - 1].is(mask.dims()[rank - 1]) || !broadcasts_to(r.shape(v), scores)) break;
    s->mask = where->inputs[0];
    s->hides = i == 2;
    return mask.count() > 0 && shows_in_each_row(mask, s->hides) ? s : std::nullopt;
  }
  return std::nullopt;
}

std::optional<Scores> scores(const Rewriter& r, ValueId v) {
  if (auto plain = scores_of_product(r, v)) return plain;
  if (auto s = chosen(r, v)) return s;
  const Node* add = r.producer(v, "Add");
  if (add == nullptr || !r.read_once(v)) return std::nullopt;
  for (size_t i : {0u, 1u}) {
    if (auto s = scores_of_product(r, add->inputs[i])) {
      s->mask = add->inputs[1 - i];
      if (!r.shape(s->mask).ranked() || !broadcasts_to(r.shape(v), r.shape(add->inputs[i]))) return std::nullopt;
      return s;
    }
  }
  return std::nullopt;
}

// What v was before it was multiplied with a constant, which goes to `scale`; v itself where it was not.
ValueId unscaled(const Rewriter& r, ValueId v, float& scale) {
  const Node* mul = r.producer(v, "Mul");
  const auto scaled = mul ? r.with_scalar(*mul) : std::nullopt;
  if (!scaled || r.shape(scaled->value).rank() != r.shape(v).rank() || !std::isnormal(scaled->factor * scale)) return v;
  scale *= scaled->factor;
  return scaled->value;
}
// The same of q, perhaps behind a Transpose.
ValueId queries(Rewriter& r, size_t n, ValueId q, float& scale) {
  const Node* t = r.producer(q, "Transpose");
  if (t == nullptr) return unscaled(r, q, scale);
  const ValueId from = unscaled(r, t->inputs[0], scale);
  if (from == t->inputs[0]) return q;
  return r.insert_before(n, *t->op, t->attrs, {from}, r.graph.value(q).name + ".queries");
}

// k [B,H,S,D] from k^T [B,H,D,S]: the transpose that made it, with its last two axes swapped back.
ValueId keys(Rewriter& r, size_t n, ValueId transposed, float& scale) {
  const auto rank = static_cast<size_t>(r.shape(transposed).rank());
  std::vector<int64_t> identity(rank), perm;
  for (size_t i = 0; i < rank; ++i) identity[i] = static_cast<int64_t>(i);
  perm = identity;
  ValueId from = transposed;
  if (const Node* t = r.producer(transposed, "Transpose"); t && t->read().ints("perm").size() == rank) {
    perm = t->read().ints("perm");
    from = unscaled(r, t->inputs[0], scale);
  } else {
    from = unscaled(r, transposed, scale);
  }
  std::swap(perm[rank - 2], perm[rank - 1]);
  if (perm == identity) return from;
  Attributes attrs;
  attrs.set("perm", perm);
  return r.insert_before(n, *find_op("Transpose"), std::move(attrs), {from}, r.graph.value(transposed).name + ".keys");
}

bool same_heads(const Shape& a, const Shape& b) {
  return a.ranked() && a.rank() == b.rank() && std::equal(a.dims().begin(), a.dims().end() - 2, b.dims().begin());
}

// What is seen, of a constant that says what is hidden: one for all attentions that share it (`made`). kNone where there is no memory for it.
ValueId seen(Rewriter& r, ValueId hidden, std::map<ValueId, ValueId>& made) {
  if (const auto there = made.find(hidden); there != made.end()) return there->second;
  const Tensor mask = r.graph.value(hidden).constant;
  auto out = Tensor::allocate(DType::boolean, mask.dims());
  if (!out) return kNone;
  const auto* from = mask.data<uint8_t>();
  std::transform(from, from + mask.count(), out->mutable_data<uint8_t>(), [](uint8_t b) { return uint8_t(b == 0); });
  return made[hidden] = r.add_constant(r.graph.value(hidden).name + ".seen", std::move(*out));
}

// [N,T,D] as one batch of N heads.
ValueId as_heads(Rewriter& r, size_t n, ValueId v, ValueId axes) {
  return r.insert_before(n, *find_op("Unsqueeze"), {}, {v, axes}, r.graph.value(v).name + ".heads");
}

// ONNX's Attention that asks for nothing but a product, a softmax and a product: its scale. The same kernel computes both; passes know the fused one.
std::optional<float> plain_scale(const Rewriter& r, const Node& n) {
  const auto absent = [](ValueId v) { return v == kNone; };
  if (!std::all_of(n.inputs.begin() + 3, n.inputs.end(), absent) || !std::all_of(n.outputs.begin() + 1, n.outputs.end(), absent)) return std::nullopt;
  const AttrReader attrs = n.read();
  const bool limited = attrs.i("is_causal") != 0 || attrs.i("left_window_size") >= 0 || attrs.i("right_window_size") >= 0;
  if (limited || attrs.f("softcap") != 0 || attrs.has("softmax_precision") || r.dtype(n.outputs[0]) != DType::f32) return std::nullopt;
  const Shape &q = r.shape(n.inputs[0]), &k = r.shape(n.inputs[1]);
  if (q.rank() != 4 || k.rank() != 4 || !(q[1] == k[1]) || !q[3].known() || q[3].value() < 1) return std::nullopt;
  if (attrs.has("scale")) return attrs.f("scale");
  return static_cast<float>(1 / std::sqrt(static_cast<double>(q[3].value())));
}

void rename_plain_attention(Rewriter& r, const OpDef* op) {
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* node = r.at(n, "Attention");
    const auto scale = node == nullptr ? std::nullopt : plain_scale(r, *node);
    if (!scale) continue;
    Node fused{op, node->name, {}, {node->inputs.begin(), node->inputs.begin() + 3}, {node->outputs[0]}, {}};
    fused.attrs.set("scale", *scale);
    r.replace(n, std::move(fused));
  }
}

}  // namespace

void fuse_attention(Graph& graph) {
  const OpDef* op = find_op("FusedAttention");
  if (op == nullptr) return;
  Rewriter r(graph);
  rename_plain_attention(r, op);
  std::map<ValueId, ValueId> made;
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* last = r.at(n, "MatMul");
    const Node* softmax = last ? r.producer(last->inputs[0], "Softmax") : nullptr;
    if (softmax == nullptr || !r.read_once(last->inputs[0]) || r.dtype(last->outputs[0]) != DType::f32) continue;
    const int rank = r.shape(last->outputs[0]).rank();
    if (const int64_t axis = softmax->read().i("axis"); axis != -1 && axis != rank - 1) continue;
    const auto s = scores(r, softmax->inputs[0]);
    const ValueId v = last->inputs[1];
    if (!s || !same_heads(r.shape(s->q), r.shape(v)) || !same_heads(r.shape(s->q), r.shape(s->k_transposed))) continue;
    const auto outputs = last->outputs;
    const ValueId mask = s->hides ? seen(r, s->mask, made) : s->mask;
    if (s->hides && mask == kNone) continue;
    float scale = s->scale;
    const ValueId q = queries(r, n, s->q, scale), k = keys(r, n, s->k_transposed, scale);
    std::vector<ValueId> inputs = {q, k, v};
    const ValueId axes = rank == 3 ? r.add_constant(r.graph.value(outputs[0]).name + ".axes", Tensor::ints(std::vector<int64_t>{0})) : kNone;
    if (rank == 3) {
      for (ValueId& input : inputs) input = as_heads(r, n, input, axes);
    }
    if (mask != kNone) inputs.push_back(mask);
    Node fused{op, "", {}, std::move(inputs), outputs, {}};
    fused.attrs.set("scale", scale);
    if (rank == 3) {
      const ValueId y = r.insert_before(n, *op, std::move(fused.attrs), std::move(fused.inputs), r.graph.value(outputs[0]).name + ".heads");
      fused = Node{find_op("Squeeze"), "", {}, {y, axes}, outputs, {}};
    }
    r.replace(n, std::move(fused));
  }
}

}  // namespace tern
