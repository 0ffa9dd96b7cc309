// A tile of a product by tensor cores: fragments of sums in registers, a stage of factors of both operands in shared memory. A warp computes a part
// of the tile that is made of 16x8 fragments. A row's four chunks of 16 bytes lie in an order that depends on the row, so that the eight rows which
// ldmatrix reads at once, and the copies, meet all banks. Fragments are the same bytes for tf32 and for halves: 32 bytes of k a step. Included by
// *.cu only. Next: tensor.cu, conv/tensor.cu.
#pragma once
#include "kernels/gemm/tensor.h"
#include "kernels/ptx.cuh"

namespace tern::cuda {
namespace {

template <Precision kPrecision, int BM, int BN, int kDown, int kAcross>  // kDown * kAcross warps
struct Fragments {
  static constexpr int kThreads = 32 * kDown * kAcross, kRow = kStageBytes;
  static constexpr int TM = BM / kDown / 16, TN = BN / kAcross / 8;  // fragments of a warp
  static_assert(TM * kDown * 16 == BM && TN * kAcross * 8 == BN && TN % 2 == 0);
  struct Shared {
    uint8_t x[2][BM * kRow];  // [BM, 4 chunks]
    uint8_t w[2][BN * kRow];
  };
  float acc[TM][TN][4];  // rows g and g + 8, columns 2q and 2q + 1, of lane 4g + q

  static __device__ __forceinline__ int place(int row, int chunk) { return row * kRow + (chunk ^ (row >> 1 & 3)) * 16; }

  // A stage of kRows rows, of which `rows` exist.
  template <int kRows>
  static __device__ __forceinline__ void copy(uint8_t* to, const std::byte* from, int rows, int64_t row_bytes) {
#pragma unroll
    for (int i = 0; i < (kRows * 4 + kThreads - 1) / kThreads; ++i) {
      const int c = i * kThreads + static_cast<int>(threadIdx.x), row = c / 4;
      if (kRows * 4 % kThreads == 0 || row < kRows) {
        const bool there = row < rows;
        copy_async_16(to + place(row, c % 4), from + (there ? row * row_bytes : 0) + c % 4 * 16, there);
      }
    }
  }

  __device__ __forceinline__ void multiply(const uint8_t* x, const uint8_t* w) {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int x_row = warp / kAcross * (TM * 16) + lane % 16, w_row = warp % kAcross * (TN * 8) + lane / 16 * 8 + lane % 8;
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      uint32_t xs[4], ws[TN / 2][4];
#pragma unroll
      for (int c = 0; c < TN / 2; ++c) load_matrices(ws[c], w + place(w_row + c * 16, step * 2 + lane / 8 % 2));
#pragma unroll
      for (int r = 0; r < TM; ++r) {
        load_matrices(xs, x + place(x_row + r * 16, step * 2 + lane / 16));
#pragma unroll
        for (int c = 0; c < TN; ++c) {
          const uint32_t b0 = ws[c / 2][c % 2 * 2], b1 = ws[c / 2][c % 2 * 2 + 1];
          if constexpr (kPrecision == Precision::tf32) multiply_tf32(acc[r][c], xs, b0, b1);
          else if constexpr (kPrecision == Precision::f16) multiply_f16(acc[r][c], xs, b0, b1);
          else multiply_bf16(acc[r][c], xs, b0, b1);
        }
      }
    }
  }

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int r = 0; r < TM; ++r) {
#pragma unroll
      for (int c = 0; c < TN * 4; ++c) acc[r][c / 4][c % 4] = 0;
    }
  }
};

}  // namespace
}  // namespace tern::cuda
