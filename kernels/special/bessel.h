// Bessel's functions of order `nu` 0 or 1 at x > 0: two sums that most of them are made of. See special.h.
#pragma once
#include <cmath>

#include "kernels/portable_math.h"

namespace tern::special {

constexpr double kEuler = 0.57721566490153286061, kPi = 3.14159265358979323846;

struct Series {
  double plain, harmonic;
};
// (x/2)^nu sum of sign^k (x/2)^2k / (k! (k + nu)!), and the same with each term times psi(k + 1) + psi(k + nu + 1): A. and S. 9.1.10 and 9.6.10.
inline Series power_series(double x, int nu, double sign) {
  const double q = x * x / 4;
  double term = nu == 1 ? x / 2 : 1, psi = -2 * kEuler + nu;
  Series sum{term, term * psi};
  for (int k = 1; k < 60; ++k) {
    term *= sign * q / (double(k) * (k + nu));
    psi += 1.0 / k + 1.0 / (k + nu);
    sum.plain += term;
    sum.harmonic += term * psi;
  }
  return sum;
}

struct Waves {
  double even, odd;
};
// The sums of (4 nu^2 - 1)(4 nu^2 - 9) … / (k! (8x)^k) over even and over odd k, signs as `sign` says of every second one: 9.2.9 and 9.7.1.
// Terms are taken as long as they shrink, 2x of them.
inline Waves asymptotic(double x, int nu, double sign) {
  const double mu = 4.0 * nu * nu;
  double term = 1, last = 1;
  Waves sum{1, 0};
  double alternate = 1;
  for (int k = 1; k < 30; ++k) {
    const double next = term * (mu - double((2 * k - 1) * (2 * k - 1))) / (8.0 * k * x);
    const bool shrinks = std::fabs(next) < std::fabs(last);
    term = portable::select(shrinks, next, 0);
    last = portable::select(shrinks, next, 0);
    if (k % 2 == 0) {
      alternate *= sign;
      sum.even += alternate * term;
    } else {
      sum.odd += alternate * term;
    }
  }
  return sum;
}

// From here on the second sum is the better one.
constexpr double kFar = 12;

// I times e^-x.
inline double i_scaled(double x, int nu) {
  const Waves w = asymptotic(portable::clamp(x, kFar, INFINITY), nu, 1);
  const double near = power_series(portable::clamp(x, 0, kFar), nu, 1).plain * portable::exp(-x);
  return portable::select(x < kFar, near, (w.even - w.odd) / std::sqrt(2 * kPi * x));
}
// K times e^x: the series, and from 1 on the integral of exp(-x (cosh t - 1)) cosh(nu t) over t > 0 (9.6.24), which steps of one size sum up to
// rounding. It ends where the exponent is -40.
inline double k_scaled(double x, int nu) {
  const double small = portable::clamp(x, 0, 1), large = portable::clamp(x, 1, INFINITY);
  const Series s = power_series(small, nu, 1);
  const double log = portable::log(small / 2), sign = nu == 1 ? 1 : -1;
  const double near = (sign * (log * s.plain - s.harmonic / 2) + (nu == 1 ? 1 / small : 0)) * portable::exp(small);
  constexpr int kSteps = 40;
  const double step = portable::acosh(1 + 40 / large) / kSteps;
  double sum = 0.5;
  for (int k = 1; k <= kSteps; ++k) {
    const double c = portable::cosh(k * step);
    sum += portable::exp(-large * (c - 1)) * (nu == 1 ? c : 1);
  }
  return portable::select(x < 1, near, sum * step);
}
inline double j_of(double x, int nu) {
  const Waves w = asymptotic(portable::clamp(x, kFar, INFINITY), nu, -1);
  const double turn = x - (0.25 + 0.5 * nu) * kPi;
  const double far = std::sqrt(2 / (kPi * x)) * (w.even * portable::cos(turn) - w.odd * portable::sin(turn));
  return portable::select(x < kFar, power_series(portable::clamp(x, 0, kFar), nu, -1).plain, far);
}
inline double y_of(double x, int nu) {
  const double small = portable::clamp(x, 0, kFar);
  const Series s = power_series(small, nu, -1);
  const double near = (2 * portable::log(small / 2) * s.plain - s.harmonic - (nu == 1 ? 2 / small : 0)) / kPi;
  const Waves w = asymptotic(portable::clamp(x, kFar, INFINITY), nu, -1);
  const double turn = x - (0.25 + 0.5 * nu) * kPi;
  return portable::select(x < kFar, near, std::sqrt(2 / (kPi * x)) * (w.even * portable::sin(turn) + w.odd * portable::cos(turn)));
}

}  // namespace tern::special
