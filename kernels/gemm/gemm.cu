// The f32 products on a device: see launch.h for which there are. Each element of y has the CPU's chains (panel.h), so its bits.
// Next: launch.cpp.
#include <type_traits>

#include "kernels/gemm/epilogue.cuh"
#include "kernels/ptx.cuh"

namespace tern::cuda {
namespace {

struct Matrix {  // one product of the batch
  const float *x, *w, *residual;
  float* y;
};
TERN_INLINE Matrix matrix_of(const ProductArgs& a, int64_t b) {
  if (a.batch == nullptr) return {a.x, a.w, a.residual, a.y};
  const BatchOffset at = a.batch[b];
  return {a.x + at.x, a.w + at.w, a.residual == nullptr ? nullptr : a.residual + at.y, a.y + at.y};
}

// ---- tiles ----

TERN_INLINE float element(float2 v, int i) { return i == 0 ? v.x : v.y; }
TERN_INLINE float element(float4 v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

constexpr int kDepth = 16;  // k of a stage: a row of x is four loads of 16 bytes

// A block computes BM rows and BN columns of y, a thread TM rows (BM / TM apart) times TN columns (fours, BN / TN * 4 apart), in CH chains.
// Each step of four k: TM + TN loads of 16 bytes for 4 TM TN multiply-adds. Lanes of a quarter of a warp read the same x and neighbouring w, and
// copy to neighbouring addresses: no bank conflict.
template <int BM, int BN, int TM, int TN, int CH, bool kWide>
struct Tile {
  static constexpr int kColumns = BN / TN, kRows = BM / TM, kThreads = kColumns * kRows;
  static_assert(TN % 4 == 0);
  struct alignas(16) Shared {
    float x[2][BM * kDepth];  // [BM, kDepth]
    float w[2][kDepth * BN];  // [kDepth, BN]
  };

  // Of x, as many k at once as registers allow.
  static constexpr int kRead = TM > 4 ? 2 : 4;
  using Read = std::conditional_t<kRead == 2, float2, float4>;
  static_assert(kRead % CH == 0);

  float acc[CH][TM][TN];

  // What a thread copies: at one place of every row, and of every k, that is its own.
  struct Source {
    const float *x, *w;  // at the first of them, and k = 0
    int rows, columns;   // of the tile that exist
  };
  static constexpr int kEach = kWide ? 4 : 1, kXAcross = kDepth / kEach, kWAcross = BN / kEach;  // floats of a copy; copies of a row
  static constexpr int kXStep = kThreads / kXAcross, kWStep = kThreads / kWAcross;
  static_assert(kThreads % kXAcross == 0 && kThreads % kWAcross == 0 && BM % kXStep == 0 && kDepth % kWStep == 0);
  static __device__ __forceinline__ int x_row() { return static_cast<int>(threadIdx.x) / kXAcross; }
  static __device__ __forceinline__ int x_k() { return static_cast<int>(threadIdx.x) % kXAcross * kEach; }
  static __device__ __forceinline__ int w_k() { return static_cast<int>(threadIdx.x) / kWAcross; }
  static __device__ __forceinline__ int w_column() { return static_cast<int>(threadIdx.x) % kWAcross * kEach; }
  static __device__ __forceinline__ void copy(float* to, const float* from, bool there) {
    if (kWide) copy_async_16(to, from, there);
    else copy_async_4(to, from, there);
  }

  // The next kDepth k, of which `left` exist, into buffer `to`: zeros past the edges of x and w.
  static __device__ __forceinline__ void load(const ProductArgs& a, Source& from, int left, Shared& s, int to) {
#pragma unroll(kWide ? 4 : 1)
    for (int i = 0; i < BM / kXStep; ++i) {
      copy(&s.x[to][(x_row() + i * kXStep) * kDepth + x_k()], from.x + i * kXStep * a.x_row, x_row() + i * kXStep < from.rows && x_k() < left);
    }
#pragma unroll(kWide ? 4 : 1)
    for (int i = 0; i < kDepth / kWStep; ++i) {
      copy(&s.w[to][(w_k() + i * kWStep) * BN + w_column()], from.w + i * kWStep * a.w_k, w_k() + i * kWStep < left && w_column() < from.columns);
    }
    commit_copies();
    from.x += kDepth;
    from.w += kDepth * a.w_k;
  }

  // The multiply-adds of a stage, or of its first `left` k: what is past K must not be added, it would make +0 of a -0.
  template <bool kWhole>
  __device__ __forceinline__ void multiply(const float* x, const float* w, int left) {
    const int tx = static_cast<int>(threadIdx.x) % kColumns, ty = static_cast<int>(threadIdx.x) / kColumns;
#pragma unroll(TM* TN* CH > 16 ? 1 : 4)
    for (int k = 0; k < kDepth; k += kRead) {
      if (!kWhole && k >= left) break;
      Read xs[TM];
#pragma unroll
      for (int r = 0; r < TM; ++r) xs[r] = *reinterpret_cast<const Read*>(x + (ty + r * kRows) * kDepth + k);
#pragma unroll
      for (int j = 0; j < kRead; ++j) {
        if (!kWhole && k + j >= left) break;
        float ws[TN];
#pragma unroll
        for (int c = 0; c < TN; c += 4) {
          const float4 v = *reinterpret_cast<const float4*>(w + (k + j) * BN + c * kColumns + tx * 4);
          ws[c] = v.x, ws[c + 1] = v.y, ws[c + 2] = v.z, ws[c + 3] = v.w;
        }
#pragma unroll
        for (int r = 0; r < TM; ++r) {
          const float v = element(xs[r], j);
#pragma unroll
          for (int c = 0; c < TN; ++c) acc[j % CH][r][c] = fmaf(v, ws[c], acc[j % CH][r][c]);
        }
      }
    }
  }

  __device__ __forceinline__ float total(int r, int c) const {
    if constexpr (CH == 1) return acc[0][r][c];
    if constexpr (CH == 2) return acc[0][r][c] + acc[1][r][c];
    if constexpr (CH == 4) return (acc[0][r][c] + acc[1][r][c]) + (acc[2][r][c] + acc[3][r][c]);
  }

  __device__ __forceinline__ void finish(const ProductArgs& a, const Matrix& m, int64_t row, int64_t column) const {
    const bool rectify = a.epilogue.activation == Activation::relu;
#pragma unroll
    for (int r = 0; r < TM; ++r) {
      if (row + r * kRows >= a.m) break;
#pragma unroll
      for (int c = 0; c < TN; c += 4) {
        const int64_t n = column + c * kColumns, at = (row + r * kRows) * a.y_row + n;
        if (a.wide_y && n < a.n) {  // N is a multiple of 4
          float4 v = {total(r, c), total(r, c + 1), total(r, c + 2), total(r, c + 3)};
          if (m.residual != nullptr) {
            const float4 add = *reinterpret_cast<const float4*>(m.residual + at);
            v = {v.x + add.x, v.y + add.y, v.z + add.z, v.w + add.w};
          }
          if (rectify) v = {relu(v.x), relu(v.y), relu(v.z), relu(v.w)};
          *reinterpret_cast<float4*>(m.y + at) = v;
        } else {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            if (n + i >= a.n) break;
            float v = total(r, c + i);
            if (m.residual != nullptr) v = v + m.residual[at + i];
            m.y[at + i] = rectify ? relu(v) : v;
          }
        }
      }
    }
    if (!activates_later(a)) return;
#pragma unroll 1
    for (int r = 0; r < TM; ++r) {
#pragma unroll 1
      for (int c = 0; c < TN; ++c) {
        const int64_t n = column + c / 4 * 4 * kColumns + c % 4;
        if (row + r * kRows < a.m && n < a.n) activate_stored(a, m.y + (row + r * kRows) * a.y_row + n);
      }
    }
  }

  static __device__ __forceinline__ void run(const ProductArgs& a) {
    __shared__ Shared s;
    const int64_t across = (a.n + BN - 1) / BN, down = (a.m + BM - 1) / BM, tiles = across * down * a.batches;
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
      const int64_t b = tile / (across * down), row = tile % down * BM, column = tile / down % across * BN;
      const Matrix m = matrix_of(a, b);
      const int64_t my_row = row + threadIdx.x / kColumns, my_column = column + threadIdx.x % kColumns * 4;
      Tile t;
#pragma unroll
      for (int r = 0; r < TM; ++r) {
#pragma unroll
        for (int c = 0; c < TN; ++c) {
          const int64_t y = my_row + r * kRows, n = my_column + c / 4 * 4 * kColumns + c % 4;
          t.acc[0][r][c] = y < a.m && n < a.n ? start_of(a, y, n) : 0;
#pragma unroll
          for (int j = 1; j < CH; ++j) t.acc[j][r][c] = 0;
        }
      }
      Source from = {m.x + (row + x_row()) * a.x_row + x_k(), m.w + w_k() * a.w_k + column + w_column(),
                     static_cast<int>(a.m - row < BM ? a.m - row : BM), static_cast<int>(a.n - column < BN ? a.n - column : BN)};
      // A stage is copied while the one before it is multiplied. One barrier a stage: it says that the copy has come, and that nobody reads
      // what the next copy overwrites.
      load(a, from, static_cast<int>(a.k), s, 0);
      int buffer = 0;
      for (int left = static_cast<int>(a.k); left > 0; left -= kDepth) {
        wait_copies<0>();
        __syncthreads();
        if (left > kDepth) load(a, from, left - kDepth, s, buffer ^ 1);
        if (left >= kDepth) t.template multiply<true>(s.x[buffer], s.w[buffer], kDepth);
        else t.template multiply<false>(s.x[buffer], s.w[buffer], left);
        buffer ^= 1;
      }
      t.finish(a, m, my_row, my_column);
      wait_copies<0>();
      __syncthreads();  // before the next tile's copies
    }
  }
};

// ---- few rows ----

// A block computes BN columns of as many rows as its threads are enough for, each thread one chain of one element. All of them copy: w comes
// in stages of 4 KB, three under way at a time, which is what a product of few rows waits for.
template <int BN, bool kWide>
TERN_INLINE void few_rows(const ProductArgs& a) {
  constexpr int kStages = 4, kSteps = 1024 / BN, kMostRows = kFewRowsBlock / BN < 8 ? kFewRowsBlock / BN : 8;
  constexpr int kXRow = kSteps + 4;  // rows of x lie in different banks
  __shared__ alignas(16) float w[kStages][kSteps * BN], x[kStages][kMostRows * kXRow];
  __shared__ float sums[kFewRowsBlock];
  const int t = static_cast<int>(threadIdx.x), chains = a.chains,
            rows = kFewRowsBlock / BN / chains < kMostRows ? kFewRowsBlock / BN / chains : kMostRows;
  const int my_column = t % BN, chain = t / BN % chains, my_row = t / BN / chains;
  const int64_t across = (a.n + BN - 1) / BN, down = (a.m + rows - 1) / rows, blocks = across * down * a.batches;
  for (int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const int64_t row = block / across % down * rows, column = block % across * BN;
    const Matrix m = matrix_of(a, block / across / down);
    const int64_t y = row + my_row, n = column + my_column, last_row = a.m - row < rows ? a.m - row : rows;
    const bool mine = my_row < rows && y < a.m && n < a.n;
    float acc = mine && chain == 0 ? start_of(a, y, n) : 0;
    const auto load = [&](int64_t k0, int to) {
      constexpr int kEach = kWide ? 4 : 1;
#pragma unroll(kWide ? 2 : 1)
      for (int i = 0; i < kSteps * BN / kEach / kFewRowsBlock; ++i) {
        const int c = t + i * kFewRowsBlock, k = c / (BN / kEach), col = c % (BN / kEach) * kEach;
        const bool there = k0 + k < a.k && column + col < a.n;
        const float* from = there ? m.w + (k0 + k) * a.w_k + column + col : m.w;
        if (kWide) copy_async_16(&w[to][c * kEach], from, there);
        else copy_async_4(&w[to][c * kEach], from, there);
      }
      for (int c = t; c < last_row * kSteps / kEach; c += kFewRowsBlock) {
        const int r = c / (kSteps / kEach), k = c % (kSteps / kEach) * kEach;
        const bool there = k0 + k < a.k;
        const float* from = there ? m.x + (row + r) * a.x_row + k0 + k : m.x;
        if (kWide) copy_async_16(&x[to][r * kXRow + k], from, there);
        else copy_async_4(&x[to][r * kXRow + k], from, there);
      }
      commit_copies();
    };
#pragma unroll 1
    for (int i = 0; i < kStages - 1; ++i) load(i * kSteps, i);
    int stage = 0;
    for (int64_t k = 0; k < a.k; k += kSteps) {
      wait_copies<kStages - 2>();
      __syncthreads();
      load(k + (kStages - 1) * kSteps, (stage + kStages - 1) % kStages);
      const int steps = a.k - k < kSteps ? static_cast<int>(a.k - k) : kSteps;
      if (mine) {
        const float *xs = &x[stage][my_row * kXRow], *ws = &w[stage][my_column];
#pragma unroll 8
        for (int i = chain; i < steps; i += chains) acc = fmaf(xs[i], ws[i * BN], acc);
      }
      stage = (stage + 1) % kStages;
    }
    wait_copies<0>();
    sums[t] = acc;
    __syncthreads();
    if (mine && chain == 0) {
      const float* s = &sums[t];  // the other chains' BN apart
      float v = chains == 1 ? s[0] : chains == 2 ? s[0] + s[BN] : (s[0] + s[BN]) + (s[2 * BN] + s[3 * BN]);
      const int64_t at = y * a.y_row + n;
      if (m.residual != nullptr) v = v + m.residual[at];
      m.y[at] = activate(a.epilogue, f32x16{v}).v;
    }
    __syncthreads();  // before the next block's copies
  }
}

// ---- dot ----

// Half a warp computes C neighbouring elements of a row, its lanes the CPU's: lanes past K multiply zeros, as there.
template <int C>
TERN_INLINE void dots(const ProductArgs& a) {
  const int64_t across = (a.n + C - 1) / C, halves = across * a.m * a.batches, step = static_cast<int64_t>(gridDim.x) * (kDotBlock / 16);
  // Both halves of a warp go round together, for the shuffles.
  for (int64_t pair = static_cast<int64_t>(blockIdx.x) * (kDotBlock / 16) + threadIdx.x / 32 * 2; pair < halves; pair += step) {
    const int64_t mine = pair + threadIdx.x / 16 % 2, half = mine < halves ? mine : halves - 1;
    const Matrix m = matrix_of(a, half / across / a.m);
    const int64_t row = half / across % a.m, column = half % across * C;
    const float* x = m.x + row * a.x_row;
    const float* w[C];
    float acc[C];
#pragma unroll
    for (int c = 0; c < C; ++c) {
      w[c] = m.w + (column + c < a.n ? column + c : a.n - 1) * a.w_column;
      acc[c] = 0;
    }
    const int64_t whole = a.k / 16 * 16;
#pragma unroll(8 / C)
    for (int64_t k = lane(); k < whole; k += 16) {
      const float v = x[k];
#pragma unroll
      for (int c = 0; c < C; ++c) acc[c] = fmaf(v, w[c][k * a.w_k], acc[c]);
    }
    if (whole < a.k) {
      const int64_t k = whole + lane();
      const float v = k < a.k ? x[k] : 0;
#pragma unroll
      for (int c = 0; c < C; ++c) acc[c] = fmaf(v, k < a.k ? w[c][k * a.w_k] : 0.0f, acc[c]);
    }
#pragma unroll
    for (int c = 0; c < C; ++c) {
      float v = reduce_add(f32x16{acc[c]});
      if (mine < halves && column + c < a.n && lane() == 0) {
        const int64_t at = row * a.y_row + column + c;
        if (a.bias != nullptr) v = v + start_of(a, row, column + c);
        if (m.residual != nullptr) v = v + m.residual[at];
        m.y[at] = v;
        if (a.epilogue.activation != Activation::none) activate_stored(a, m.y + at);
      }
    }
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(256, 2) void gemm_128x128_f32(const ProductArgs a) { Tile<128, 128, 8, 8, 1, true>::run(a); }
__global__ __launch_bounds__(256, 2) void gemm_64x64_f32(const ProductArgs a) { Tile<64, 64, 4, 4, 1, true>::run(a); }
__global__ __launch_bounds__(256, 2) void gemm_64x64_narrow_f32(const ProductArgs a) { Tile<64, 64, 4, 4, 1, false>::run(a); }
__global__ __launch_bounds__(128, 6) void gemm_32x32_f32(const ProductArgs a) { Tile<32, 32, 2, 4, 1, true>::run(a); }
__global__ __launch_bounds__(128, 6) void gemm_32x32_narrow_f32(const ProductArgs a) { Tile<32, 32, 2, 4, 1, false>::run(a); }
__global__ __launch_bounds__(128, 4) void gemm_64x32_2_chains_f32(const ProductArgs a) { Tile<64, 32, 4, 4, 2, true>::run(a); }
__global__ __launch_bounds__(128, 4) void gemm_64x32_2_chains_narrow_f32(const ProductArgs a) { Tile<64, 32, 4, 4, 2, false>::run(a); }
__global__ __launch_bounds__(128, 4) void gemm_64x32_4_chains_f32(const ProductArgs a) { Tile<64, 32, 4, 4, 4, true>::run(a); }
__global__ __launch_bounds__(128, 4) void gemm_64x32_4_chains_narrow_f32(const ProductArgs a) { Tile<64, 32, 4, 4, 4, false>::run(a); }
__global__ __launch_bounds__(kFewRowsBlock) void gemm_few_rows_8_f32(const ProductArgs a) { few_rows<8, true>(a); }
__global__ __launch_bounds__(kFewRowsBlock) void gemm_few_rows_8_narrow_f32(const ProductArgs a) { few_rows<8, false>(a); }
__global__ __launch_bounds__(kFewRowsBlock) void gemm_few_rows_32_f32(const ProductArgs a) { few_rows<32, true>(a); }
__global__ __launch_bounds__(kFewRowsBlock) void gemm_few_rows_32_narrow_f32(const ProductArgs a) { few_rows<32, false>(a); }
__global__ __launch_bounds__(kDotBlock) void gemm_dot_1_f32(const ProductArgs a) { dots<1>(a); }
__global__ __launch_bounds__(kDotBlock) void gemm_dot_4_f32(const ProductArgs a) { dots<4>(a); }

__global__ void gemm_arrange_f32(const ArrangeArgs a) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * kArrangeBlock + threadIdx.x;
  if (at >= a.rows * a.to_row) return;
  const int64_t r = at / a.to_row, c = at % a.to_row;
  a.to[at] = c < a.columns ? a.factor * a.from[r * a.row + c * a.column] : 0;
}
}

}  // namespace tern::cuda
