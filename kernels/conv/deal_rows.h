// The kernels' side of dealt_rows.h. Included by *.simd.cpp only. Next: pool/plain.simd.cpp, depthwise.simd.cpp.
#pragma once
#include "kernels/conv/dealt_rows.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// ---- rows of floats: sixteen places of each run at a time, down all rows, so that what is asked of a place is asked once ----

TERN_INLINE mask16 lanes_between(int64_t first, int64_t last) {
  alignas(64) constexpr float kLanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  auto lane = [](int64_t n) TERN_INLINE_CALL { return splat(static_cast<float>(n < 0 ? 0 : n < 16 ? n : 16)); };
  return ge(load(kLanes), lane(first)) & lt(load(kLanes), lane(last));
}
// Lanes of m from memory, the rest of `other`: their memory is not read.
TERN_INLINE f32x16 load_where(mask16 m, const float* p, f32x16 other) {
#if defined(__AVX512F__)
  return {_mm512_mask_loadu_ps(other.v, m.v, p)};
#elif defined(__AVX2__)
  return select(m, {_mm256_maskload_ps(p, _mm256_castps_si256(m.lo)), _mm256_maskload_ps(p + 8, _mm256_castps_si256(m.hi))}, other);
#else
  float is[16], to[16];
  store(is, select(m, splat(1.0f), zero()));
  store(to, other);
  for (int i = 0; i < 16; ++i) {
    if (is[i] != 0) to[i] = p[i];
  }
  return load(to);
#endif
}

// The first n lanes, of any n > 0.
TERN_INLINE void store_first(float* y, f32x16 v, int64_t n) {
#if !defined(__AVX512F__)
  if (n >= 16) return store(y, v);  // elsewhere a part of a vector takes as long to store as ten whole ones
#endif
  store_n(y, v, n < 16 ? n : 16);
}

// run_of<kStride, kRun>: places 0 to 15 of a run, of kStride vectors that follow each other.
#if defined(__AVX512F__)
constexpr int kDealtByVectors = 4;  // the largest stride
// Which lane of what is taken already (0 to 15), or of the next vector (16 to 31), each place is.
template <int kStride, int kRun>
struct DealLanes {
  alignas(64) int32_t lane[kStride][16];
  constexpr DealLanes() : lane() {
    for (int v = 1; v < kStride; ++v) {
      for (int i = 0; i < 16; ++i) {
        const int at = i * kStride + kRun;
        lane[v][i] = at / 16 == v ? 16 + at % 16 : v == 1 ? at % 16 : i;
      }
    }
  }
};
template <int kStride, int kRun>
constexpr DealLanes<kStride, kRun> kDealLanes;
template <int kStride, int kRun>
TERN_INLINE f32x16 run_of(const f32x16 (&x)[kStride]) {
  __m512 v = x[0].v;
  unroll<kStride - 1>(
      [&](auto k) TERN_INLINE_CALL { v = _mm512_permutex2var_ps(v, _mm512_load_si512(kDealLanes<kStride, kRun>.lane[k.v + 1]), x[k.v + 1].v); });
  return {v};
}
#elif defined(__AVX2__)
constexpr int kDealtByVectors = 2;
template <int kStride, int kRun>
TERN_INLINE f32x16 run_of(const f32x16 (&x)[kStride]) {
  if constexpr (kStride == 1) return x[0];
  auto eight = [](f32x16 pair) TERN_INLINE_CALL {
    constexpr int kLanes = kRun == 0 ? 0x88 : 0xdd;
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(pair.lo, pair.hi, kLanes)), 0xd8));
  };
  return {eight(x[0]), eight(x[kStride - 1])};
}
#else
constexpr int kDealtByVectors = 1;
template <int kStride, int kRun>
TERN_INLINE f32x16 run_of(const f32x16 (&x)[kStride]) {
  return x[0];
}
#endif

