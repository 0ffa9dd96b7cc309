// Mathematical functions in double, in plain C++ without the C library (whose results differ between machines) and without
// branches on data: for every dtype but f32, and for the functions that f32 uses rarely (trigonometry, pow), rounded once.
// Errors in ULP of double: about 2 (exp expm1 log log1p), 4 (the others); erf 12, pow relative 2e-13 (whole exponents below 64: 1e-14); rounded to f32 all are
// within 0.51 ULP. Inlined nowhere hot: one call an element. Next: elementwise/unary_portable.cpp.
#pragma once

namespace tern::portable {

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
