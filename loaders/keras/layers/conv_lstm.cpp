// ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions. See rnn.h. Next: wrappers.cpp.
// What the gates take of the inputs is one convolution of all steps; a Scan adds what they take of the state, step by step.
#include "loaders/keras/layers/rnn.h"
#include "runtime/infer_shapes.h"

namespace tern::keras {
namespace {

using channels_last::Channels;

// [batch, steps, …] as [batch * steps, …], f of it, and back.
template <class F>
ValueId for_steps(const Call& c, ValueId x, F f) {
  std::vector<Int> merged = {Int(-1)}, parted = {c.b.size(x, 0), c.b.size(x, 1)};
  for (int i = 2; i < c.b.rank(x); ++i) merged.push_back(c.b.size(x, i));
  const ValueId y = f(c.b.reshape(x, merged));
  for (int i = 1; i < c.b.rank(y); ++i) parted.push_back(c.b.size(y, i));
  return c.b.reshape(y, parted);
}

// With axes of 1 behind its own, as many as make it `rank`.
ValueId wide(const Call& c, ValueId v, int rank) {
  std::vector<int64_t> axes;
  for (int i = c.b.rank(v); i < rank; ++i) axes.push_back(i);
  return unsqueeze(c.b, v, axes);
}

// One step: gates [batch, …, 4 * filters] of the input, the states, and which of the batch count (or kNone). Gives h, c.
std::pair<ValueId, ValueId> step(const Call& c, ValueId gates, ValueId h, ValueId carry, ValueId counts, ValueId recurrent, Channels channels) {
  const ValueId of_state = channels_last::conv(c.b, h, recurrent, {.padding = channels_last::Window::Padding::same, .channels = channels});
  const int axis = channels_last::channel_axis(c.b.rank(h), channels);
  const auto part = c.b.emit("Split", {c.emit("Add", {gates, of_state})}, attributes({{"axis", int64_t(axis)}, {"num_outputs", int64_t(4)}}), 4);
  auto gate = [&](size_t i) { return activation(c, "recurrent_activation", part[i]); };
  ValueId now = c.emit("Add", {c.emit("Mul", {gate(1), carry}), c.emit("Mul", {gate(0), activation(c, "activation", part[2])})});
  ValueId out = c.emit("Mul", {gate(3), activation(c, "activation", now)});
  if (counts != kNone) {
    const ValueId where = wide(c, counts, c.b.rank(h));
    now = c.emit("Where", {where, now, carry});
    out = c.emit("Where", {where, out, h});
  }
  return {out, now};
}

// The type of one step of a sequence.
TypeInfo step_type(const GraphBuilder& b, ValueId sequence) {
  TypeInfo type = b.type(sequence);
  std::vector<Dim> dims = type.shape.dims();
  dims.erase(dims.begin() + 1);
  type.shape = Shape(dims);
  return type;
}

// A Scan over axis 1 of `gates` (and of `mask`): final h and c, and h of all steps.
std::vector<ValueId> scan(const Call& c, ValueId gates, ValueId mask, const std::vector<ValueId>& initial, ValueId recurrent, Channels channels,
                          bool backwards) {
  GraphBuilder& b = c.b;
  const std::string name = "%" + std::to_string(recurrent);  // no layer has such a name
  if (b.defined(name) == kNone) {
    if (Status s = b.define(name, recurrent); !s) b.fail(s.error());
  }
  if (!b.ok()) return {};
  GraphBuilder body("", &b);
  const ValueId h = body.input("h", b.type(initial[0])), carry = body.input("c", b.type(initial[1]));
  const ValueId x = body.input("x", step_type(b, gates)), counts = mask == kNone ? kNone : body.input("mask", step_type(b, mask));
  auto kernel = body.find(name);
  if (!kernel) return b.fail(kernel.error()), std::vector<ValueId>();
  const auto [out, now] = step(Call(c, body), x, h, carry, counts, *kernel, channels);
  if (!body.ok()) return b.fail(body.status().error()), std::vector<ValueId>();
  body.graph.outputs = {out, now, out};
  body.graph.output_names = {"h", "c", "y"};
  GraphBuilder* const bodies[] = {&body};
  auto captured = b.close(bodies);
  if (!captured) return b.fail(captured.error()), std::vector<ValueId>();
  Node node;
  node.op = find_op("Scan");
  node.name = b.scope();
  node.inputs = {initial[0], initial[1], gates};
  if (mask != kNone) node.inputs.push_back(mask);
  const std::vector<int64_t> ones(mask == kNone ? 1 : 2, 1), turned(ones.size(), backwards);
  node.attrs = attributes({{"num_scan_inputs", static_cast<int64_t>(ones.size())},
                           {"scan_input_axes", ones},
                           {"scan_input_directions", turned},
                           {"scan_output_axes", std::vector<int64_t>{1}},
                           {"scan_output_directions", std::vector<int64_t>{backwards}}});
  node.inputs.insert(node.inputs.end(), captured->begin(), captured->end());
  node.captured = static_cast<int32_t>(captured->size());
  node.subgraphs = {static_cast<int32_t>(b.graph.subgraphs.size())};
  for (const char* output : {".h", ".c", ".y"}) node.outputs.push_back(b.graph.add_value(b.scope() + output));
  b.graph.next_symbol = body.graph.next_symbol;
  b.graph.subgraphs.push_back(std::move(body.graph));
  Node& added = b.add_node(std::move(node));
  if (Status s = infer_shapes(b.graph, added); !s) b.fail(s.error());
  return added.outputs;
}

}  // namespace

RnnWindow convolutional(Call& c, const WindowOptions& options) {
  const size_t spatial = static_cast<size_t>(c.layer.class_name.at(8) - '0');  // ConvLSTM2D
  const channels_last::Window window = window_of(c, spatial);
  if (c.b.rank(c.x()) != static_cast<int>(spatial) + 3) return c.invalid("its input has " + std::to_string(c.b.rank(c.x())) + " axes"), RnnWindow();
  const int64_t in = c.known_size(c.x(), window.channels == Channels::first ? 2 : -1), filters = c.config.integer("filters");
  if (filters < 1 || filters > int64_t(1) << 40) return c.invalid("its config: filters is " + std::to_string(filters)), RnnWindow();
  const Weights weights = c.weights.child("cell", "conv_lstm_cell");
  std::vector<int64_t> dims = c.config.ints("kernel_size", spatial);
  dims.insert(dims.end(), {in, 4 * filters});
  const ValueId kernel = c.weight(weights, "kernel", dims);
  dims[dims.size() - 2] = filters;
  const ValueId recurrent = c.weight(weights, "recurrent_kernel", dims);
  const ValueId bias = c.config.boolean("use_bias", true) ? c.weight(weights, "bias", {4 * filters}) : kNone;
  const ValueId gates = for_steps(c, c.x(), [&](ValueId x) {
    const ValueId y = channels_last::conv(c.b, x, kernel, window);
    return bias == kNone ? y : channels_last::bias_add(c.b, y, bias, window.channels);
  });
  if (!c.b.ok()) return {};
  std::vector<ValueId> initial = options.initial;
  const bool given = !initial.empty();
  if (initial.empty()) {
    std::vector<Int> shape = {c.b.size(gates, 0)};
    for (int i = 2; i < c.b.rank(gates); ++i) shape.push_back(c.b.size(gates, i));
    shape[static_cast<size_t>(channels_last::channel_axis(static_cast<int>(shape.size()), window.channels))] = filters;
    initial.assign(2, c.emit("Expand", {number(c, gates, 0), c.b.ints(shape)}));
  }
  if (initial.size() != 2) return c.invalid("it is called with " + std::to_string(initial.size()) + " states, not two"), RnnWindow();
  if (options.mask != kNone && given) return c.unsupported("a mask with initial states"), RnnWindow();
  const std::vector<ValueId> out = scan(c, gates, options.mask, initial, recurrent, window.channels, options.backwards);
  if (out.size() != 3) return {};
  RnnWindow w{out[2], out[0], {out[0], out[1]}};
  if (options.zeros && options.mask != kNone) w.y = c.emit("Where", {wide(c, options.mask, c.b.rank(w.y)), w.y, number(c, w.y, 0)});
  if (options.zeros) w.last = squeeze(c.b, options.backwards ? slice(c.b, w.y, 1, 0, 1) : slice(c.b, w.y, 1, -1, INT64_MAX), {1});
  return w;
}

}  // namespace tern::keras
