// Attention on a device: see launch.h. Each sum has the order of attention.h, so the bits are the CPU's. Next: launch.cpp.
#include "kernels/attention/launch.h"
#include "kernels/simd_math.h"

namespace tern::cuda {
namespace {

constexpr int kKeys = 64, kDepth = 32;                               // of a tile of k
constexpr int kEach = kAttentionTile / (kAttentionThreads / kKeys);  // rows of a thread
constexpr int kKeyRow = kDepth + 1, kQueryRow = kDepth + 4;          // padded: neighbouring keys lie in different banks; q is read by fours

// scores[r, j] = (q k^T)[t + r, j] * scale + mask: a thread a key of the tile, four rows.
TERN_INLINE void all_scores(const AttentionArgs& a, int64_t head, int64_t t, float* scores) {
  __shared__ float keys[kKeys * kKeyRow];                            // [kKeys, kDepth]
  __shared__ alignas(16) float queries[kAttentionTile * kQueryRow];  // [kAttentionTile, kDepth]
  const int thread = static_cast<int>(threadIdx.x), key = thread % kKeys, first = thread / kKeys * kEach;
  const float *q = a.q + head * a.T * a.D, *k = a.k + head * a.S * a.D;
  for (int64_t j = 0; j < a.S; j += kKeys) {
    float acc[kEach];
#pragma unroll
    for (int r = 0; r < kEach; ++r) acc[r] = 0;
    for (int64_t d = 0; d < a.D; d += kDepth) {
      __syncthreads();
#pragma unroll 4
      for (int i = thread; i < kKeys * kDepth; i += kAttentionThreads) {
        const int64_t row = j + i / kDepth, at = d + i % kDepth;
        keys[i / kDepth * kKeyRow + i % kDepth] = row < a.S && at < a.D ? k[row * a.D + at] : 0;
      }
#pragma unroll
      for (int i = thread; i < kAttentionTile * kDepth; i += kAttentionThreads) {
        const int64_t row = t + i / kDepth, at = d + i % kDepth;
        queries[i / kDepth * kQueryRow + i % kDepth] = row < a.T && at < a.D ? q[row * a.D + at] : 0;
      }
      __syncthreads();
      // Zeros past D: a sum begun with +0 may have become -0 by a tiny product, which one more zero makes +0, but exp() of both is 1.
      const int depth = a.D - d < kDepth ? static_cast<int>(a.D - d) : kDepth;
#pragma unroll 2
      for (int i = 0; i < depth; i += 4) {
        float4 qs[kEach];
#pragma unroll
        for (int r = 0; r < kEach; ++r) qs[r] = *reinterpret_cast<const float4*>(&queries[(first + r) * kQueryRow + i]);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const float v = keys[key * kKeyRow + i + e];
#pragma unroll
          for (int r = 0; r < kEach; ++r) acc[r] = fmaf(e == 0 ? qs[r].x : e == 1 ? qs[r].y : e == 2 ? qs[r].z : qs[r].w, v, acc[r]);
        }
      }
    }
    if (j + key >= a.S) continue;
#pragma unroll
    for (int r = 0; r < kEach; ++r) {
      const int64_t row = t + first + r;  // one past T is like any other, but that it has no mask and is not stored
      float s = acc[r] * a.scale;
      if (a.mask != nullptr && row < a.T) s = s + a.mask[a.mask_head[head] + row * a.mask_row + (j + key) * a.mask_column];
      scores[(first + r) * a.S16 + j + key] = s;
    }
  }
}

// A row of scores becomes exponentials; returns 1 / their sum. Half a warp works on it.
TERN_INLINE float exponentials(float* row, int64_t S) {
  float m = -kInfinity;
  for (int64_t j = lane(); j < S; j += 16) {
    const float v = row[j];
    m = v > m ? v : m;
  }
  m = reduce_max_raw(f32x16{m});
  float sum = 0;
  for (int64_t j = lane(); j < S; j += 16) {
    const float e = exp_nonpositive(f32x16{row[j] - m}).v;
    row[j] = e;
    sum = sum + e;
  }
  return 1.0f / reduce_add(f32x16{sum});
}

// y[t + r, i] = (even + odd j of e[r, j] v[j, i]) * inverse[r]: a thread a column, four rows.
TERN_INLINE void results(const AttentionArgs& a, int64_t head, int64_t t, const float* weights, const float* inverse) {
  const int first = static_cast<int>(threadIdx.x) / kKeys * kEach;
  for (int64_t i = threadIdx.x % kKeys; i < a.E; i += kKeys) {
    const float* v = a.v + head * a.S * a.E + i;
    float even[kEach], odd[kEach];
#pragma unroll
    for (int r = 0; r < kEach; ++r) even[r] = odd[r] = 0;
    int64_t j = 0;
#pragma unroll 4
    for (; j + 2 <= a.S; j += 2) {
      const float v0 = v[j * a.E], v1 = v[(j + 1) * a.E];
#pragma unroll
      for (int r = 0; r < kEach; ++r) {
        const float2 e = *reinterpret_cast<const float2*>(weights + (first + r) * a.S16 + j);
        even[r] = fmaf(e.x, v0, even[r]);
        odd[r] = fmaf(e.y, v1, odd[r]);
      }
    }
    if (j < a.S) {
#pragma unroll
      for (int r = 0; r < kEach; ++r) even[r] = fmaf(weights[(first + r) * a.S16 + j], v[j * a.E], even[r]);
    }
#pragma unroll
    for (int r = 0; r < kEach; ++r) {
      const int64_t row = t + first + r;
      if (row < a.T) a.y[(head * a.T + row) * a.E + i] = (even[r] + odd[r]) * inverse[first + r];
    }
  }
}

template <bool kShared>
TERN_INLINE void attention(const AttentionArgs& a) {
  extern __shared__ __align__(16) float shared[];  // [kAttentionTile, S16], where kShared
  __shared__ float inverse[kAttentionTile];
  float* scores = kShared ? shared : a.scores + blockIdx.x * kAttentionTile * a.S16;
  const int64_t down = (a.T + kAttentionTile - 1) / kAttentionTile, tiles = a.heads * down;
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const int64_t head = tile / down, t = tile % down * kAttentionTile;
    all_scores(a, head, t, scores);
    __syncthreads();
    const int row = static_cast<int>(threadIdx.x) / 16;
    const float each = exponentials(scores + row * a.S16, a.S);
    if (lane() == 0) inverse[row] = each;
    __syncthreads();
    results(a, head, t, scores, inverse);
    __syncthreads();  // before the next tile's scores
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kAttentionThreads, 2) void attention_rows_f32(const AttentionArgs a) { attention<true>(a); }
__global__ __launch_bounds__(kAttentionThreads, 2) void attention_long_rows_f32(const AttentionArgs a) { attention<false>(a); }
}

}  // namespace tern::cuda
