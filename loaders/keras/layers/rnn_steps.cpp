// Cells step by step, as a Scan: those that are no operator of the catalog. See rnn.h. Next: rnn.cpp.
#include "loaders/keras/layers/rnn.h"
#include "runtime/infer_shapes.h"

namespace tern::keras {
namespace {

// With axes of 1 behind its own, as many as make it `rank`.
ValueId wide(const Call& c, ValueId v, int rank) {
  std::vector<int64_t> axes;
  for (int i = c.b.rank(v); i < rank; ++i) axes.push_back(i);
  return unsqueeze(c.b, v, axes);
}

// The type of one step of a sequence.
TypeInfo step_type(const GraphBuilder& b, ValueId sequence) {
  TypeInfo type = b.type(sequence);
  std::vector<Dim> dims = type.shape.dims();
  dims.erase(dims.begin() + 1);
  type.shape = Shape(dims);
  return type;
}

// v in a subgraph, by a name that no layer has.
ValueId captured_in(GraphBuilder& body, GraphBuilder& b, ValueId v) {
  if (v == kNone || !b.ok()) return kNone;
  const std::string name = "%" + std::to_string(v);
  if (b.defined(name) == kNone) {
    if (Status s = b.define(name, v); !s) return b.fail(s.error());
  }
  auto inside = body.find(name);
  return inside ? *inside : b.fail(inside.error());
}

// The subgraph of one step. Inputs: what is carried, x, perhaps the mask. Outputs: what is carried, what the step shows.
void build_step(const Call& c, GraphBuilder& body, ValueId x, ValueId mask, const std::vector<ValueId>& carried, size_t states,
                const std::vector<ValueId>& weights, const Step& step) {
  std::vector<ValueId> before, inside;
  for (size_t i = 0; i < carried.size(); ++i) before.push_back(body.input("state" + std::to_string(i), c.b.type(carried[i])));
  const ValueId now = body.input("x", step_type(c.b, x)), counts = mask == kNone ? kNone : body.input("mask", step_type(c.b, mask));
  for (ValueId w : weights) inside.push_back(captured_in(body, c.b, w));
  if (!c.b.ok()) return;
  const Call in(c, body);
  std::vector<ValueId> after = step(in, now, {before.begin(), before.begin() + static_cast<std::ptrdiff_t>(states)}, inside);
  ValueId shown = after[0];
  const auto held = [&](ValueId v, ValueId otherwise) { return in.emit("Where", {wide(in, counts, body.rank(v)), v, otherwise}); };
  if (mask != kNone) {
    shown = held(shown, carried.size() > states ? before[states] : before[0]);
    for (size_t i = 0; i < states; ++i) after[i] = held(after[i], before[i]);
  }
  if (carried.size() > states) after.push_back(shown);
  after.push_back(shown);
  if (!body.ok()) return void(c.b.fail(body.status().error()));
  body.graph.outputs = after;
  for (size_t i = 0; i < after.size(); ++i) body.graph.output_names.push_back("y" + std::to_string(i));
}

// The outputs of the Scan: what is carried, then the steps.
std::vector<ValueId> scan(const Call& c, GraphBuilder& body, std::vector<ValueId> inputs, size_t sequences, size_t carried, bool backwards) {
  GraphBuilder& b = c.b;
  GraphBuilder* const bodies[] = {&body};
  auto captured = b.close(bodies);
  if (!captured) return b.fail(captured.error()), std::vector<ValueId>();
  const std::vector<int64_t> ones(sequences, 1), turned(sequences, backwards);
  Node node;
  node.op = find_op("Scan");
  node.name = b.scope();
  node.inputs = std::move(inputs);
  node.inputs.insert(node.inputs.end(), captured->begin(), captured->end());
  node.captured = static_cast<int32_t>(captured->size());
  node.attrs = attributes({{"num_scan_inputs", static_cast<int64_t>(sequences)},
                           {"scan_input_axes", ones},
                           {"scan_input_directions", turned},
                           {"scan_output_axes", std::vector<int64_t>{1}},
                           {"scan_output_directions", std::vector<int64_t>{backwards}}});
  node.subgraphs = {static_cast<int32_t>(b.graph.subgraphs.size())};
  for (size_t i = 0; i <= carried; ++i) node.outputs.push_back(b.graph.add_value(b.scope() + ".y" + std::to_string(i)));
  b.graph.next_symbol = body.graph.next_symbol;
  b.graph.subgraphs.push_back(std::move(body.graph));
  Node& added = b.add_node(std::move(node));
  if (Status s = infer_shapes(b.graph, added); !s) b.fail(s.error());
  return added.outputs;
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
  std::vector<ValueId> carried = options.initial;
  const size_t states = carried.size();
  if (!c.b.ok() || states == 0) return {};
  if (options.mask != kNone && given) carried.push_back(c.emit("Sub", {carried[0], carried[0]}));  // what steps show so far
  GraphBuilder body("", &c.b);
  build_step(c, body, x, options.mask, carried, states, weights, step);
  if (!c.b.ok()) return {};
  std::vector<ValueId> inputs = carried;
  inputs.push_back(x);
  if (options.mask != kNone) inputs.push_back(options.mask);
  const std::vector<ValueId> out = scan(c, body, inputs, options.mask == kNone ? 1 : 2, carried.size(), options.backwards);
  if (!c.b.ok()) return {};
  RnnWindow w{out.back(), out[carried.size() > states ? states : 0], {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(states)}};
  if (options.zeros && options.mask != kNone) {
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
