// Pools. See layer.h. Next: norm.cpp.
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {
namespace {

using channels_last::Channels;
using channels_last::Pool;
using channels_last::Window;

template <size_t kSpatial, Pool kKind>
Flows pool(Call& c) {
  Window window = window_of(c, kSpatial);
  window.kernel = c.config.ints("pool_size", kSpatial);
  if (window.kernel.empty()) window.kernel.assign(kSpatial, 2);
  if (window.strides.empty()) window.strides = window.kernel;
  return {{channels_last::pool(c.b, c.x(), kKind, window)}};
}

// The mean of the steps that a mask keeps.
ValueId masked_mean(Call& c, ValueId mask, int axis, bool keep) {
  const ValueId x = c.x(), kept = unsqueeze(c.b, c.b.cast(mask, c.b.dtype(x)), {axis == 1 ? 2 : 1});
  const ValueId sum = reduce(c, "ReduceSum", c.emit("Mul", {x, kept}), {axis}, keep);
  return c.emit("Div", {sum, reduce(c, "ReduceSum", kept, {axis}, keep)});
}

template <size_t kSpatial, Pool kKind>
Flows global_pool(Call& c) {
  const Channels channels = channels_of(c);
  const bool keep = c.config.boolean("keepdims", false);
  if (c.b.rank(c.x()) != kSpatial + 2) return c.invalid("its input has " + std::to_string(c.b.rank(c.x())) + " axes");
  if (kSpatial == 1 && kKind == Pool::average && c.mask() != kNone) return {{masked_mean(c, c.mask(), channels == Channels::last ? 1 : 2, keep)}};
  return {{channels_last::global_pool(c.b, c.x(), kKind, channels, keep)}};
}

template <size_t kSpatial, Pool kKind>
Flows adaptive_pool(Call& c) {
  const Channels channels = channels_of(c);
  const std::vector<int64_t> sizes = c.config.ints("output_size", kSpatial);
  ValueId y = c.x();
  if (c.b.rank(y) != kSpatial + 2 || sizes.size() != kSpatial) return c.invalid("its input has " + std::to_string(c.b.rank(y)) + " axes");
  for (size_t i = 0; i < kSpatial; ++i)
    y = adaptive_pool_axis(c.b, y, channels_last::first_spatial(channels) + static_cast<int>(i), sizes[i], kKind == Pool::max);
  return {{y}};
}

constexpr LayerRow kPoolRows[] = {
    {"MaxPooling1D MaxPool1D", pool<1, Pool::max>},
    {"MaxPooling2D MaxPool2D", pool<2, Pool::max>},
    {"MaxPooling3D MaxPool3D", pool<3, Pool::max>},
    {"AveragePooling1D AvgPool1D", pool<1, Pool::average>},
    {"AveragePooling2D AvgPool2D", pool<2, Pool::average>},
    {"AveragePooling3D AvgPool3D", pool<3, Pool::average>},
    {"GlobalMaxPooling1D GlobalMaxPool1D", global_pool<1, Pool::max>},
    {"GlobalMaxPooling2D GlobalMaxPool2D", global_pool<2, Pool::max>},
    {"GlobalMaxPooling3D GlobalMaxPool3D", global_pool<3, Pool::max>},
    {"GlobalAveragePooling1D GlobalAvgPool1D", global_pool<1, Pool::average>},
    {"GlobalAveragePooling2D GlobalAvgPool2D", global_pool<2, Pool::average>},
    {"GlobalAveragePooling3D GlobalAvgPool3D", global_pool<3, Pool::average>},
    {"AdaptiveMaxPooling1D", adaptive_pool<1, Pool::max>},
    {"AdaptiveMaxPooling2D", adaptive_pool<2, Pool::max>},
    {"AdaptiveMaxPooling3D", adaptive_pool<3, Pool::max>},
    {"AdaptiveAveragePooling1D", adaptive_pool<1, Pool::average>},
    {"AdaptiveAveragePooling2D", adaptive_pool<2, Pool::average>},
    {"AdaptiveAveragePooling3D", adaptive_pool<3, Pool::average>},
};

}  // namespace

std::span<const LayerRow> pool_layers() { return kPoolRows; }

}  // namespace tern::keras
