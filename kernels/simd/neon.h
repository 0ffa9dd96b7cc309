// simd.h on NEON (AArch64): four registers a vector, masks as vectors of all-ones lanes.
#pragma once

namespace tern::TERN_ISA {
namespace {

// An operation a line, as in the other two:
// clang-format off

struct f32x16 { float32x4_t v[4]; };
struct i32x16 { int32x4_t v[4]; };
struct mask16 { uint32x4_t v[4]; };

template <class R, class F>
TERN_INLINE R each(F f) {
  return {{f(0), f(1), f(2), f(3)}};
}

// Lanes 4q to 4q + 3 of sixteen whose first n are all ones.
TERN_INLINE uint32x4_t first_lanes4(int64_t n, int q) {
  constexpr int32_t kLanes[4] = {0, 1, 2, 3};
  return vcgtq_s32(vdupq_n_s32(static_cast<int32_t>(n) - 4 * q), vld1q_s32(kLanes));
}

TERN_INLINE f32x16 load(const float* p) { return each<f32x16>([=](int q) { return vld1q_f32(p + 4 * q); }); }
// There are no masked loads and stores: part of a vector goes through memory.
TERN_INLINE f32x16 load_n(const float* p, int64_t n) {
  float t[16] = {};
  for (int64_t i = 0; i < n; ++i) t[i] = p[i];
  return load(t);
}
TERN_INLINE void store(float* p, f32x16 a) {
  for (int q = 0; q < 4; ++q) vst1q_f32(p + 4 * q, a.v[q]);
}
TERN_INLINE void store_n(float* p, f32x16 a, int64_t n) {
  float t[16];
  store(t, a);
  for (int64_t i = 0; i < n; ++i) p[i] = t[i];
}
TERN_INLINE f32x16 splat(float x) { return each<f32x16>([=](int) { return vdupq_n_f32(x); }); }
TERN_INLINE i32x16 splat_i32(int32_t x) { return each<i32x16>([=](int) { return vdupq_n_s32(x); }); }
TERN_INLINE i32x16 load_i32(const int32_t* p) { return each<i32x16>([=](int q) { return vld1q_s32(p + 4 * q); }); }
TERN_INLINE void store_i32(int32_t* p, i32x16 a) {
  for (int q = 0; q < 4; ++q) vst1q_s32(p + 4 * q, a.v[q]);
}

TERN_INLINE f32x16 operator+(f32x16 a, f32x16 b) { return each<f32x16>([=](int q) { return vaddq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 operator-(f32x16 a, f32x16 b) { return each<f32x16>([=](int q) { return vsubq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 operator*(f32x16 a, f32x16 b) { return each<f32x16>([=](int q) { return vmulq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 operator/(f32x16 a, f32x16 b) { return each<f32x16>([=](int q) { return vdivq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return each<f32x16>([=](int q) { return vfmaq_f32(c.v[q], a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 fnma(f32x16 a, f32x16 b, f32x16 c) { return each<f32x16>([=](int q) { return vfmsq_f32(c.v[q], a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 sqrt(f32x16 a) { return each<f32x16>([=](int q) { return vsqrtq_f32(a.v[q]); }); }
// The instructions of that name give NaN if either is: a comparison and a choice instead.
TERN_INLINE f32x16 min_raw(f32x16 a, f32x16 b) { return each<f32x16>([=](int q) { return vbslq_f32(vcltq_f32(a.v[q], b.v[q]), a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 max_raw(f32x16 a, f32x16 b) { return each<f32x16>([=](int q) { return vbslq_f32(vcgtq_f32(a.v[q], b.v[q]), a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 round_even(f32x16 a) { return each<f32x16>([=](int q) { return vrndnq_f32(a.v[q]); }); }
TERN_INLINE f32x16 floor(f32x16 a) { return each<f32x16>([=](int q) { return vrndmq_f32(a.v[q]); }); }
TERN_INLINE f32x16 ceil(f32x16 a) { return each<f32x16>([=](int q) { return vrndpq_f32(a.v[q]); }); }
TERN_INLINE f32x16 trunc(f32x16 a) { return each<f32x16>([=](int q) { return vrndq_f32(a.v[q]); }); }

TERN_INLINE i32x16 bits(f32x16 a) { return each<i32x16>([=](int q) { return vreinterpretq_s32_f32(a.v[q]); }); }
TERN_INLINE f32x16 from_bits(i32x16 a) { return each<f32x16>([=](int q) { return vreinterpretq_f32_s32(a.v[q]); }); }
TERN_INLINE i32x16 operator+(i32x16 a, i32x16 b) { return each<i32x16>([=](int q) { return vaddq_s32(a.v[q], b.v[q]); }); }
TERN_INLINE i32x16 operator-(i32x16 a, i32x16 b) { return each<i32x16>([=](int q) { return vsubq_s32(a.v[q], b.v[q]); }); }
TERN_INLINE i32x16 operator&(i32x16 a, i32x16 b) { return each<i32x16>([=](int q) { return vandq_s32(a.v[q], b.v[q]); }); }
TERN_INLINE i32x16 operator|(i32x16 a, i32x16 b) { return each<i32x16>([=](int q) { return vorrq_s32(a.v[q], b.v[q]); }); }
TERN_INLINE i32x16 operator^(i32x16 a, i32x16 b) { return each<i32x16>([=](int q) { return veorq_s32(a.v[q], b.v[q]); }); }
// A shift by a negative number is one to the right.
TERN_INLINE i32x16 shift_left(i32x16 a, int n) { return each<i32x16>([=](int q) { return vshlq_s32(a.v[q], vdupq_n_s32(n)); }); }
TERN_INLINE i32x16 shift_right(i32x16 a, int n) { return each<i32x16>([=](int q) { return vshlq_s32(a.v[q], vdupq_n_s32(-n)); }); }
TERN_INLINE i32x16 shift_right_logical(i32x16 a, int n) {
  return each<i32x16>([=](int q) { return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v[q]), vdupq_n_s32(-n))); });
}
// Out of range and NaN give INT32_MIN, as on x86; the instruction saturates and gives 0.
TERN_INLINE i32x16 to_int_trunc(f32x16 a) {
  return each<i32x16>([=](int q) {
    const uint32x4_t inside = vandq_u32(vcgeq_f32(a.v[q], vdupq_n_f32(-2147483648.0f)), vcltq_f32(a.v[q], vdupq_n_f32(2147483648.0f)));
    return vbslq_s32(inside, vcvtq_s32_f32(a.v[q]), vdupq_n_s32(INT32_MIN));
  });
}
TERN_INLINE f32x16 to_float(i32x16 a) { return each<f32x16>([=](int q) { return vcvtq_f32_s32(a.v[q]); }); }

TERN_INLINE mask16 lt(f32x16 a, f32x16 b) { return each<mask16>([=](int q) { return vcltq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE mask16 le(f32x16 a, f32x16 b) { return each<mask16>([=](int q) { return vcleq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE mask16 gt(f32x16 a, f32x16 b) { return each<mask16>([=](int q) { return vcgtq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE mask16 ge(f32x16 a, f32x16 b) { return each<mask16>([=](int q) { return vcgeq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE mask16 eq(f32x16 a, f32x16 b) { return each<mask16>([=](int q) { return vceqq_f32(a.v[q], b.v[q]); }); }
TERN_INLINE mask16 ne(f32x16 a, f32x16 b) { return each<mask16>([=](int q) { return vmvnq_u32(vceqq_f32(a.v[q], b.v[q])); }); }
TERN_INLINE mask16 unordered(f32x16 a, f32x16 b) {
  return each<mask16>([=](int q) { return vmvnq_u32(vandq_u32(vceqq_f32(a.v[q], a.v[q]), vceqq_f32(b.v[q], b.v[q]))); });
}
TERN_INLINE mask16 lanes_below(int64_t n) { return each<mask16>([=](int q) { return first_lanes4(n, q); }); }
TERN_INLINE mask16 operator&(mask16 a, mask16 b) { return each<mask16>([=](int q) { return vandq_u32(a.v[q], b.v[q]); }); }
TERN_INLINE mask16 operator|(mask16 a, mask16 b) { return each<mask16>([=](int q) { return vorrq_u32(a.v[q], b.v[q]); }); }
TERN_INLINE f32x16 select(mask16 m, f32x16 yes, f32x16 no) { return each<f32x16>([=](int q) { return vbslq_f32(m.v[q], yes.v[q], no.v[q]); }); }

// clang-format on

}  // namespace
}  // namespace tern::TERN_ISA
