// Binding of depthwise convolutions that are plain on both sides. See conv.h, depthwise.simd.cpp.
#include "kernels/conv/conv_bind.h"

namespace tern {

// The taps that are left out must be those of the blocked form: rows of them, where y has more than one column (conv.h, Numerics).
bool is_plain_depthwise(const BindContext& c, const ConvProblem& p) {
  const Window& w = p.window;
  if (p.groups == 1 || p.ics != 1 || p.mirrored || p.spread != Extent3{1, 1, 1}) return false;
  if (c.in(0).layout.blocked || c.out(0).layout.blocked || (c.has(3) && c.in(3).layout.blocked) || channels_last(c.attrs, kLastX + kLastY))
    return false;
  return w.in[0] == 1 && w.kernel[0] == 1 && w.out[0] == 1 && w.out[2] > 1 && suits_dealt_rows(w);
}

Status bind_plain_depthwise(BindContext& c, const ConvProblem& p) {
  const Window& w = p.window;
  DepthwiseArgs& a = c.args<DepthwiseArgs>();
  a.ocs = p.groups * p.ocs, a.multiplier = p.ocs;
  a.in = w.in[1], a.out[0] = w.out[1], a.out[1] = w.out[2];
  a.kernel = w.kernel[1], a.stride = w.stride[1], a.dilation = w.dilation[1], a.begin = w.begin[1];
  const auto [first, last] = c.range(c.out(0).dims[0] * a.ocs);
  if (first == last) return {};
  a.first = first, a.last = last;
  c.set(a.x, c.input<const float>(0));
  c.set(a.w, c.input<const float>(1));
  c.set(a.bias, c.input<const float>(2));
  set_epilogue(c, kConvEpilogue, a);
  c.set(a.y, c.output<float>(0));
  bind_dealt_rows(c, w, sizeof(float), a.rows);
  c.run(*pick(rows_of<TERN_ON_EACH_ISA(depthwise_f32)>, DType::f32, c.isa));
  return {};
}

}  // namespace tern
