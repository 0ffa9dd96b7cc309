// What families of layers share besides layer.h: where the channels are, windows, masks in the shapes that they are applied in.
// Next: conv.cpp.
#pragma once
#include "loaders/channels_last/channels_last.h"
#include "loaders/keras/layers/layer.h"

namespace tern::keras {

// config.data_format.
channels_last::Channels channels_of(const Call& c);
// config.strides, dilation_rate, padding, data_format.
channels_last::Window window_of(const Call& c, size_t spatial);
// The size of x's axis of channels, which must be known.
int64_t channel_count(const Call& c, ValueId x, channels_last::Channels channels);
// y + bias [units] when config.use_bias says so, then config.activation.
Flows biased(Call& c, ValueId y, int64_t units, channels_last::Channels channels = channels_last::Channels::last);

// "bilinear", as Resizing and UpSampling2D call it.
std::optional<channels_last::Resize::Filter> filter_named(std::string_view name);

// condition, of another dtype perhaps, as bool.
ValueId to_bool(const Call& c, ValueId condition);
// a and b; either may be kNone.
ValueId both(const Call& c, ValueId a, ValueId b);
// The number, in v's dtype.
inline ValueId number(const Call& c, ValueId v, double value) { return c.b.scalar_like(v, value); }
// Floats of 16 bits as f32, in which Keras computes what sums; the result is to be cast back to c.layer.compute.
ValueId widened(const Call& c, ValueId x);
// The next weight in the dtype of v, not in that of the layer.
ValueId weight_like(Call& c, ValueId v, std::string_view name, const std::vector<int64_t>& dims, bool trainable = true);
// v / sqrt(max(sum of v^2 over axes, least)).
ValueId unit(const Call& c, ValueId v, const std::vector<int64_t>& axes, double least);
// config[key] as axes in [0, rank), one or a list, ascending; `otherwise` where it gives none.
std::vector<int64_t> axes_of(const Call& c, std::string_view key, int rank, int64_t otherwise);
// Reductions over axes, kept as 1 or not.
ValueId reduce(const Call& c, const char* op, ValueId v, const std::vector<int64_t>& axes, bool keep);

}  // namespace tern::keras
