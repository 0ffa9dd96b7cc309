// Terms of a sum as each form of the weights has them: one, two or four beside each other in a lane, so that a vector of weights is 64 bytes in all
// of them and a step of a loop over terms the same. Included by *.simd.cpp only.
//   f32    a float            sums are f32
//   bf16   a word of two      sums are f32, in the order of the terms (gemm/bf16_pairs.h)
//   int8   a word of four     sums are i32 and exact, held as the bits of f32x16, and scaled at the end (gemm/int8_quads.h)
// at(terms, k) is the k-th for all lanes, add(sum, x, w) multiplies it with a vector of weights, in memory or a register, and adds.
// Next: interleaved.h.
#pragma once
#include "kernels/gemm/bf16_pairs.h"
#include "kernels/gemm/int8_quads.h"
#include "kernels/rnn/rnn.h"

namespace tern::TERN_ISA {
namespace {

template <WeightForm kForm>
struct Terms;

template <>
struct Terms<WeightForm::f32> {
  TERN_INLINE f32x16 at(const void* terms, int64_t k) { return splat(static_cast<const float*>(terms)[k]); }
  TERN_INLINE void add(f32x16& sum, f32x16 x, const char* w) { sum = fma(x, load(reinterpret_cast<const float*>(w)), sum); }
  TERN_INLINE void add(f32x16& sum, f32x16 x, f32x16 w) { sum = fma(x, w, sum); }
};

template <>
struct Terms<WeightForm::bf16> {
  TERN_INLINE i32x16 at(const void* terms, int64_t k) { return splat_i32(static_cast<const int32_t*>(terms)[k]); }
  TERN_INLINE void add(f32x16& sum, i32x16 x, const char* w) { add_pair_at(sum, x, reinterpret_cast<const int32_t*>(w)); }
  TERN_INLINE void add(f32x16& sum, i32x16 x, f32x16 w) { add_pair(sum, x, bits(w)); }
};

template <>
struct Terms<WeightForm::int8> {
  TERN_INLINE Quad at(const void* terms, int64_t k) { return quad_at(terms, k); }
  TERN_INLINE void add(f32x16& sum, Quad x, const char* w) { add_quad_at(sum, x, w); }
  TERN_INLINE void add(f32x16& sum, Quad x, f32x16 w) { add_quad(sum, x, bits(w)); }
};

// A row, x or h, as terms; what sums of them are to be multiplied with (int8).
template <WeightForm kForm>
TERN_INLINE float terms_of(const float* row, int64_t k, void* to) {
  if constexpr (kForm == WeightForm::bf16) to_pairs(row, k, static_cast<int32_t*>(to));
  if constexpr (kForm == WeightForm::int8) return to_bytes(row, k, to);
  return 1;
}

}  // namespace
}  // namespace tern::TERN_ISA
