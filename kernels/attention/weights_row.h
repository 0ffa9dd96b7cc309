// One row of scores between its two products, on a CPU and on a device (where half a warp is a vector): what is added to it, its exponentials.
// Next: attention.simd.cpp, attention.cu.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

// Where a head's mask (floats or bools) and its scores that are asked for begin; null: none.
struct HeadMask {
  int64_t b;
  const float* bias;
  const uint8_t* allowed;
  float* qk;
};
TERN_INLINE HeadMask mask_of(const AttentionArgs& a, int64_t b, int64_t head) {
  HeadMask m{b, nullptr, nullptr, nullptr};
  const int64_t at = b * a.mask_batch + head * a.mask_head;
  if (a.kind == AttentionMask::floats) m.bias = static_cast<const float*>(a.mask) + at;
  if (a.kind == AttentionMask::bools) m.allowed = static_cast<const uint8_t*>(a.mask) + at;
  if (a.qk != nullptr) m.qk = a.qk + (b * a.heads + head) * a.T * a.S;
  return m;
}

TERN_INLINE int64_t lanes(int64_t n) { return n < 0 ? 0 : n > 16 ? 16 : n; }

// 0 for each byte that is set, -inf for the others, of n.
TERN_INLINE f32x16 bias_of(const uint8_t* allowed, int64_t n) {
#if defined(__CUDACC__)
  return {lane() < n && allowed[lane()] != 0 ? 0.0f : -kInfinity};
#else
#if defined(__AVX2__)
  if (n == 16) {
    const __m128i out = _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(allowed)), _mm_setzero_si128());
#if defined(__AVX512F__)
    const i32x16 wide{_mm512_cvtepi8_epi32(out)};
#else
    const i32x16 wide{_mm256_cvtepi8_epi32(out), _mm256_cvtepi8_epi32(_mm_srli_si128(out, 8))};
#endif
    return from_bits(wide & bits(splat(-kInfinity)));
  }
#endif
  int32_t bias[16] = {};  // in bits: of a choice compilers make a branch
  for (int64_t i = 0; i < n; ++i) bias[i] = (static_cast<int32_t>(allowed[i] != 0) - 1) & __builtin_bit_cast(int32_t, -kInfinity);
  return from_bits(load_i32(bias));
#endif
}

// Whether more than a mask is added to scores.
TERN_INLINE bool refines(const AttentionArgs& a) { return a.hides || a.softcap != 0 || a.qk != nullptr; }
// Row t where it is: softcap, what it may see, its mask, the scores that are asked for. All ones if it may see a key, else 0.
TERN_INLINE int32_t refine(const AttentionArgs& a, const HeadMask& m, int64_t t, KeyRange range, float* w) {
  const KeyRange seen = seen_by(a, m.b, t);
  const f32x16 hidden = splat(-kInfinity);
  f32x16 any = zero();
  for (int64_t j = range.from; j < range.to; j += 16) {
    const int64_t n = lanes(a.S - j), masked = lanes(a.masked_from - j);
    f32x16 s = load_n(w + j, lanes(range.to - j));
    if (m.qk != nullptr && a.mode == 0) store_n(m.qk + t * a.S + j, s, n);
    if (a.softcap != 0) s = splat(a.softcap) * tanh(s / splat(a.softcap));
    if (m.qk != nullptr && a.mode == 1) store_n(m.qk + t * a.S + j, s, n);
    f32x16 bias = zero();
    if (m.bias != nullptr) bias = load_n(m.bias + t * a.mask_row + j, masked);
    if (m.allowed != nullptr) bias = bias_of(m.allowed + t * a.mask_row + j, masked);
    bias = select(lanes_below(lanes(seen.to - j)), bias, hidden);
    bias = select(lanes_below(lanes(seen.from - j)), hidden, bias);
    const mask16 out = eq(bias, hidden);
    s = select(out, hidden, s + bias);
    any = max_raw(any, select(out, zero(), splat(1.0f)));
    if (m.qk != nullptr && a.mode == 2) store_n(m.qk + t * a.S + j, s, n);
    store(w + j, s);
  }
  return -static_cast<int32_t>(reduce_max_raw(any));
}

// The row becomes exponentials; returns 1 / their sum. Lanes past the last key count as -inf.
TERN_INLINE float exponentials(float* w, KeyRange range) {
  const int64_t last = (range.to - 1) / 16 * 16;
  const mask16 there = lanes_below(range.to - last);
  const f32x16 rest = select(there, load_n(w + last, range.to - last), splat(-kInfinity));
  f32x16 top = rest;
  for (int64_t j = range.from; j < last; j += 16) top = max_raw(load(w + j), top);
  const f32x16 m = splat(reduce_max_raw(top));
  f32x16 sum = zero();
  for (int64_t j = range.from; j < last; j += 16) {
    const f32x16 e = exp_nonpositive(load(w + j) - m);
    store(w + j, e);
    sum = sum + e;
  }
  const f32x16 e = select(there, exp_nonpositive(rest - m), zero());
  store(w + last, e);
  return 1.0f / reduce_add(sum + e);
}

// What a row is multiplied with at the end: 1 / sum, and all ones, or 0 where it sees nothing.
struct RowScale {
  float inverse;
  int32_t open;
};
TERN_INLINE f32x16 scaled(f32x16 v, RowScale s) { return from_bits(bits(v * splat(s.inverse)) & splat_i32(s.open)); }

// Scores of row t to weights, all but their scale; the scaled ones are written where they are asked for.
TERN_INLINE RowScale weigh(const AttentionArgs& a, const HeadMask& m, int64_t t, KeyRange range, float* w) {
  RowScale scale{0, -1};
  if (refines(a)) scale.open = refine(a, m, t, range, w);
  scale.inverse = exponentials(w, range);
  if (m.qk != nullptr && a.mode == 3) {
    for (int64_t j = 0; j < a.S; j += 16) store_n(m.qk + t * a.S + j, scaled(load(w + j), scale), lanes(a.S - j));
  }
  return scale;
}

}  // namespace
}  // namespace tern::TERN_ISA
