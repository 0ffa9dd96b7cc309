// asin, acos and atan of f32 on sixteen lanes: within 0.508, 0.505 and 0.504 ULP, in half the time of doubles. What f32 would round away where it shows
// is kept in a second number, a Pair. The worst of all 2^32 floats: 0.50772 (asin, at 0x1.00a29ap-1), 0.50460 (acos, at 0x1.335b26p-1), 0.50305 (atan, at
// 0x1.fc1ebep-2). For a CPU and for a device. Next: unary.simd.cpp.
#pragma once
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

struct Pair {
  f32x16 high, low;
};
constexpr float kPi = 3.14159274f, kPiRest = -8.74227766e-8f;  // of kPi, and of its halves as well

// u + u z (third + z q) of u + u_low and z + z_low. s_low: what third lacks, and z times what q lacks.
TERN_INLINE Pair odd_series(Pair u, Pair z, f32x16 q, f32x16 third, f32x16 s_low) {
  const f32x16 s = fma(z.high, q, third), s_lost = fma(z.high, q, third - s) + s_low;
  const f32x16 v = z.high * s, v_lost = fma(z.high, s_lost, fma(z.low, s, fma(z.high, s, neg(v))));
  const f32x16 p = u.high * v, p_lost = fma(u.low, v, fma(u.high, v_lost, fma(u.high, v, neg(p))));
  const f32x16 y = u.high + p;
  return {y, ((u.high - y) + p) + (p_lost + u.low)};
}
// base + k (x + x_low), |base| above |k x| or 0.
TERN_INLINE f32x16 beyond(Pair base, f32x16 k, Pair x) {
  const f32x16 y = fma(k, x.high, base.high), lost = fma(k, x.high, base.high - y);
  return y + (lost + fma(k, x.low, base.low));
}
TERN_INLINE Pair part_of_pi(f32x16 k) { return {k * splat(kPi), k * splat(kPiRest)}; }

// asin(a), 0 <= a <= 1/2, of u = a; of a wide a (past 1/2) of u = sqrt((1 - a) / 2), and that is half of pi/2 - asin(a).
// asin(u) = u + u z (1/6 + z q(z)), z = u u, q of degree 5 (relative error 2^-32).
TERN_INLINE Pair arc(f32x16 a, mask16 wide) {
  const f32x16 z = select(wide, fnma(splat(0.5f), a, splat(0.5f)), a * a), u = select(wide, sqrt(z), a);
  const f32x16 rest = fnma(u, u, z);  // exact: of a wide a it says what the root lacks, of another what the square has too much
  const f32x16 u_low = select(wide, rest * splat(0.5f) / at_least(1e-30f, u), zero()), z_low = select(wide, zero(), neg(rest));
  f32x16 q = fma(z, splat(0.027618296444416046f), splat(0.012977124191820621f));
  q = fma(z, q, splat(0.022974973544478416f));
  q = fma(z, q, splat(0.030345475301146507f));
  q = fma(z, q, splat(0.04464365169405937f));
  q = fma(z, q, splat(0.07499999552965164f));
  return odd_series({u, u_low}, {z, z_low}, q, splat(0.1666666716337204f), splat(-4.967053879312289e-09f));
}
TERN_INLINE f32x16 acos(f32x16 x) {
  const f32x16 a = abs(x);
  const mask16 wide = gt(a, splat(0.5f)), left = lt(x, zero());
  const f32x16 halves = select(wide, select(left, splat(1.0f), zero()), splat(0.5f));
  const f32x16 k = select(wide, select(left, splat(-2.0f), splat(2.0f)), select(left, splat(1.0f), splat(-1.0f)));
  return beyond(part_of_pi(halves), k, arc(a, wide));
}
TERN_INLINE f32x16 asin(f32x16 x) {
  const f32x16 a = abs(x);
  const mask16 wide = gt(a, splat(0.5f));
  const f32x16 y = beyond(part_of_pi(select(wide, splat(0.5f), zero())), select(wide, splat(-2.0f), splat(1.0f)), arc(a, wide));
  return copysign(y, x);
}

// Up to 1/2 of t = |x|, up to 2 of (|x| - 1) / (|x| + 1), and that is pi/4 less, from there on of -1 / |x|, pi/2 less.
// atan(t) = t + t z (-1/3 + z (1/5 + z q(z))), z = t t, q of degree 5 (relative error 2^-36).
TERN_INLINE f32x16 atan(f32x16 x) {
  const f32x16 a = at_most(0x1p60f, abs(x)), one = splat(1.0f);
  const mask16 middle = gt(a, splat(0.5f)), far = gt(a, splat(2.0f));
  const f32x16 sum = a + one, lost = a - (sum - one);
  const f32x16 n = select(far, splat(-1.0f), select(middle, a - one, a)), d = select(far, a, select(middle, sum, one));
  const f32x16 d_low = select(far, zero(), select(middle, lost, zero())), inverse = one / d;
  const f32x16 t = n * inverse, t_low = fnma(t, d_low, fnma(t, d, n)) * inverse;
  const f32x16 z = t * t, z_low = fma(t + t, t_low, fma(t, t, neg(z)));
  f32x16 tail = fma(z, splat(0.02860000729560852f), splat(-0.057765476405620575f));
  tail = fma(z, tail, splat(0.07551538944244385f));
  tail = fma(z, tail, splat(-0.09079089015722275f));
  tail = fma(z, tail, splat(0.11110629886388779f));
  tail = fma(z, tail, splat(-0.14285707473754883f));
  const f32x16 fifth = splat(0.2f), q = fma(z, tail, fifth), q_low = fma(z, tail, fifth - q);
  const f32x16 s_low = fma(z_low, q, fma(z, q_low, splat(9.934107758624577e-09f)));
  const Pair series = odd_series({t, t_low}, {z, z_low}, q, splat(-0.3333333432674408f), s_low);
  return copysign(beyond(part_of_pi(select(far, splat(0.5f), select(middle, splat(0.25f), zero()))), one, series), x);
}

}  // namespace
}  // namespace tern::TERN_ISA
