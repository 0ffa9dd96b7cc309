// Mathematical functions on sixteen lanes, one order of operations for every ISA. Each states its range and worst error.
// Accuracy is checked over all 2^32 inputs by tools/scripts (see tests/kernels/simd_math.cpp for the sample that CI runs).
// Next: softmax/softmax.simd.cpp.
#pragma once
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

// e^r - 1 for |r| <= ln2/2 as r + r^2 q(r), q of degree 4 by Estrin's scheme (coefficients fitted for a relative error of 1.5e-8).
TERN_INLINE f32x16 expm1_reduced(f32x16 r) {
  const f32x16 r2 = r * r;
  const f32x16 q01 = fma(r, splat(0.166665450076385f), splat(0.5000000058610937f));
  const f32x16 q23 = fma(r, splat(0.008366407324746111f), splat(0.041666289063201044f));
  const f32x16 q = fma(r2, fma(r2, splat(0.0013946106627964775f), q23), q01);
  return fma(r2, q, r);
}

// Splits x into n*ln2 + r with |r| <= ln2/2. Adding 1.5*2^23 rounds to an integer and leaves it in the low bits.
struct ExpParts {
  f32x16 r;
  i32x16 n;
};
TERN_INLINE ExpParts exp_parts(f32x16 x) {
  const f32x16 magic = splat(12582912.0f);
  const f32x16 t = fma(x, splat(1.44269504088896341f), magic);
  const f32x16 n = t - magic;
  f32x16 r = fnma(n, splat(0.693359375f), x);
  r = fnma(n, splat(-2.12194440054690583e-4f), r);
  return {r, bits(t) - bits(magic)};
}

// e^x. Range: all; above 88.73 inf, below -87.34 zero (subnormal results are flushed), NaN stays. <= 2 ULP.
// 2^n is applied in two halves, so that neither overflows.
TERN_INLINE f32x16 exp(f32x16 x) {
  const f32x16 clamped = max_raw(splat(-104.0f), min_raw(splat(89.0f), x));  // in this order NaN passes
  const ExpParts e = exp_parts(clamped);
  const f32x16 p = expm1_reduced(e.r);
  const i32x16 half = shift_right(e.n, 1), bias = splat_i32(127);
  const f32x16 s1 = from_bits(shift_left(half + bias, 23)), s2 = from_bits(shift_left(e.n - half + bias, 23));
  return fma(s1, p, s1) * s2;
}

}  // namespace
}  // namespace tern::TERN_ISA
