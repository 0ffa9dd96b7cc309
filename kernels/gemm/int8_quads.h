// A row of f32 as bytes times a power of two, which its own largest element chooses; products of such bytes, four terms a lane, with weights of 8 bits.
// See weights.h. Included by *.simd.cpp only. Next: int8_quads.simd.cpp.
#pragma once
#include "kernels/gemm/integer_scale.h"
#include "kernels/gemm/weights.h"

namespace tern::TERN_ISA {
namespace {

// Sixteen columns of weights times four bytes of x, |x| and |w| <= 127: pairs of products fit into 16 bits.
#if defined(__AVX512F__)
struct Quad {
  __m512i v;
};
TERN_INLINE Quad quad_of(int32_t word) { return {_mm512_set1_epi32(word)}; }
TERN_INLINE void add_quad(i32x16& sum, Quad x, i32x16 w) { __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "v"(w.v)); }
TERN_INLINE void store_bytes(int8_t* to, i32x16 a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8((a + splat_i32(kByteBias)).v));
}
#elif defined(__AVX2__)
struct Quad {
  __m256i v, size;  // as it is, and without its signs, which go to the weights
};
TERN_INLINE Quad quad_of(int32_t word) {
  const __m256i v = _mm256_set1_epi32(word);
  return {v, _mm256_abs_epi8(v)};
}
TERN_INLINE __m256i quad_sums(Quad x, __m256i w) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(x.size, _mm256_sign_epi8(w, x.v)), _mm256_set1_epi16(1));
}
TERN_INLINE void add_quad(i32x16& sum, Quad x, i32x16 w) {
  sum.lo = _mm256_add_epi32(sum.lo, quad_sums(x, w.lo));
  sum.hi = _mm256_add_epi32(sum.hi, quad_sums(x, w.hi));
}
TERN_INLINE void store_bytes(int8_t* to, i32x16 a) {
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a.lo, a.hi), 0xd8);  // within halves: put the quarters in order
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}
#elif defined(TERN_NEON)
struct Quad {
  int8x8_t v;
};
TERN_INLINE Quad quad_of(int32_t word) { return {vreinterpret_s8_s32(vdup_n_s32(word))}; }
TERN_INLINE void add_quad(i32x16& sum, Quad x, i32x16 w) {
  for (int q = 0; q < 4; ++q) {
    const int8x16_t of = vreinterpretq_s8_s32(w.v[q]);
    sum.v[q] = vpadalq_s16(sum.v[q], vpaddq_s16(vmull_s8(vget_low_s8(of), x.v), vmull_s8(vget_high_s8(of), x.v)));
  }
}
TERN_INLINE void store_bytes(int8_t* to, i32x16 a) {
  for (int q = 0; q < 4; q += 2) vst1_s8(to + 4 * q, vmovn_s16(vcombine_s16(vmovn_s32(a.v[q]), vmovn_s32(a.v[q + 1]))));
}
#else
struct Quad {
  int8_t v[4];
};
TERN_INLINE Quad quad_of(int32_t word) {
  Quad x;
  __builtin_memcpy(x.v, &word, 4);
  return x;
}
TERN_INLINE void add_quad(i32x16& sum, Quad x, i32x16 w) {
  int8_t of[64];
  __builtin_memcpy(of, &w, 64);
  for (int i = 0; i < 16; ++i) sum.v[i] += x.v[0] * of[4 * i] + x.v[1] * of[4 * i + 1] + x.v[2] * of[4 * i + 2] + x.v[3] * of[4 * i + 3];
}
TERN_INLINE void store_bytes(int8_t* to, i32x16 a) {
  for (int i = 0; i < 16; ++i) to[i] = static_cast<int8_t>(a.v[i]);
}
#endif
// The k-th word of a row of bytes, in all lanes.
TERN_INLINE Quad quad_at(const void* bytes, int64_t k) {
  int32_t word;
  __builtin_memcpy(&word, static_cast<const char*>(bytes) + k * 4, 4);
  return quad_of(word);
}
// Sums are arrays of f32x16 that hold the bits of integers: one of i32x16 gcc 12 leaves in memory.
TERN_INLINE void add_quad(f32x16& sum, Quad x, i32x16 w) {
  i32x16 integers = bits(sum);
  add_quad(integers, x, w);
  sum = from_bits(integers);
}
// The same with weights that are read for this sum alone.
TERN_INLINE void add_quad_at(f32x16& sum, Quad x, const char* w) {
#if defined(__AVX512F__)
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "m"(*reinterpret_cast<const __m512i_u*>(w)));
#else
  add_quad(sum, x, load_i32(reinterpret_cast<const int32_t*>(w)));
#endif
}
// What a sum begins with: `begins`, where bytes of x have a bias.
TERN_INLINE f32x16 begin_quads([[maybe_unused]] const int32_t* begins) {
#if defined(__AVX512F__)
  return from_bits(load_i32(begins));
#else
  return zero();
#endif
}
// A row as bytes, zeros behind them up to a multiple of 16; returns what they are to be multiplied with.
TERN_INLINE float to_bytes(const float* x, int64_t k, void* to) {
  const IntegerScale scale = integer_scale(x, k, kQuadBits);
  for (int64_t i = 0; i < k; i += 16) store_bytes(static_cast<int8_t*>(to) + i, scaled_integers(x + i, k - i, scale.up, 127.0f));
  return scale.factor;
}

}  // namespace
}  // namespace tern::TERN_ISA
