// Arithmetic, comparisons, logic. See operator.h. Next: casts.cpp, functions.cpp, activations.cpp.
#include "loaders/torch/ops/numbers.h"

namespace tern::torch {
namespace {

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
    return numbers(
        b, x, y, [&](const Int& p, const Int& q) { return IValue(b.add(p, q)); }, [](double p, double q) { return IValue(p + q); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(either(b, "Or", "Add", p, scaled(b, q, a["alpha"])));
}

IValue sub(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(
        b, x, y, [&](const Int& p, const Int& q) { return IValue(b.sub(p, q)); }, [](double p, double q) { return IValue(p - q); });
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
    return numbers(
        b, x, y, [&](const Int& p, const Int& q) { return IValue(b.mul(p, q)); }, [](double p, double q) { return IValue(p * q); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(either(b, "And", "Mul", p, q));
}

// The remainder with the sign of the divisor, as Python's %. Floats have one only with the sign of the dividend.
ValueId remainder_of(Builder& b, ValueId p, ValueId q) {
  if (!b.ok() || !is_float(b.dtype(p))) return b.emit("Mod", {p, q});
  const ValueId r = b.emit("Mod", {p, q}, attributes({{"fmod", int64_t(1)}})), zero = b.scalar_like(p, 0);
  const ValueId other_side = b.emit("Xor", {b.emit("Less", {r, zero}), b.emit("Less", {q, zero})});
  const ValueId inside = b.emit("Equal", {r, zero});
  return b.emit("Where", {b.emit("Or", {inside, b.emit("Not", {other_side})}), r, b.emit("Add", {r, q})});
}

// Without the remainder the division is even. Of floats it is rounded, which takes away what the division did; by zero it stays infinite.
ValueId floor_of(Builder& b, ValueId p, ValueId q) {
  const ValueId even = b.emit("Div", {b.emit("Sub", {p, remainder_of(b, p, q)}), q});
  if (!b.ok() || !is_float(b.dtype(p))) return even;
  return b.emit("Where", {b.emit("Equal", {q, b.scalar_like(q, 0)}), b.emit("Div", {p, q}), b.emit("Round", {even})});
}

IValue div(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  const std::string mode = a.has("rounding_mode") ? a.string("rounding_mode") : "";
  if (is_number(x) && is_number(y)) {
    return numbers(
        b, x, y,
        [&](const Int& p, const Int& q) {
          if (p.known() && q.known() && q.value() != 0) return IValue(static_cast<double>(p.value()) / static_cast<double>(q.value()));
          b.fail(unsupported("the quotient of symbolic sizes is a float; use // for an int"));
          return IValue();
        },
        [](double p, double q) { return IValue(p / q); });
  }
  auto [p, q] = pair_of(b, x, y, mode.empty());
  if (mode == "floor") return tensor_of(floor_of(b, p, q));
  if (!mode.empty() && mode != "trunc") return tensor_of(b.fail(invalid("rounding_mode must be None, 'floor' or 'trunc', not '" + mode + "'")));
  const ValueId ratio = b.emit("Div", {p, q});
  return tensor_of(mode == "trunc" ? truncated(b, ratio) : ratio);
}

IValue floor_divide(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(
        b, x, y, [&](const Int& p, const Int& q) { return IValue(b.floor_div(p, q)); }, [](double p, double q) { return IValue(std::floor(p / q)); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(floor_of(b, p, q));
}

IValue remainder(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["other"];
  if (is_number(x) && is_number(y)) {
    return numbers(
        b, x, y, [&](const Int& p, const Int& q) { return IValue(b.mod(p, q)); },
        [](double p, double q) { return IValue(p - q * std::floor(p / q)); });
  }
  auto [p, q] = pair_of(b, x, y);
  return tensor_of(remainder_of(b, p, q));
}

IValue fmod(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(b.emit("Mod", {p, q}, attributes({{"fmod", int64_t(1)}})));
}

IValue pow(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &y = a["exponent"];
  if (is_number(x) && is_number(y)) {
    return numbers(
        b, x, y,
        [&](const Int& p, const Int& q) {
          if (!p.known() || !q.known()) return b.fail(unsupported("a power of a symbolic size is not supported")), IValue();
          const double r = std::pow(static_cast<double>(p.value()), static_cast<double>(q.value()));
          return q.value() >= 0 && std::fabs(r) < 9e15 ? IValue(Int(static_cast<int64_t>(r))) : IValue(r);
        },
        [](double p, double q) { return IValue(std::pow(p, q)); });
  }
  if (x.is_tensor() && is_number(y)) {  // what these exponents mean, exactly
    const double e = as_double(y);
    const ValueId v = operand(b, x, result_type(b, {&x, &y}));
    if (e == 1) return tensor_of(v);
    if (e == 2) return tensor_of(b.emit("Mul", {v, v}));
    if (e == 3) return tensor_of(b.emit("Mul", {b.emit("Mul", {v, v}), v}));
    if (!is_float(b.dtype(v)) && e < 0) return tensor_of(b.fail(invalid("integers to negative integer powers are not allowed")));
    if (e == 0.5) return tensor_of(b.emit("Sqrt", {v}));
    if (e == -0.5) return tensor_of(b.emit("Reciprocal", {b.emit("Sqrt", {v})}));
    if (e == -1) return tensor_of(b.emit("Reciprocal", {v}));
  }
  auto [p, q] = pair_of(b, x, y);
  if (!b.ok() || is_signed_int(b.dtype(p)) || is_float(b.dtype(p))) return tensor_of(b.emit("Pow", {p, q}));
  return tensor_of(b.cast(b.emit("Pow", {b.cast(p, DType::i64), b.cast(q, DType::i64)}), b.dtype(p)));
}

IValue float_power(Builder& b, const Arguments& a) {
  return tensor_of(b.emit("Pow", {operand(b, a["input"], DType::f64), operand(b, a["exponent"], DType::f64)}));
}

// x << n and x >> n with a known n: a product, and a division that rounds down.
template <bool Left>
IValue shift(Builder& b, const Arguments& a) {
  const IValue& x = a["input"];
  const int64_t n = a.integer("other");
  if (!b.ok()) return {};
  if (n < 0 || n > 62) return tensor_of(b.fail(unsupported("a shift by " + std::to_string(n) + " is not supported")));
  const Int power = int64_t(1) << n;
  if (is_number(x)) return Left ? b.mul(as_int(x), power) : b.floor_div(as_int(x), power);
  const ValueId v = a.tensor("input"), by = b.scalar_like(v, static_cast<double>(int64_t(1) << n));
  return tensor_of(Left ? b.emit("Mul", {v, by}) : floor_of(b, v, by));
}

template <OpName Boolean, OpName Op>
IValue extreme(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["other"]);
  return tensor_of(either(b, Boolean.text, Op.text, p, q));
}

// Comparisons of known Python numbers are known; of tensors, bool tensors.
template <OpName Op>
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
  if (b.ok() && b.dtype(p) == DType::boolean && std::string_view(Op.text) != "Equal") p = b.cast(p, DType::u8), q = b.cast(q, DType::u8);
  return tensor_of(b.emit(Op.text, {p, q}));
}

IValue not_equal(Builder& b, const Arguments& a) {
  const IValue equal = compare<"Equal">(b, a);
  if (const bool* known = equal.get<bool>()) return !*known;
  return tensor_of(b.emit("Not", {equal.id()}));
}

template <OpName Op>
IValue logical(Builder& b, const Arguments& a) {
  return tensor_of(b.emit(Op.text, {operand(b, a["input"], DType::boolean), operand(b, a["other"], DType::boolean)}));
}

// & | ^: of bools and of integers.
template <OpName Boolean, OpName Op>
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

IValue lerp(Builder& b, const Arguments& a) {
  auto [p, q] = pair_of(b, a["input"], a["end"]);
  return tensor_of(b.emit("Add", {p, b.emit("Mul", {operand(b, a["weight"], b.dtype(p)), b.emit("Sub", {q, p})})}));
}

template <OpName Op>
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

constexpr Operator kPointwiseRows[] = {
    {"aten.neg.default aten.negative.default torch.neg torch.negative Tensor.neg operator.neg operator.__neg__", "input|self", negate},
    {"aten.add.Tensor torch.add Tensor.add operator.add", "input|self, other, *, alpha=1", add},
    {"aten.sub.Tensor aten.subtract.Tensor torch.sub torch.subtract Tensor.sub Tensor.subtract operator.sub", "input|self, other, *, alpha=1", sub},
    {"aten.add.Scalar", "input|self, other, alpha=1", add},
    {"aten.sub.Scalar aten.subtract.Scalar", "input|self, other, alpha=1", sub},
    {"aten.rsub.Scalar aten.rsub.Tensor torch.rsub", "input|self, other, alpha=1", rsub},
    {"aten.mul.Tensor aten.multiply.Tensor aten.multiply.Scalar aten.mul.Scalar torch.mul torch.multiply Tensor.mul Tensor.multiply "
     "operator.mul",
     "input|self, other", mul},
    {"aten.div.Tensor aten.divide.Tensor aten.divide.Scalar aten.divide.Tensor_mode aten.divide.Scalar_mode aten.true_divide.Scalar "
     "aten.div.Scalar aten.div.Tensor_mode aten.div.Scalar_mode aten.true_divide.Tensor torch.div torch.true_divide torch.divide Tensor.div "
     "Tensor.divide Tensor.true_divide operator.truediv",
     "input|self, other, *, rounding_mode=None", div},
    {"aten.floor_divide.default aten.floor_divide.Scalar torch.floor_divide Tensor.floor_divide operator.floordiv", "input|self, other",
     floor_divide},
    {"aten.remainder.Tensor aten.remainder.Scalar aten.remainder.Scalar_Tensor torch.remainder Tensor.remainder operator.mod", "input|self, other",
     remainder},
    {"aten.fmod.Tensor aten.fmod.Scalar torch.fmod Tensor.fmod", "input|self, other", fmod},
    {"aten.pow.Tensor_Scalar aten.pow.Tensor_Tensor aten.pow.Scalar torch.pow Tensor.pow operator.pow", "input|self, exponent", pow},
    {"aten.float_power.Tensor_Scalar aten.float_power.Tensor_Tensor aten.float_power.Scalar torch.float_power Tensor.float_power",
     "input|self, exponent", float_power},
    {"aten.bitwise_left_shift.Tensor_Scalar aten.__lshift__.Scalar torch.bitwise_left_shift Tensor.bitwise_left_shift operator.lshift",
     "input|self, other", shift<true>},
    {"aten.bitwise_right_shift.Tensor_Scalar aten.__rshift__.Scalar torch.bitwise_right_shift Tensor.bitwise_right_shift operator.rshift",
     "input|self, other", shift<false>},
    {"aten.maximum.default torch.maximum Tensor.maximum", "input|self, other", extreme<"Or", "Max">},
    {"aten.minimum.default torch.minimum Tensor.minimum", "input|self, other", extreme<"And", "Min">},
    {"aten.eq.Tensor aten.eq.Scalar torch.eq Tensor.eq operator.eq", "input|self, other", compare<"Equal">},
    {"aten.ne.Tensor aten.not_equal.Tensor aten.not_equal.Scalar aten.ne.Scalar torch.ne torch.not_equal Tensor.ne Tensor.not_equal "
     "operator.ne",
     "input|self, other", not_equal},
    {"aten.lt.Tensor aten.less.Tensor aten.less.Scalar aten.lt.Scalar torch.lt torch.less Tensor.lt Tensor.less operator.lt", "input|self, other",
     compare<"Less">},
    {"aten.le.Tensor aten.less_equal.Tensor aten.less_equal.Scalar aten.le.Scalar torch.le torch.less_equal Tensor.le Tensor.less_equal "
     "operator.le",
     "input|self, other", compare<"LessOrEqual">},
    {"aten.gt.Tensor aten.greater.Tensor aten.greater.Scalar aten.gt.Scalar torch.gt torch.greater Tensor.gt Tensor.greater operator.gt",
     "input|self, other", compare<"Greater">},
    {"aten.ge.Tensor aten.greater_equal.Tensor aten.greater_equal.Scalar aten.ge.Scalar torch.ge torch.greater_equal Tensor.ge "
     "Tensor.greater_equal operator.ge",
     "input|self, other", compare<"GreaterOrEqual">},
    {"aten.logical_and.default torch.logical_and Tensor.logical_and", "input|self, other", logical<"And">},
    {"aten.logical_or.default torch.logical_or Tensor.logical_or", "input|self, other", logical<"Or">},
    {"aten.logical_xor.default torch.logical_xor Tensor.logical_xor", "input|self, other", logical<"Xor">},
    {"aten.logical_not.default torch.logical_not Tensor.logical_not operator.not_ torch.sym_not", "input|self", logical_not},
    {"aten.bitwise_and.Tensor aten.__and__.Scalar aten.bitwise_and.Scalar torch.bitwise_and Tensor.bitwise_and aten.__and__.Tensor "
     "operator.and_",
     "input|self, other", bitwise<"And", "BitwiseAnd">},
    {"aten.bitwise_or.Tensor aten.__or__.Scalar aten.bitwise_or.Scalar torch.bitwise_or Tensor.bitwise_or aten.__or__.Tensor operator.or_",
     "input|self, other", bitwise<"Or", "BitwiseOr">},
    {"aten.bitwise_xor.Tensor aten.__xor__.Tensor aten.__xor__.Scalar aten.bitwise_xor.Scalar torch.bitwise_xor Tensor.bitwise_xor "
     "operator.xor",
     "input|self, other", bitwise<"Xor", "BitwiseXor">},
    {"aten.bitwise_not.default torch.bitwise_not Tensor.bitwise_not operator.invert", "input|self", bitwise_not},
    {"aten.clamp.default aten.clip.default aten.clip.Tensor aten.clamp.Tensor torch.clamp torch.clip Tensor.clamp Tensor.clip",
     "input|self, min=None, max=None", clamp},
    {"aten.clamp_min.default aten.clamp_min.Tensor torch.clamp_min Tensor.clamp_min", "input|self, min", clamp},
    {"aten.clamp_max.default aten.clamp_max.Tensor torch.clamp_max Tensor.clamp_max", "input|self, max", clamp},
    {"aten.lerp.Scalar aten.lerp.Tensor torch.lerp Tensor.lerp", "input|self, end, weight", lerp},
    {"aten.addcmul.default torch.addcmul Tensor.addcmul", "input|self, tensor1, tensor2, *, value=1", add_product<"Mul">},
    {"aten.addcdiv.default torch.addcdiv Tensor.addcdiv", "input|self, tensor1, tensor2, *, value=1", add_product<"Div">},
    {"aten.where.self aten.where.ScalarSelf aten.where.ScalarOther aten.where.Scalar torch.where", "condition, input|self, other", where},
    {"Tensor.where", "input|self, condition, other", where},
    {"aten.masked_fill.Scalar aten.masked_fill.Tensor torch.masked_fill Tensor.masked_fill", "input|self, mask, value", masked_fill},
};

}  // namespace

std::span<const Operator> pointwise_operators() { return kPointwiseRows; }

}  // namespace tern::torch
