// softmax(q k^T * scale + mask) v becomes FusedAttention. See fuse.h.
#include "runtime/fuse/passes.h"
#include "runtime/fuse/rewriter.h"

namespace tern {
namespace {

struct Scores {
  ValueId q = kNone, k_transposed = kNone, mask = kNone;
  float scale = 1;
};

// v == q k^T, or scaled by a constant.
std::optional<Scores> product(const Rewriter& r, ValueId v) {
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
  if (matmul == nullptr || !r.read_once(v) || r.shape(v).rank() != 4) return std::nullopt;
  s.q = matmul->inputs[0];
  s.k_transposed = matmul->inputs[1];
  return s;
}

std::optional<Scores> scores(const Rewriter& r, ValueId v) {
  if (auto plain = product(r, v)) return plain;
  const Node* add = r.producer(v, "Add");
  if (add == nullptr || !r.read_once(v)) return std::nullopt;
  for (size_t i : {0u, 1u}) {
    if (auto s = product(r, add->inputs[i])) {
      s->mask = add->inputs[1 - i];
      if (!r.shape(s->mask).ranked() || r.shape(s->mask).rank() > 4) return std::nullopt;
      return s;
    }
  }
  return std::nullopt;
}

// k [B,H,S,D] from k^T [B,H,D,S]: the transpose that made it, with its last two axes swapped back.
ValueId keys(Rewriter& r, size_t n, ValueId transposed) {
  std::vector<int64_t> perm = {0, 1, 3, 2};
  ValueId from = transposed;
  if (const Node* t = r.producer(transposed, "Transpose"); t && t->attrs.ints("perm").size() == 4) {
    perm = t->attrs.ints("perm");
    std::swap(perm[2], perm[3]);
    from = t->inputs[0];
  }
  if (perm == std::vector<int64_t>{0, 1, 2, 3}) return from;
  Shape shape = r.shape(transposed);
  std::swap(shape[2], shape[3]);
  Attributes attrs;
  attrs.set("perm", perm);
  return r.insert_before(n, *find_op("Transpose"), std::move(attrs), {from}, {DType::f32, shape}, r.graph.value(transposed).name + ".keys");
}

bool same_heads(const Shape& a, const Shape& b) { return a.rank() == 4 && b.rank() == 4 && a[0] == b[0] && a[1] == b[1]; }

}  // namespace

void fuse_attention(Graph& graph) {
  const OpDef* op = find_op("FusedAttention");
  if (op == nullptr) return;
  Rewriter r(graph);
  for (size_t n = 0; n < r.size(); ++n) {
    const Node* last = r.at(n, "MatMul");
    const Node* softmax = last ? r.producer(last->inputs[0], "Softmax") : nullptr;
    if (softmax == nullptr || !r.read_once(last->inputs[0]) || r.dtype(last->outputs[0]) != DType::f32) continue;
    if (const int64_t axis = softmax->attrs.i("axis", -1); axis != -1 && axis != 3) continue;
    const auto s = scores(r, softmax->inputs[0]);
    const ValueId v = last->inputs[1];
    if (!s || !same_heads(r.shape(s->q), r.shape(v)) || !same_heads(r.shape(s->q), r.shape(s->k_transposed))) continue;
    const auto outputs = last->outputs;
    std::vector<ValueId> inputs = {s->q, keys(r, n, s->k_transposed), v};
    if (s->mask != kNone) inputs.push_back(s->mask);
    Node fused{op, "", {}, std::move(inputs), outputs, {}};
    fused.attrs.set("scale", s->scale);
    r.replace(n, std::move(fused));
  }
}

}  // namespace tern
