// Mathematical functions on sixteen lanes, one order of operations and no branch on data for every ISA.
// Each states a bound of its error in ULP, a little above the worst that was measured: over all 2^32 inputs for exp, log and
// sigmoid, over every 101st for the others (tools/scripts/check_math.cpp; ctest kernels/check_math runs a thinner sample and fails
// above the bounds). Zero stands for every subnormal, argument or result: the caller's mode flushes.
// NaN passes through all of them. Rare functions (trigonometry, pow) are not here: see portable_math.h.
// Next: simd_activation.h, then softmax/softmax.simd.cpp.
#pragma once
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();
constexpr float kLargest = 3.402823466e38f;   // the largest finite f32
constexpr float kSmallest = 1.17549435e-38f;  // the smallest normal one

TERN_INLINE f32x16 minus_abs(f32x16 x) { return from_bits(bits(x) | splat_i32(INT32_MIN)); }
// Lower and upper bounds that NaN passes: the bound is the first operand, and min_raw and max_raw give the second for NaN.
TERN_INLINE f32x16 at_least(float low, f32x16 x) { return max_raw(splat(low), x); }
TERN_INLINE f32x16 at_most(float high, f32x16 x) { return min_raw(splat(high), x); }

// ---- exponentials ----

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
  f32x16 whole;  // n
};
TERN_INLINE ExpParts exp_parts(f32x16 x) {
  const f32x16 magic = splat(12582912.0f);
  const f32x16 t = fma(x, splat(1.44269504088896341f), magic);
  const f32x16 n = t - magic;
  f32x16 r = fnma(n, splat(0.693359375f), x);
  r = fnma(n, splat(-2.12194440054690583e-4f), r);
  return {r, bits(t) - bits(magic), n};
}
// 2^n for -127 <= n <= 127, where 2^-127 counts as zero.
TERN_INLINE f32x16 power_of_two(i32x16 n) { return from_bits(shift_left(n + splat_i32(127), 23)); }

// e^x, <= 1.07 ULP: above 88.72 inf, below -87.34 zero. 2^n is applied in two halves, so that neither overflows; AVX-512 has an instruction for it, to the
// same bits.
TERN_INLINE f32x16 exp(f32x16 x) {
  const ExpParts e = exp_parts(at_least(-104.0f, at_most(89.0f, x)));
  const f32x16 p = expm1_reduced(e.r);
#if defined(__AVX512F__)
  return times_power_of_two(splat(1.0f) + p, e.whole);
#else
  const i32x16 half = shift_right(e.n, 1);
  const f32x16 s1 = power_of_two(half), s2 = power_of_two(e.n - half);
  return fma(s1, p, s1) * s2;
#endif
}
// e^x for -88 <= x <= 88 (the caller has clamped), the same error, one multiplication fewer.
TERN_INLINE f32x16 exp_in_range(f32x16 x) {
  const ExpParts e = exp_parts(x);
#if defined(__AVX512F__)
  return times_power_of_two(splat(1.0f) + expm1_reduced(e.r), e.whole);
#else
  const f32x16 s = power_of_two(e.n);
  return fma(s, expm1_reduced(e.r), s);
#endif
}
// e^x for x <= 0.
TERN_INLINE f32x16 exp_nonpositive(f32x16 x) { return exp_in_range(at_least(-88.0f, x)); }

// e^x - 1, <= 1.62 ULP.
TERN_INLINE f32x16 expm1(f32x16 x) {
  const ExpParts e = exp_parts(at_least(-20.0f, at_most(89.0f, x)));
  const i32x16 half = shift_right(e.n, 1), rest = e.n - half;
  const f32x16 s1 = power_of_two(half), s2 = power_of_two(rest);
  const f32x16 one = power_of_two(splat_i32(0) - rest);  // 1 / s2
  return copysign(fma(s1, expm1_reduced(e.r), s1 - one) * s2, x);
}
// e^x - 1 for x <= 0.
TERN_INLINE f32x16 expm1_nonpositive(f32x16 x) {
  const ExpParts e = exp_parts(at_least(-20.0f, x));
  const f32x16 s = power_of_two(e.n);
  return fma(s, expm1_reduced(e.r), s - splat(1.0f));
}

// 1 / (1 + e^-x), <= 2.5 ULP, through e^-|x| so that neither side loses digits.
TERN_INLINE f32x16 sigmoid(f32x16 x) {
  const f32x16 e = exp_nonpositive(minus_abs(x));
  return select(lt(x, zero()), e, splat(1.0f)) / (splat(1.0f) + e);
}

// <= 2.6 ULP. tanh |x| = -m / (m + 2) with m = e^(-2|x|) - 1.
TERN_INLINE f32x16 tanh(f32x16 x) {
  const f32x16 m = expm1_nonpositive(minus_abs(x + x));
  return copysign(m / (m + splat(2.0f)), x);
}

// ---- logarithms ----

