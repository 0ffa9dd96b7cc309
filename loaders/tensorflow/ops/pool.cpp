// Pools. See operator.h. Next: norm.cpp.
#include "loaders/tensorflow/ops/windows.h"

namespace tern::tensorflow {
namespace {

using channels_last::Pool;
using channels_last::Window;

template <int Spatial, Pool Kind>
Values pool(Call& c) {
  if (!has_rank(c, 0, Spatial + 2)) return {};
  return {channels_last::pool(c.b, c.tensor(0), Kind, window_of(c, Spatial))};
}

// The window's sizes are inputs.
Values max_pool_v2(Call& c) {
  if (!has_rank(c, 0, 4)) return {};
  Window w;
  w.channels = channels_of(c);
  w.kernel = spatial_part(c, c.known_ints(1), 2, w.channels, "ksize");
  w.strides = spatial_part(c, c.known_ints(2), 2, w.channels, "strides");
  const std::string padding = c.string("padding", "");
  if (padding != "SAME" && padding != "VALID") return c.fail(invalid("padding is '" + padding + "', expected SAME or VALID"));
  w.padding = padding == "SAME" ? Window::Padding::same : Window::Padding::valid;
  return {channels_last::pool(c.b, c.tensor(0), Pool::max, w)};
}

// Places are counted over height, width and channels of NHWC, here and there over the batch too. MaxPool counts them over NCHW of all.
Values max_pool_with_argmax(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!has_rank(c, 0, 4)) return {};
  const Window w = window_of(c, 2);
  if (!b.ok()) return {};
  std::vector<ValueId> made = b.emit("MaxPool", {channels_last::to_first(b, x)},
                                     attributes({{"kernel_shape", w.kernel},
                                                 {"strides", w.strides},
                                                 {"auto_pad", std::string(w.padding == Window::Padding::same ? "SAME_UPPER" : "VALID")}}),
                                     2);
  const Int plane = b.mul(b.size(x, 1), b.size(x, 2)), channels = b.size(x, 3);
  const ValueId pixel = b.emit("Mod", {made[1], b.scalar(plane)}), map = b.emit("Div", {b.emit("Sub", {made[1], pixel}), b.scalar(plane)});
  const ValueId channel = b.emit("Mod", {map, b.scalar(channels)});
  ValueId place = b.emit("Add", {b.emit("Mul", {pixel, b.scalar(channels)}), channel});
  if (c.boolean("include_batch_in_index", false)) {
    const ValueId image = b.emit("Div", {b.emit("Sub", {map, channel}), b.scalar(channels)});
    place = b.emit("Add", {place, b.emit("Mul", {image, b.scalar(b.mul(plane, channels))})});
  }
  return {channels_last::to_last(b, made[0]), b.cast(channels_last::to_last(b, place), c.dtype("Targmax", DType::i64))};
}

constexpr Operator kPoolRows[] = {
    {"MaxPool", nullptr, pool<2, Pool::max>},       {"MaxPoolV2", nullptr, max_pool_v2},
    {"MaxPool3D", nullptr, pool<3, Pool::max>},     {"AvgPool", nullptr, pool<2, Pool::average>},
    {"AvgPool3D", nullptr, pool<3, Pool::average>}, {"MaxPoolWithArgmax", "output argmax", max_pool_with_argmax},
};

}  // namespace

std::span<const Operator> pool_operators() { return kPoolRows; }

}  // namespace tern::tensorflow
