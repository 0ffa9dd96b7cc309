// The functions of one element that more than one kind of kernel computes: plain C++ for a CPU (unary_rows.h), the same for a device (*.cu).
// Floats come as doubles and are rounded once, integers as they are. f32 on lanes: lanes.h. Next: unary.cpp, activations.cpp.
#pragma once
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"

namespace tern::functions {

using portable::clamp;
using portable::select;

struct Abs {
  TERN_HD double operator()(double x) const { return portable::abs(x); }
  template <std::integral T>
  TERN_HD T operator()(T x) const {
    return x < 0 ? wrap_neg(x) : x;
  }
};
struct Neg {
  TERN_HD double operator()(double x) const { return -x; }
  template <std::integral T>
  TERN_HD T operator()(T x) const {
    return wrap_neg(x);
  }
};
struct Sign {
  TERN_HD double operator()(double x) const { return select(x != 0, select(x < 0, -1, select(x > 0, 1, x)), 0); }
  template <std::integral T>
  TERN_HD T operator()(T x) const {
    return static_cast<T>((x > 0) - (x < 0));
  }
};
TERN_HD inline double reciprocal(double x) { return 1 / x; }
TERN_HD inline double sqrt(double x) { return __builtin_sqrt(x); }

// |x| <= lambda ? 0 : x -+ bias; integers by way of double
struct Shrink {
  TERN_HD double operator()(double x, float lambda, float bias) const {
    return select(portable::abs(x) <= lambda, 0, select(x < 0, x + bias, x - bias));
  }
  template <std::integral T>
  TERN_HD T operator()(T x, float lambda, float bias) const {
    return convert<T>((*this)(static_cast<double>(x), lambda, bias));
  }
};

TERN_HD inline bool is_nan(double x) { return x != x; }
TERN_HD inline bool is_inf(double x, float positive, float negative) {  // 1 where such an infinity counts
  return ((positive != 0) & (x == __builtin_inf())) | ((negative != 0) & (x == -__builtin_inf()));
}

struct Not {
  TERN_HD bool operator()(bool x) const { return !x; }
};
struct BitwiseNot {
  template <std::integral T>
  TERN_HD T operator()(T x) const {
    return static_cast<T>(~x);
  }
};

// ---- activations; alpha and beta as activation.h says ----

// -inf would meet a factor of zero: the most negative number gives the limit, -0.
TERN_HD inline double above_minus_inf(double x) { return select(x < -1e300, -1e300, x); }
TERN_HD inline double negative_part(double x) { return select(x > 0, 0, x); }

TERN_HD inline double celu(double x, float alpha, float) { return select(x < 0, alpha * portable::expm1(x / alpha), x); }
TERN_HD inline double elu(double x, float alpha, float) { return select(x < 0, alpha * portable::expm1(negative_part(x)), x); }
TERN_HD inline double gelu(double x) { return 0.5 * above_minus_inf(x) * (1 + portable::erf(x * 0.70710678118654752)); }
TERN_HD inline double gelu_tanh(double x) { return above_minus_inf(x) * portable::sigmoid(x * (1.5957691216057308 + 0.071354816272600247 * x * x)); }
TERN_HD inline double hard_sigmoid(double x, float alpha, float beta) { return clamp(alpha * x + beta, 0, 1); }
TERN_HD inline double hard_swish(double x) { return above_minus_inf(x) * clamp(x / 6 + 0.5, 0, 1); }
TERN_HD inline double leaky_relu(double x, float alpha, float) { return select(x < 0, alpha * x, x); }
TERN_HD inline double mish(double x) { return above_minus_inf(x) * portable::tanh(portable::softplus(x)); }
TERN_HD inline double selu(double x, float alpha, float beta) { return beta * select(x < 0, alpha * portable::expm1(negative_part(x)), x); }
TERN_HD inline double softsign(double x) { return clamp(x, -1e300, 1e300) / (1 + clamp(portable::abs(x), 0, 1e300)); }
TERN_HD inline double swish(double x, float alpha, float) { return above_minus_inf(x) * portable::sigmoid(alpha * x); }
TERN_HD inline double thresholded_relu(double x, float alpha, float) { return select(x <= alpha, 0, x); }
struct Relu {
  TERN_HD double operator()(double x) const { return select(x < 0, 0, x); }
  template <std::integral T>
  TERN_HD T operator()(T x) const {
    return x < 0 ? T(0) : x;
  }
};

}  // namespace tern::functions
