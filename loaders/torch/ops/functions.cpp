// Functions of real numbers, element by element. See operator.h. Next: activations.cpp.
#include <cmath>

#include "kernels/portable_math.h"
#include "loaders/torch/ops/numbers.h"

namespace tern::torch {
namespace {

template <OpName Op>
IValue unary(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {a.tensor("input")}));
}
template <OpName Op>
IValue unary_real(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {real(b, a.tensor("input"))}));
}
// Whole numbers stay what they are under floor, ceil and round.
template <OpName Op>
IValue rounding(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(is_float(b.dtype(x)) ? b.emit(Op.text, {x}) : x);
}

IValue rsqrt(Builder& b, const Arguments& a) { return tensor_of(b.emit("Reciprocal", {b.emit("Sqrt", {real(b, a.tensor("input"))})})); }

IValue square(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Mul", {x, x}));
}

IValue log1p(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Log", {b.emit("Add", {x, b.scalar_like(x, 1)})}));
}

IValue expm1(Builder& b, const Arguments& a) {
  const ValueId e = b.emit("Exp", {real(b, a.tensor("input"))});
  return tensor_of(b.emit("Sub", {e, b.scalar_like(e, 1)}));
}

template <int Base>
IValue log_base(Builder& b, const Arguments& a) {
  const ValueId l = b.emit("Log", {real(b, a.tensor("input"))});
  return tensor_of(b.emit("Mul", {l, b.scalar_like(l, 1 / portable::log(double(Base)))}));
}

IValue exp2(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Pow", {b.scalar_like(x, 2), x}));
}

IValue nan_to_num(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  if (!b.ok() || !is_float(b.dtype(x))) return tensor_of(x);
  const bool half = b.dtype(x) == DType::f16, wide = b.dtype(x) == DType::f64;
  const double most = half ? 65504 : wide ? 1.7976931348623157e308 : 3.4028234663852886e38;
  auto given = [&](const char* name, double otherwise) { return b.scalar_like(x, a.has(name) ? a.number(name) : otherwise); };
  ValueId y = b.emit("Where", {b.emit("IsNaN", {x}), given("nan", 0), x});
  y = b.emit("Where", {b.emit("Equal", {y, b.scalar_like(x, INFINITY)}), given("posinf", most), y});
  return tensor_of(b.emit("Where", {b.emit("Equal", {y, b.scalar_like(x, -INFINITY)}), given("neginf", -most), y}));
}

IValue sign(Builder& b, const Arguments& a) {  // NaN has none: 0
  const ValueId x = a.tensor("input"), y = b.emit("Sign", {x});
  if (!b.ok() || !is_float(b.dtype(x))) return tensor_of(y);
  return tensor_of(b.emit("Where", {b.emit("IsNaN", {x}), b.scalar_like(x, 0), y}));
}

// x in units of something: degrees to radians and back.
template <int Degrees>
IValue angle(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Mul", {x, b.scalar_like(x, Degrees ? 180 / M_PI : M_PI / 180)}));
}

IValue trunc(Builder& b, const Arguments& a) { return tensor_of(truncated(b, a.tensor("input"))); }

IValue frac(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Sub", {x, truncated(b, x)}));
}

// To the nearest even; decimals shift the point first.
IValue round(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int64_t decimals = a.integer("decimals");
  if (!b.ok() || !is_float(b.dtype(x))) return tensor_of(x);
  if (decimals == 0) return tensor_of(b.emit("Round", {x}));
  const ValueId shift = b.scalar_like(x, std::pow(10.0, static_cast<double>(std::abs(decimals))));
  const char *before = decimals > 0 ? "Mul" : "Div", *after = decimals > 0 ? "Div" : "Mul";
  return tensor_of(b.emit(after, {b.emit("Round", {b.emit(before, {x, shift})}), shift}));
}

IValue erfc(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Sub", {b.scalar_like(x, 1), b.emit("Erf", {x})}));
}

