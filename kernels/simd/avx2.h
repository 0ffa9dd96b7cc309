// simd.h on AVX2 + FMA: two registers a vector, masks as vectors of all-ones lanes.
#pragma once

namespace tern::TERN_ISA {
namespace {

struct f32x16 {
  __m256 lo, hi;
};
struct i32x16 {
  __m256i lo, hi;
};
struct mask16 {
  __m256 lo, hi;
};

// Eight lanes whose first n are all ones; any n, also below 0 and above 8.
TERN_INLINE __m256i first_lanes8(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

TERN_INLINE f32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
TERN_INLINE f32x16 load_n(const float* p, int64_t n) {
  return {_mm256_maskload_ps(p, first_lanes8(n)), _mm256_maskload_ps(p + 8, first_lanes8(n - 8))};
}
TERN_INLINE void store(float* p, f32x16 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
TERN_INLINE void store_n(float* p, f32x16 a, int64_t n) {
  _mm256_maskstore_ps(p, first_lanes8(n), a.lo);
  _mm256_maskstore_ps(p + 8, first_lanes8(n - 8), a.hi);
}
TERN_INLINE f32x16 splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
TERN_INLINE i32x16 splat_i32(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
TERN_INLINE i32x16 load_i32(const int32_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
}
TERN_INLINE void store_i32(int32_t* p, i32x16 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.lo);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), a.hi);
}

TERN_INLINE f32x16 operator+(f32x16 a, f32x16 b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
TERN_INLINE f32x16 operator-(f32x16 a, f32x16 b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
TERN_INLINE f32x16 operator*(f32x16 a, f32x16 b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
TERN_INLINE f32x16 operator/(f32x16 a, f32x16 b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
TERN_INLINE f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
TERN_INLINE f32x16 fnma(f32x16 a, f32x16 b, f32x16 c) { return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)}; }
TERN_INLINE f32x16 sqrt(f32x16 a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
TERN_INLINE f32x16 min_raw(f32x16 a, f32x16 b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
TERN_INLINE f32x16 max_raw(f32x16 a, f32x16 b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }

template <int kMode>
TERN_INLINE f32x16 rounded(f32x16 a) {
  return {_mm256_round_ps(a.lo, kMode | _MM_FROUND_NO_EXC), _mm256_round_ps(a.hi, kMode | _MM_FROUND_NO_EXC)};
}
TERN_INLINE f32x16 round_even(f32x16 a) { return rounded<_MM_FROUND_TO_NEAREST_INT>(a); }
TERN_INLINE f32x16 floor(f32x16 a) { return rounded<_MM_FROUND_TO_NEG_INF>(a); }
TERN_INLINE f32x16 ceil(f32x16 a) { return rounded<_MM_FROUND_TO_POS_INF>(a); }
TERN_INLINE f32x16 trunc(f32x16 a) { return rounded<_MM_FROUND_TO_ZERO>(a); }

TERN_INLINE i32x16 bits(f32x16 a) { return {_mm256_castps_si256(a.lo), _mm256_castps_si256(a.hi)}; }
TERN_INLINE f32x16 from_bits(i32x16 a) { return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)}; }
TERN_INLINE i32x16 operator+(i32x16 a, i32x16 b) { return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)}; }
TERN_INLINE i32x16 operator-(i32x16 a, i32x16 b) { return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)}; }
TERN_INLINE i32x16 operator&(i32x16 a, i32x16 b) { return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)}; }
TERN_INLINE i32x16 operator|(i32x16 a, i32x16 b) { return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)}; }
TERN_INLINE i32x16 operator^(i32x16 a, i32x16 b) { return {_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi)}; }
TERN_INLINE i32x16 shift_left(i32x16 a, int n) { return {_mm256_slli_epi32(a.lo, n), _mm256_slli_epi32(a.hi, n)}; }
TERN_INLINE i32x16 shift_right(i32x16 a, int n) { return {_mm256_srai_epi32(a.lo, n), _mm256_srai_epi32(a.hi, n)}; }
TERN_INLINE i32x16 shift_right_logical(i32x16 a, int n) { return {_mm256_srli_epi32(a.lo, n), _mm256_srli_epi32(a.hi, n)}; }
TERN_INLINE i32x16 to_int_trunc(f32x16 a) { return {_mm256_cvttps_epi32(a.lo), _mm256_cvttps_epi32(a.hi)}; }
TERN_INLINE f32x16 to_float(i32x16 a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }

template <int kCompare>
TERN_INLINE mask16 compare(f32x16 a, f32x16 b) {
  return {_mm256_cmp_ps(a.lo, b.lo, kCompare), _mm256_cmp_ps(a.hi, b.hi, kCompare)};
}
TERN_INLINE mask16 lt(f32x16 a, f32x16 b) { return compare<_CMP_LT_OQ>(a, b); }
TERN_INLINE mask16 le(f32x16 a, f32x16 b) { return compare<_CMP_LE_OQ>(a, b); }
TERN_INLINE mask16 gt(f32x16 a, f32x16 b) { return compare<_CMP_GT_OQ>(a, b); }
TERN_INLINE mask16 ge(f32x16 a, f32x16 b) { return compare<_CMP_GE_OQ>(a, b); }
TERN_INLINE mask16 eq(f32x16 a, f32x16 b) { return compare<_CMP_EQ_OQ>(a, b); }
TERN_INLINE mask16 ne(f32x16 a, f32x16 b) { return compare<_CMP_NEQ_UQ>(a, b); }
TERN_INLINE mask16 unordered(f32x16 a, f32x16 b) { return compare<_CMP_UNORD_Q>(a, b); }
TERN_INLINE mask16 lanes_below(int64_t n) { return {_mm256_castsi256_ps(first_lanes8(n)), _mm256_castsi256_ps(first_lanes8(n - 8))}; }
TERN_INLINE mask16 operator&(mask16 a, mask16 b) { return {_mm256_and_ps(a.lo, b.lo), _mm256_and_ps(a.hi, b.hi)}; }
TERN_INLINE mask16 operator|(mask16 a, mask16 b) { return {_mm256_or_ps(a.lo, b.lo), _mm256_or_ps(a.hi, b.hi)}; }
TERN_INLINE f32x16 select(mask16 m, f32x16 yes, f32x16 no) { return {_mm256_blendv_ps(no.lo, yes.lo, m.lo), _mm256_blendv_ps(no.hi, yes.hi, m.hi)}; }

}  // namespace
}  // namespace tern::TERN_ISA
