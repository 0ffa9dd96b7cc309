// Element by element: arithmetic, comparisons, logic, functions of one number. See ops.h. Next: functions.cpp.
#include <cmath>
#include <limits>

#include "kernels/portable_math.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr const char *kPointwiseX = "x1|x|a", *kPointwiseY = "x2|y|b";

template <Text op>
Flows binary(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  return {{c.emit(op.text, {x, y})}};
}

// Integers divide as real numbers: TensorFlow's of 32 bits and more in f64.
Flows divide(Call& c) {
  const Operands o(c);
  auto [x, y] = o.pair(0, kPointwiseX, kPointwiseY);
  if (c.layer.class_name.starts_with("tf.") && is_int(c.b.dtype(x)) && size_of(c.b.dtype(x)) >= 4)
    x = c.b.cast(x, DType::f64), y = c.b.cast(y, DType::f64);
  return {{c.emit("Div", {o.real(x), o.real(y)})}};
}

Flows divide_no_nan(Call& c) {
  const Operands o(c);
  auto [x, y] = o.pair(0, kPointwiseX, kPointwiseY);
  x = o.real(x), y = o.real(y);
  const ValueId zero = c.b.scalar_like(y, 0), is_zero = c.emit("Equal", {y, zero});
  return {{c.emit("Where", {is_zero, zero, c.emit("Div", {x, c.emit("Where", {is_zero, c.b.scalar_like(y, 1), y})})})}};
}

ValueId floor_of(const Call& c, ValueId x) { return is_float(c.b.dtype(x)) ? c.emit("Floor", {x}) : x; }

// x - floor(x / y) * y, of the sign of y.
ValueId floor_mod(const Call& c, ValueId x, ValueId y) {
  if (!is_float(c.b.dtype(x))) return c.emit("Mod", {x, y});
  return c.emit("Sub", {x, c.emit("Mul", {c.emit("Floor", {c.emit("Div", {x, y})}), y})});
}

Flows floor_divide(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  if (is_float(c.b.dtype(x))) return {{floor_of(c, c.emit("Div", {x, y}))}};
  return {{c.emit("Div", {c.emit("Sub", {x, c.emit("Mod", {x, y})}), y})}};
}

Flows mod(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  return {{floor_mod(c, x, y)}};
}

Flows truncated_mod(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  return {{c.emit("Mod", {x, y}, attributes({{"fmod", int64_t(1)}}))}};
}

Flows not_equal(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  return {{c.emit("Not", {c.emit("Equal", {x, y})})}};
}

template <Text op>
Flows logical(Call& c) {
  const Operands o(c);
  const ValueId x = c.b.cast(o.tensor(0, kPointwiseX), DType::boolean), y = c.b.cast(o.tensor(1, kPointwiseY), DType::boolean);
  return {{c.emit(op.text, {x, y})}};
}

Flows logical_not(Call& c) { return {{c.emit("Not", {c.b.cast(Operands(c).tensor(0, "x"), DType::boolean)})}}; }

Flows squared_difference(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  const ValueId d = c.emit("Sub", {x, y});
  return {{c.emit("Mul", {d, d})}};
}

// Logarithms to base b: max + log(1 + b^-|x - y|).
ValueId logaddexp(Call& c, double ln_base) {
  const Operands o(c);
  auto [x, y] = o.pair(0, kPointwiseX, kPointwiseY);
  x = o.real(x), y = o.real(y);
  const auto scaled = [&](ValueId v, double by) { return by == 1 ? v : c.emit("Mul", {v, c.b.scalar_like(v, by)}); };
  const ValueId gap = scaled(c.emit("Neg", {c.emit("Abs", {c.emit("Sub", {x, y})})}), ln_base);
  const ValueId more = c.emit("Log", {c.emit("Add", {c.b.scalar_like(x, 1), c.emit("Exp", {gap})})});
  return c.emit("Add", {c.emit("Max", {x, y}), scaled(more, 1 / ln_base)});
}
Flows logaddexp(Call& c) { return {{logaddexp(c, 1)}}; }
Flows logaddexp2(Call& c) { return {{logaddexp(c, M_LN2)}}; }