// k ln2 + ln(1 + f) for sqrt(1/2) <= 1 + f < sqrt(2): ln(1 + f) = f - f^2/2 + f^3 p(f), p of degree 8 (relative error 7.5e-10).
TERN_INLINE f32x16 log_reduced(f32x16 f, f32x16 k) {
  const f32x16 f2 = f * f, f4 = f2 * f2;
  const f32x16 p01 = fma(f, splat(-0.25000009596186934f), splat(0.3333331260397886f));
  const f32x16 p23 = fma(f, splat(-0.16667996006510513f), splat(0.20002118659914814f));
  const f32x16 p45 = fma(f, splat(-0.12405586619136504f), splat(0.14219552478983846f));
  const f32x16 p67 = fma(f, splat(-0.11675663045767182f), splat(0.11888159198582303f));
  const f32x16 p4 = fma(f4, splat(0.06746659978345543f), fma(f2, p67, p45));
  const f32x16 p = fma(f4, p4, fma(f2, p23, p01));
  f32x16 r = fma(f2 * f, p, k * splat(-2.12194440054690583e-4f));
  r = fnma(splat(0.5f), f2, r) + f;
  return fma(k, splat(0.693359375f), r);
}
// x = 2^k (1 + f) for a normal x > 0.
struct LogParts {
  f32x16 f;
  i32x16 k;
};
TERN_INLINE LogParts log_parts(f32x16 x) {
  const i32x16 k = shift_right(bits(x) - splat_i32(0x3f3504f3), 23);  // the bits of sqrt(1/2)
  return {from_bits(bits(x) - shift_left(k, 23)) - splat(1.0f), k};
}

// ln x, <= 0.9 ULP; zero and subnormals give -inf, negative x NaN.
TERN_INLINE f32x16 log(f32x16 x) {
  const LogParts l = log_parts(x);
  const f32x16 y = log_reduced(l.f, to_float(l.k));
  const f32x16 special = select(lt(abs(x), splat(kSmallest)), splat(-kInfinity), select(lt(x, zero()), splat(__builtin_nanf("")), x));
  return select(ge(x, splat(kSmallest)) & lt(x, splat(kInfinity)), y, special);
}

// ln(1 + x), <= 1.6 ULP; what 1 + x rounds away is added to the reduced argument. x = -1 gives -inf, below it NaN.
TERN_INLINE f32x16 log1p(f32x16 x) {
  const f32x16 u = splat(1.0f) + x, lost = x - (u - splat(1.0f));
  const LogParts l = log_parts(u);
  // above 2^64 nothing worth adding was lost, and 2^-k would leave the normal numbers
  const f32x16 f = select(lt(u, splat(0x1p64f)), fma(lost, power_of_two(splat_i32(0) - l.k), l.f), l.f);
  const f32x16 y = log_reduced(f, to_float(l.k));
  const f32x16 special = select(eq(u, zero()), splat(-kInfinity), select(lt(x, zero()), splat(__builtin_nanf("")), x));
  return select(gt(u, zero()) & lt(x, splat(kInfinity)), copysign(y, x), special);
}

// ln(1 + e^x), <= 1.75 ULP, = max(x, 0) + ln(1 + e^-|x|).
TERN_INLINE f32x16 softplus(f32x16 x) {
  const f32x16 e = exp_nonpositive(minus_abs(x));
  const f32x16 u = splat(1.0f) + e, lost = e - (u - splat(1.0f));
  const LogParts l = log_parts(u);  // k is 0 or 1
  return log_reduced(fma(lost, power_of_two(splat_i32(0) - l.k), l.f), to_float(l.k)) + at_least(0.0f, x);
}

// ---- error function ----

// <= 5 ULP. erf x = x P(x^2) / Q(x^2), both of degree 5 with positive coefficients (no cancellation), relative error 2.1e-8 up to 3.95,
// from where on erf is 1 in f32.
TERN_INLINE f32x16 erf(f32x16 x) {
  const f32x16 a = at_most(3.95f, abs(x)), t = a * a, t2 = t * t;
  const f32x16 p01 = fma(t, splat(0.19155046109209917f), splat(1.1283791437365271f));
  const f32x16 p23 = fma(t, splat(0.003808169379478795f), splat(0.05287547025173515f));
  const f32x16 p45 = fma(t, splat(2.0259100399007383e-06f), splat(0.00028468815470725233f));
  const f32x16 q01 = fma(t, splat(0.5030898517189485f), splat(1.0f));
  const f32x16 q23 = fma(t, splat(0.01505510478594425f), splat(0.11455968956819028f));
  const f32x16 q45 = fma(t, splat(3.7831844395930975e-05f), splat(0.001170728144056813f));
  const f32x16 p = fma(t2, fma(t2, p45, p23), p01), q = fma(t2, fma(t2, q45, q23), q01);
  return copysign(at_most(1.0f, a * p / q), x);
}

}  // namespace
}  // namespace tern::TERN_ISA
