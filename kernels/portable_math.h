// Mathematical functions in double, in plain C++ without the C library (whose results differ between machines) and without
// branches on data: for every dtype but f32, and for the functions that f32 uses rarely (trigonometry, pow), rounded once.
// Errors in ULP of double: about 2 (exp expm1 log log1p), 4 (the others); erf 12, pow relative 2e-13 (whole exponents below 64: 1e-14);
// rounded to f32 all are within 0.51 ULP. They keep to what eight lanes can do as well (no product of more than 32 bits, no conversion of 64-bit
// integers, no arithmetic shift of them), so that the compiler vectorises the loops of *.simd.cpp over them; elsewhere they are one call an element.
// On a device the same operations, so the same bits (but f64 subnormals, which only a CPU flushes). Next: elementwise/unary_rows.h.
#pragma once
#include <cstdint>

#include "runtime/base/host_device.h"

namespace tern::portable {

// Both sides are computed and a mask takes one: no branch on data, whatever the compiler thinks of `c ? yes : no`.
TERN_HD inline double select(bool c, double yes, double no) {
  const uint64_t m = uint64_t(0) - uint64_t(c);
  return __builtin_bit_cast(double, (__builtin_bit_cast(uint64_t, yes) & m) | (__builtin_bit_cast(uint64_t, no) & ~m));
}
TERN_HD inline double abs(double x) { return __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, x) & (~uint64_t(0) >> 1)); }
// NaN passes.
TERN_HD inline double clamp(double x, double low, double high) {
  x = select(x < low, low, x);
  return select(x > high, high, x);
}
// NaN if either is.
TERN_HD inline double min_nan(double a, double b) { return select((a < b) | (a != a), a, b); }
TERN_HD inline double max_nan(double a, double b) { return select((a > b) | (a != a), a, b); }

// A device has them inline, its modules are not linked with each other; and so have the kernels of one ISA.
#if defined(__CUDACC__) || defined(TERN_ISA)
#define TERN_PORTABLE TERN_HD inline
#else
#define TERN_PORTABLE
#endif
TERN_PORTABLE double exp(double x);
TERN_PORTABLE double expm1(double x);
TERN_PORTABLE double log(double x);
TERN_PORTABLE double log1p(double x);
TERN_PORTABLE double sin(double x);  // the argument may be as large as it likes
TERN_PORTABLE double cos(double x);
TERN_PORTABLE double tan(double x);
TERN_PORTABLE double sin_of_float(double x);  // the same of a float's value, in fewer steps
TERN_PORTABLE double cos_of_float(double x);
TERN_PORTABLE double tan_of_float(double x);
TERN_PORTABLE double asin(double x);
TERN_PORTABLE double acos(double x);
TERN_PORTABLE double atan(double x);
TERN_PORTABLE double sinh(double x);
TERN_PORTABLE double cosh(double x);
TERN_PORTABLE double tanh(double x);
TERN_PORTABLE double asinh(double x);
TERN_PORTABLE double acosh(double x);
TERN_PORTABLE double atanh(double x);
TERN_PORTABLE double erf(double x);
TERN_PORTABLE double sigmoid(double x);
TERN_PORTABLE double softplus(double x);
TERN_PORTABLE double pow(double x, double y);
TERN_PORTABLE double pow_log(double x, double y);             // pow in pieces: what exp takes,
TERN_PORTABLE double pow_of(double x, double y, double exp);  // and what it becomes
TERN_PORTABLE double round_even(double x);
TERN_PORTABLE double floor(double x);
TERN_PORTABLE double ceil(double x);
#undef TERN_PORTABLE

}  // namespace tern::portable

#if defined(__CUDACC__) || defined(TERN_ISA)
#include "kernels/portable_functions.h"
#endif