// fmax and fmin: a number beats what is none.
template <Text op>
Flows extreme(Call& c) {
  const auto [x, y] = Operands(c).pair(0, kPointwiseX, kPointwiseY);
  const ValueId both = c.emit(op.text, {x, y});
  if (!is_float(c.b.dtype(x))) return {{both}};
  return {{c.emit("Where", {c.emit("IsNaN", {x}), y, c.emit("Where", {c.emit("IsNaN", {y}), x, both})})}};
}

Flows add_all(Call& c) {
  const Operands o(c);
  const std::vector<ValueId> all = o.promoted(o.tensors(0, "inputs"));
  return {{all.size() == 1 ? all[0] : c.emit("Sum", all)}};
}

// ---- functions of one number

ValueId x_of(Call& c) { return Operands(c).tensor(0, "x|input|features|tensor|a|variable|array"); }

// The same dtype for integers.
template <Text op>
Flows unary(Call& c) {
  return {{c.emit(op.text, {x_of(c)})}};
}

Flows absolute(Call& c) {
  const ValueId x = x_of(c);
  return {{c.b.dtype(x) == DType::boolean ? x : c.emit("Abs", {x})}};
}

template <Text op>
Flows real(Call& c) {
  return {{c.emit(op.text, {Operands(c).real(x_of(c))})}};
}

// Whole numbers are so already; keras.ops gives them as real ones.
template <Text op>
Flows rounding(Call& c) {
  const Operands o(c);
  const ValueId x = x_of(c);
  if (is_float(c.b.dtype(x))) return {{c.emit(op.text, {x})}};
  return {{c.layer.class_name.starts_with("ops.") ? o.real(x) : x}};
}

Flows round_decimals(Call& c) {
  const ValueId x = x_of(c);
  const int64_t decimals = Operands(c).integer("decimals", 0);
  if (!is_float(c.b.dtype(x))) return decimals < 0 ? c.unsupported("integers rounded to tens") : Flows{{x}};
  if (decimals == 0) return {{c.emit("Round", {x})}};
  const ValueId scale = c.b.scalar_like(x, std::pow(10.0, static_cast<double>(decimals)));
  return {{c.emit("Div", {c.emit("Round", {c.emit("Mul", {x, scale})}), scale})}};
}

ValueId truncated(Call& c, ValueId x) { return c.emit("Mul", {c.emit("Sign", {x}), c.emit("Floor", {c.emit("Abs", {x})})}); }
Flows trunc(Call& c) {
  const ValueId x = x_of(c);
  return {{is_float(c.b.dtype(x)) ? truncated(c, x) : x}};
}

// f(x) scaled: log2, log10.
Flows log_to(Call& c, double base) {
  const ValueId x = c.emit("Log", {Operands(c).real(x_of(c))});
  return {{c.emit("Div", {x, c.b.scalar_like(x, portable::log(base))})}};
}
Flows log2(Call& c) { return log_to(c, 2); }
Flows log10(Call& c) { return log_to(c, 10); }

Flows log1p(Call& c) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Log", {c.emit("Add", {x, c.b.scalar_like(x, 1)})})}};
}
Flows expm1(Call& c) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Sub", {c.emit("Exp", {x}), c.b.scalar_like(x, 1)})}};
}
Flows exp2(Call& c) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Pow", {c.b.scalar_like(x, 2), x})}};
}
Flows rsqrt(Call& c) {
  const ValueId x = c.emit("Sqrt", {Operands(c).real(x_of(c))});
  return {{c.emit("Div", {c.b.scalar_like(x, 1), x})}};
}
Flows reciprocal(Call& c) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Div", {c.b.scalar_like(x, 1), x})}};
}
Flows square(Call& c) {
  ValueId x = x_of(c);
  if (c.b.dtype(x) == DType::boolean) x = c.b.cast(x, DType::i32);
  return {{c.emit("Mul", {x, x})}};
}
Flows erfc(Call& c) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Sub", {c.b.scalar_like(x, 1), c.emit("Erf", {x})})}};
}
Flows scaled(Call& c, double factor) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Mul", {x, c.b.scalar_like(x, factor)})}};
}
Flows deg2rad(Call& c) { return scaled(c, M_PI / 180); }
Flows rad2deg(Call& c) { return scaled(c, 180 / M_PI); }

