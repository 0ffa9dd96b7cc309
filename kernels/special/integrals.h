// Integrals that have names: of exp(t^2), exp(t) / t, log(t) / (t - 1), and of the sine and cosine of pi t^2 / 2. See special.h.
#pragma once
#include <cmath>

#include "kernels/special/bessel.h"

namespace tern::special {

// Dawson's, e^-x^2 times the integral of e^t^2 up to x: terms of one sign while e^x^2 is small, then 7.1.23's series, whose terms shrink until 2x^2.
inline double dawson(double x) {
  constexpr double kFar = 7;
  const double near = portable::clamp(x, -kFar, kFar), far = 0.5 / (x * x);
  double power = near, sum = near;
  for (int k = 1; k < 220; ++k) {
    power *= near * near / k;
    sum += power / (2 * k + 1);
  }
  double term = 1, tail = 1;
  for (int k = 1; k < 40; ++k) tail += term *= (2 * k - 1) * far;
  return portable::select(std::fabs(x) < kFar, sum * portable::exp(-near * near), tail / (2 * x));
}

// Ei: the integral of e^t / t up to x > 0.
inline double expint(double x) {
  constexpr double kFar = 50;
  const double near = portable::clamp(x, 0, kFar), far = portable::clamp(x, kFar, INFINITY);
  double power = 1, sum = kEuler + portable::log(near);
  for (int k = 1; k < 250; ++k) {
    power *= near / k;
    sum += power / k;
  }
  double term = 1, tail = 1;
  for (int k = 1; k < 40; ++k) tail += term *= k / far;
  return portable::select(x < kFar, sum, portable::select(x == INFINITY, x, portable::exp(far) / far * tail));
}

// The integral of -log(t) / (t - 1) from 1 to x >= 0: what is beyond 1 by 1/x, what is below 1/2 by 1 - x, the rest as a sum of (1 - x)^k / k^2.
inline double spence(double x) {
  const bool large = x > 1;
  const double inner = portable::select(large, 1 / x, x);
  const bool low = inner < 0.5;
  const double z = portable::select(low, inner, 1 - inner), log = portable::log(inner);
  double power = 1, sum = 0;
  for (int k = 1; k < 60; ++k) sum += (power *= z) / (double(k) * k);
  const double product = portable::select(inner == 0, 0, log * portable::log1p(-inner));
  sum = portable::select(low, kPi * kPi / 6 - product - sum, sum);
  const double outer = portable::log(x);
  return portable::select(x == INFINITY, -INFINITY, portable::select(large, -0.5 * outer * outer - sum, sum));
}

struct Fresnel {
  double sine, cosine;
};
// Both integrals up to x >= 0: series below 1.5; then the fraction of the complementary error function of (1 - i) x sqrt(pi) / 2, by Lentz' method.
inline Fresnel fresnel(double x) {
  constexpr double kFar = 1.5;
  const double near = portable::clamp(x, 0, kFar), far = portable::clamp(x, kFar, 1e12), q = kPi / 2 * near * near;
  double power = near;
  Fresnel sum{0, near};
  for (int k = 1; k < 40; ++k) {
    power *= q / k;
    const double term = power / (2 * k + 1);
    if (k % 2 == 1) sum.sine += k % 4 == 1 ? term : -term;
    else sum.cosine += k % 4 == 0 ? term : -term;
  }
  struct Complex {
    double re, im;
  };
  const auto times = [](Complex a, Complex b) { return Complex{a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; };
  const auto over = [](double a, Complex b) {
    const double size = b.re * b.re + b.im * b.im;
    return Complex{a * b.re / size, -a * b.im / size};
  };
  const double square = kPi * far * far;
  Complex b{1, -square}, d = over(1, b), h = d, c{1e150, 0};
  for (int k = 1; k < 200; ++k) {
    const double a = -double(2 * k - 1) * (2 * k);
    b.re += 4;
    d = over(1, {a * d.re + b.re, a * d.im + b.im});
    const Complex r = over(a, c);
    c = {b.re + r.re, b.im + r.im};
    h = times(h, times(c, d));
  }
  h = times(h, {far, -far});
  const double turn = square / 2;
  const Complex wave = times({portable::cos(turn), portable::sin(turn)}, h), y = times({0.5, 0.5}, {1 - wave.re, -wave.im});
  const bool is_near = x < kFar;
  const Fresnel tail{portable::select(x == INFINITY, 0.5, y.im), portable::select(x == INFINITY, 0.5, y.re)};
  return {portable::select(is_near, sum.sine, tail.sine), portable::select(is_near, sum.cosine, tail.cosine)};
}

}  // namespace tern::special
