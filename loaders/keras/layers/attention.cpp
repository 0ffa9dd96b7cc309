// Attention and AdditiveAttention: one head, no projections. See attention.h. Next: multi_head.cpp.
#include "loaders/keras/layers/attention.h"

#include "runtime/base/printable.h"

namespace tern::keras {

ValueId band(const Call& c, const Int& queries, const Int& keys, bool causal, int64_t window) {
  GraphBuilder& b = c.b;
  auto range = [&](const Int& n) { return c.emit("Range", {b.scalar(Int(0)), b.scalar(n), b.scalar(Int(1))}); };
  const ValueId i = unsqueeze(b, range(queries), {1}), j = unsqueeze(b, range(keys), {0});
  const ValueId before = causal ? c.emit("GreaterOrEqual", {i, j}) : kNone;
  const ValueId near = window > 0 ? c.emit("Less", {c.emit("Abs", {c.emit("Sub", {i, j})}), b.scalar(Int(window))}) : kNone;
  return both(c, before, near);
}

ValueId additive(const Call& c, ValueId mask, ValueId scores, double least) {
  return c.emit("Where", {mask, number(c, scores, 0), number(c, scores, least)});
}

namespace {

// sum over features of scale * tanh(q + k): [batch, queries, keys].
ValueId summed(const Call& c, ValueId q, ValueId k, ValueId inside, ValueId outside) {
  ValueId sum = c.emit("Add", {unsqueeze(c.b, q, {-2}), unsqueeze(c.b, k, {-3})});
  if (inside != kNone) sum = c.emit("Mul", {sum, inside});
  ValueId bent = c.emit("Tanh", {sum});
  if (outside != kNone) bent = c.emit("Mul", {bent, outside});
  return reduce(c, "ReduceSum", bent, {-1}, false);
}

ValueId dot_scores(Call& c, ValueId q, ValueId k) {
  const ValueId scale = c.config.boolean("use_scale", false) ? c.weight("scale", {}) : kNone;
  const std::string mode = c.config.text("score_mode", "dot");
  if (mode == "concat") {
    const ValueId weight = c.weight("concat_score_weight", {});
    return c.emit("Mul", {summed(c, q, k, scale, kNone), weight});
  }
  if (mode != "dot") c.unsupported("score_mode " + printable(mode, 80));
  const ValueId scores = c.emit("MatMul", {q, transpose(c.b, k, c.b.rank(k) - 2, c.b.rank(k) - 1)});
  return scale == kNone ? scores : c.emit("Mul", {scores, scale});
}

ValueId additive_scores(Call& c, ValueId q, ValueId k) {
  return summed(c, q, k, kNone, c.config.boolean("use_scale", true) ? c.weight("scale", {c.features(q)}) : kNone);
}

// Inputs: query, value, and perhaps key; the masks of the first two count.
template <ValueId (*kScores)(Call& c, ValueId q, ValueId k)>
Flows attention(Call& c) {
  if (c.inputs.size() < 2 || c.inputs.size() > 3) return c.invalid("it is called with " + std::to_string(c.inputs.size()) + " tensors");
  const ValueId q = c.x(0), v = c.x(1), k = c.inputs.size() > 2 ? c.x(2) : v;
  if (std::min({c.b.rank(q), c.b.rank(k), c.b.rank(v)}) < 3) return c.invalid("its inputs have fewer than three axes");
  ValueId scores = kScores(c, q, k);
  if (!c.b.ok()) return {};
  const ValueId of_query = to_bool(c, c.mask(0)), of_value = to_bool(c, c.mask(1));
  ValueId mask = of_value == kNone ? kNone : unsqueeze(c.b, of_value, {-2});
  if (c.arg("use_causal_mask").flag || c.config.boolean("causal", false))
    mask = both(c, mask, band(c, c.b.size(scores, c.b.rank(scores) - 2), c.b.size(scores, c.b.rank(scores) - 1), true, 0));
  if (mask != kNone) scores = c.emit("Add", {scores, additive(c, mask, scores, c.b.dtype(scores) == DType::f16 ? -65504 : -1e9)});
  const ValueId weights = c.emit("Softmax", {scores}, attributes({{"axis", int64_t(-1)}}));
  ValueId y = c.emit("MatMul", {weights, v});
  if (of_query != kNone) y = c.emit("Where", {unsqueeze(c.b, of_query, {-1}), y, number(c, y, 0)});
  Flows out = {{y, of_query}};
  if (c.arg("return_attention_scores").flag) out.push_back({weights});
  return out;
}

constexpr LayerRow kAttentionRows[] = {
    {"Attention", attention<dot_scores>, Masking::own},
    {"AdditiveAttention", attention<additive_scores>, Masking::own},
};

}  // namespace

std::span<const LayerRow> attention_layers() { return kAttentionRows; }

}  // namespace tern::keras
