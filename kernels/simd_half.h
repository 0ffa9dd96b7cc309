// Elements of 16 bits as f32 lanes: the bits of to_f32() of runtime/base/half.h, but for a NaN's. Included by *.simd.cpp only.
// Next: gather/gather_mean.simd.cpp.
#pragma once
#include "kernels/simd.h"
#include "tern/element.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
TERN_INLINE f32x16 load(const f16* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))}; }
TERN_INLINE f32x16 load(const bf16* p) {
  return from_bits(shift_left(i32x16{_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))}, 16));
}
#elif defined(__AVX2__)
TERN_INLINE __m128i load_eight(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
TERN_INLINE f32x16 load(const f16* p) { return {_mm256_cvtph_ps(load_eight(p)), _mm256_cvtph_ps(load_eight(p + 8))}; }
TERN_INLINE f32x16 load(const bf16* p) {
  return from_bits(shift_left(i32x16{_mm256_cvtepu16_epi32(load_eight(p)), _mm256_cvtepu16_epi32(load_eight(p + 8))}, 16));
}
#else
template <class T>
TERN_INLINE i32x16 load_words(const T* p) {
  int32_t words[16];
  for (int i = 0; i < 16; ++i) words[i] = p[i].bits;
  return load_i32(words);
}
TERN_INLINE f32x16 load(const bf16* p) { return from_bits(shift_left(load_words(p), 16)); }
TERN_INLINE f32x16 load(const f16* p) {
  const i32x16 u = load_words(p), magnitude = u & splat_i32(0x7fff);
  const f32x16 number = from_bits(magnitude | splat_i32(0x4b000000)) - splat(0x1p23f);  // the word itself as a number, exactly
  const f32x16 normal = from_bits(shift_left(magnitude, 13) + splat_i32(112 << 23));
  const f32x16 special = from_bits(shift_left(magnitude, 13) + splat_i32(224 << 23));  // exponent 31 is 255
  const f32x16 y = select(lt(number, splat(1024)), number * splat(0x1p-24f), select(lt(number, splat(31744)), normal, special));
  return copysign(y, from_bits(shift_left(u, 16)));
}
#endif

// The first n of at most sixteen lanes, the rest 0.
template <class T>
TERN_INLINE f32x16 load_n(const T* p, int64_t n) {
  T some[16] = {};
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(some), _mm256_maskz_loadu_epi16(first_lanes(n), p));
#else
  for (int64_t i = 0; i < n; ++i) some[i] = p[i];
#endif
  return load(some);
}

}  // namespace
}  // namespace tern::TERN_ISA
