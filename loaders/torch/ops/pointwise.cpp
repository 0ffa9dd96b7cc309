// Arithmetic, comparisons, functions of real numbers. See operator.h. Next: activations.cpp.
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

template <Text Op>
IValue unary(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {a.tensor("input")}));
}
template <Text Op>
IValue unary_real(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {real(b, a.tensor("input"))}));
}
// Whole numbers stay what they are under floor, ceil and round.
template <Text Op>
IValue rounding(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(is_float(b.dtype(x)) ? b.emit(Op.text, {x}) : x);
}

bool is_number(const IValue& v) { return v.get<Int>() != nullptr || v.get<double>() != nullptr || v.get<bool>() != nullptr; }

// Both operands in one dtype, as tensors.
std::pair<ValueId, ValueId> pair_of(Builder& b, const IValue& x, const IValue& y, bool to_real = false) {
  DType type = result_type(b, {&x, &y});
  if (to_real && !is_float(type)) type = DType::f32;
  return {operand(b, x, type), operand(b, y, type)};
}

double as_double(const IValue& v) {
  if (const auto* x = v.get<double>()) return *x;
  if (const auto* flag = v.get<bool>()) return *flag;
  const auto* n = v.get<Int>();
  return n != nullptr && n->known() ? static_cast<double>(n->value()) : NAN;
}

Int as_int(const IValue& v) {
  if (const auto* flag = v.get<bool>()) return int64_t(*flag);
  return v.get<Int>() != nullptr ? *v.get<Int>() : Int();
}

// x + y of Python numbers: sizes stay symbolic, floats are computed now.
template <class Ints, class Reals>
IValue numbers(Builder& b, const IValue& x, const IValue& y, Ints ints, Reals reals) {
  if (x.get<double>() == nullptr && y.get<double>() == nullptr) return ints(as_int(x), as_int(y));
  const double p = as_double(x), q = as_double(y);
  if (std::isnan(p) || std::isnan(q)) {
    b.fail(unsupported("a float made from a symbolic size is not supported"));
    return {};
  }
  return reals(p, q);
}

ValueId scaled(Builder& b, ValueId v, const IValue& alpha) {
  const double factor = as_double(alpha);
  return factor == 1 || !b.ok() ? v : b.emit("Mul", {v, b.scalar_like(v, factor)});
}

ValueId either(Builder& b, const char* boolean_op, const char* op, ValueId x, ValueId y) {
  return b.emit(b.dtype(x) == DType::boolean ? boolean_op : op, {x, y});
}

