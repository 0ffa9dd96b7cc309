// f32 products by tensor cores: see tensor.h. A block computes a tile of y; a stage of 64 bytes of every row of x and w is copied while the one
// before it is multiplied. Next: fragments.cuh, kernels/ptx.cuh.
#include "kernels/gemm/epilogue.cuh"
#include "kernels/gemm/fragments.cuh"

namespace tern::cuda {
namespace {

// ---- rounding ----

// A block rounds 32 rows by 32 k, through shared memory: lanes read along whichever axis lies side by side, and write along k.
template <class T, T (*kRound)(float)>
TERN_INLINE void round_rows(const RoundArgs& a) {
  __shared__ float tile[kRoundTile][kRoundTile + 1];  // [rows, k]
  const int across = static_cast<int>(threadIdx.x) % kRoundTile, down = static_cast<int>(threadIdx.x) / kRoundTile;
  const int64_t row_tiles = (a.rows + kRoundTile - 1) / kRoundTile, k_tiles = (a.to_k + kRoundTile - 1) / kRoundTile;
  const bool by_rows = a.column != 1;
  for (int64_t t = blockIdx.x; t < a.matrices * row_tiles * k_tiles; t += gridDim.x) {
    const int64_t b = t / k_tiles / row_tiles, row = t / k_tiles % row_tiles * kRoundTile, k = t % k_tiles * kRoundTile;
    const float* from = a.from + b * a.matrix + row * a.row + k * a.column;
#pragma unroll 1
    for (int i = down; i < kRoundTile; i += kRoundBlock / kRoundTile) {
      const int r = by_rows ? across : i, j = by_rows ? i : across;
      tile[r][j] = row + r < a.rows && k + j < a.k ? a.factor * from[r * a.row + j * a.column] : 0.0f;
    }
    __syncthreads();
    T* to = reinterpret_cast<T*>(a.to) + (b * a.rows + row) * a.to_k + k;
#pragma unroll 1
    for (int r = down; r < kRoundTile; r += kRoundBlock / kRoundTile) {
      if (row + r < a.rows && k + across < a.to_k) to[r * a.to_k + across] = kRound(tile[r][across]);
    }
    __syncthreads();  // before the next tile is read
  }
}

// ---- tiles ----

template <Precision kPrecision, int BM, int BN, int kDown, int kAcross>
struct Tile : Fragments<kPrecision, BM, BN, kDown, kAcross> {
  using Base = Fragments<kPrecision, BM, BN, kDown, kAcross>;
  using Base::acc, Base::TM, Base::TN;

  __device__ __forceinline__ void finish(const ProductArgs& a, const float* residual, float* y, int64_t row, int64_t column) const {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int64_t first_row = row + warp / kAcross * (TM * 16) + lane / 4, first_column = column + warp % kAcross * (TN * 8) + lane % 4 * 2;
    const bool rectify = a.epilogue.activation == Activation::relu;
#pragma unroll
    for (int r = 0; r < TM * 2; ++r) {
      const int64_t m = first_row + r * 8;
      if (m >= a.m) break;
#pragma unroll
      for (int c = 0; c < TN; ++c) {
        const int64_t n = first_column + c * 8, at = m * a.y_row + n;
        if (n >= a.n) break;
        const bool both = n + 1 < a.n;
        float2 v = {acc[r / 2][c][r % 2 * 2], acc[r / 2][c][r % 2 * 2 + 1]};
        if (a.bias != nullptr) v = {v.x + start_of(a, m, n), both ? v.y + start_of(a, m, n + 1) : 0.0f};
        if (a.wide_y) {
          if (residual != nullptr) {
            const float2 add = *reinterpret_cast<const float2*>(residual + at);
            v = {v.x + add.x, v.y + add.y};
          }
          *reinterpret_cast<float2*>(y + at) = rectify ? float2{relu(v.x), relu(v.y)} : v;
        } else {
          if (residual != nullptr) v = {v.x + residual[at], both ? v.y + residual[at + 1] : 0.0f};
          y[at] = rectify ? relu(v.x) : v.x;
          if (both) y[at + 1] = rectify ? relu(v.y) : v.y;
        }
      }
    }
    if (!activates_later(a)) return;
#pragma unroll 1
    for (int r = 0; r < TM * 2; ++r) {
#pragma unroll 1
      for (int c = 0; c < TN * 2; ++c) {
        const int64_t m = first_row + r * 8, n = first_column + c / 2 * 8 + c % 2;
        if (m < a.m && n < a.n) activate_stored(a, y + m * a.y_row + n);
      }
    }
  }

