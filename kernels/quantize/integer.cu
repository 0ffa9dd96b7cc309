// The products and convolutions of integer.h: exact sums modulo 2^32, in any order. x less its zero point and w less its own are widened into
// shared memory, tile by tile; padding is 0 there. Next: integer_launch.cpp.
#include "kernels/quantize/integer_device.h"
#include "kernels/quantize/scale.h"
#include "kernels/simd.h"

namespace tern::cuda {
namespace {

TERN_INLINE int32_t byte_at(const void* p, int64_t i, bool is_signed) {
  return is_signed ? static_cast<const int8_t*>(p)[i] : static_cast<const uint8_t*>(p)[i];
}

// Row `row` and depth `k` of the matrix of x, less its zero point.
template <class Div>
TERN_INLINE int32_t x_at(const IntegerLaunch<Div>& l, const IntegerBatch& b, typename Div::Int row, typename Div::Int k) {
  int64_t at = static_cast<int64_t>(row) * l.k + k;
  bool inside = true;
  if (l.conv) {
    typename Div::Int place[3], tap[3];
    at = 0;
    place[2] = take_last(row, l.out[2]);
    place[1] = take_last(row, l.out[1]);
    place[0] = row;
    tap[2] = take_last(k, l.kernel[2]);
    tap[1] = take_last(k, l.kernel[1]);
    tap[0] = take_last(k, l.kernel[0]);
    at = k;  // the channel
#pragma unroll
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t p = static_cast<int64_t>(place[axis]) * l.stride[axis] + static_cast<int64_t>(tap[axis]) * l.dilation[axis] - l.begin[axis];
      inside = inside && p >= 0 && p < l.in[axis];
      at = at * l.in[axis] + p;
    }
  }
  return inside ? byte_at(l.x, b.x + at, l.x_signed) - zero_at(l.x_zero, l.x_signed, l.conv ? 0 : b.row + row) : 0;
}
template <class Div>
TERN_INLINE int32_t w_at(const IntegerLaunch<Div>& l, const IntegerBatch& b, int64_t k, int64_t column) {
  return byte_at(l.w, b.w * l.w_matrix + k * l.w_k + column * l.w_column, l.w_signed) - zero_at(l.w_zero, l.w_signed, b.column + column);
}

// What becomes of a sum.
template <class Div>
TERN_INLINE void finish(const IntegerLaunch<Div>& l, const IntegerBatch& b, int64_t row, int64_t column, uint32_t sum) {
  const int64_t at = b.y + row * l.y_row + column * l.y_column;
  if (l.bias != nullptr) sum += static_cast<uint32_t>(l.bias[b.column + column]);
  if (l.y_scale == nullptr) {
    static_cast<int32_t*>(l.y)[at] = static_cast<int32_t>(sum);
    return;
  }
  auto scale_of = [&](const PerIndex& p, int64_t i) { return scale_at(p.data, l.scale_dtype, i * p.step); };
  const float scale = scale_of(l.x_scale, b.row + row) * scale_of(l.w_scale, b.column + column) / scale_at(l.y_scale, l.scale_dtype, 0);
  const int32_t zero = zero_at({l.y_zero, 0}, l.y_signed, 0);
  if (l.y_signed) {
    static_cast<int8_t*>(l.y)[at] = requantized<int8_t>(sum, scale, zero);
  } else {
    static_cast<uint8_t*>(l.y)[at] = requantized<uint8_t>(sum, scale, zero);
  }
}

struct alignas(16) Four {
  int32_t v[4];
};
struct Tiles {
  // Rows of 68: 16-byte aligned.
  alignas(16) int32_t x[kIntegerDepth][kIntegerTile + 4], w[kIntegerDepth][kIntegerTile + 4];
};

template <class Div>
TERN_INLINE void tile(const IntegerLaunch<Div>& l, int64_t number, Tiles& t) {
  const int64_t matrix = number / (l.row_tiles * l.column_tiles), in_matrix = number % (l.row_tiles * l.column_tiles);
  const int64_t row0 = in_matrix / l.column_tiles * kIntegerTile, column0 = in_matrix % l.column_tiles * kIntegerTile;
  const IntegerBatch b = l.batch[matrix];
  const int tx = static_cast<int>(threadIdx.x) % 16, ty = static_cast<int>(threadIdx.x) / 16;
  uint32_t sum[4][4] = {};
  for (int64_t k0 = 0; k0 < l.k; k0 += kIntegerDepth) {
#pragma unroll
    for (int i = 0; i < kIntegerTile * kIntegerDepth / kIntegerBlock; ++i) {
      const int e = static_cast<int>(threadIdx.x) + i * kIntegerBlock;
      // Neighbouring threads take what lies side by side: pixels of a convolution, else depths of x; columns of w, or its depths.
      const int xr = l.conv ? e % kIntegerTile : e / kIntegerDepth, xk = l.conv ? e / kIntegerTile : e % kIntegerDepth;
      const bool x_there = row0 + xr < l.m && k0 + xk < l.k;
      t.x[xk][xr] = x_there ? x_at(l, b, static_cast<typename Div::Int>(row0 + xr), static_cast<typename Div::Int>(k0 + xk)) : 0;
      const int wc = l.conv ? e / kIntegerDepth : e % kIntegerTile, wk = l.conv ? e % kIntegerDepth : e / kIntegerTile;
      const bool w_there = column0 + wc < l.n && k0 + wk < l.k;
      t.w[wk][wc] = w_there ? w_at(l, b, k0 + wk, column0 + wc) : 0;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kIntegerDepth; ++k) {
      const Four x = *reinterpret_cast<const Four*>(&t.x[k][4 * ty]), w = *reinterpret_cast<const Four*>(&t.w[k][4 * tx]);
#pragma unroll
      for (int r = 0; r < 4; ++r) {
#pragma unroll
        for (int c = 0; c < 4; ++c) sum[r][c] += static_cast<uint32_t>(x.v[r] * w.v[c]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < 4; ++r) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const int64_t row = row0 + 4 * ty + r, column = column0 + 4 * tx + c;
      if (row < l.m && column < l.n) finish(l, b, row, column, sum[r][c]);
    }
  }
}
template <class Div>
TERN_INLINE void tiles(const IntegerLaunch<Div>& l) {
  __shared__ Tiles t;
  for (int64_t number = blockIdx.x; number < l.batches * l.row_tiles * l.column_tiles; number += gridDim.x) tile(l, number, t);
}

}  // namespace

extern "C" {
__global__ void integer_product(const IntegerLaunch<FastDiv> l) { tiles(l); }
__global__ void integer_product_large(const IntegerLaunch<WideDiv> l) { tiles(l); }
// Block x: a row of some matrix; threads and block y: its columns.
__global__ void integer_product_few_rows(const IntegerLaunch<WideDiv> l) {
  for (int64_t number = blockIdx.x; number < l.batches * l.m; number += gridDim.x) {
    const int64_t row = number % l.m;
    const IntegerBatch b = l.batch[number / l.m];
    for (int64_t column = static_cast<int64_t>(blockIdx.y) * kIntegerBlock + threadIdx.x; column < l.n;
         column += static_cast<int64_t>(gridDim.y) * kIntegerBlock) {
      uint32_t sum = 0;
      for (int64_t k = 0; k < l.k; ++k) sum += static_cast<uint32_t>(x_at(l, b, row, k) * w_at(l, b, k, column));
      finish(l, b, row, column, sum);
    }
  }
}
}

}  // namespace tern::cuda
