// One step of a recurrent layer as TensorFlow 1 fused it, whose loop stands around. See operator.h. Next: quantize.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

ValueId sigmoid(GraphBuilder& b, ValueId x) { return b.emit("Sigmoid", {x}); }
ValueId tanh(GraphBuilder& b, ValueId x) { return b.emit("Tanh", {x}); }
ValueId times(GraphBuilder& b, ValueId x, ValueId y) { return b.emit("Mul", {x, y}); }
ValueId plus(GraphBuilder& b, ValueId x, ValueId y) { return b.emit("Add", {x, y}); }
// [x, h] w + bias, cut into n along the last axis.
std::vector<ValueId> gates(GraphBuilder& b, ValueId x, ValueId h, ValueId w, ValueId bias, int64_t n) {
  const ValueId all = plus(b, b.emit("MatMul", {concat(b, {x, h}, 1), w}), bias);
  if (n == 1) return {all};
  return b.emit("Split", {all}, attributes({{"axis", int64_t(1)}, {"num_outputs", n}}), static_cast<size_t>(n));
}

// x, cs_prev, h_prev, w, wci, wcf, wco, b: i cs f o ci co h, all of them [batch, units].
Values lstm(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 2) || !has_rank(c, 2, 2) || !has_rank(c, 3, 2)) return {};
  const ValueId before = c.tensor(1);
  const std::vector<ValueId> g = gates(b, c.tensor(0), c.tensor(2), c.tensor(3), c.tensor(7), 4);
  const bool peephole = c.boolean("use_peephole", false);
  auto peeped = [&](ValueId gate, ValueId state, size_t w) { return peephole ? plus(b, gate, times(b, state, c.tensor(w))) : gate; };
  const ValueId in = sigmoid(b, peeped(g[0], before, 4)), ci = tanh(b, g[1]);
  const ValueId forget = sigmoid(b, with(b, "Add", peeped(g[2], before, 5), c.number("forget_bias", 1)));
  ValueId cs = plus(b, times(b, ci, in), times(b, before, forget));
  if (const double clip = c.number("cell_clip", 3); clip > 0) cs = with(b, "Min", with(b, "Max", cs, -clip), clip);
  const ValueId out = sigmoid(b, peeped(g[3], cs, 6)), co = tanh(b, cs);
  return {in, cs, forget, out, ci, co, times(b, co, out)};
}

// x, h_prev, w_ru, w_c, b_ru, b_c: r u c h.
Values gru(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 2) || !has_rank(c, 2, 2) || !has_rank(c, 3, 2)) return {};
  const ValueId x = c.tensor(0), before = c.tensor(1);
  const std::vector<ValueId> g = gates(b, x, before, c.tensor(2), c.tensor(4), 2);
  const ValueId r = sigmoid(b, g[0]), u = sigmoid(b, g[1]);
  const ValueId next = tanh(b, gates(b, x, times(b, r, before), c.tensor(3), c.tensor(5), 1)[0]);
  return {r, u, next, plus(b, times(b, u, before), times(b, b.emit("Sub", {b.scalar_like(u, 1), u}), next))};
}

constexpr Operator kCellsRows[] = {
    {"LSTMBlockCell", "i cs f o ci co h", lstm},
    {"GRUBlockCell", "r u c h", gru},
};

}  // namespace

std::span<const Operator> cell_operators() { return kCellsRows; }

}  // namespace tern::tensorflow
