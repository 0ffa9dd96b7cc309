// Resize: samples x on another grid, one axis after another.   y[.., o, ..] = sum_t w[o,t] x[.., i[o,t], ..]
//   nearest   one tap     linear   two, a triangle filter     cubic   four, Keys' filter with coefficient a
//   antialias widens the filter by 1 / scale when shrinking. Where output o lies in x is the coordinate transformation (axis_table.cpp).
//   Shapes    any rank and any set of axes; indices and weights are tables made at bind. Plain; or, where rows and columns all change by a filter,
//             NCHW16c (Layout::blocked) on both sides, y without a halo.
//   Cost      taps multiply-adds an element and axis; axes whose grid does not change are left out.
//   Numerics  products are added in the order of the taps without fma; same bits for every ISA. Other dtypes compute in double,
//             integers round toward zero and saturate. Nearest copies.
//   Edges     taps outside of x read the edge, or are dropped (exclude_outside); tf_crop_and_resize gives extrapolation_value there.
//   Source    the ONNX operator, opset 19.
// Next: axis_table.h, resize.cpp, resize.simd.cpp, resize.cu (the same on a device).
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

struct OpDef;
extern const OpDef kResize;

// One axis: [outer, in, inner] to [outer, out, inner].
struct ResizePass {
  int64_t outer, in, out, inner, taps;
  const int32_t* index;  // [out, taps]
  const float* weight;   // [out, taps]
};

struct ResizeArgs {
  const void* x;
  void* y;
  void* buffer[2];  // between passes
  int passes;
  ResizePass pass[8];
  // tf_crop_and_resize: outputs whose coordinate on an axis lies outside of x
  int outsides;
  struct Outside {
    int64_t outer, out, inner;
    const uint8_t* is;  // [out]
  } outside[8];
  double extrapolation;
  int64_t in_count, out_count;
};

TERN_EACH_ISA(extern const KernelRow resize_f32;)
namespace cuda {
extern const KernelRow resize_f32;  // launch.cpp
}

}  // namespace tern
