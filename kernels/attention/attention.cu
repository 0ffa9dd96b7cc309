// Attention on a device: see launch.h. Each sum has the order of attention.h, so the bits are the CPU's. Next: launch.cpp.
#include "kernels/attention/launch.h"
#include "kernels/attention/present.cuh"
#include "kernels/attention/weights_row.h"

namespace tern::cuda {
namespace {

constexpr int kKeys = 64, kDepth = 32;                               // of a tile of k
constexpr int kEach = kAttentionTile / (kAttentionThreads / kKeys);  // rows of a thread
constexpr int kKeyRow = kDepth + 1, kQueryRow = kDepth + 4;          // padded: neighbouring keys lie in different banks; q is read by fours

// The head that a block works on, and where its operands lie.
struct Head {
  HeadMask mask;
  int64_t kv;  // among all heads of k and v
  const float *q, *k, *v;
  float* y;
};
TERN_INLINE Head head_of(const AttentionArgs& a, int64_t i) {
  const int64_t b = i / a.heads, h = i % a.heads, kv = h / a.group;
  return {mask_of(a, b, h),          b * (a.heads / a.group) + kv, a.q + a.q_at.at(b, h, 0),
          a.k + a.k_at.at(b, kv, 0), a.v + a.v_at.at(b, kv, 0),    a.y + a.y_at.at(b, h, 0)};
}

// scores[r, j] = (q k^T)[t + r, j] * scale + mask, where nothing else is added (weights_row.h): a thread a key of the tile, four rows.
TERN_INLINE void all_scores(const AttentionArgs& a, const Head& h, int64_t t, KeyRange range, int64_t S16, float* scores) {
  __shared__ float keys[kKeys * kKeyRow];                            // [kKeys, kDepth]
  __shared__ alignas(16) float queries[kAttentionTile * kQueryRow];  // [kAttentionTile, kDepth]
  const int thread = static_cast<int>(threadIdx.x), key = thread % kKeys, first = thread / kKeys * kEach;
  for (int64_t j = range.from; j < range.to; j += kKeys) {
    float acc[kEach];
#pragma unroll
    for (int r = 0; r < kEach; ++r) acc[r] = 0;
    for (int64_t d = 0; d < a.D; d += kDepth) {
      __syncthreads();
#pragma unroll 4
      for (int i = thread; i < kKeys * kDepth; i += kAttentionThreads) {
        const int64_t row = j + i / kDepth, at = d + i % kDepth;
        const float* k = row < a.P ? a.past_key + (h.kv * a.P + row) * a.D : h.k + (row - a.P) * a.k_at.place;
        keys[i / kDepth * kKeyRow + i % kDepth] = row < a.S && at < a.D ? k[at] : 0;
      }
#pragma unroll
      for (int i = thread; i < kAttentionTile * kDepth; i += kAttentionThreads) {
        const int64_t row = t + i / kDepth, at = d + i % kDepth;
        queries[i / kDepth * kQueryRow + i % kDepth] = row < a.T && at < a.D ? h.q[row * a.q_at.place + at] : 0;
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
    if (j + key >= range.to) continue;
#pragma unroll
    for (int r = 0; r < kEach; ++r) {
      const int64_t row = t + first + r;  // one past T is like any other, but that it has no mask and is not stored
      float s = acc[r] * a.scale;
      if (h.mask.bias != nullptr && !a.hides && row < a.T) s = s + h.mask.bias[row * a.mask_row + (j + key) * a.mask_column];
      scores[(first + r) * S16 + j + key] = s;
    }
  }
}

// even and odd += e[r, j] v[j, i] of the even and odd j in [from, to), `stride` apart: a thread a column, four rows.
TERN_INLINE void add_values(float (&even)[kEach], float (&odd)[kEach], const float* weights, int64_t S16, const float* v, int64_t stride,
                            int64_t from, int64_t to) {
  int64_t j = from;
  if (j < to && j % 2 != 0) {
#pragma unroll
    for (int r = 0; r < kEach; ++r) odd[r] = fmaf(weights[r * S16 + j], v[j * stride], odd[r]);
    ++j;
  }
#pragma unroll 4
  for (; j + 2 <= to; j += 2) {
    const float v0 = v[j * stride], v1 = v[(j + 1) * stride];
#pragma unroll
    for (int r = 0; r < kEach; ++r) {
      const float2 e = *reinterpret_cast<const float2*>(weights + r * S16 + j);
      even[r] = fmaf(e.x, v0, even[r]);
      odd[r] = fmaf(e.y, v1, odd[r]);
    }
  }
  if (j < to) {
#pragma unroll
    for (int r = 0; r < kEach; ++r) even[r] = fmaf(weights[r * S16 + j], v[j * stride], even[r]);
  }
}

// y[t + r, i] = (even + odd j of e[r, j] v[j, i]) * inverse[r].
TERN_INLINE void results(const AttentionArgs& a, const Head& h, int64_t t, KeyRange range, int64_t S16, const float* scores, const RowScale* scales) {
  const int first = static_cast<int>(threadIdx.x) / kKeys * kEach;
  const float* weights = scores + first * S16;
  for (int64_t i = threadIdx.x % kKeys; i < a.E; i += kKeys) {
    float even[kEach], odd[kEach];
#pragma unroll
    for (int r = 0; r < kEach; ++r) even[r] = odd[r] = 0;
    const int64_t past = a.P < range.from ? range.from : a.P < range.to ? a.P : range.to;
    if (range.from < past) add_values(even, odd, weights, S16, a.past_value + h.kv * a.P * a.E + i, a.E, range.from, past);
    add_values(even, odd, weights, S16, h.v - a.P * a.v_at.place + i, a.v_at.place, past, range.to);
#pragma unroll
    for (int r = 0; r < kEach; ++r) {
      const int64_t row = t + first + r;
      if (row < a.T) h.y[row * a.y_at.place + i] = scaled(f32x16{even[r] + odd[r]}, scales[first + r]).v;
    }
  }
}

template <bool kShared>
TERN_INLINE void attention(const AttentionArgs& a) {
  extern __shared__ __align__(16) float shared[];  // [kAttentionTile, S16], where kShared
  __shared__ RowScale scales[kAttentionTile];
  const int64_t S16 = (a.S + 15) / 16 * 16;
  float* scores = kShared ? shared : a.weights + blockIdx.x * kAttentionTile * S16;
  const int64_t down = (a.T + kAttentionTile - 1) / kAttentionTile, tiles = (a.end - a.begin) * down;
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const Head h = head_of(a, a.begin + tile / down);
    const int64_t t = tile % down * kAttentionTile;
    const KeyRange range = keys_of(a, t, a.T - t < kAttentionTile ? a.T - t : kAttentionTile);
    all_scores(a, h, t, range, S16, scores);
    __syncthreads();
    const int row = static_cast<int>(threadIdx.x) / 16;
    HeadMask mask = h.mask;
    if (t + row >= a.T) mask.qk = nullptr;  // its threads take part in sums over lanes, and that is all
    const RowScale scale = weigh(a, mask, t + row < a.T ? t + row : a.T - 1, range, scores + row * S16);
    if (lane() == 0) scales[row] = scale;
    __syncthreads();
    results(a, h, t, range, S16, scores, scales);
    __syncthreads();  // before the next tile's scores
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kAttentionThreads, 2) void attention_rows_f32(const AttentionArgs a) { attention<true>(a); }
__global__ __launch_bounds__(kAttentionThreads, 2) void attention_long_rows_f32(const AttentionArgs a) { attention<false>(a); }
__global__ __launch_bounds__(kAttentionThreads) void attention_present_f32(const AttentionArgs a) {
  const int64_t heads = a.present_end - a.present_begin, kv_heads = a.heads / a.group;
  if (a.present_key != nullptr) write_present(a.present_key, a.past_key, a.k, a.k_at, heads, kv_heads, a.P, a.S, a.D);
  if (a.present_value != nullptr) write_present(a.present_value, a.past_value, a.v, a.v_at, heads, kv_heads, a.P, a.S, a.E);
}
}

}  // namespace tern::cuda