Flows is_nan(Call& c) { return {{c.emit("IsNaN", {Operands(c).real(x_of(c))})}}; }
Flows is_inf(Call& c) { return {{c.emit("IsInf", {Operands(c).real(x_of(c))})}}; }
Flows is_finite(Call& c) {
  const ValueId x = Operands(c).real(x_of(c));
  return {{c.emit("Not", {c.emit("Or", {c.emit("IsNaN", {x}), c.emit("IsInf", {x})})})}};
}

Flows nan_to_num(Call& c) {
  const Operands o(c);
  ValueId x = o.real(x_of(c));
  const double most = c.b.dtype(x) == DType::f64 ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  x = c.emit("Where", {c.emit("IsNaN", {x}), c.b.scalar_like(x, o.number("nan", 0)), x});
  const ValueId up = c.emit("IsInf", {x}, attributes({{"detect_negative", int64_t(0)}}));
  x = c.emit("Where", {up, c.b.scalar_like(x, o.number("posinf", most)), x});
  const ValueId down = c.emit("IsInf", {x}, attributes({{"detect_positive", int64_t(0)}}));
  return {{c.emit("Where", {down, c.b.scalar_like(x, o.number("neginf", -most)), x})}};
}

Flows clip(Call& c) {
  const Operands o(c);
  ValueId x = x_of(c);
  if (c.b.dtype(x) == DType::boolean) x = c.b.cast(x, DType::i32);
  const DType dtype = c.b.dtype(x);
  const Argument low = o.get(1, "x_min|clip_value_min|min_value"), high = o.get(2, "x_max|clip_value_max|max_value");
  const ValueId floor = low.is_none() ? kNone : o.tensor(low, dtype), ceiling = high.is_none() ? kNone : o.tensor(high, dtype);
  if (c.b.ok() && ((floor == kNone || c.b.rank(floor) == 0) && (ceiling == kNone || c.b.rank(ceiling) == 0))) {
    return {{c.emit("Clip", {x, floor, ceiling})}};
  }
  const ValueId above = floor == kNone ? x : c.emit("Max", {x, floor});
  return {{ceiling == kNone ? above : c.emit("Min", {above, ceiling})}};
}

Flows where(Call& c) {
  const Operands o(c);
  const ValueId condition = c.b.cast(o.tensor(0, "condition"), DType::boolean);
  if (o.get(1, "x1|x").is_none() && !c.args.positional.empty()) return find_layer("ops.Nonzero")->call(c);  // the places
  const auto [x, y] = o.pair(1, "x1|x", "x2|y");
  return {{c.emit("Where", {condition, x, y})}};
}

Flows identity(Call& c) { return {{x_of(c)}}; }

