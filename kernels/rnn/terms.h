// Terms of a sum as each form of the weights has them: one, two or four beside each other in a lane, so that a vector of weights is 64 bytes in all of
// them and a step of a loop over terms the same. Included by *.simd.cpp only.
//   f32    a float            sums are f32
//   bf16   a word of two      sums are f32, in the order of the terms (gemm/bf16_pairs.h)
//   int8   a word of four     sums are i32 and exact, kept as the bits of f32 (an array of i32x16 gcc 12 leaves in memory), and scaled at the end
// at(terms, k) is the k-th for all lanes, add(sum, x, w) multiplies it with a vector of weights and adds.
// Next: interleaved.h.
#pragma once
#include "kernels/gemm/bf16_pairs.h"
#include "kernels/gemm/int8_pairs.h"
#include "kernels/rnn/rnn.h"

namespace tern::TERN_ISA {
namespace {

template <WeightForm kForm>
struct Terms;

template <>
struct Terms<WeightForm::f32> {
  TERN_INLINE f32x16 at(const void* terms, int64_t k) { return splat(static_cast<const float*>(terms)[k]); }
  TERN_INLINE void add(f32x16& sum, f32x16 x, const char* w) { sum = fma(x, load(reinterpret_cast<const float*>(w)), sum); }
};

template <>
struct Terms<WeightForm::bf16> {
  TERN_INLINE i32x16 at(const void* terms, int64_t k) { return splat_i32(static_cast<const int32_t*>(terms)[k]); }
  TERN_INLINE void add(f32x16& sum, i32x16 x, const char* w) { add_pair_at(sum, x, reinterpret_cast<const int32_t*>(w)); }
};

// Sixteen columns of weights times four bytes of x, |x| and |w| <= 127: pairs of products fit into 16 bits.
#if defined(__AVX512F__)
struct Quad {
  __m512i v;
};
TERN_INLINE Quad quad_of(int32_t word) { return {_mm512_set1_epi32(word)}; }
TERN_INLINE void add_quad(i32x16& sum, Quad x, const int8_t* w) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "m"(*reinterpret_cast<const __m512i_u*>(w)));
}
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
TERN_INLINE __m256i quad_sums(Quad x, const int8_t* w) {
  const __m256i turned = _mm256_sign_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)), x.v);
  return _mm256_madd_epi16(_mm256_maddubs_epi16(x.size, turned), _mm256_set1_epi16(1));
}
TERN_INLINE void add_quad(i32x16& sum, Quad x, const int8_t* w) {
  sum.lo = _mm256_add_epi32(sum.lo, quad_sums(x, w));
  sum.hi = _mm256_add_epi32(sum.hi, quad_sums(x, w + 32));
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
TERN_INLINE void add_quad(i32x16& sum, Quad x, const int8_t* w) {
  for (int q = 0; q < 4; ++q) {
    const int8x16_t of = vld1q_s8(w + 16 * q);
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
TERN_INLINE void add_quad(i32x16& sum, Quad x, const int8_t* w) {
  for (int i = 0; i < 16; ++i, w += 4) sum.v[i] += x.v[0] * w[0] + x.v[1] * w[1] + x.v[2] * w[2] + x.v[3] * w[3];
}
TERN_INLINE void store_bytes(int8_t* to, i32x16 a) {
  for (int i = 0; i < 16; ++i) to[i] = static_cast<int8_t>(a.v[i]);
}
#endif

template <>
struct Terms<WeightForm::int8> {
  TERN_INLINE Quad at(const void* terms, int64_t k) {
    int32_t word;
    __builtin_memcpy(&word, static_cast<const char*>(terms) + k * 4, 4);
    return quad_of(word);
  }
  TERN_INLINE void add(f32x16& sum, Quad x, const char* w) {
    i32x16 integers = bits(sum);
    add_quad(integers, x, reinterpret_cast<const int8_t*>(w));
    sum = from_bits(integers);
  }
};

// The states h as terms; what sums of them are to be multiplied with (int8).
template <WeightForm kForm>
TERN_INLINE float terms_of(const float* h, int64_t hidden, void* to) {
  if constexpr (kForm == WeightForm::bf16) to_pairs(h, hidden, static_cast<int32_t*>(to));
  if constexpr (kForm == WeightForm::int8) {
    const IntegerScale scale = integer_scale(h, hidden, kInt8StateBits);
    for (int64_t i = 0; i < hidden; i += 16) store_bytes(static_cast<int8_t*>(to) + i, scaled_integers(h + i, hidden - i, scale.up, 127.0f));
    return scale.factor;
  }
  return 1;
}

}  // namespace
}  // namespace tern::TERN_ISA