IValue sinc(Builder& b, const Arguments& a) {  // sin(pi x) / (pi x)
  const ValueId x = real(b, a.tensor("input")), y = b.emit("Mul", {x, b.scalar_like(x, M_PI)});
  return tensor_of(b.emit("Where", {b.emit("Equal", {x, b.scalar_like(x, 0)}), b.scalar_like(x, 1), b.emit("Div", {b.emit("Sin", {y}), y})}));
}

IValue logit(Builder& b, const Arguments& a) {
  ValueId x = real(b, a.tensor("input"));
  if (a.has("eps")) x = b.emit("Clip", {x, b.scalar_like(x, a.number("eps")), b.scalar_like(x, 1 - a.number("eps"))});
  return tensor_of(b.emit("Log", {b.emit("Div", {x, b.emit("Sub", {b.scalar_like(x, 1), x})})}));
}

// The sign bit: -0 has it, which only its reciprocal shows.
ValueId minus(Builder& b, ValueId x) {
  const ValueId zero = b.scalar_like(x, 0), below = b.emit("Less", {x, zero});
  return is_float(b.dtype(x)) ? b.emit("Or", {below, b.emit("Less", {b.emit("Reciprocal", {x}), zero})}) : below;
}

IValue signbit(Builder& b, const Arguments& a) { return tensor_of(minus(b, a.tensor("input"))); }

IValue isfinite(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Less", {b.emit("Abs", {x}), b.scalar_like(x, INFINITY)}));
}

template <int Sign>
IValue is_infinity(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Equal", {x, b.scalar_like(x, Sign * INFINITY)}));
}

// ---- of two numbers ----

// The angle of (x, y): the one of (|x|, |y|), mirrored by their signs. 0/0 and inf/inf count as 0 and 1.
IValue atan2(Builder& b, const Arguments& a) {
  auto [y, x] = pair_of(b, a["input"], a["other"], true);
  if (!b.ok()) return {};
  auto number = [&b, y = y](double value) { return b.scalar_like(y, value); };
  const ValueId rise = b.emit("Abs", {y}), run = b.emit("Abs", {x});
  const ValueId same = b.emit("Equal", {rise, run});  // a quotient of 1, but for zeros
  const ValueId quotient = b.emit("Where", {same, b.emit("Sign", {rise}), b.emit("Div", {rise, run})});
  ValueId angle = b.emit("Atan", {quotient});
  angle = b.emit("Where", {minus(b, x), b.emit("Sub", {number(M_PI), angle}), angle});
  return tensor_of(b.emit("Where", {minus(b, y), b.emit("Neg", {angle}), angle}));
}

IValue hypot(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(b.emit("Sqrt", {b.emit("Add", {b.emit("Mul", {p, p}), b.emit("Mul", {q, q})})}));
}

// log(exp p + exp q): the larger, and what the smaller adds. Equal ones (also infinite) add log 2.
IValue logaddexp(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"], true);
  const ValueId apart = b.emit("Neg", {b.emit("Abs", {b.emit("Sub", {p, q})})});
  const ValueId sum = b.emit("Add", {b.emit("Max", {p, q}), b.emit("Softplus", {apart})});
  return tensor_of(b.emit("Where", {b.emit("Equal", {p, q}), b.emit("Add", {p, b.scalar_like(p, portable::log(2.0))}), sum}));
}

IValue copysign(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"], true);
  const ValueId size = b.emit("Abs", {p});
  return tensor_of(b.emit("Where", {minus(b, q), b.emit("Neg", {size}), size}));
}

IValue xlogy(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"], true);
  const ValueId zero = b.scalar_like(p, 0), product = b.emit("Mul", {p, b.emit("Log", {q})});
  const ValueId nothing = b.emit("And", {b.emit("Equal", {p, zero}), b.emit("Not", {b.emit("IsNaN", {q})})});
  return tensor_of(b.emit("Where", {nothing, zero, product}));
}

