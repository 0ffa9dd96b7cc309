// What Mod computes of two elements, on a CPU and on a device. Next: mod.cpp.
#pragma once
#include "kernels/elementwise/int_div.h"
#include "kernels/portable_math.h"

namespace tern::functions {

// Whole numbers modulo m < 2^53 as doubles in [-m/2, m/2]: every step below is exact.
TERN_HD inline double fold_once(double x, double m) {
  const double half = 0.5 * m;
  x -= portable::select(x > half, m, 0);
  return x + portable::select(x < -half, m, 0);
}
TERN_HD inline double nearest(double x) {
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
  return (x + kMagic) - kMagic;
}
// |x| below 2^68, m from 2^52 on; inverse: about 1 / m.
TERN_HD inline double reduced(double x, double m, double inverse) { return fold_once(__builtin_fma(-nearest(x * inverse), m, x), m); }
// x y: of its high half the quotient is off by less than 1, what is left of it is not above m, and the low half is not above m / 4.
TERN_HD inline double times_modulo(double x, double y, double m, double inverse) {
  const double high = x * y, low = __builtin_fma(x, y, -high);
  return fold_once(reduced(high, m, inverse) + low, m);
}

// The remainder of a / b, exact. |a| = ma 2^ea, |b| = mb 2^eb with whole mantissas: that of ma 2^(ea - eb) by mb, the power by squares from the
// highest bits of the distance on: the same steps whatever a and b are, in arithmetic of doubles, which has vectors. In pieces, because a core sees
// no more than one element of all of them ahead (binary_wide.simd.cpp has a loop for each).
namespace division {
constexpr uint64_t kOne = uint64_t(1) << 52, kMagnitude = ~uint64_t(0) >> 1, kInfinity = uint64_t(0x7ff) << 52, kTop = uint64_t(1075) << 52;
constexpr int kBits = 5;  // of the distance, at most 2045 + 52 + 52, below those that are the first power of 2
}  // namespace division
struct Division {
  double m, inverse;  // mb from 2^52 on
  double power;       // of 2, by m: so far
  double whole;       // ma by m
  uint64_t distance;
  uint64_t exponent;  // eb, 2150 too large
};
TERN_HD inline Division begin_division(double a, double b) {
  using namespace division;
  const uint64_t ua = __builtin_bit_cast(uint64_t, a) & kMagnitude, ub = __builtin_bit_cast(uint64_t, b) & kMagnitude;
  // Whole numbers below 2^53, made of integers: the mode that flushes has no say. A subnormal has the exponent of the smallest normal number.
  const uint64_t na = ua >= kOne, nb = ub >= kOne;
  auto mantissa = [](uint64_t u, uint64_t normal) {
    return (__builtin_bit_cast(double, (u & (kOne - 1)) | kTop) - 0x1p52) + portable::select(normal != 0, 0x1p52, 0);
  };
  const uint64_t mb = __builtin_bit_cast(uint64_t, portable::select(ub == 0, 1, mantissa(ub, nb)));
  const uint64_t ea = (ua >> 52) + 1 - na + 1075, eb = (ub >> 52) + 1 - nb + (mb >> 52);  // of mb from 2^52 on; both 1075 too large
  const double m = __builtin_bit_cast(double, (mb & (kOne - 1)) | kTop), inverse = 1 / m;
  const uint64_t distance = (ea - eb) & (uint64_t(0) - uint64_t(ea > eb));
  const double power = reduced(__builtin_bit_cast(double, (1023 + (distance >> kBits)) << 52), m, inverse);
  return {m, inverse, power, reduced(mantissa(ua, na), m, inverse), distance, eb};
}
// The power twice as far, and as this bit of the distance says once more.
TERN_HD inline double square_power(double power, uint64_t distance, int bit, double m, double inverse) {
  power = times_modulo(power, power, m, inverse);
  return portable::select((distance >> bit & 1) != 0, fold_once(power + power, m), power);
}
TERN_HD inline double end_division(double a, double b, const Division& d) {
  using namespace division;
  const uint64_t ua = __builtin_bit_cast(uint64_t, a) & kMagnitude, ub = __builtin_bit_cast(uint64_t, b) & kMagnitude, eb = d.exponent;
  double r = times_modulo(d.power, d.whole, d.m, d.inverse);
  r += portable::select(r < 0, d.m, 0);
  // r 2^(eb - 2150) as a double, by integers
  const uint64_t bits = __builtin_bit_cast(uint64_t, r), field = (bits >> 52) + eb;  // 2150 too large
  const uint64_t normal = (bits & (kOne - 1)) | ((field - 2150) << 52);
  const double scaled = r * __builtin_bit_cast(double, ((eb - 1076 + 1023) & 0x7ff) << 52);  // whole, and below 2^52, where that counts
  const uint64_t subnormal = __builtin_bit_cast(uint64_t, scaled + 0x1p52) & (kOne - 1);
  const uint64_t is_normal = uint64_t(0) - uint64_t((field > 2150) & (r != 0)), is_subnormal = uint64_t(0) - uint64_t((field <= 2150) & (r != 0));
  const uint64_t sign = __builtin_bit_cast(uint64_t, a) & ~kMagnitude;
  const uint64_t below = uint64_t(0) - uint64_t(ua < ub);  // a itself, also of an infinite b
  const double y = __builtin_bit_cast(double, sign | (ua & below) | (((normal & is_normal) | (subnormal & is_subnormal)) & ~below));
  const bool undefined = (ua >= kInfinity) | (ub > kInfinity) | (ub == 0);
  return portable::select(undefined, (a * b) / (a * b), y);
}
TERN_HD inline double remainder(double a, double b) {
  Division d = begin_division(a, b);
  for (int bit = division::kBits - 1; bit >= 0; --bit) d.power = square_power(d.power, d.distance, bit, d.m, d.inverse);
  return end_division(a, b, d);
}

// The same of what is no double (24 bits at most, the smallest 2^-149), in arithmetic of doubles, which has vectors: ten quotients below 2^29, the
// nearest whole numbers of them, whose products with b are exact, and so is what is left of a. Where one was rounded up, b is added.
TERN_HD inline double remainder_of_floats(double a, double b) {
  const double divisor = portable::abs(b);
  double r = portable::abs(a);
  for (int step = 9; step >= 0; --step) {
    const double by = divisor * __builtin_bit_cast(double, static_cast<uint64_t>(1023 + 29 * step) << 52);
    const double whole = (r / by + 0x1p52) - 0x1p52;
    r -= whole * by;
    r += portable::select(r < 0, by, 0);
  }
  const uint64_t sign = __builtin_bit_cast(uint64_t, a) & (uint64_t(1) << 63);
  r = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, portable::abs(r)) | sign);
  const bool undefined = !(portable::abs(a) < __builtin_inf()) | (b == 0) | (b != b);
  return portable::select(undefined, (a * b) / (a * b), portable::select(divisor == __builtin_inf(), a, r));
}
template <class T>
TERN_HD double remainder_of(double a, double b) {
  if constexpr (std::is_same_v<T, double>) return remainder(a, b);
  else return remainder_of_floats(a, b);
}
// Python's: with the sign of the divisor; r is a remainder with that of the dividend.
TERN_HD inline double with_sign_of(double b, double r) {
  const double zero = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, b) & (uint64_t(1) << 63));
  return portable::select((r != 0) & ((r < 0) != (b < 0)), r + b, portable::select(r == 0, zero, r));
}

// With the sign of the dividend.
struct Fmod {
  template <class T>
  TERN_HD T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) return narrow<T>(remainder_of<T>(widen(a), widen(b)));
    else return choose(b == 0, T(0), wrap_sub(a, wrap_mul(int_div(a, b), b)));
  }
};
// With the sign of the divisor.
struct Mod {
  template <class T>
  TERN_HD T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) {
      return narrow<T>(with_sign_of(widen(b), remainder_of<T>(widen(a), widen(b))));
    } else {
      const T r = wrap_sub(a, wrap_mul(int_div(a, b), b));
      return choose(b == 0, T(0), choose((r != 0) & ((r < 0) != (b < 0)), wrap_add(r, b), r));
    }
  }
};

}  // namespace tern::functions