constexpr LayerRow kPointwiseRows[] = {
    {"ops.Add tf.math.add tf.__operators__.add tf.add", binary<"Add">},
    {"ops.Subtract tf.math.subtract tf.subtract", binary<"Sub">},
    {"ops.Multiply tf.math.multiply tf.multiply", binary<"Mul">},
    {"ops.Divide ops.TrueDivide tf.math.truediv tf.math.divide tf.divide tf.truediv tf.compat.v1.div tf.realdiv", divide},
    {"ops.DivideNoNan tf.math.divide_no_nan", divide_no_nan},
    {"ops.FloorDivide tf.math.floordiv tf.floordiv tf.compat.v1.floor_div", floor_divide},
    {"ops.Mod tf.math.floormod tf.math.mod tf.math.floor_mod tf.floormod", mod},
    {"ops.Fmod tf.math.truncatemod", truncated_mod},
    {"ops.Power tf.math.pow tf.pow", binary<"Pow">},
    {"ops.Maximum tf.math.maximum tf.maximum", binary<"Max">},
    {"ops.Minimum tf.math.minimum tf.minimum", binary<"Min">},
    {"ops.Fmax", extreme<"Max">},
    {"ops.Fmin", extreme<"Min">},
    {"ops.Equal tf.math.equal tf.equal tf.__operators__.eq", binary<"Equal">},
    {"ops.NotEqual tf.math.not_equal tf.not_equal tf.__operators__.ne", not_equal},
    {"ops.Greater tf.math.greater tf.greater", binary<"Greater">},
    {"ops.GreaterEqual tf.math.greater_equal tf.greater_equal", binary<"GreaterOrEqual">},
    {"ops.Less tf.math.less tf.less", binary<"Less">},
    {"ops.LessEqual tf.math.less_equal tf.less_equal", binary<"LessOrEqual">},
    {"ops.LogicalAnd tf.math.logical_and tf.logical_and", logical<"And">},
    {"ops.LogicalOr tf.math.logical_or tf.logical_or", logical<"Or">},
    {"ops.LogicalXor tf.math.logical_xor", logical<"Xor">},
    {"ops.LogicalNot tf.math.logical_not tf.logical_not", logical_not},
    {"ops.BitwiseAnd", binary<"BitwiseAnd">},
    {"ops.BitwiseOr", binary<"BitwiseOr">},
    {"ops.BitwiseXor", binary<"BitwiseXor">},
    {"ops.BitwiseInvert ops.BitwiseNot", unary<"BitwiseNot">},
    {"ops.Logaddexp", logaddexp},
    {"ops.Logaddexp2", logaddexp2},
    {"tf.math.squared_difference", squared_difference},
    {"tf.math.add_n tf.add_n tf.math.accumulate_n", add_all},
    {"ops.Absolute tf.math.abs tf.abs", absolute},
    {"ops.Fabs", real<"Abs">},
    {"ops.Negative tf.math.negative tf.negative", unary<"Neg">},
    {"ops.Sign tf.math.sign tf.sign", unary<"Sign">},
    {"ops.Square tf.math.square tf.square", square},
    {"ops.Exp tf.math.exp tf.exp", real<"Exp">},
    {"ops.Exp2", exp2},
    {"ops.Expm1 tf.math.expm1", expm1},
    {"ops.Log tf.math.log", real<"Log">},
    {"ops.Log1p tf.math.log1p", log1p},
    {"ops.Log2", log2},
    {"ops.Log10", log10},
    {"ops.Sqrt tf.math.sqrt tf.sqrt", real<"Sqrt">},
    {"ops.Rsqrt tf.math.rsqrt", rsqrt},
    {"ops.Reciprocal tf.math.reciprocal", reciprocal},
    {"ops.Sin tf.math.sin tf.sin", real<"Sin">},
    {"ops.Cos tf.math.cos tf.cos", real<"Cos">},
    {"ops.Tan tf.math.tan tf.tan", real<"Tan">},
    {"ops.Arcsin tf.math.asin tf.asin", real<"Asin">},
    {"ops.Arccos tf.math.acos tf.acos", real<"Acos">},
    {"ops.Arctan tf.math.atan tf.atan", real<"Atan">},
    {"ops.Sinh tf.math.sinh tf.sinh", real<"Sinh">},
    {"ops.Cosh tf.math.cosh tf.cosh", real<"Cosh">},
    {"ops.Arcsinh tf.math.asinh tf.asinh", real<"Asinh">},
    {"ops.Arccosh tf.math.acosh tf.acosh", real<"Acosh">},
    {"ops.Arctanh tf.math.atanh tf.atanh", real<"Atanh">},
    {"ops.Erf tf.math.erf", real<"Erf">},
    {"ops.Erfc tf.math.erfc", erfc},
    {"ops.Deg2rad", deg2rad},
    {"ops.Rad2deg", rad2deg},
    {"ops.Floor tf.math.floor tf.floor", rounding<"Floor">},
    {"ops.Ceil tf.math.ceil", rounding<"Ceil">},
    {"ops.Round tf.math.round tf.round tf.math.rint", round_decimals},
    {"ops.Trunc", trunc},
    {"ops.Isnan tf.math.is_nan", is_nan},
    {"ops.Isinf tf.math.is_inf", is_inf},
    {"ops.Isfinite tf.math.is_finite", is_finite},
    {"ops.NanToNum", nan_to_num},
    {"ops.Clip tf.clip_by_value", clip},
    {"ops.Where tf.where tf.compat.v1.where", where},
    {"ops.Copy ops.StopGradient ops.Real ops.Conjugate tf.math.real tf.math.conj tf.identity tf.stop_gradient tf.convert_to_tensor tf.ensure_shape",
     identity},
};

}  // namespace

std::span<const LayerRow> pointwise_operations() { return kPointwiseRows; }

}  // namespace tern::keras
