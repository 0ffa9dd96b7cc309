// Convolutions. See layer.h. Next: pool.cpp.
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {
namespace {

using channels_last::Window;

// config.kernel_size with what follows the spatial axes.
std::vector<int64_t> kernel_dims(const Call& c, size_t spatial, std::initializer_list<int64_t> rest) {
  std::vector<int64_t> dims = c.config.ints("kernel_size", spatial);
  if (dims.empty()) c.invalid("its config has no kernel_size");
  dims.insert(dims.end(), rest);
  return dims;
}

template <size_t kSpatial>
Flows conv(Call& c) {
  const Window window = window_of(c, kSpatial);
  const int64_t in = channel_count(c, c.x(), window.channels), groups = c.config.integer("groups", 1), filters = c.config.integer("filters");
  if (!c.b.ok()) return {};
  if (groups < 1 || in % groups != 0) return c.invalid(std::to_string(in) + " channels in " + std::to_string(groups) + " groups");
  const ValueId kernel = c.weight("kernel", kernel_dims(c, kSpatial, {in / groups, filters}));
  return biased(c, channels_last::conv(c.b, c.x(), kernel, window), filters, window.channels);
}

// The name of the kernel of each channel alone, which Keras 3 calls as all others.
template <size_t kSpatial>
Flows depthwise(Call& c) {
  const Window window = window_of(c, kSpatial);
  const int64_t in = channel_count(c, c.x(), window.channels), times = c.config.integer("depth_multiplier", 1);
  const ValueId kernel = c.weight(c.layer.keras() == 2 ? "depthwise_kernel" : "kernel", kernel_dims(c, kSpatial, {in, times}));
  return biased(c, channels_last::depthwise_conv(c.b, c.x(), kernel, window), c.b.ok() ? c.b.shape(kernel)[kSpatial].value() * times : 0,
                window.channels);
}

template <size_t kSpatial>
Flows separable(Call& c) {
  const Window window = window_of(c, kSpatial);
  const int64_t in = channel_count(c, c.x(), window.channels), times = c.config.integer("depth_multiplier", 1), filters = c.config.integer("filters");
  const ValueId depthwise = c.weight("depthwise_kernel", kernel_dims(c, kSpatial, {in, times}));
  std::vector<int64_t> point(kSpatial, 1);
  point.insert(point.end(), {c.b.ok() ? c.b.shape(depthwise)[kSpatial].value() * times : 0, filters});
  const ValueId pointwise = c.weight("pointwise_kernel", point);
  const ValueId y = channels_last::depthwise_conv(c.b, c.x(), depthwise, window);
  return biased(c, channels_last::conv(c.b, y, pointwise, {.channels = window.channels}), filters, window.channels);
}

template <size_t kSpatial>
Flows transposed(Call& c) {
  const Window window = window_of(c, kSpatial);
  const int64_t in = channel_count(c, c.x(), window.channels), filters = c.config.integer("filters");
  const std::vector<int64_t> dims = kernel_dims(c, kSpatial, {filters, in});
  const ValueId kernel = c.weight("kernel", dims);
  const std::vector<int64_t> output_padding = c.config.ints("output_padding", kSpatial);
  std::vector<int64_t> more;  // see conv_transpose
  for (size_t i = 0; i < output_padding.size() && c.b.ok(); ++i) {
    const int64_t k = dims[i], s = window.strides.empty() ? 1 : window.strides[i], d = window.dilations.empty() ? 1 : window.dilations[i];
    constexpr int64_t kMost = int64_t(1) << 20;
    if (std::max({k, s, d, output_padding[i]}) > kMost || std::min({k, s, d, output_padding[i]}) < 0) return c.invalid("its window makes no sense");
    const int64_t reach = k + (k - 1) * (d - 1), pad = window.padding == Window::Padding::same ? reach / 2 : 0;
    more.push_back(reach - s - 2 * pad + output_padding[i]);
  }
  return biased(c, channels_last::conv_transpose(c.b, c.x(), kernel, window, more), filters, window.channels);
}

constexpr LayerRow kConvRows[] = {
    {"Conv1D Convolution1D", conv<1>},
    {"Conv2D Convolution2D", conv<2>},
    {"Conv3D Convolution3D", conv<3>},
    {"DepthwiseConv1D", depthwise<1>},
    {"DepthwiseConv2D", depthwise<2>},
    {"SeparableConv1D SeparableConvolution1D", separable<1>},
    {"SeparableConv2D SeparableConvolution2D", separable<2>},
    {"Conv1DTranspose Convolution1DTranspose", transposed<1>},
    {"Conv2DTranspose Convolution2DTranspose", transposed<2>},
    {"Conv3DTranspose Convolution3DTranspose", transposed<3>},
};

}  // namespace

std::span<const LayerRow> conv_layers() { return kConvRows; }

}  // namespace tern::keras
