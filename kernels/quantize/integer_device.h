// What integer.cu's kernels take: IntegerArgs without what only a CPU wants. Next: integer.cu, integer_launch.cpp.
#pragma once
#include "kernels/fast_div.h"
#include "kernels/quantize/integer_element.h"
#include "tern/element.h"

namespace tern::cuda {

constexpr int kIntegerBlock = 256;  // threads
constexpr int kIntegerTile = 64;    // rows and columns of a block, four by four a thread
constexpr int kIntegerDepth = 16;   // k of a step
constexpr int kIntegerFewRows = 8;  // so many rows are no tile: a thread a column

template <class Div>
struct IntegerLaunch {
  const void *x, *w;
  bool x_signed, w_signed, y_signed, conv;
  DType scale_dtype;
  PerIndex x_zero, w_zero, x_scale, w_scale;
  const void *y_scale, *y_zero;
  const int32_t* bias;
  void* y;
  const IntegerBatch* batch;
  int64_t batches, m, n, k, w_matrix, w_k, w_column, y_row, y_column;
  int64_t row_tiles, column_tiles;
  // A convolution's window, three axes.
  Div out[3], kernel[3];
  int64_t in[3], stride[3], dilation[3], begin[3];
};

}  // namespace tern::cuda
