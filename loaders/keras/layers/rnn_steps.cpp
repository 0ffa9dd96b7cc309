// Cells step by step, as a Scan: those that are no operator of the catalog. See rnn.h. Next: rnn.cpp.
#include "loaders/keras/layers/rnn.h"
#include "runtime/graph_scan.h"

namespace tern::keras {
namespace {

// With axes of 1 behind its own, as many as make it `rank`.
ValueId wide(const Call& c, ValueId v, int rank) {
  std::vector<int64_t> axes;
  for (int i = c.b.rank(v); i < rank; ++i) axes.push_back(i);
  return unsqueeze(c.b, v, axes);
}

// ---- cells

ValueId activated(const Call& c, std::string_view key, const char* otherwise, ValueId x) {
  return c.config.at(key) == Json::kNothing ? activation(c, otherwise, c.config, x) : activation(c, key, x);
}
ValueId gate(const Call& c, ValueId x) { return activated(c, "recurrent_activation", "sigmoid", x); }
ValueId candidate(const Call& c, ValueId x) { return activated(c, "activation", "tanh", x); }

std::vector<ValueId> split(const Call& c, ValueId x, int64_t n) {
  return c.b.emit("Split", {x}, attributes({{"axis", int64_t(-1)}, {"num_outputs", n}}), static_cast<size_t>(n));
}

// weights: the recurrent kernel and its bias.
std::vector<ValueId> lstm_step(const Call& c, ValueId x, const std::vector<ValueId>& states, const std::vector<ValueId>& weights) {
  const auto part = split(c, c.emit("Add", {x, c.emit("MatMul", {states[0], weights[0]})}), 4);
  const ValueId now = c.emit("Add", {c.emit("Mul", {gate(c, part[1]), states[1]}), c.emit("Mul", {gate(c, part[0]), candidate(c, part[2])})});
  return {c.emit("Mul", {gate(c, part[3]), candidate(c, now)}), now};
}

std::vector<ValueId> gru_step(const Cell& cell, const Call& c, ValueId x, ValueId h, const std::vector<ValueId>& weights) {
  const auto of_x = split(c, x, 3);
  const auto product = [&](ValueId v, int64_t from, int64_t to) {
    return c.emit("MatMul", {v, slice(c.b, weights[0], 1, from * cell.units, to * cell.units)});
  };
  ValueId z = kNone, r = kNone, of_state = kNone;
  if (cell.reset_after) {
    const ValueId all = product(h, 0, 3);
    const auto of_h = split(c, weights[1] == kNone ? all : c.emit("Add", {all, weights[1]}), 3);
    z = of_h[0], r = of_h[1], of_state = of_h[2];
  } else {
    const auto of_h = split(c, product(h, 0, 2), 2);
    z = of_h[0], r = of_h[1];
  }
  z = gate(c, c.emit("Add", {of_x[0], z}));
  r = gate(c, c.emit("Add", {of_x[1], r}));
  of_state = cell.reset_after ? c.emit("Mul", {r, of_state}) : product(c.emit("Mul", {r, h}), 2, 3);
  const ValueId fresh = candidate(c, c.emit("Add", {of_x[2], of_state})), rest = c.emit("Sub", {number(c, z, 1), z});
  return {c.emit("Add", {c.emit("Mul", {z, h}), c.emit("Mul", {rest, fresh})})};
}

}  // namespace

RnnWindow run_steps(const Call& c, ValueId x, const WindowOptions& options, bool given, const std::vector<ValueId>& weights, const Step& step) {
  const bool masked = options.mask != kNone;
  ScanInputs in{.carried = options.initial, .sequences = {x}, .around = weights, .backwards = options.backwards};
  const size_t states = in.carried.size();
  if (!c.b.ok() || states == 0) return {};
  if (masked) in.sequences.push_back(options.mask);
  if (masked && given) in.carried.push_back(c.emit("Sub", {in.carried[0], in.carried[0]}));  // what steps show so far
  const auto body = [&](GraphBuilder& b, const std::vector<ValueId>& before, const std::vector<ValueId>& now, const std::vector<ValueId>& around) {
    const Call inner(c, b);
    std::vector<ValueId> after = step(inner, now[0], {before.begin(), before.begin() + static_cast<std::ptrdiff_t>(states)}, around);
    ValueId shown = after[0];
    if (masked) {  // a step that does not count changes nothing
      const auto held = [&](ValueId v, ValueId otherwise) { return inner.emit("Where", {wide(inner, now[1], b.rank(v)), v, otherwise}); };
      shown = held(shown, given ? before[states] : before[0]);
      for (size_t i = 0; i < states; ++i) after[i] = held(after[i], before[i]);
      if (given) after.push_back(shown);
    }
    after.push_back(shown);
    return after;
  };
  const std::vector<ValueId> out = scan(c.b, in, body);
  if (!c.b.ok()) return {};
  RnnWindow w{out.back(), out[masked && given ? states : 0], {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(states)}};
  if (options.zeros && masked) {
    w.y = c.emit("Where", {wide(c, options.mask, c.b.rank(w.y)), w.y, number(c, w.y, 0)});
    w.last = squeeze(c.b, options.backwards ? slice(c.b, w.y, 1, 0, 1) : slice(c.b, w.y, 1, -1, INT64_MAX), {1});
  }
  return w;
}

// What the gates take of the inputs is one product of all steps.
RnnWindow run_spelled(const Call& c, const Cell& cell, ValueId x, const WindowOptions& options) {
  WindowOptions from = options;
  if (options.initial.empty())
    from.initial.assign(cell.states(), c.emit("Expand", {number(c, x, 0), c.b.ints(std::vector<Int>{c.b.size(x, 0), Int(cell.units)})}));
  ValueId gates = c.emit("MatMul", {x, cell.kernel});
  if (cell.bias != kNone) gates = c.emit("Add", {gates, cell.bias});
  return run_steps(c, gates, from, !options.initial.empty(), {cell.recurrent, cell.recurrent_bias},
                   [&](const Call& in, ValueId now, const std::vector<ValueId>& states, const std::vector<ValueId>& weights) {
                     if (cell.kind == Cell::Kind::lstm) return lstm_step(in, now, states, weights);
                     if (cell.kind == Cell::Kind::gru) return gru_step(cell, in, now, states[0], weights);
                     return std::vector<ValueId>{candidate(in, in.emit("Add", {now, in.emit("MatMul", {states[0], weights[0]})}))};
                   });
}

}  // namespace tern::keras