  static __device__ __forceinline__ void run(const TensorArgs& t) {
    __shared__ __align__(128) typename Base::Shared s;
    const ProductArgs& a = t.product;
    const int64_t across = (a.n + BN - 1) / BN, down = (a.m + BM - 1) / BM, tiles = across * down * a.batches;
    for (int64_t i = blockIdx.x; i < tiles; i += gridDim.x) {
      const int64_t b = i / (across * down), row = i % down * BM, column = i / down % across * BN;
      const BatchOffset at = a.batch == nullptr ? BatchOffset{0, 0, 0} : a.batch[b];
      const std::byte *x = t.x + at.x + row * t.row_bytes, *w = t.w + at.w + column * t.row_bytes;
      const int rows = static_cast<int>(a.m - row < BM ? a.m - row : BM), columns = static_cast<int>(a.n - column < BN ? a.n - column : BN);
      Tile tile;
      tile.clear();
      const auto load = [&](int64_t k, int to) {
        Base::template copy<BM>(s.x[to], x + k, rows, t.row_bytes);
        Base::template copy<BN>(s.w[to], w + k, columns, t.row_bytes);
        commit_copies();
      };
      // One barrier a stage: it says that the copy has come, and that nobody reads what the next copy overwrites.
      if (t.row_bytes > 0) load(0, 0);
      int buffer = 0;
      for (int64_t k = 0; k < t.row_bytes; k += kStageBytes) {
        wait_copies<0>();
        __syncthreads();
        if (k + kStageBytes < t.row_bytes) load(k + kStageBytes, buffer ^ 1);
        tile.multiply(s.x[buffer], s.w[buffer]);
        buffer ^= 1;
      }
      tile.finish(a, a.residual == nullptr ? nullptr : a.residual + at.y, a.y + at.y, row, column);
      __syncthreads();  // before the next tile's copies
    }
  }
};

}  // namespace

extern "C" {
__global__ __launch_bounds__(kRoundBlock) void gemm_round_tf32(const RoundArgs a) { round_rows<tf32, to_tf32>(a); }
__global__ __launch_bounds__(kRoundBlock) void gemm_round_f16(const RoundArgs a) { round_rows<f16, to_f16>(a); }
__global__ __launch_bounds__(kRoundBlock) void gemm_round_bf16(const RoundArgs a) { round_rows<bf16, to_bf16>(a); }

// Before sm_80 copies go through registers.
__global__ __launch_bounds__(256, __CUDA_ARCH__ >= 800 ? 2 : 1) void gemm_128x128_by_f16(const TensorArgs a) {
  Tile<Precision::f16, 128, 128, 2, 4>::run(a);
}
__global__ __launch_bounds__(128) void gemm_64x64_by_f16(const TensorArgs a) { Tile<Precision::f16, 64, 64, 2, 2>::run(a); }
__global__ __launch_bounds__(128) void gemm_16x64_by_f16(const TensorArgs a) { Tile<Precision::f16, 16, 64, 1, 4>::run(a); }
#if __CUDA_ARCH__ >= 800  // older cards have no such instructions: a session there is refused by the kernel's name
__global__ __launch_bounds__(256, 2) void gemm_128x128_by_bf16(const TensorArgs a) { Tile<Precision::bf16, 128, 128, 2, 4>::run(a); }
__global__ __launch_bounds__(128) void gemm_64x64_by_bf16(const TensorArgs a) { Tile<Precision::bf16, 64, 64, 2, 2>::run(a); }
__global__ __launch_bounds__(128) void gemm_16x64_by_bf16(const TensorArgs a) { Tile<Precision::bf16, 16, 64, 1, 4>::run(a); }
__global__ __launch_bounds__(256, 2) void gemm_128x128_by_tf32(const TensorArgs a) { Tile<Precision::tf32, 128, 128, 2, 4>::run(a); }
__global__ __launch_bounds__(128) void gemm_64x64_by_tf32(const TensorArgs a) { Tile<Precision::tf32, 64, 64, 2, 2>::run(a); }
__global__ __launch_bounds__(128) void gemm_16x64_by_tf32(const TensorArgs a) { Tile<Precision::tf32, 16, 64, 1, 4>::run(a); }
#endif
}

}  // namespace tern::cuda
