// Special functions as sums and quotients of what the catalog has, computed in f64. See operator.h. Next: bessel.cpp.
//   Source  erfinv: Giles, "Approximating the erfinv function" (2010), then two steps of Newton's. Gamma: Lanczos' approximation with g = 7 and
//           nine terms. Digamma: its recurrence up to x + 8, then the asymptotic series. Both are reflected where x < 1/2.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

ValueId polynomial(GraphBuilder& b, ValueId x, std::initializer_list<double> coefficients) {  // the highest power first
  ValueId sum = kNone;
  for (double k : coefficients) sum = sum == kNone ? b.scalar_like(x, k) : with(b, "Add", b.emit("Mul", {sum, x}), k);
  return sum;
}

ValueId erfinv_of(GraphBuilder& b, ValueId x) {
  const ValueId size = b.emit("Abs", {x}), one = b.scalar_like(x, 1);
  const ValueId w = b.emit("Neg", {b.emit("Log", {b.emit("Mul", {b.emit("Sub", {one, size}), b.emit("Add", {one, size})})})});
  const ValueId middle = polynomial(
      b, with(b, "Sub", w, 2.5),
      {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941});
  const ValueId tail = polynomial(
      b, with(b, "Sub", b.emit("Sqrt", {b.emit("Max", {w, b.scalar_like(w, 5)})}), 3),
      {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682});
  ValueId y = b.emit("Mul", {select(b, with(b, "Less", w, 5), middle, tail), x});
  for (int step = 0; step < 2; ++step) {  // y - (erf(y) - x) / erf'(y)
    const ValueId slope = with(b, "Mul", b.emit("Exp", {b.emit("Neg", {square(b, y)})}), 2 / std::sqrt(M_PI));
    y = b.emit("Sub", {y, b.emit("Div", {b.emit("Sub", {b.emit("Erf", {y}), x}), slope})});
  }
  const ValueId edge = b.emit("Equal", {size, one});
  return select(b, edge, with(b, "Mul", x, INFINITY), y);
}

Values erfinv(Call& c) {
  return {in_dtype(c.b, c.tensor(0), DType::f64, [&](ValueId x) { return erfinv_of(c.b, x); })};
}

// The point below which a normal number lies with probability x.
Values ndtri(Call& c) {
  GraphBuilder& b = c.b;
  return {in_dtype(b, c.tensor(0), DType::f64,
                   [&](ValueId x) { return with(b, "Mul", erfinv_of(b, with(b, "Sub", with(b, "Mul", x, 2), 1)), std::sqrt(2.0)); })};
}

// pi x without the whole turns, so that sines of large x keep their digits.
ValueId half_turns(GraphBuilder& b, ValueId x) { return with(b, "Mul", b.emit("Sub", {x, b.emit("Round", {x})}), M_PI); }

// log |gamma(x)|
ValueId lgamma_of(GraphBuilder& b, ValueId x) {
  constexpr double kLanczos[] = {676.5203681218851,  -1259.1392167224028,  771.32342877765313,    -176.61502916214059,
                                 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7};
  const ValueId low = with(b, "Less", x, 0.5), one = b.scalar_like(x, 1);
  const ValueId t = with(b, "Sub", select(b, low, b.emit("Sub", {one, x}), x), 1);
  ValueId series = b.scalar_like(x, 0.99999999999980993);
  for (int k = 0; k < 8; ++k) series = b.emit("Add", {series, b.emit("Div", {b.scalar_like(x, kLanczos[k]), with(b, "Add", t, k + 1)})});
  const ValueId from = with(b, "Add", t, 7.5);
  ValueId y = b.emit("Sub", {b.emit("Mul", {with(b, "Add", t, 0.5), b.emit("Log", {from})}), from});
  y = b.emit("Add", {with(b, "Add", y, 0.5 * portable::log(2 * M_PI)), b.emit("Log", {series})});
  const ValueId sine = b.emit("Abs", {b.emit("Sin", {half_turns(b, x)})});  // gamma(x) gamma(1 - x) = pi / sin(pi x)
  const ValueId mirrored = b.emit("Sub", {b.emit("Sub", {b.scalar_like(x, portable::log(M_PI)), b.emit("Log", {sine})}), y});
  y = select(b, low, mirrored, y);
  return select(b, b.emit("IsInf", {x}), b.scalar_like(x, INFINITY), y);
}

