// ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions. See rnn.h. Next: wrappers.cpp.
// What the gates take of the inputs is one convolution of all steps; a Scan adds what they take of the state, step by step.
#include "loaders/keras/layers/rnn.h"

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

// What a step gives of the gates [batch, …, 4 * filters] that its input has, and of the states h and c.
std::vector<ValueId> step(const Call& c, ValueId gates, ValueId h, ValueId carry, ValueId recurrent, Channels channels) {
  const ValueId of_state = channels_last::conv(c.b, h, recurrent, {.padding = channels_last::Window::Padding::same, .channels = channels});
  const int axis = channels_last::channel_axis(c.b.rank(h), channels);
  const auto part = c.b.emit("Split", {c.emit("Add", {gates, of_state})}, attributes({{"axis", int64_t(axis)}, {"num_outputs", int64_t(4)}}), 4);
  auto gate = [&](size_t i) { return activation(c, "recurrent_activation", part[i]); };
  const ValueId now = c.emit("Add", {c.emit("Mul", {gate(1), carry}), c.emit("Mul", {gate(0), activation(c, "activation", part[2])})});
  return {c.emit("Mul", {gate(3), activation(c, "activation", now)}), now};
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
  WindowOptions from = options;
  from.initial = initial;
  return run_steps(c, gates, from, given, {recurrent}, [&](const Call& in, ValueId x, const auto& states, const auto& weights) {
    return step(in, x, states[0], states[1], weights[0], window.channels);
  });
}

}  // namespace tern::keras
