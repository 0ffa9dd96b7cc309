// Two terms of a sum in bf16 as a word, the earlier one in the upper half, of x as of weights. Included by *.simd.cpp only.
// add_pair is two fma. AVX-512's vdpbf16ps is defined so: the upper halves first, rounded to nearest after each, subnormals flushed, as in every
// run(); 30 million random sums on Zen 4 agreed. The rows of avx512 need it (has_bf16_pairs()). Next: bf16_pairs.simd.cpp.
#pragma once
#include "kernels/simd_round.h"

namespace tern::TERN_ISA {
namespace {

// sum + x0 w0 + x1 w1.
TERN_INLINE void add_pair(f32x16& sum, i32x16 x, i32x16 w) {
#if defined(__AVX512F__)
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "v"(w.v));  // written out, as vpdpbusd is in kernels/quantize
#else
  const i32x16 upper = splat_i32(static_cast<int32_t>(0xffff0000));
  sum = fma(from_bits(x & upper), from_bits(w & upper), sum);
  sum = fma(from_bits(shift_left(x, 16)), from_bits(shift_left(w, 16)), sum);
#endif
}
// The same with weights that are read for this sum alone.
TERN_INLINE void add_pair_at(f32x16& sum, i32x16 x, const int32_t* w) {
#if defined(__AVX512F__)
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum.v) : "v"(x.v), "m"(*reinterpret_cast<const __m512i_u*>(w)));
#else
  add_pair(sum, x, load_i32(w));
#endif
}

// Sixteen rounded elements, whose bits are the upper halves, as eight words.
TERN_INLINE void store_pairs(int32_t* to, i32x16 a) {
#if defined(__AVX512F__)
  const __m512i lower = _mm512_srli_epi64(a.v, 48), upper = _mm512_and_si512(a.v, _mm512_set1_epi64(0xffffffff));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi64_epi32(_mm512_or_si512(upper, lower)));
#else
  int32_t one[16];
  store_i32(one, a);
  for (int i = 0; i < 8; ++i) to[i] = one[2 * i] | static_cast<int32_t>(static_cast<uint32_t>(one[2 * i + 1]) >> 16);
#endif
}
// A row of k elements as words, zeros behind them up to a multiple of eight words.
TERN_INLINE void to_pairs(const float* x, int64_t k, int32_t* to) {
  for (int64_t i = 0; i < k; i += 16) store_pairs(to + i / 2, bits(round_bf16(k - i < 16 ? load_n(x + i, k - i) : load(x + i))));
}

}  // namespace
}  // namespace tern::TERN_ISA