IValue heaviside(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["values"]);
  const ValueId zero = b.scalar_like(p, 0);
  return tensor_of(b.emit("Where", {b.emit("Equal", {p, zero}), q, b.cast(b.emit("Greater", {p, zero}), b.dtype(p))}));
}

// Max and Min that prefer a number to NaN.
template <OpName Op>
IValue number_over_nan(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  const ValueId y = b.emit(Op.text, {p, q});
  if (!b.ok() || !is_float(b.dtype(p))) return tensor_of(y);
  return tensor_of(b.emit("Where", {b.emit("IsNaN", {p}), q, b.emit("Where", {b.emit("IsNaN", {q}), p, y})}));
}

// |p - q| <= atol + rtol |q|; equal infinities too.
IValue isclose(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"], true);
  auto number = [&b, p = p](double value) { return b.scalar_like(p, value); };
  const ValueId apart = b.emit("Abs", {b.emit("Sub", {p, q})});
  const ValueId allowed = b.emit("Add", {b.emit("Mul", {b.emit("Abs", {q}), number(a.number("rtol"))}), number(a.number("atol"))});
  const ValueId finite = b.emit("Less", {apart, number(INFINITY)});
  ValueId y = b.emit("Or", {b.emit("Equal", {p, q}), b.emit("And", {finite, b.emit("LessOrEqual", {apart, allowed})})});
  if (a.boolean("equal_nan")) y = b.emit("Or", {y, b.emit("And", {b.emit("IsNaN", {p}), b.emit("IsNaN", {q})})});
  return tensor_of(y);
}

