// simd.h on a device: sixteen neighbouring threads (half a warp) are the sixteen lanes, and each holds its own. So a function of simd_math.h is the
// same sequence of operations there, and a sum over lanes the same tree: device results have the bits of the CPU.
// All lanes call together. Compiled with -fmad=false -ftz=true: nothing is contracted, subnormals are flushed as run() does. Next: simd_math.h.
#pragma once

namespace tern::TERN_ISA {
namespace {

// An operation a line, as in the others:
// clang-format off

struct f32x16 { float v; };
struct i32x16 { int32_t v; };
struct mask16 { bool v; };

TERN_INLINE int lane() { return static_cast<int>(threadIdx.x % 16); }
TERN_INLINE f32x16 load(const float* p) { return {p[lane()]}; }
TERN_INLINE f32x16 load_n(const float* p, int64_t n) { return {lane() < n ? p[lane()] : 0.0f}; }
TERN_INLINE void store(float* p, f32x16 a) { p[lane()] = a.v; }
TERN_INLINE void store_n(float* p, f32x16 a, int64_t n) { if (lane() < n) p[lane()] = a.v; }
TERN_INLINE f32x16 splat(float x) { return {x}; }
TERN_INLINE i32x16 splat_i32(int32_t x) { return {x}; }

TERN_INLINE f32x16 operator+(f32x16 a, f32x16 b) { return {a.v + b.v}; }
TERN_INLINE f32x16 operator-(f32x16 a, f32x16 b) { return {a.v - b.v}; }
TERN_INLINE f32x16 operator*(f32x16 a, f32x16 b) { return {a.v * b.v}; }
TERN_INLINE f32x16 operator/(f32x16 a, f32x16 b) { return {a.v / b.v}; }
TERN_INLINE f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return {fmaf(a.v, b.v, c.v)}; }
TERN_INLINE f32x16 fnma(f32x16 a, f32x16 b, f32x16 c) { return {fmaf(-a.v, b.v, c.v)}; }
TERN_INLINE f32x16 sqrt(f32x16 a) { return {sqrtf(a.v)}; }
TERN_INLINE f32x16 min_raw(f32x16 a, f32x16 b) { return {a.v < b.v ? a.v : b.v}; }
TERN_INLINE f32x16 max_raw(f32x16 a, f32x16 b) { return {a.v > b.v ? a.v : b.v}; }
TERN_INLINE f32x16 round_even(f32x16 a) { return {rintf(a.v)}; }
TERN_INLINE f32x16 floor(f32x16 a) { return {floorf(a.v)}; }
TERN_INLINE f32x16 ceil(f32x16 a) { return {ceilf(a.v)}; }
TERN_INLINE f32x16 trunc(f32x16 a) { return {truncf(a.v)}; }

TERN_INLINE i32x16 bits(f32x16 a) { return {__float_as_int(a.v)}; }
TERN_INLINE f32x16 from_bits(i32x16 a) { return {__int_as_float(a.v)}; }
TERN_INLINE i32x16 operator+(i32x16 a, i32x16 b) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) + static_cast<uint32_t>(b.v))}; }
TERN_INLINE i32x16 operator-(i32x16 a, i32x16 b) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) - static_cast<uint32_t>(b.v))}; }
TERN_INLINE i32x16 operator&(i32x16 a, i32x16 b) { return {a.v & b.v}; }
TERN_INLINE i32x16 operator|(i32x16 a, i32x16 b) { return {a.v | b.v}; }
TERN_INLINE i32x16 operator^(i32x16 a, i32x16 b) { return {a.v ^ b.v}; }
TERN_INLINE i32x16 shift_left(i32x16 a, int n) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) << n)}; }
TERN_INLINE i32x16 shift_right(i32x16 a, int n) { return {a.v >> n}; }
TERN_INLINE i32x16 shift_right_logical(i32x16 a, int n) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) >> n)}; }
// Out of range and NaN give INT32_MIN, as on the CPU: the device's own conversion saturates.
TERN_INLINE i32x16 to_int_trunc(f32x16 a) { return {a.v >= -2147483648.0f && a.v < 2147483648.0f ? static_cast<int32_t>(a.v) : INT32_MIN}; }
TERN_INLINE f32x16 to_float(i32x16 a) { return {static_cast<float>(a.v)}; }

TERN_INLINE mask16 lt(f32x16 a, f32x16 b) { return {a.v < b.v}; }
TERN_INLINE mask16 le(f32x16 a, f32x16 b) { return {a.v <= b.v}; }
TERN_INLINE mask16 gt(f32x16 a, f32x16 b) { return {a.v > b.v}; }
TERN_INLINE mask16 ge(f32x16 a, f32x16 b) { return {a.v >= b.v}; }
TERN_INLINE mask16 eq(f32x16 a, f32x16 b) { return {a.v == b.v}; }
TERN_INLINE mask16 ne(f32x16 a, f32x16 b) { return {!(a.v == b.v)}; }
TERN_INLINE mask16 unordered(f32x16 a, f32x16 b) { return {a.v != a.v || b.v != b.v}; }
TERN_INLINE mask16 lanes_below(int64_t n) { return {lane() < n}; }
TERN_INLINE mask16 operator&(mask16 a, mask16 b) { return {a.v && b.v}; }
TERN_INLINE mask16 operator|(mask16 a, mask16 b) { return {a.v || b.v}; }
TERN_INLINE f32x16 select(mask16 m, f32x16 yes, f32x16 no) { return {m.v ? yes.v : no.v}; }

// clang-format on

// Every thread of the warp calls: the mask is full, and the two halves reduce side by side.
TERN_INLINE float reduce_add(f32x16 a) {
  for (int width = 8; width > 0; width /= 2) a.v = a.v + __shfl_xor_sync(0xffffffffu, a.v, width);
  return a.v;
}
// The largest lane; when one is NaN, any lane.
TERN_INLINE float reduce_max_raw(f32x16 a) {
  for (int width = 8; width > 0; width /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, a.v, width);
    a.v = a.v > other ? a.v : other;
  }
  return a.v;
}

}  // namespace
}  // namespace tern::TERN_ISA
