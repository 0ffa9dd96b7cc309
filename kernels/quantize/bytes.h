// Sixteen bytes as sixteen lanes and back. Included by *.simd.cpp only. Next: integer_tile.simd.cpp, mapped.simd.cpp.
#pragma once
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

TERN_INLINE i32x16 load_bytes(const uint8_t* p, bool is_signed) {
#if defined(__AVX512F__)
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {is_signed ? _mm512_cvtepi8_epi32(v) : _mm512_cvtepu8_epi32(v)};
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
#else
  int32_t lanes[16];
  store_i32(lanes, v);
  for (int i = 0; i < 16; ++i) p[i] = static_cast<uint8_t>(lanes[i]);
#endif
}

}  // namespace
}  // namespace tern::TERN_ISA
