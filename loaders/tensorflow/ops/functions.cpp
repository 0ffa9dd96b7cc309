// Functions of one number. What loses digits where two numbers nearly cancel is computed in f64 and rounded once. See operator.h.
// Next: special.cpp, activations.cpp.
#include <cmath>

#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

Values square_of(Call& c) { return {square(c.b, c.tensor(0))}; }

Values rsqrt(Call& c) { return {c.b.emit("Reciprocal", {c.b.emit("Sqrt", {c.tensor(0)})})}; }

// exp(x) - 1
Values expm1(Call& c) {
  return {in_dtype(c.b, c.tensor(0), DType::f64, [&](ValueId x) { return with(c.b, "Sub", c.b.emit("Exp", {x}), 1); })};
}

// log(1 + x)
Values log1p(Call& c) {
  return {in_dtype(c.b, c.tensor(0), DType::f64, [&](ValueId x) { return c.b.emit("Log", {with(c.b, "Add", x, 1)}); })};
}

// 1 - erf(x)
Values erfc(Call& c) {
  return {in_dtype(c.b, c.tensor(0), DType::f64, [&](ValueId x) { return c.b.emit("Sub", {c.b.scalar_like(x, 1), c.b.emit("Erf", {x})}); })};
}

// To the nearest even; integers are it already.
Values round(Call& c) {
  const ValueId x = c.tensor(0);
  return {is_float(c.b.dtype(x)) ? c.b.emit("Round", {x}) : x};
}

Values is_finite(Call& c) {
  const ValueId x = c.tensor(0);
  return {with(c.b, "Less", c.b.emit("Abs", {x}), INFINITY)};
}

constexpr Operator kFunctionsRows[] = {
    {"Abs", nullptr, unary<"Abs">},
    {"Neg", nullptr, each_part<unary<"Neg">>},
    {"Sign", nullptr, unary<"Sign">},
    {"Square", nullptr, either<square_of, complex_square>},
    {"Sqrt", nullptr, unary<"Sqrt">},
    {"Rsqrt", nullptr, rsqrt},
    {"Reciprocal Inv", nullptr, unary<"Reciprocal">},
    {"Exp", nullptr, either<unary<"Exp">, complex_exp>},
    {"Expm1", nullptr, expm1},
    {"Log", nullptr, unary<"Log">},
    {"Log1p", nullptr, log1p},
    {"Sin", nullptr, unary<"Sin">},
    {"Cos", nullptr, unary<"Cos">},
    {"Tan", nullptr, unary<"Tan">},
    {"Asin", nullptr, unary<"Asin">},
    {"Acos", nullptr, unary<"Acos">},
    {"Atan", nullptr, unary<"Atan">},
    {"Sinh", nullptr, unary<"Sinh">},
    {"Cosh", nullptr, unary<"Cosh">},
    {"Tanh", nullptr, unary<"Tanh">},
    {"Asinh", nullptr, unary<"Asinh">},
    {"Acosh", nullptr, unary<"Acosh">},
    {"Atanh", nullptr, unary<"Atanh">},
    {"Sigmoid", nullptr, unary<"Sigmoid">},
    {"Erf", nullptr, unary<"Erf">},
    {"Erfc", nullptr, erfc},
    {"Floor", nullptr, unary<"Floor">},
    {"Ceil", nullptr, unary<"Ceil">},
    {"Round Rint", nullptr, round},
    {"IsNan", nullptr, unary<"IsNaN">},
    {"IsInf", nullptr, unary<"IsInf">},
    {"IsFinite", nullptr, is_finite},
};

}  // namespace

std::span<const Operator> function_operators() { return kFunctionsRows; }

}  // namespace tern::tensorflow
