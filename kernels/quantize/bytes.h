// Sixteen bytes as sixteen lanes and back, and linear.h's quantized() on lanes. Included by *.simd.cpp only. Next: integer_tile.simd.cpp,
// mapped.simd.cpp, quantize.simd.cpp.
#pragma once
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

TERN_INLINE i32x16 load_bytes(const uint8_t* p, bool is_signed) {
#if defined(__AVX512F__)
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {is_signed ? _mm512_cvtepi8_epi32(v) : _mm512_cvtepu8_epi32(v)};
#elif defined(__AVX2__)
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), upper = _mm_srli_si128(v, 8);
  if (is_signed) return {_mm256_cvtepi8_epi32(v), _mm256_cvtepi8_epi32(upper)};
  return {_mm256_cvtepu8_epi32(v), _mm256_cvtepu8_epi32(upper)};
#else
  int32_t lanes[16];
  for (int i = 0; i < 16; ++i) lanes[i] = is_signed ? static_cast<int8_t>(p[i]) : p[i];
  return load_i32(lanes);
#endif
}
// The lowest 8 bits of each lane.
TERN_INLINE void store_bytes(uint8_t* p, i32x16 v) {
#if defined(__AVX512F__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v.v));
#elif defined(__AVX2__)
  const __m256i byte = _mm256_set1_epi32(255), words = _mm256_packus_epi32(_mm256_and_si256(v.lo, byte), _mm256_and_si256(v.hi, byte));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);  // packing is within halves
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1)));
#else
  int32_t lanes[16];
  store_i32(lanes, v);
  for (int i = 0; i < 16; ++i) p[i] = static_cast<uint8_t>(lanes[i]);
#endif
}

// What quantised lanes are from and to, less the zero point, which is added with the bits of the number that rounds.
struct QuantizedRange {
  f32x16 low, high;
  i32x16 zero;
};
constexpr float kRounds = 0x1.8p23f;  // in a sum with it the lowest bits are the other number, rounded to even
TERN_INLINE QuantizedRange quantized_range(i32x16 zero, float low, float high) {
  const f32x16 offset = to_float(zero);
  return {splat(low) - offset, splat(high) - offset, zero - bits(splat(kRounds))};
}
// x in steps of the range, bounded before it is rounded: both ends are integers. A comparison with NaN gives its second operand: the lowest.
TERN_INLINE i32x16 rounded_lanes(f32x16 x, const QuantizedRange& to) { return bits(min_raw(max_raw(x, to.low), to.high) + splat(kRounds)) + to.zero; }
TERN_INLINE i32x16 quantized_lanes(f32x16 x, f32x16 scale, const QuantizedRange& to) { return rounded_lanes(x / scale, to); }

// The same to bytes, by one scale for all, without a division, which takes longer than all the rest. x and the scale are multiplied with the power of two
// that brings the scale between 2 and 4; then x is bounded, and the product with the scale's reciprocal corrected once by what it leaves over. The integer is
// the division's: compared for every scale there is, at the three floats on either side of every half step up to 256, where alone it could differ.
// Ends as those of a division: a scale of 0 has an infinite power, an infinite one none, NaN is NaN.
struct ByteScale {
  f32x16 power, low, high, scale, inverse;
  i32x16 zero;
};
TERN_INLINE ByteScale byte_scale(f32x16 scale, i32x16 zero, bool is_signed) {
  const i32x16 b = bits(scale), exponent = splat_i32(0x7f800000), mantissa = splat_i32(0x7fffff), sign = splat_i32(INT32_MIN);
  const f32x16 power = from_bits((exponent - (b & exponent)) | (b & sign)), by = from_bits((b & mantissa) | bits(splat(2.0f)));
  const f32x16 lowest = splat(is_signed ? -128.0f : 0.0f) - to_float(zero);
  return {
      select(unordered(scale, scale), scale, power), lowest * by, (lowest + splat(255.0f)) * by, by, splat(1.0f) / by, zero - bits(splat(kRounds))};
}
TERN_INLINE i32x16 quantized_lanes(f32x16 x, const ByteScale& to) {
  const f32x16 bounded = min_raw(max_raw(x * to.power, to.low), to.high), near = bounded * to.inverse;
  return bits(fma(fnma(near, to.scale, bounded), to.inverse, near) + splat(kRounds)) + to.zero;
}

}  // namespace
}  // namespace tern::TERN_ISA
