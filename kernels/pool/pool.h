// Pooling: the maximum, mean or p-norm of a sliding window, or of all that a channel holds (Global*).
//   Shapes    x [N,C,spatial], y [N,C,spatial out], 1 to 3 spatial axes; plain, or f32 maxima and means on NCHW16c (Layout::blocked).
//             Indices (MaxPool): i64 like y, positions in x flattened; storage_order 1 counts the spatial axes first axis fastest.
//   Cost      taps loads an output element.
//   Numerics  max: taps in order (kd, kh, kw), v = x > v or x is NaN ? x : v, from the lowest value. mean: sum of the taps inside x in that order,
//             from 0, divided by their number (count_include_pad: by the taps inside the padded x). Global mean: rows summed from 0,
//             their sums added in order, divided by the size. p-norm: p = 1 and 2 exact operations in that order, others by portable pow.
//             16-bit floats are summed in f32. Same bits plain and blocked, and on every ISA.
//   Edges     NaN propagates. ceil_mode never starts a window wholly in the padding. A window that holds no element of x gives
//             the lowest value (max), 0 (norm), and 0 or NaN (mean).
//   Source    the ONNX operators MaxPool, AveragePool, LpPool, Global*.
// Next: pool.cpp (schema and binding), plain.simd.cpp (maxima, their places and means of plain maps), pool.simd.cpp (of blocked ones), portable.h (the
// rest, in plain C++), pool.cu (all on a device).
#pragma once
#include <stdint.h>

#include "kernels/conv/conv.h"
#include "kernels/pool/portable.h"
#include "kernels/rows.h"

namespace tern {

struct OpDef;
extern const OpDef kAveragePool;
extern const OpDef kGlobalAveragePool;
extern const OpDef kGlobalLpPool;
extern const OpDef kGlobalMaxPool;
extern const OpDef kLpPool;
extern const OpDef kMaxPool;
extern const OpDef kMeanBlocks;  // ReduceMean over all spatial axes of a blocked value, in its order of sums (../reduce/reduce.h)

// Pooling of blocked maps, two spatial axes: floats of x and y at the first real pixel of image 0, block 0.
struct BlockedPoolArgs {
  const float* x;
  float* y;
  int64_t x_image, x_block, x_row, y_image, y_block, y_row;  // floats
  int64_t blocks;                                            // of 16 channels, an image
  int64_t in[2], out[2], kernel[2], stride[2], dilation[2], begin[2], end[2];
  ConvHalo halo;  // of y
  bool include_pad;
  int64_t first, last;  // (image, block) pairs
};
// Pooling of plain maps.
struct PlainPoolArgs {
  const void* x;
  void* y;
  PoolWindow<int64_t> window;
  DealtRows rows;
  void* row;              // workspace: a row of y before it is rounded; of means also what it is divided by, of maxima a row of x
  const double* columns;  // of means: how many taps each window of a row has inside x, or inside the padded x
  bool include_pad;
  int64_t begin, end;  // (image, channel) pairs
  // Of maxima with indices:
  int64_t* indices;
  const int32_t* firsts;  // [out, and a vector more]: in a row of x, the first element that each window has there; -1 of none
  int32_t* steps;         // workspace [most taps of a window]
};
// The mean of whole maps: y [N,C], plain, or blocks of 16 (blocked).
struct GlobalMeanArgs {
  const float* x;
  float* y;
  int64_t x_image, x_block, x_row, y_image, y_block, channels, blocks, height, width, first, last;  // channels: that y has room for
};

TERN_EACH_ISA(extern const KernelRow blocked_max_pool_f32, blocked_average_pool_f32, blocked_global_average_pool_f32,
              mean_blocks_f32;)  // pool.simd.cpp
TERN_EACH_ISA(extern const Rows<6> plain_max_pool; extern const KernelRow plain_max_pool_places; extern const Rows<4> plain_average_pool;
              extern const Rows<6> plain_global_max_pool; extern const Rows<4> plain_global_average_pool;)  // plain.simd.cpp

}  // namespace tern
