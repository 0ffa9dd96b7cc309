// Mathematical functions in double, in plain C++ without the C library (whose results differ between machines) and without
// branches on data: for every dtype but f32, and for the functions that f32 uses rarely (trigonometry, pow), rounded once.
// Errors in ULP of double: about 2 (exp expm1 log log1p), 4 (the others); erf 12, pow relative 2e-13 (whole exponents below 64: 1e-14);
// rounded to f32 all are within 0.51 ULP. Inlined nowhere hot: one call an element. Next: elementwise/unary_rows.h.
#pragma once
#include <bit>
#include <cstdint>

namespace tern::portable {

// Both sides are computed and a mask takes one: no branch on data, whatever the compiler thinks of `c ? yes : no`.
inline double select(bool c, double yes, double no) {
  const uint64_t m = uint64_t(0) - uint64_t(c);
  return std::bit_cast<double>((std::bit_cast<uint64_t>(yes) & m) | (std::bit_cast<uint64_t>(no) & ~m));
}
inline double abs(double x) { return std::bit_cast<double>(std::bit_cast<uint64_t>(x) & (~uint64_t(0) >> 1)); }
// NaN passes.
inline double clamp(double x, double low, double high) {
  x = select(x < low, low, x);
  return select(x > high, high, x);
}
// NaN if either is.
inline double min_nan(double a, double b) { return select((a < b) | (a != a), a, b); }
inline double max_nan(double a, double b) { return select((a > b) | (a != a), a, b); }

double exp(double x);
double expm1(double x);
double log(double x);
double log1p(double x);
double sin(double x);  // the argument may be as large as it likes
double cos(double x);
double tan(double x);
double asin(double x);
double acos(double x);
double atan(double x);
double sinh(double x);
double cosh(double x);
double tanh(double x);
double asinh(double x);
double acosh(double x);
double atanh(double x);
double erf(double x);
double sigmoid(double x);
double softplus(double x);
double pow(double x, double y);
double round_even(double x);
double floor(double x);
double ceil(double x);

}  // namespace tern::portable