IValue add(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y, [&](const Int& p, const Int& q) { return IValue(b.add(p, q)); }, [](double p, double q) { return IValue(p + q); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(either(b, "Or", "Add", p, scaled(b, q, a["alpha"])));
}

IValue sub(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y, [&](const Int& p, const Int& q) { return IValue(b.sub(p, q)); }, [](double p, double q) { return IValue(p - q); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(b.emit("Sub", {p, scaled(b, q, a["alpha"])}));
}

IValue rsub(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(b.emit("Sub", {q, scaled(b, p, a["alpha"])}));
}

IValue mul(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y, [&](const Int& p, const Int& q) { return IValue(b.mul(p, q)); }, [](double p, double q) { return IValue(p * q); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(either(b, "And", "Mul", p, q));
}

ValueId floor_of(Builder& b, ValueId p, ValueId q) {
  if (is_float(b.dtype(p))) return b.emit("Floor", {b.emit("Div", {p, q})});
  // Div truncates; without the remainder it divides evenly.
  return b.emit("Div", {b.emit("Sub", {p, b.emit("Mod", {p, q})}), q});
}

IValue div(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  const std::string mode = a.has("rounding_mode") ? a.string("rounding_mode") : "";
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y,
                   [&](const Int& p, const Int& q) {
                     if (p.known() && q.known() && q.value() != 0) return IValue(static_cast<double>(p.value()) / static_cast<double>(q.value()));
                     b.fail(unsupported("the quotient of symbolic sizes is a float; use // for an int"));
                     return IValue();
                   },
                   [](double p, double q) { return IValue(p / q); });
  }
  auto [p, q] = pair_of(b, x, y, mode.empty());
  if (mode == "floor") return tensor_of(floor_of(b, p, q));
  const ValueId ratio = b.emit("Div", {p, q});
  if (mode != "trunc" || !is_float(b.dtype(ratio))) return tensor_of(ratio);
  const ValueId down = b.emit("Floor", {ratio}), up = b.emit("Ceil", {ratio});
  return tensor_of(b.emit("Where", {b.emit("Less", {ratio, b.scalar_like(ratio, 0)}), up, down}));
}

IValue floor_divide(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y, [&](const Int& p, const Int& q) { return IValue(b.floor_div(p, q)); }, [](double p, double q) { return IValue(std::floor(p / q)); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(floor_of(b, p, q));
}

// The sign of the divisor, as Python's %.
IValue remainder(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y, [&](const Int& p, const Int& q) { return IValue(b.mod(p, q)); },
                   [](double p, double q) { return IValue(p - q * std::floor(p / q)); });
  }
  auto [p, q] = pair_of(b, x, y);
  if (!is_float(b.dtype(p))) return tensor_of(b.emit("Mod", {p, q}));
  return tensor_of(b.emit("Sub", {p, b.emit("Mul", {q, b.emit("Floor", {b.emit("Div", {p, q})})})}));
}

IValue fmod(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(b.emit("Mod", {p, q}, attributes({{"fmod", int64_t(1)}})));
}

IValue pow(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["exponent"];
  if (is_number(x) && is_number(y)) {
    return numbers(b, x, y,
                   [&](const Int& p, const Int& q) {
                     if (!p.known() || !q.known()) return b.fail(unsupported("a power of a symbolic size is not supported")), IValue();
                     const double r = std::pow(static_cast<double>(p.value()), static_cast<double>(q.value()));
                     return q.value() >= 0 && std::fabs(r) < 9e15 ? IValue(Int(static_cast<int64_t>(r))) : IValue(r);
                   },
                   [](double p, double q) { return IValue(std::pow(p, q)); });
  }
  if (x.is_tensor() && is_number(y)) {  // what these exponents mean, exactly
    const double e = as_double(y);
    const ValueId v = x.id();
    if (e == 1) return tensor_of(v);
    if (e == 2) return tensor_of(b.emit("Mul", {v, v}));
    if (e == 3) return tensor_of(b.emit("Mul", {b.emit("Mul", {v, v}), v}));
    if (e == 0.5) return tensor_of(b.emit("Sqrt", {real(b, v)}));
    if (e == -0.5) return tensor_of(b.emit("Reciprocal", {b.emit("Sqrt", {real(b, v)})}));
    if (e == -1) return tensor_of(b.emit("Reciprocal", {real(b, v)}));
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(b.emit("Pow", {p, q}));
}

template <Text Op>
IValue extreme(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(b.emit(Op.text, {p, q}));
}

// Comparisons of known Python numbers are known; of tensors, bool tensors.
template <Text Op>
IValue compare(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    const std::string_view op = Op.text;
    double p = as_double(x), q = as_double(y);
    if (std::isnan(p) || std::isnan(q)) {
      const Int d = b.sub(as_int(x), as_int(y));  // batch + 1 > batch
      if (!d.known()) return b.fail(unsupported("a comparison of symbolic sizes is not known while the model is loaded")), IValue();
      p = static_cast<double>(d.value());
      q = 0;
    }
    return op == "Equal" ? p == q : op == "Less" ? p < q : op == "LessOrEqual" ? p <= q : op == "Greater" ? p > q : p >= q;
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(b.emit(Op.text, {p, q}));
}

IValue not_equal(Builder& b, const Arguments& a) {
  const IValue equal = compare<"Equal">(b, a);
  if (const bool* known = equal.get<bool>()) return !*known;
  return tensor_of(b.emit("Not", {equal.id()}));
}

template <Text Op>
IValue logical(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {operand(b, a["input"], DType::boolean), operand(b, a["other"], DType::boolean)}));
}