template <int kStride, class Load>
TERN_INLINE void deal_place(int64_t rows, float* to, int64_t runs, int64_t run, Load from) {
  for (int64_t h = 0; h < rows; ++h, to += runs * run) {
    f32x16 v[kStride];
    unroll<kStride>([&](auto k) TERN_INLINE_CALL { v[k.v] = from(h, k); });
    unroll<kStride>([&](auto r) TERN_INLINE_CALL {
      if (r.v < runs) store(to + r.v * run, run_of<kStride, r.v>(v));
    });
  }
}
template <int kStride>
[[gnu::noinline]] void deal_vectors(const float* x, int64_t rows, float* to, const DealtRows& d, float padding) {
  const int64_t in = d.in, runs = d.runs, run = d.run;
  for (int64_t place = 0; place < d.places; place += 16) {
    const int64_t at = place * kStride - d.begin;
    if (at >= 0 && at + 16 * kStride <= in) {
      deal_place<kStride>(rows, to + place, runs, run, [&](int64_t h, auto k) TERN_INLINE_CALL { return load(x + h * in + at + 16 * k.v); });
      continue;
    }
    mask16 inside[kStride];
    unroll<kStride>([&](auto k) TERN_INLINE_CALL { inside[k.v] = lanes_between(-at - 16 * k.v, in - at - 16 * k.v); });
    const f32x16 outside = splat(padding);
    deal_place<kStride>(rows, to + place, runs, run,
                        [&](int64_t h, auto k) TERN_INLINE_CALL { return load_where(inside[k.v], x + h * in + at + 16 * k.v, outside); });
  }
}

// ---- rows of any dtype ----

// Elements j of a run: x[j * kStride + offset] where that is inside the row, `padding` elsewhere.
template <int kStride, class T, class W, class Widen>
TERN_INLINE void deal_run(const T* x, W* __restrict run, const DealtRows& d, int64_t offset, W padding, Widen widen) {
  const int64_t stride = kStride == 0 ? d.stride : kStride;
  auto places_below = [&](int64_t element) {  // of the run, whose elements of x lie before `element`
    const int64_t n = element <= offset ? 0 : (element - offset + stride - 1) / stride;
    return n < d.run ? n : d.run;
  };
  const int64_t first = places_below(0), last = places_below(d.in);
  for (int64_t j = 0; j < first; ++j) run[j] = padding;
  for (int64_t j = first; j < last; ++j) run[j] = widen(x[j * stride + offset]);
  for (int64_t j = last; j < d.run; ++j) run[j] = padding;
}

// Rows of x that follow each other, as windows read them: [rows][runs][run].
template <class T, class W, class Widen>
[[gnu::noinline]] void deal_rows(const T* x, int64_t rows, W* to, const DealtRows& d, W padding, Widen widen) {
  if constexpr (__is_same(T, float)) {
    if (d.stride == 1) return deal_vectors<1>(x, rows, to, d, padding);
    if (kDealtByVectors >= 2 && d.stride == 2) return deal_vectors<2>(x, rows, to, d, padding);
    if (kDealtByVectors >= 4 && d.stride == 3) return deal_vectors<3>(x, rows, to, d, padding);
    if (kDealtByVectors >= 4 && d.stride == 4) return deal_vectors<4>(x, rows, to, d, padding);
  }
  for (int64_t h = 0; h < rows; ++h, x += d.in) {
    for (int64_t r = 0; r < d.runs; ++r, to += d.run) {
      if (d.stride == 1) deal_run<1>(x, to, d, r - d.begin, padding, widen);
      else if (d.stride == 2) deal_run<2>(x, to, d, r - d.begin, padding, widen);
      else deal_run<0>(x, to, d, r - d.begin, padding, widen);
    }
  }
}

// ---- stripes ----

// The rows of x that rows [oy, oy + stripe) of y read.
struct Stripe {
  int64_t end;          // the first row of y after it
  int64_t first, last;  // rows of x
};
TERN_INLINE Stripe stripe_at(const DealtRows& d, int64_t oy) {
  const int64_t end = oy + d.stripe < d.out_rows ? oy + d.stripe : d.out_rows;
  const int64_t first = oy * d.row_stride - d.row_begin, last = (end - 1) * d.row_stride - d.row_begin + d.row_reach + 1;
  const int64_t from = first < 0 ? 0 : first, to = last < d.in_rows ? last : d.in_rows;
  return {end, from, from < to ? to : from};
}

}  // namespace
}  // namespace tern::TERN_ISA
