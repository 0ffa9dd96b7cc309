// Recurrent layers as TensorFlow 1 fused them: one step, whose loop stands around, or all of them. See operator.h. Next: quantize.cpp.
#include "loaders/tensorflow/ops/common.h"
#include "runtime/graph_scan.h"

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

// The order of an LSTM's gates, and what it adds to those of forgetting; peepholes wci, wcf, wco, or kNone.
struct LstmStep {
  size_t i, c, f, o;
  double forget_bias, clip;
  std::vector<ValueId> peepholes;

  // Of gates [batch, units] each and the state before: i cs f o ci co h.
  std::vector<ValueId> operator()(GraphBuilder& b, const std::vector<ValueId>& gates, ValueId before) const {
    const auto peeped = [&](ValueId gate, ValueId state, size_t k) {
      return peepholes.empty() || peepholes[k] == kNone ? gate : plus(b, gate, times(b, state, peepholes[k]));
    };
    const ValueId in = sigmoid(b, peeped(gates[i], before, 0)), ci = tanh(b, gates[c]);
    const ValueId forget = sigmoid(b, with(b, "Add", peeped(gates[f], before, 1), forget_bias));
    ValueId cs = plus(b, times(b, ci, in), times(b, before, forget));
    if (clip > 0) cs = with(b, "Min", with(b, "Max", cs, -clip), clip);
    const ValueId out = sigmoid(b, peeped(gates[o], cs, 2)), co = tanh(b, cs);
    return {in, cs, forget, out, ci, co, times(b, co, out)};
  }
};

// x, cs_prev, h_prev, w, wci, wcf, wco, b: i cs f o ci co h, all of them [batch, units].
Values lstm(Call& c) {
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 2) || !has_rank(c, 2, 2) || !has_rank(c, 3, 2)) return {};
  LstmStep step{0, 1, 2, 3, c.number("forget_bias", 1), c.number("cell_clip", 3), {}};
  if (c.boolean("use_peephole", false)) step.peepholes = c.tensors(4, 7);
  const auto all = step(c.b, gates(c.b, c.tensor(0), c.tensor(2), c.tensor(3), c.tensor(7), 4), c.tensor(1));
  return Values(all.begin(), all.end());
}

// seq_len_max, x [steps, batch, features], cs_prev, h_prev, w, wci, wcf, wco, b: the same of every step, zeros from seq_len_max on. What only training
// reads is not computed. What the gates take of the inputs is one product of all steps.
Values lstm_of_steps(Call& c, LstmStep step) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 1, 3) || !has_rank(c, 2, 2) || !has_rank(c, 3, 2) || !has_rank(c, 4, 2)) return {};
  const ValueId x = c.tensor(1), w = c.tensor(4);
  const int64_t features = known_size(b, x, 2, "an LSTM");
  ScanInputs in{.carried = {c.tensor(2), c.tensor(3)}, .around = {slice(b, w, 0, features, INT64_MAX)}, .axis = 0};
  in.sequences = {plus(b, b.emit("MatMul", {x, slice(b, w, 0, 0, features)}), c.tensor(8))};
  if (c.boolean("use_peephole", false)) {
    for (ValueId v : c.tensors(5, 8)) in.around.push_back(v);
  }
  const auto out = scan(b, in, [&](GraphBuilder& body, const auto& before, const auto& now, const auto& around) {
    const ValueId all = plus(body, now[0], body.emit("MatMul", {before[1], around[0]}));
    LstmStep own = step;
    own.peepholes.assign(around.begin() + 1, around.end());
    const auto y = own(body, body.emit("Split", {all}, attributes({{"axis", int64_t(1)}, {"num_outputs", int64_t(4)}}), 4), before[0]);
    return std::vector<ValueId>{y[1], y[6], y[1], y[6]};
  });
  if (out.size() != 4) return {};
  const ValueId counts = unsqueeze(b, b.emit("Less", {counted(b, b.size(x, 0)), b.cast(c.tensor(0), DType::i64)}), {1, 2});
  const auto until = [&](ValueId v) { return select(b, counts, v, b.scalar_like(v, 0)); };
  const Value gate = Value::uncomputed("a gate that training alone reads");
  return {gate, until(out[2]), gate, gate, gate, gate, until(out[3])};
}
Values lstm_v1(Call& c) { return lstm_of_steps(c, {0, 1, 2, 3, c.number("forget_bias", 1), c.number("cell_clip", 3), {}}); }
Values lstm_v2(Call& c) { return lstm_of_steps(c, {0, 2, 1, 3, 0, c.number("cell_clip", 0), {}}); }

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
    {"BlockLSTM", "i cs f o ci co h", lstm_v1},
    {"BlockLSTMV2", "i cs f o ci co h", lstm_v2},
};

}  // namespace

std::span<const Operator> cell_operators() { return kCellsRows; }

}  // namespace tern::tensorflow