Values lgamma(Call& c) {
  return {in_dtype(c.b, c.tensor(0), DType::f64, [&](ValueId x) { return lgamma_of(c.b, x); })};
}

// The derivative of log gamma.
ValueId digamma_of(GraphBuilder& b, ValueId x) {
  const ValueId low = with(b, "Less", x, 0.5), one = b.scalar_like(x, 1);
  const ValueId t = select(b, low, b.emit("Sub", {one, x}), x);
  ValueId below = b.emit("Reciprocal", {t});
  for (int k = 1; k < 8; ++k) below = b.emit("Add", {below, b.emit("Reciprocal", {with(b, "Add", t, k)})});
  const ValueId s = with(b, "Add", t, 8), r = b.emit("Reciprocal", {square(b, s)});
  const ValueId series = polynomial(b, r, {-1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12, 0});
  ValueId y = b.emit("Sub", {b.emit("Log", {s}), with(b, "Mul", b.emit("Reciprocal", {s}), 0.5)});
  y = b.emit("Sub", {b.emit("Sub", {y, series}), below});
  const ValueId mirrored = b.emit("Sub", {y, b.emit("Div", {b.scalar_like(x, M_PI), b.emit("Tan", {half_turns(b, x)})})});
  y = select(b, low, mirrored, y);
  const ValueId pole = b.emit("And", {low, b.emit("Equal", {x, b.emit("Floor", {x})})});  // 0, -1 …
  return select(b, pole, b.scalar_like(x, NAN), select(b, with(b, "Equal", x, INFINITY), x, y));
}

Values digamma(Call& c) {
  return {in_dtype(c.b, c.tensor(0), DType::f64, [&](ValueId x) { return digamma_of(c.b, x); })};
}

// The n-th derivative of digamma, n whole: (-1)^(n+1) n! zeta(n + 1, x).
Values polygamma(Call& c) {
  GraphBuilder& b = c.b;
  const DType dtype = b.dtype(c.tensor(1));
  ValueId n = b.cast(c.tensor(0), DType::f64), x = b.cast(c.tensor(1), DType::f64);
  x = b.emit("Expand", {x, b.ints(sizes_of(b, n))});
  n = b.emit("Expand", {n, b.ints(sizes_of(b, x))});
  const ValueId order = with(b, "Add", n, 1), sign = b.emit("Cos", {with(b, "Mul", order, M_PI)});
  const ValueId zeta = b.emit("Special", {order, x}, attributes({{"function", std::string("Zeta")}}));
  const ValueId y = b.emit("Mul", {b.emit("Mul", {sign, b.emit("Exp", {lgamma_of(b, order)})}), zeta});
  const ValueId whole = b.emit("And", {b.emit("Equal", {n, b.emit("Floor", {n})}), with(b, "GreaterOrEqual", n, 0)});
  return {b.cast(select(b, whole, select(b, is_zero(b, n), digamma_of(b, x), y), b.scalar_like(x, NAN)), dtype)};
}

constexpr Operator kSpecialRows[] = {
    {"Erfinv", nullptr, erfinv},   {"Ndtri", nullptr, ndtri},         {"Lgamma", nullptr, lgamma},
    {"Digamma", nullptr, digamma}, {"Polygamma", nullptr, polygamma},
};

}  // namespace

std::span<const Operator> special_operators() { return kSpecialRows; }

}  // namespace tern::tensorflow