// & | ^: of bools and of integers.
template <Text Boolean, Text Op>
IValue bitwise(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(either(b, Boolean.text, Op.text, p, q));
}

IValue bitwise_not(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit(b.dtype(x) == DType::boolean ? "Not" : "BitwiseNot", {x}));
}

IValue logical_not(Builder& b, const Arguments& a) {
  if (const bool* known = a["input"].get<bool>()) return !*known;
  return tensor_of(b.emit("Not", {b.cast(a.tensor("input"), DType::boolean)}));
}

IValue negate(Builder& b, const Arguments& a) {
  if (const auto* n = a["input"].get<Int>()) return b.sub(0, *n);
  if (const auto* x = a["input"].get<double>()) return -*x;
  return tensor_of(b.emit("Neg", {a.tensor("input")}));
}

IValue clamp(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const IValue &low = a["min"], &high = a["max"];
  const DType type = result_type(b, {&a["input"], &low, &high});
  ValueId y = b.cast(x, type);
  const bool scalars = !low.is_tensor() && !high.is_tensor();
  if (scalars) {
    if (low.is_none() && high.is_none()) return tensor_of(y);
    return tensor_of(b.emit("Clip", {y, low.is_none() ? kNone : operand(b, low, type), high.is_none() ? kNone : operand(b, high, type)}));
  }
  if (!low.is_none()) y = b.emit("Max", {y, operand(b, low, type)});
  if (!high.is_none()) y = b.emit("Min", {y, operand(b, high, type)});
  return tensor_of(y);
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
  return tensor_of(b.emit("Mul", {l, b.scalar_like(l, 1 / std::log(double(Base)))}));
}

IValue exp2(Builder& b, const Arguments& a) {
  const ValueId x = real(b, a.tensor("input"));
  return tensor_of(b.emit("Pow", {b.scalar_like(x, 2), x}));
}

IValue lerp(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["end"]);
  return tensor_of(b.emit("Add", {p, b.emit("Mul", {operand(b, a["weight"], b.dtype(p)), b.emit("Sub", {q, p})})}));
}

template <Text Op>
IValue add_product(Builder& b, const Arguments& a) {  // addcmul, addcdiv
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Add", {x, scaled(b, b.emit(Op.text, {a.tensor("tensor1"), a.tensor("tensor2")}), a["value"])}));
}

IValue where(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(b.emit("Where", {b.cast(a.tensor("condition"), DType::boolean), p, q}));
}

IValue masked_fill(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_of(b.emit("Where", {b.cast(a.tensor("mask"), DType::boolean), operand(b, a["value"], b.dtype(x)), x}));
}

IValue nan_to_num(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const bool half = b.dtype(x) == DType::f16, wide = b.dtype(x) == DType::f64;
  const double most = half ? 65504 : wide ? 1.7976931348623157e308 : 3.4028234663852886e38;
  auto given = [&](const char* name, double otherwise) { return b.scalar_like(x, a.has(name) ? a.number(name) : otherwise); };
  ValueId y = b.emit("Where", {b.emit("IsNaN", {x}), given("nan", 0), x});
  y = b.emit("Where", {b.emit("Equal", {y, b.scalar_like(x, INFINITY)}), given("posinf", most), y});
  return tensor_of(b.emit("Where", {b.emit("Equal", {y, b.scalar_like(x, -INFINITY)}), given("neginf", -most), y}));
}

// ---- dtypes and what changes nothing in eval mode ----

