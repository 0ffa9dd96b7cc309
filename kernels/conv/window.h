// The sliding window that convolutions and pools share: kernel, stride, dilation and padding, read from a node's attributes.
// Everything is brought to three spatial axes: [W] becomes [1,1,W], [H,W] becomes [1,H,W]. Next: conv.h.
#pragma once
#include <array>

#include "kernels/op.h"

namespace tern {

using Extent3 = std::array<int64_t, 3>;

struct Window {
  int spatial = 0;  // axes of the operator: 1, 2 or 3; the rest are in front, of extent 1
  Extent3 in{1, 1, 1}, out{1, 1, 1};
  Extent3 kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  Extent3 begin{0, 0, 0}, end{0, 0, 0};  // padding
  bool ceil_mode = false;
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t swept(size_t a) const { return (out[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1; }  // elements of an axis, padding included
};

// The attributes kernel_shape (or `kernel`, the spatial dims of a weight, when not empty), strides, dilations, pads, auto_pad.
// `in`, `out` and ceil_mode are not set; under auto_pad SAME_* the padding is not either. Errors: a list of the wrong length, numbers out of range.
Result<Window> read_window(const AttrReader& attrs, int spatial, std::span<const int64_t> kernel);
// The extent that the window leaves of each axis, and under SAME_* the padding. Errors: it does not fit once.
Status fit_window(Window& w, const AttrReader& attrs, std::span<const int64_t> in);
// The same for shapes that may be symbolic, one axis (0-based spatial axis of the operator); a fresh symbol when it is not linear.
Result<Dim> window_out(const Window& w, const AttrReader& attrs, int axis, const Dim& in, InferContext& c);

}  // namespace tern
