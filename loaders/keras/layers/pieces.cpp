// See pieces.h.
#include "loaders/keras/layers/pieces.h"

#include <algorithm>

#include "runtime/base/printable.h"

namespace tern::keras {

using channels_last::Channels;
using channels_last::Window;

Channels channels_of(const Call& c) {
  const std::string format = c.config.text("data_format", "channels_last");
  if (format == "channels_last") return Channels::last;
  if (format != "channels_first") c.invalid("its config: data_format is " + printable(format, 80));
  return Channels::first;
}

Window window_of(const Call& c, size_t spatial) {
  Window window;
  window.strides = c.config.ints("strides", spatial);
  window.dilations = c.config.ints("dilation_rate", spatial);
  window.channels = channels_of(c);
  const std::string padding = c.config.text("padding", "valid");
  if (padding == "same") window.padding = Window::Padding::same;
  else if (padding == "causal" && spatial == 1) window.padding = Window::Padding::causal;
  else if (padding != "valid") c.invalid("its config: padding is " + printable(padding, 80));
  return window;
}

int64_t channel_count(const Call& c, ValueId x, Channels channels) { return c.known_size(x, channels == Channels::first ? 1 : -1); }

Flows biased(Call& c, ValueId y, int64_t units, Channels channels) {
  if (c.config.boolean("use_bias", true)) y = channels_last::bias_add(c.b, y, c.weight("bias", {units}), channels);
  return {{activation(c, "activation", y)}};
}

ValueId to_bool(const Call& c, ValueId condition) { return condition == kNone ? kNone : c.b.cast(condition, DType::boolean); }

ValueId both(const Call& c, ValueId a, ValueId b) { return a == kNone ? b : b == kNone ? a : c.emit("And", {a, b}); }

ValueId widened(const Call& c, ValueId x) {
  const DType t = c.b.dtype(x);
  return t == DType::f16 || t == DType::bf16 ? c.b.cast(x, DType::f32) : x;
}

ValueId weight_like(Call& c, ValueId v, std::string_view name, const std::vector<int64_t>& dims, bool trainable) {
  return c.b.cast(c.weights.get(name, dims, trainable && c.config.boolean("trainable", true)), c.b.dtype(v));
}

ValueId unit(const Call& c, ValueId v, const std::vector<int64_t>& axes, double least) {
  const ValueId square = reduce(c, "ReduceSumSquare", v, axes, true);
  return c.emit("Div", {v, c.emit("Sqrt", {c.emit("Max", {square, number(c, v, least)})})});
}

std::vector<int64_t> axes_of(const Call& c, std::string_view key, int rank, int64_t otherwise) {
  std::vector<int64_t> axes = c.config.ints(key);
  if (axes.empty()) axes = {otherwise};
  for (int64_t& a : axes) a = c.axis(a, rank);
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) c.invalid("its config: " + std::string(key) + " names an axis twice");
  return axes;
}

ValueId reduce(const Call& c, const char* op, ValueId v, const std::vector<int64_t>& axes, bool keep) {
  return c.emit(op, {v, c.b.ints(axes)}, attributes({{"keepdims", int64_t(keep)}}));
}

}  // namespace tern::keras