IValue to(Builder& b, const Arguments& a) {  // .to(dtype), .to(device), .to(device, dtype), .to(other)
  const ValueId x = a.tensor("input");
  for (const char* name : {"dtype", "device", "third"}) {
    if (const auto* dtype = a[name].get<DType>()) return tensor_of(b.cast(x, *dtype));
    if (a[name].is_tensor()) return tensor_of(b.cast(x, b.dtype(a[name].id())));
  }
  return tensor_of(x);
}

template <DType To>
IValue to_type(Builder& b, const Arguments& a) { return tensor_of(b.cast(a.tensor("input"), To)); }

IValue type_as(Builder& b, const Arguments& a) { return tensor_of(b.cast(a.tensor("input"), b.dtype(a.tensor("other")))); }

IValue identity(Builder&, const Arguments& a) { return tensor_of(a.tensor("input")); }

constexpr Operator kRows[] = {
    {"aten.abs.default torch.abs torch.absolute Tensor.abs operator.abs", "input|self", unary<"Abs">},
    {"aten.neg.default torch.neg torch.negative Tensor.neg operator.neg operator.__neg__", "input|self", negate},
    {"aten.sign.default torch.sign Tensor.sign torch.sgn Tensor.sgn", "input|self", unary<"Sign">},
    {"aten.floor.default torch.floor Tensor.floor", "input|self", rounding<"Floor">},
    {"aten.ceil.default torch.ceil Tensor.ceil", "input|self", rounding<"Ceil">},
    {"aten.round.default torch.round Tensor.round", "input|self", rounding<"Round">},
    {"aten.exp.default torch.exp Tensor.exp", "input|self", unary_real<"Exp">},
    {"aten.log.default torch.log Tensor.log", "input|self", unary_real<"Log">},
    {"aten.sqrt.default torch.sqrt Tensor.sqrt", "input|self", unary_real<"Sqrt">},
    {"aten.sin.default torch.sin Tensor.sin", "input|self", unary_real<"Sin">},
    {"aten.cos.default torch.cos Tensor.cos", "input|self", unary_real<"Cos">},
    {"aten.tan.default torch.tan Tensor.tan", "input|self", unary_real<"Tan">},
    {"aten.asin.default torch.asin torch.arcsin Tensor.asin", "input|self", unary_real<"Asin">},
    {"aten.acos.default torch.acos torch.arccos Tensor.acos", "input|self", unary_real<"Acos">},
    {"aten.atan.default torch.atan torch.arctan Tensor.atan", "input|self", unary_real<"Atan">},
    {"aten.sinh.default torch.sinh Tensor.sinh", "input|self", unary_real<"Sinh">},
    {"aten.cosh.default torch.cosh Tensor.cosh", "input|self", unary_real<"Cosh">},
    {"aten.asinh.default torch.asinh Tensor.asinh", "input|self", unary_real<"Asinh">},
    {"aten.acosh.default torch.acosh Tensor.acosh", "input|self", unary_real<"Acosh">},
    {"aten.atanh.default torch.atanh Tensor.atanh", "input|self", unary_real<"Atanh">},
    {"aten.erf.default torch.erf torch.special.erf Tensor.erf", "input|self", unary_real<"Erf">},
    {"aten.reciprocal.default torch.reciprocal Tensor.reciprocal", "input|self", unary_real<"Reciprocal">},
    {"aten.rsqrt.default torch.rsqrt Tensor.rsqrt", "input|self", rsqrt},
    {"aten.square.default torch.square Tensor.square", "input|self", square},
    {"aten.log1p.default torch.log1p Tensor.log1p", "input|self", log1p},
    {"aten.expm1.default torch.expm1 Tensor.expm1", "input|self", expm1},
    {"aten.log2.default torch.log2 Tensor.log2", "input|self", log_base<2>},
    {"aten.log10.default torch.log10 Tensor.log10", "input|self", log_base<10>},
    {"aten.exp2.default torch.exp2 Tensor.exp2", "input|self", exp2},
    {"aten.isnan.default torch.isnan Tensor.isnan", "input|self", unary_real<"IsNaN">},
    {"aten.isinf.default torch.isinf Tensor.isinf", "input|self", unary_real<"IsInf">},
    {"aten.add.Tensor aten.add.Scalar torch.add Tensor.add operator.add", "input|self, other, *, alpha=1", add},
    {"aten.sub.Tensor aten.sub.Scalar torch.sub torch.subtract Tensor.sub Tensor.subtract operator.sub", "input|self, other, *, alpha=1", sub},
    {"aten.rsub.Scalar aten.rsub.Tensor torch.rsub", "input|self, other, alpha=1", rsub},
    {"aten.mul.Tensor aten.mul.Scalar torch.mul torch.multiply Tensor.mul Tensor.multiply operator.mul", "input|self, other", mul},
    {"aten.div.Tensor aten.div.Scalar aten.div.Tensor_mode aten.div.Scalar_mode aten.true_divide.Tensor torch.div torch.true_divide torch.divide Tensor.div "
     "Tensor.divide Tensor.true_divide operator.truediv",
     "input|self, other, *, rounding_mode=None", div},
    {"aten.floor_divide.default aten.floor_divide.Scalar torch.floor_divide Tensor.floor_divide operator.floordiv", "input|self, other", floor_divide},
    {"aten.remainder.Tensor aten.remainder.Scalar torch.remainder Tensor.remainder operator.mod", "input|self, other", remainder},
    {"aten.fmod.Tensor aten.fmod.Scalar torch.fmod Tensor.fmod", "input|self, other", fmod},
    {"aten.pow.Tensor_Scalar aten.pow.Tensor_Tensor aten.pow.Scalar torch.pow Tensor.pow operator.pow", "input|self, exponent", pow},
    {"aten.maximum.default torch.maximum Tensor.maximum", "input|self, other", extreme<"Max">},
    {"aten.minimum.default torch.minimum Tensor.minimum", "input|self, other", extreme<"Min">},
    {"aten.eq.Tensor aten.eq.Scalar torch.eq Tensor.eq operator.eq", "input|self, other", compare<"Equal">},
    {"aten.ne.Tensor aten.ne.Scalar torch.ne torch.not_equal Tensor.ne operator.ne", "input|self, other", not_equal},
    {"aten.lt.Tensor aten.lt.Scalar torch.lt torch.less Tensor.lt operator.lt", "input|self, other", compare<"Less">},
    {"aten.le.Tensor aten.le.Scalar torch.le torch.less_equal Tensor.le operator.le", "input|self, other", compare<"LessOrEqual">},
    {"aten.gt.Tensor aten.gt.Scalar torch.gt torch.greater Tensor.gt operator.gt", "input|self, other", compare<"Greater">},
    {"aten.ge.Tensor aten.ge.Scalar torch.ge torch.greater_equal Tensor.ge operator.ge", "input|self, other", compare<"GreaterOrEqual">},
    {"aten.logical_and.default torch.logical_and Tensor.logical_and", "input|self, other", logical<"And">},
    {"aten.logical_or.default torch.logical_or Tensor.logical_or", "input|self, other", logical<"Or">},
    {"aten.logical_xor.default torch.logical_xor Tensor.logical_xor", "input|self, other", logical<"Xor">},
    {"aten.logical_not.default torch.logical_not Tensor.logical_not operator.not_", "input|self", logical_not},
    {"aten.bitwise_and.Tensor aten.bitwise_and.Scalar torch.bitwise_and Tensor.bitwise_and aten.__and__.Tensor operator.and_", "input|self, other",
     bitwise<"And", "BitwiseAnd">},
    {"aten.bitwise_or.Tensor aten.bitwise_or.Scalar torch.bitwise_or Tensor.bitwise_or aten.__or__.Tensor operator.or_", "input|self, other",
     bitwise<"Or", "BitwiseOr">},
    {"aten.bitwise_xor.Tensor aten.bitwise_xor.Scalar torch.bitwise_xor Tensor.bitwise_xor operator.xor", "input|self, other", bitwise<"Xor", "BitwiseXor">},
    {"aten.bitwise_not.default torch.bitwise_not Tensor.bitwise_not operator.invert", "input|self", bitwise_not},
    {"aten.clamp.default aten.clamp.Tensor torch.clamp torch.clip Tensor.clamp Tensor.clip", "input|self, min=None, max=None", clamp},
    {"aten.clamp_min.default aten.clamp_min.Tensor torch.clamp_min Tensor.clamp_min", "input|self, min", clamp},
    {"aten.clamp_max.default aten.clamp_max.Tensor torch.clamp_max Tensor.clamp_max", "input|self, max", clamp},
    {"aten.lerp.Scalar aten.lerp.Tensor torch.lerp Tensor.lerp", "input|self, end, weight", lerp},
    {"aten.addcmul.default torch.addcmul Tensor.addcmul", "input|self, tensor1, tensor2, *, value=1", add_product<"Mul">},
    {"aten.addcdiv.default torch.addcdiv Tensor.addcdiv", "input|self, tensor1, tensor2, *, value=1", add_product<"Div">},
    {"aten.where.self aten.where.ScalarSelf aten.where.ScalarOther aten.where.Scalar torch.where", "condition, input|self, other", where},
    {"aten.masked_fill.Scalar aten.masked_fill.Tensor torch.masked_fill Tensor.masked_fill", "input|self, mask, value", masked_fill},
    {"aten.nan_to_num.default torch.nan_to_num Tensor.nan_to_num", "input|self, nan=None, posinf=None, neginf=None", nan_to_num},
    {"Tensor.to", "input|self, dtype|other=None, device=None, third=None, *, non_blocking=False, copy=False, memory_format=None", to},
    {"aten.to.dtype aten._to_copy.default", "input|self, dtype=None, non_blocking=False, copy=False, memory_format=None, *, layout=None, device=None, pin_memory=None", to},
    {"aten.to.dtype_layout", "input|self, *, dtype=None, layout=None, device=None, pin_memory=None, non_blocking=False, copy=False, memory_format=None", to},
    {"aten.to.device", "input|self, device=None, dtype=None, non_blocking=False, copy=False, memory_format=None", to},
    {"aten.to.other", "input|self, dtype|other=None, non_blocking=False, copy=False, memory_format=None", to},
    {"Tensor.float", "input|self", to_type<DType::f32>},
    {"Tensor.double", "input|self", to_type<DType::f64>},
    {"Tensor.half", "input|self", to_type<DType::f16>},
    {"Tensor.bfloat16", "input|self", to_type<DType::bf16>},
    {"Tensor.long", "input|self", to_type<DType::i64>},
    {"Tensor.int", "input|self", to_type<DType::i32>},
    {"Tensor.bool", "input|self", to_type<DType::boolean>},
    {"Tensor.type_as aten.type_as.default", "input|self, other", type_as},
    {"aten.clone.default aten.contiguous.default torch.clone Tensor.clone Tensor.contiguous", "input|self, *, memory_format=None", identity},
    {"aten.detach.default aten.alias.default aten.lift_fresh_copy.default aten.lift_fresh.default aten.detach_.default aten.resolve_conj.default "
     "aten.resolve_neg.default Tensor.detach Tensor.cpu Tensor.cuda torch.detach aten.positive.default torch.positive operator.pos",
     "input|self", identity},
    {"Tensor.requires_grad_", "input|self, requires_grad=True", identity},
    {"F.dropout F.alpha_dropout F.feature_alpha_dropout F.dropout1d F.dropout2d F.dropout3d torch.dropout aten.dropout.default aten.feature_dropout.default "
     "aten.alpha_dropout.default",
     "input, p=0.5, training|train=True, inplace=False", identity},
};

}  // namespace

std::span<const Operator> pointwise_operators() { return kRows; }

}  // namespace tern::torch
