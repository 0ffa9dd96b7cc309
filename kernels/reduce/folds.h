// The ten ways to fold f32 elements, on sixteen lanes: the SIMD kernels and a device's share them. Next: reduce.simd.cpp, reduce.cu.
#pragma once
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

// In bits: of `c ? yes : no` a compiler may make a branch on the data.
TERN_INLINE float choose1(bool c, float yes, float no) {
  const int32_t a = __builtin_bit_cast(int32_t, yes), b = __builtin_bit_cast(int32_t, no);
  return __builtin_bit_cast(float, b ^ ((a ^ b) & -static_cast<int32_t>(c)));
}

// ---- what a fold is: start, one more element, two partial results, the end. `m` is the maximum, for LogSumExp alone. ----

struct Sum {
  TERN_INLINE f32x16 start() { return zero(); }
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16) { return acc + x; }
  TERN_INLINE f32x16 merge(f32x16 a, f32x16 b) { return a + b; }
  TERN_INLINE float merge1(float a, float b) { return a + b; }
  TERN_INLINE f32x16 finish(f32x16 acc, f32x16, float) { return acc; }
  static constexpr bool kNeedsMax = false;
};
struct Mean : Sum {
  TERN_INLINE f32x16 finish(f32x16 acc, f32x16, float count) { return acc / splat(count); }
};
struct Max : Sum {
  TERN_INLINE f32x16 start() { return splat(-kInfinity); }
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16) { return max_nan(acc, x); }
  TERN_INLINE f32x16 merge(f32x16 a, f32x16 b) { return max_nan(a, b); }
  TERN_INLINE float merge1(float a, float b) { return choose1((a != a) | (a > b), a, b); }
};
struct Min : Sum {
  TERN_INLINE f32x16 start() { return splat(kInfinity); }
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16) { return min_nan(acc, x); }
  TERN_INLINE f32x16 merge(f32x16 a, f32x16 b) { return min_nan(a, b); }
  TERN_INLINE float merge1(float a, float b) { return choose1((a != a) | (a < b), a, b); }
};
struct Prod : Sum {
  TERN_INLINE f32x16 start() { return splat(1.0f); }
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16) { return acc * x; }
  TERN_INLINE f32x16 merge(f32x16 a, f32x16 b) { return a * b; }
  TERN_INLINE float merge1(float a, float b) { return a * b; }
};
struct L1 : Sum {
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16) { return acc + abs(x); }
};
struct SumSquare : Sum {
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16) { return fma(x, x, acc); }
};
struct L2 : SumSquare {
  TERN_INLINE f32x16 finish(f32x16 acc, f32x16, float) { return sqrt(acc); }
};
struct LogSum : Sum {
  TERN_INLINE f32x16 finish(f32x16 acc, f32x16, float) { return log(acc); }
};
struct LogSumExp : Sum {
  TERN_INLINE f32x16 step(f32x16 acc, f32x16 x, f32x16 m) { return acc + exp(x - m); }
  TERN_INLINE f32x16 finish(f32x16 acc, f32x16 m, float) { return log(acc) + m; }
  static constexpr bool kNeedsMax = true;
};

// An infinite maximum would make inf - inf; without it exp and log give the right infinity. NaN stays.
TERN_INLINE f32x16 finite_or_zero(f32x16 m) { return select(eq(abs(m), splat(kInfinity)), zero(), m); }

}  // namespace
}  // namespace tern::TERN_ISA
