// Special functions that few models have, one operator by the name of the function: y = f(x), f(x, y) or f(x, y, z), element by element.
//   function   I0 I0e I1 I1e J0 J1 K0 K0e K1 K1e Y0 Y1   Bessel's functions of orders 0 and 1; e: times e^-|x|, of K times e^x
//              P Q          the regularised incomplete gamma functions P(a, x), Q = 1 - P
//              Betainc      the regularised incomplete beta function I_x(a, b)
//              Zeta         Hurwitz' zeta(s, q)
//              Dawsn Expint Spence FresnelSin FresnelCos     integrals (integrals.h): Dawson's, Ei, the dilogarithm of 1 - x, Fresnel's
//   Shapes    all inputs and y have one shape. f64: who wants another dtype casts.
//   Cost      series and fractions of a fixed length: 30 to 1,000 steps an element.
//   Numerics  relative 1e-10 (of J and Y absolute beside their zeros), P and Q with a up to 10,000, I_x with a, b up to 10,000.
//   Edges     outside of its domain a function is NaN; the same instructions whatever the numbers are.
//   Source    Abramowitz and Stegun, 6.5, 9.1, 9.2, 9.6, 9.7, 26.5, 5.1, 7.1, 7.3, 27.7; zeta by Euler and Maclaurin's sum; fractions by Lentz' method. Next: special.cpp.
#pragma once
#include "kernels/op.h"

namespace tern {

extern const OpDef kSpecial;

struct SpecialArgs {
  const double *x, *y, *z;  // [n]; y and z may be null
  double* out;              // [n]
  int64_t n;
  double (*function)(double x, double y, double z);
};

}  // namespace tern
