// Convolutions, forwards and transposed. See operator.h. Next: pool.cpp.
#include "loaders/tensorflow/ops/windows.h"

namespace tern::tensorflow {
namespace {

using channels_last::Channels;
using channels_last::Window;

template <int Spatial>
Values conv(Call& c) {
  if (!has_rank(c, 0, Spatial + 2) || !has_rank(c, 1, Spatial + 2)) return {};
  return {channels_last::conv(c.b, c.tensor(0), c.tensor(1), window_of(c, Spatial))};
}

Values fused_conv(Call& c) {
  if (!has_rank(c, 0, 4) || !has_rank(c, 1, 4)) return {};
  if (const std::string format = c.string("filter_format", "HWIO"); format != "HWIO") return c.fail(unsupported("filter_format " + format));
  return {fused(c, channels_last::conv(c.b, c.tensor(0), c.tensor(1), window_of(c, 2)), 2, channels_of(c))};
}

Values depthwise(Call& c) {
  if (!has_rank(c, 0, 4) || !has_rank(c, 1, 4)) return {};
  return {channels_last::depthwise_conv(c.b, c.tensor(0), c.tensor(1), window_of(c, 2))};
}

Values fused_depthwise(Call& c) {
  if (!has_rank(c, 0, 4) || !has_rank(c, 1, 4)) return {};
  return {fused(c, channels_last::depthwise_conv(c.b, c.tensor(0), c.tensor(1), window_of(c, 2)), 2, channels_of(c))};
}

// Conv: any number of spatial axes; strides and dilations are theirs alone or of all axes.
Values any_conv(Call& c) {
  const int rank = c.b.rank(c.tensor(0));
  if (!c.b.ok() || !has_rank(c, 1, rank)) return {};
  if (rank < 3 || c.integer("batch_dims", 1) != 1) return c.fail(unsupported("a convolution of several or no batch dimensions is not supported"));
  return {channels_last::conv(c.b, c.tensor(0), c.tensor(1), window_of(c, rank - 2))};
}

// The gradient of a convolution by its input, which is a transposed convolution. input_sizes, the first input, tells how large its output is: of the
// sizes that a stride could have come from, one.
template <int Spatial>
Values transposed(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId filter = c.tensor(1), x = c.tensor(2);
  if (!has_rank(c, 1, Spatial + 2) || !has_rank(c, 2, Spatial + 2)) return {};
  const Window window = window_of(c, Spatial);
  const int first = channels_last::first_spatial(window.channels);
  const std::vector<Int> sizes = b.elements(c.tensor(0));
  if (!b.ok()) return {};
  const bool whole = sizes.size() == Spatial + 2;  // some writers give the spatial sizes alone
  if (!whole && sizes.size() != Spatial) return c.fail(invalid("input_sizes has " + std::to_string(sizes.size()) + " numbers"));
  std::vector<int64_t> more;
  for (int i = 0; i < Spatial; ++i) {
    const int64_t stride = window.strides[static_cast<size_t>(i)];
    const Int size = sizes[static_cast<size_t>(whole ? first + i : i)], extra = b.sub(size, b.mul(b.size(x, first + i), stride));
    if (!b.ok()) return {};
    // Unknown are both, or what the graph computes in another way than from x: then it is the size that TensorFlow's users mean.
    if (!extra.known()) return {channels_last::conv_transpose(b, x, filter, window)};
    more.push_back(extra.value());
  }
  return {channels_last::conv_transpose(b, x, filter, window, more)};
}

constexpr Operator kConvRows[] = {
    {"Conv2D", nullptr, conv<2>},
    {"Conv3D", nullptr, conv<3>},
    {"Conv", nullptr, any_conv},
    {"_FusedConv2D", nullptr, fused_conv},
    {"DepthwiseConv2dNative", nullptr, depthwise},
    {"_FusedDepthwiseConv2dNative", nullptr, fused_depthwise},
    {"Conv2DBackpropInput", nullptr, transposed<2>},
    {"Conv3DBackpropInputV2", nullptr, transposed<3>},
};

}  // namespace

std::span<const Operator> conv_operators() { return kConvRows; }

}  // namespace tern::tensorflow
