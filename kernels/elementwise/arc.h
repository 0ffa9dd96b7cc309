// asin, acos and atan of the value of an f16 or a bf16: relative error 2^-39, a fifth of the steps of portable_math.h's, of which
// doubles need every one. Neither branches nor the C library, for a CPU and for a device. Next: unary_wide.simd.cpp.
#pragma once
#include "kernels/portable_math.h"

namespace tern::functions {

constexpr double kHalfPi = 1.5707963267948966;

TERN_HD inline double with_sign(double x, double s) {
  constexpr uint64_t kSign = uint64_t(1) << 63;
  return __builtin_bit_cast(double, (__builtin_bit_cast(uint64_t, x) & ~kSign) | (__builtin_bit_cast(uint64_t, s) & kSign));
}

// The polynomial of the even places and z times that of the odd ones, side by side, highest power first: one chain alone waits for each of its steps.
template <int kEven, int kOdd>
TERN_HD inline double polynomial(double z, const double (&even)[kEven], const double (&odd)[kOdd]) {
  const double w = z * z;
  double e = even[0], o = odd[0];
  for (int i = 1; i < kEven; ++i) e = e * w + even[i];
  for (int i = 1; i < kOdd; ++i) o = o * w + odd[i];
  return e + o * z;
}

// asin(u), 0 <= u <= 1/2, of u = a; past 1/2 of u = sqrt((1 - a) / 2), and that is half of pi/2 - asin(a).
TERN_HD inline double arc_of(double a) {
  const double z = portable::select(a > 0.5, 0.5 * (1 - a), a * a), u = portable::select(a > 0.5, __builtin_sqrt(z), a);
  constexpr double kEven[] = {0.03295759470084881, 0.02068132717169167, 0.03042811901907943, 0.07500005655821883, 1.000000000000825};
  constexpr double kOdd[] = {0.0019156113431105127, 0.02185574259984348, 0.04464056469220037, 0.16666666613278705};
  return u * polynomial(z, kEven, kOdd);  // Chebyshev: relative error 2^-39.8
}
TERN_HD inline double asin_of_float(double x) {
  const double a = portable::abs(x), arc = arc_of(a);
  return with_sign(portable::select(a > 0.5, kHalfPi - 2 * arc, arc), x);
}
TERN_HD inline double acos_of_float(double x) {
  const double a = portable::abs(x), arc = arc_of(a);
  return portable::select(a > 0.5, portable::select(x < 0, 2 * kHalfPi - 2 * arc, 2 * arc), kHalfPi - with_sign(arc, x));
}
TERN_HD inline double atan_of_float(double x) {
  const double a = portable::abs(x), t = portable::select(a > 1, 1, a) / portable::select(a > 1, a, 1), z = t * t;
  constexpr double kEven[] = {0.002162794422156479, 0.01993744283625617, 0.050455577528416146, 0.07614250199003121,
                              0.11109428364330506,  0.19999995340385063, 0.9999999999981967};
  constexpr double kOdd[] = {-0.00026660196719267425, -0.008241899893996813, -0.03526772086942244, -0.06366092236096826,
                             -0.09076798876650477,    -0.14285592394282529,  -0.333333332624797};
  const double arc = t * polynomial(z, kEven, kOdd);  // Chebyshev: relative error 2^-39
  return portable::select(x != x, x, with_sign(portable::select(a > 1, kHalfPi - arc, arc), x));
}

}  // namespace tern::functions
