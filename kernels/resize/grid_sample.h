// GridSample: x read at the places that a grid names.   y[n,c,p] = sum_t w_t(n,p) x[n,c,i_t(n,p)]
//   Where     grid[n,p] holds the coordinates of one place, the innermost axis of x first, each -1 to 1 from one end of x to the other: of the
//             centres of its outermost elements (align_corners) or of their outer edges.
//   nearest   one tap, halves to even     linear   two taps an axis     cubic   four taps an axis, Keys' filter with -0.75
//   padding   zeros: taps outside of x are 0. border: places outside are moved to the border, then taps too. reflection: both are mirrored at
//             the border, as often as it takes.
//   Shapes    x [N,C,D1..Dr], grid [N,O1..Or,r], y [N,C,O1..Or]; r is 1 to 3.
//   Cost      taps^r multiply-adds an element; taps and weights of a place serve all channels.
//   Numerics  a place is computed in the grid's precision (f16 and bf16 in f32), weights and sums in double, in the order of the taps.
//   Edges     a NaN coordinate is -1, as PyTorch has it; infinite ones lie outside. Every tap is clamped into x before it is read, so no
//             coordinate reads outside of it; nothing branches on values.
//   Source    the ONNX operator, opset 22, and its reference.
// Next: grid_taps.h, grid_sample.simd.cpp, grid_sample.cpp, grid_sample.cu (f32 on a device).
#pragma once
#include <stdint.h>

#include "kernels/rows.h"

namespace tern {

struct OpDef;
extern const OpDef kGridSample;

constexpr int kGridAxes = 3;

struct GridSampleArgs {
  enum class Mode { nearest, linear, cubic } mode;
  enum class Padding { zeros, border, reflection } padding;
  bool align_corners;
  int axes;
  const void* x;                    // [N, channels, in[0], .., in[axes - 1]]
  const void* grid;                 // [N, points, axes]
  void* y;                          // [N, channels, points]
  int64_t channels, points, plane;  // plane: elements of one channel of x
  int64_t in[kGridAxes];
  int64_t begin, end;  // places of this part, N * points in all
};

// By the dtype of the grid; in each the dtypes of x.
TERN_EACH_ISA(extern const Rows<4> grid_sample_at_f32, grid_sample_at_f64, grid_sample_at_f16, grid_sample_at_bf16;)

}  // namespace tern
