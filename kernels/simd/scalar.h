// simd.h in portable C: the compiler's vectors of sixteen, in whatever registers there are (arrays take it five times as long to compile, and are
// slower). fma is exact everywhere (the C library's where the CPU has none): the oracle of the others.
#pragma once

namespace tern::TERN_ISA {
namespace {

// An operation a line, as in the other two:
// clang-format off

typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef uint32_t Unsigned __attribute__((vector_size(64)));
struct f32x16 { Floats v; };
struct i32x16 { Ints v; };
struct mask16 { Ints v; };  // -1 or 0

template <class R, class F>
TERN_INLINE R each(F f) {
  R r;
  for (int i = 0; i < 16; ++i) r.v[i] = f(i);
  return r;
}

TERN_INLINE f32x16 load(const float* p) {
  f32x16 a;
  __builtin_memcpy(&a, p, sizeof a);
  return a;
}
TERN_INLINE f32x16 load_n(const float* p, int64_t n) { return each<f32x16>([=](int i) { return i < n ? p[i] : 0.0f; }); }
TERN_INLINE void store(float* p, f32x16 a) { __builtin_memcpy(p, &a, sizeof a); }
TERN_INLINE void store_n(float* p, f32x16 a, int64_t n) {
  for (int i = 0; i < n; ++i) p[i] = a.v[i];
}
TERN_INLINE f32x16 splat(float x) { return each<f32x16>([=](int) { return x; }); }
TERN_INLINE i32x16 splat_i32(int32_t x) { return each<i32x16>([=](int) { return x; }); }
TERN_INLINE i32x16 load_i32(const int32_t* p) {
  i32x16 a;
  __builtin_memcpy(&a, p, sizeof a);
  return a;
}
TERN_INLINE void store_i32(int32_t* p, i32x16 a) { __builtin_memcpy(p, &a, sizeof a); }

TERN_INLINE f32x16 operator+(f32x16 a, f32x16 b) { return {a.v + b.v}; }
TERN_INLINE f32x16 operator-(f32x16 a, f32x16 b) { return {a.v - b.v}; }
TERN_INLINE f32x16 operator*(f32x16 a, f32x16 b) { return {a.v * b.v}; }
TERN_INLINE f32x16 operator/(f32x16 a, f32x16 b) { return {a.v / b.v}; }
#if defined(__FP_FAST_FMAF)
TERN_INLINE
#else  // sixteen calls of the C library: in one function, not in every place
[[maybe_unused, gnu::noinline]] static
#endif
f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return each<f32x16>([=](int i) { return __builtin_fmaf(a.v[i], b.v[i], c.v[i]); }); }
TERN_INLINE f32x16 fnma(f32x16 a, f32x16 b, f32x16 c) { return fma({-a.v}, b, c); }
TERN_INLINE f32x16 sqrt(f32x16 a) { return each<f32x16>([=](int i) { return __builtin_sqrtf(a.v[i]); }); }
// Written so that compilers take the instruction, which flushes subnormal operands where select() would hand them on.
TERN_INLINE f32x16 min_raw(f32x16 a, f32x16 b) { return each<f32x16>([=](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
TERN_INLINE f32x16 max_raw(f32x16 a, f32x16 b) { return each<f32x16>([=](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
TERN_INLINE f32x16 round_even(f32x16 a) { return each<f32x16>([=](int i) { return __builtin_rintf(a.v[i]); }); }
TERN_INLINE f32x16 floor(f32x16 a) { return each<f32x16>([=](int i) { return __builtin_floorf(a.v[i]); }); }
TERN_INLINE f32x16 ceil(f32x16 a) { return each<f32x16>([=](int i) { return __builtin_ceilf(a.v[i]); }); }
TERN_INLINE f32x16 trunc(f32x16 a) { return each<f32x16>([=](int i) { return __builtin_truncf(a.v[i]); }); }

TERN_INLINE i32x16 bits(f32x16 a) { return __builtin_bit_cast(i32x16, a); }
TERN_INLINE f32x16 from_bits(i32x16 a) { return __builtin_bit_cast(f32x16, a); }
// Wraps around, as the vector instructions do.
TERN_INLINE i32x16 operator+(i32x16 a, i32x16 b) { return {(Ints)((Unsigned)a.v + (Unsigned)b.v)}; }
TERN_INLINE i32x16 operator-(i32x16 a, i32x16 b) { return {(Ints)((Unsigned)a.v - (Unsigned)b.v)}; }
TERN_INLINE i32x16 operator&(i32x16 a, i32x16 b) { return {a.v & b.v}; }
TERN_INLINE i32x16 operator|(i32x16 a, i32x16 b) { return {a.v | b.v}; }
TERN_INLINE i32x16 operator^(i32x16 a, i32x16 b) { return {a.v ^ b.v}; }
TERN_INLINE i32x16 shift_left(i32x16 a, int n) { return {(Ints)((Unsigned)a.v << n)}; }
TERN_INLINE i32x16 shift_right(i32x16 a, int n) { return {a.v >> n}; }
TERN_INLINE i32x16 shift_right_logical(i32x16 a, int n) { return {(Ints)((Unsigned)a.v >> n)}; }
// Out of range and NaN give INT32_MIN, as the vector instructions do.
TERN_INLINE i32x16 to_int_trunc(f32x16 a) {
  return each<i32x16>([=](int i) { return a.v[i] >= -2147483648.0f && a.v[i] < 2147483648.0f ? static_cast<int32_t>(a.v[i]) : INT32_MIN; });
}
TERN_INLINE f32x16 to_float(i32x16 a) { return each<f32x16>([=](int i) { return static_cast<float>(a.v[i]); }); }

TERN_INLINE mask16 lt(f32x16 a, f32x16 b) { return {a.v < b.v}; }
TERN_INLINE mask16 le(f32x16 a, f32x16 b) { return {a.v <= b.v}; }
TERN_INLINE mask16 gt(f32x16 a, f32x16 b) { return {a.v > b.v}; }
TERN_INLINE mask16 ge(f32x16 a, f32x16 b) { return {a.v >= b.v}; }
TERN_INLINE mask16 eq(f32x16 a, f32x16 b) { return {a.v == b.v}; }
TERN_INLINE mask16 ne(f32x16 a, f32x16 b) { return {a.v != b.v}; }
TERN_INLINE mask16 unordered(f32x16 a, f32x16 b) { return {(a.v != a.v) | (b.v != b.v)}; }
TERN_INLINE mask16 lanes_below(int64_t n) { return each<mask16>([=](int i) { return i < n ? -1 : 0; }); }
TERN_INLINE mask16 operator&(mask16 a, mask16 b) { return {a.v & b.v}; }
TERN_INLINE mask16 operator|(mask16 a, mask16 b) { return {a.v | b.v}; }
// In bits: `m ? yes : no` may become a branch on the data.
TERN_INLINE f32x16 select(mask16 m, f32x16 yes, f32x16 no) {
  const Ints a = (Ints)yes.v, b = (Ints)no.v;
  return {(Floats)(b ^ ((a ^ b) & m.v))};
}
// clang-format on

}  // namespace
}  // namespace tern::TERN_ISA