constexpr Operator kFunctionsRows[] = {
    {"aten.abs.default aten.absolute.default torch.abs torch.absolute Tensor.abs operator.abs", "input|self", unary<"Abs">},
    {"aten.sign.default aten.sgn.default torch.sign Tensor.sign torch.sgn Tensor.sgn", "input|self", sign},
    {"aten.floor.default torch.floor Tensor.floor", "input|self", rounding<"Floor">},
    {"aten.ceil.default torch.ceil Tensor.ceil", "input|self", rounding<"Ceil">},
    {"aten.exp.default torch.exp Tensor.exp", "input|self", unary_real<"Exp">},
    {"aten.log.default torch.log Tensor.log", "input|self", unary_real<"Log">},
    {"aten.sqrt.default torch.sqrt Tensor.sqrt", "input|self", unary_real<"Sqrt">},
    {"aten.sin.default torch.sin Tensor.sin", "input|self", unary_real<"Sin">},
    {"aten.cos.default torch.cos Tensor.cos", "input|self", unary_real<"Cos">},
    {"aten.tan.default torch.tan Tensor.tan", "input|self", unary_real<"Tan">},
    {"aten.asin.default aten.arcsin.default torch.asin torch.arcsin Tensor.asin", "input|self", unary_real<"Asin">},
    {"aten.acos.default aten.arccos.default torch.acos torch.arccos Tensor.acos", "input|self", unary_real<"Acos">},
    {"aten.atan.default aten.arctan.default torch.atan torch.arctan Tensor.atan", "input|self", unary_real<"Atan">},
    {"aten.sinh.default torch.sinh Tensor.sinh", "input|self", unary_real<"Sinh">},
    {"aten.cosh.default torch.cosh Tensor.cosh", "input|self", unary_real<"Cosh">},
    {"aten.asinh.default aten.arcsinh.default torch.arcsinh torch.asinh Tensor.asinh", "input|self", unary_real<"Asinh">},
    {"aten.acosh.default aten.arccosh.default torch.arccosh torch.acosh Tensor.acosh", "input|self", unary_real<"Acosh">},
    {"aten.atanh.default aten.arctanh.default torch.arctanh torch.atanh Tensor.atanh", "input|self", unary_real<"Atanh">},
    {"aten.erf.default aten.special_erf.default torch.erf torch.special.erf Tensor.erf", "input|self", unary_real<"Erf">},
    {"aten.reciprocal.default torch.reciprocal Tensor.reciprocal", "input|self", unary_real<"Reciprocal">},
    {"aten.rsqrt.default torch.rsqrt Tensor.rsqrt", "input|self", rsqrt},
    {"aten.square.default torch.square Tensor.square", "input|self", square},
    {"aten.log1p.default aten.special_log1p.default torch.special.log1p torch.log1p Tensor.log1p", "input|self", log1p},
    {"aten.expm1.default aten.special_expm1.default torch.special.expm1 torch.expm1 Tensor.expm1", "input|self", expm1},
    {"aten.log2.default torch.log2 Tensor.log2", "input|self", log_base<2>},
    {"aten.log10.default torch.log10 Tensor.log10", "input|self", log_base<10>},
    {"aten.exp2.default aten.special_exp2.default torch.special.exp2 torch.exp2 Tensor.exp2", "input|self", exp2},
    {"aten.isnan.default torch.isnan Tensor.isnan", "input|self", unary_real<"IsNaN">},
    {"aten.isinf.default torch.isinf Tensor.isinf", "input|self", unary_real<"IsInf">},
    {"aten.nan_to_num.default torch.nan_to_num Tensor.nan_to_num", "input|self, nan=None, posinf=None, neginf=None", nan_to_num},
    {"aten.trunc.default aten.fix.default torch.trunc torch.fix Tensor.trunc Tensor.fix", "input|self", trunc},
    {"aten.frac.default torch.frac Tensor.frac", "input|self", frac},
    {"aten.round.decimals aten.round.default torch.round Tensor.round", "input|self, *, decimals=0", round},
    {"aten.deg2rad.default torch.deg2rad Tensor.deg2rad", "input|self", angle<0>},
    {"aten.rad2deg.default torch.rad2deg Tensor.rad2deg", "input|self", angle<1>},
    {"aten.erfc.default aten.special_erfc.default torch.erfc torch.special.erfc Tensor.erfc", "input|self", erfc},
    {"aten.sinc.default aten.special_sinc.default torch.sinc torch.special.sinc Tensor.sinc", "input|self", sinc},
    {"aten.logit.default aten.special_logit.default torch.logit torch.special.logit Tensor.logit", "input|self, eps=None", logit},
    {"aten.signbit.default torch.signbit Tensor.signbit", "input|self", signbit},
    {"aten.isfinite.default torch.isfinite Tensor.isfinite", "input|self", isfinite},
    {"aten.isposinf.default torch.isposinf Tensor.isposinf", "input|self", is_infinity<1>},
    {"aten.isneginf.default torch.isneginf Tensor.isneginf", "input|self", is_infinity<-1>},
    {"aten.atan2.default aten.arctan2.default torch.atan2 torch.arctan2 Tensor.atan2 Tensor.arctan2", "input|self, other", atan2},
    {"aten.hypot.default torch.hypot Tensor.hypot", "input|self, other", hypot},
    {"aten.logaddexp.default torch.logaddexp Tensor.logaddexp", "input|self, other", logaddexp},
    {"aten.copysign.Tensor aten.copysign.Scalar torch.copysign Tensor.copysign", "input|self, other", copysign},
    {"aten.xlogy.Tensor aten.special_xlogy.default aten.xlogy.Scalar_Other aten.xlogy.Scalar_Self torch.xlogy torch.special.xlogy Tensor.xlogy",
     "input|self, other", xlogy},
    {"aten.heaviside.default torch.heaviside Tensor.heaviside", "input|self, values", heaviside},
    {"aten.fmax.default torch.fmax Tensor.fmax", "input|self, other", number_over_nan<"Max">},
    {"aten.fmin.default torch.fmin Tensor.fmin", "input|self, other", number_over_nan<"Min">},
    {"aten.isclose.default torch.isclose Tensor.isclose", "input|self, other, rtol=1e-5, atol=1e-8, equal_nan=False", isclose},
};

}  // namespace

std::span<const Operator> function_operators() { return kFunctionsRows; }

}  // namespace tern::torch
