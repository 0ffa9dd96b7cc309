// What the convolutions on a device share: a pixel of y and what lies under its window, the end of a sum. Included by *.cu only. Next: conv.cu,
// tensor.cu.
#pragma once
#include "kernels/conv/launch.h"
#include "kernels/simd_activation.h"

namespace tern::cuda {
namespace {

TERN_INLINE bool activates_later(const ConvArgs& a) { return a.epilogue.activation > Activation::relu; }
TERN_INLINE float relu(float v) { return activate<Activation::relu>(f32x16{v}, 0, 0).v; }
TERN_INLINE float scaled(const ConvArgs& a, float v, int channel) { return a.scale == nullptr ? v : fmaf(v, a.scale[channel], a.shift[channel]); }

// A pixel of y: its image, and where its window begins in x.
struct Pixel {
  const float* x;  // of its image and group
  int at[3], offset;
  bool there;
};
TERN_INLINE Pixel pixel_of(const ConvArgs& a, int64_t column, int group) {
  Pixel p;
  p.there = column < a.columns;
  const int64_t image = p.there ? column / a.pixels : 0;
  const int rest = p.there ? static_cast<int>(column - image * a.pixels) : 0, row = rest / a.out[2];
  p.x = a.x + image * a.x_image + group * a.x_group;
  p.at[0] = row / a.out[1] * a.stride[0] - a.begin[0];
  p.at[1] = row % a.out[1] * a.stride[1] - a.begin[1];
  p.at[2] = (rest - row * a.out[2]) * a.stride[2] - a.begin[2];
  p.offset = (p.at[0] * a.in[1] + p.at[1]) * a.in[2] + p.at[2];
  return p;
}
// The element of x under a tap: where it lies, and whether there is one.
template <bool kSpread>
TERN_INLINE const float* under(const ConvArgs& a, const Pixel& p, const int4 tap, bool& there) {
  const int z = p.at[0] + tap.y, y = p.at[1] + tap.z, x = p.at[2] + tap.w;
  if (!kSpread) {
    there = p.there && static_cast<unsigned>(z) < static_cast<unsigned>(a.in[0]) && static_cast<unsigned>(y) < static_cast<unsigned>(a.in[1]) &&
            static_cast<unsigned>(x) < static_cast<unsigned>(a.in[2]);
    return p.x + (there ? p.offset + tap.x : 0);
  }
  there = p.there && z >= 0 && y >= 0 && x >= 0;
  const unsigned uz = there ? z : 0, uy = there ? y : 0, ux = there ? x : 0;
  const unsigned qz = uz / a.spread[0], qy = uy / a.spread[1], qx = ux / a.spread[2];
  there = there && qz * a.spread[0] == uz && qy * a.spread[1] == uy && qx * a.spread[2] == ux && qz < static_cast<unsigned>(a.in[0]) &&
          qy < static_cast<unsigned>(a.in[1]) && qx < static_cast<unsigned>(a.in[2]);
  return p.x + (there ? static_cast<int>((qz * a.in[1] + qy) * a.in[2] + qx) + tap.x : 0);
}
// Where the pixel `column` places after `first` lies in y, for output channel 0 of the group.
TERN_INLINE int64_t place_of(const ConvArgs& a, int group, int64_t first, int column) {
  const int64_t image = first / a.pixels;
  const unsigned pixel = static_cast<unsigned>(first - image * a.pixels) + column, images = pixel / static_cast<unsigned>(a.pixels);
  return (image + images) * a.y_image + static_cast<int64_t>(group) * a.ocs * a.pixels + (pixel - images * a.pixels);
}

}  // namespace
}  // namespace tern::cuda
