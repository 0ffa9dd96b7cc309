// A row of f32 as integers below 2^bits times a power of two, which its own largest element chooses; products of such integers, of 16 bits, with weights of
// 8 bits. See weights.h. Included by *.simd.cpp only. Next: weights_int8.simd.cpp.
#pragma once
#include "kernels/gemm/weights.h"
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

// Weights of sixteen columns, two terms of each, and one row's two elements of x beside them.
#if defined(__AVX512F__)
struct Pairs {
  __m512i v;
};
TERN_INLINE Pairs widened(const int8_t* w) { return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)))}; }
// Written out, as in kernels/quantize: -mavx512vnni would let the compiler use it elsewhere.
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum.v) : "v"(w.v), "v"(_mm512_set1_epi32(pair)));
}
TERN_INLINE void store_i16(int16_t* p, i32x16 a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(a.v)); }
#elif defined(__AVX2__)
struct Pairs {
  __m256i lo, hi;
};
TERN_INLINE Pairs widened(const int8_t* w) {
  const auto* from = reinterpret_cast<const __m128i*>(w);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(from)), _mm256_cvtepi8_epi16(_mm_loadu_si128(from + 1))};
}
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  const __m256i both = _mm256_set1_epi32(pair);
  sum.lo = _mm256_add_epi32(sum.lo, _mm256_madd_epi16(w.lo, both));
  sum.hi = _mm256_add_epi32(sum.hi, _mm256_madd_epi16(w.hi, both));
}
TERN_INLINE void store_i16(int16_t* p, i32x16 a) {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(a.lo, a.hi), 0xd8);  // within halves: put the quarters in order
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), packed);
}
#elif defined(TERN_NEON)
struct Pairs {
  int16x8_t v[4];
};
TERN_INLINE Pairs widened(const int8_t* w) {
  return each<Pairs>([=](int q) { return vmovl_s8(vld1_s8(w + 8 * q)); });
}
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) {
  const int16_t pair[4] = {x[0], x[1], x[0], x[1]};
  const int16x4_t both = vld1_s16(pair);
  for (int q = 0; q < 4; ++q) {
    const int32x4_t products = vpaddq_s32(vmull_s16(vget_low_s16(w.v[q]), both), vmull_s16(vget_high_s16(w.v[q]), both));
    sum.v[q] = vaddq_s32(sum.v[q], products);
  }
}
TERN_INLINE void store_i16(int16_t* p, i32x16 a) {
  for (int q = 0; q < 4; ++q) vst1_s16(p + 4 * q, vmovn_s32(a.v[q]));
}
#else
struct Pairs {
  Ints first, second;
};
TERN_INLINE Pairs widened(const int8_t* w) {
  Pairs p;
  for (int i = 0; i < 16; ++i) p.first[i] = w[2 * i], p.second[i] = w[2 * i + 1];
  return p;
}
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) { sum.v += w.first * int32_t(x[0]) + w.second * int32_t(x[1]); }
TERN_INLINE void store_i16(int16_t* p, i32x16 a) {
  for (int i = 0; i < 16; ++i) p[i] = static_cast<int16_t>(a.v[i]);
}
#endif

// The largest magnitude of a row, NaN when an element is not finite.
TERN_INLINE float largest(const float* x, int64_t k) {
  f32x16 most = zero();
  int64_t i = 0;
  for (; i + 16 <= k; i += 16) most = max_nan(most, abs(load(x + i)));
  most = max_nan(abs(load_n(x + i, k - i)), most);
  return reduce_max_raw(most) + reduce_add(most - most);  // 0, or NaN of what is not finite
}

struct IntegerScale {
  f32x16 up;
  float factor;  // what the integers are to be multiplied with; NaN of a row that is not finite
};
TERN_INLINE IntegerScale integer_scale(const float* x, int64_t k, int bits) {
  constexpr int32_t kLeast = 27 << 23;  // of exponents: 2^-100
  const float most = largest(x, k);
  int32_t exponent;
  __builtin_memcpy(&exponent, &most, 4);
  exponent &= 0x7f800000;
  const int32_t some = ~((exponent - kLeast) >> 31), shift = (bits - 1) << 23;
  const int32_t up_bits = (((254 << 23) - exponent) + shift) & some, down_bits = (exponent - shift) & some;
  float up, down;
  __builtin_memcpy(&up, &up_bits, 4);
  __builtin_memcpy(&down, &down_bits, 4);
  return {splat(up), down + (most - most)};
}
// Of the first n of sixteen elements, n > 0, zeros behind them; |integer| <= limit, as the largest may round up to 2^bits.
TERN_INLINE i32x16 scaled_integers(const float* x, int64_t n, f32x16 up, float limit) {
  const f32x16 v = (n < 16 ? load_n(x, n) : load(x)) * up, most = splat(limit);
  return to_int_trunc(round_even(max_raw(min_raw(v, most), neg(most))));
}

// A row as integers below 2^bits, zeros behind them, which fit into a byte as those of a row alone do when `bits` are a state's; returns what they are to be
// multiplied with.
float to_integers(const float* x, int64_t k, int bits, int16_t* to) {
  const IntegerScale scale = integer_scale(x, k, bits);
  const float limit = bits == kInt8StateBits ? 127.0f : 32767.0f;
  for (int64_t i = 0; i < k; i += 16) store_i16(to + i, scaled_integers(x + i, k - i, scale.up, limit));
  return scale.factor;
}

}  // namespace
}  // namespace tern::TERN_ISA
