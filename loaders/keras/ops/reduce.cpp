// Along axes: sums, means, variances, norms, places of the largest, sums so far. See ops.h. Next: shape.cpp.
#include "loaders/keras/ops/reduce.h"

#include <cmath>

namespace tern::keras {

Reduction reduction(const Operands& o) {
  const ValueId x = o.tensor(0, "x|input|input_tensor|a|tensor|value|values");
  const size_t place = o.c.layer.class_name.starts_with("tf.") ? 1 : kNamed;
  return {x, o.axes("axis|dim|axes", o.b.rank(x), place), o.flag("keepdims|keep_dims", false)};
}

ValueId reduced(const Call& c, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keep) {
  if (axes.empty()) return x;  // of a scalar
  return c.emit(op, {x, c.b.ints(axes)}, attributes({{"keepdims", int64_t(keep)}}));
}

namespace {

constexpr const char *kReduceX = "x|input|input_tensor|a|tensor|value|values", *kAxis = "axis|dim|axes", *kKeep = "keepdims|keep_dims";

ValueId reduced(const Call& c, const char* op, const Reduction& r) { return reduced(c, op, r.x, r.axes, r.keep); }

// Bools are reduced as numbers: the largest is whether any is true.
ValueId of_numbers(const Call& c, const char* op, Reduction r) {
  if (c.b.dtype(r.x) != DType::boolean) return reduced(c, op, r);
  r.x = c.b.cast(r.x, DType::i32);
  return reduced(c, op, r);
}

// Of small integers keras.ops makes 32 bits.
template <Text op>
Flows fold(Call& c) {
  Reduction r = reduction(Operands(c));
  const DType dtype = c.b.dtype(r.x);
  if (c.layer.class_name.starts_with("ops.") && !is_float(dtype) && size_of(dtype) < 4 && dtype != DType::boolean)
    r.x = c.b.cast(r.x, is_signed_int(dtype) ? DType::i32 : DType::u32);
  return {{of_numbers(c, op.text, r)}};
}

// The largest or least; `initial` takes part.
template <Text op, Text of_two>
Flows extreme(Call& c) {
  const Operands o(c);
  const Reduction r = reduction(o);
  ValueId y = of_numbers(c, op.text, r);
  if (const Argument initial = o.get(kNamed, "initial"); !initial.is_none()) y = c.emit(of_two.text, {y, o.tensor(initial, c.b.dtype(y))});
  return {{c.b.cast(y, c.b.dtype(r.x))}};
}

// TensorFlow's: the sum, which may wrap, divided and cut off.
Flows integer_mean(Call& c, const Reduction& r) {
  Int count = 1;
  for (int64_t axis : r.axes) count = c.b.mul(count, c.b.size(r.x, static_cast<int>(axis)));
  return {{c.emit("Div", {reduced(c, "ReduceSum", r), c.b.cast(c.b.scalar(count), c.b.dtype(r.x))})}};
}

template <Text op>
Flows real_fold(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  if (c.layer.class_name.starts_with("tf.") && is_int(c.b.dtype(r.x))) return integer_mean(c, r);
  r.x = o.real(r.x);
  return {{reduced(c, op.text, r)}};
}

// any is the largest of bools, all the smallest.
template <Text op>
Flows of_bools(Call& c) {
  Reduction r = reduction(Operands(c));
  r.x = c.b.cast(r.x, DType::boolean);
  return {{reduced(c, op.text, r)}};
}

ValueId variance(const Call& c, Reduction r) {
  const ValueId d = c.emit("Sub", {r.x, reduced(c, "ReduceMean", r.x, r.axes, true)});
  r.x = c.emit("Mul", {d, d});
  return reduced(c, "ReduceMean", r);
}

Flows var(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  r.x = o.real(r.x);
  return {{variance(c, r)}};
}
Flows std_deviation(Call& c) { return {{c.emit("Sqrt", {var(c).at(0).value})}}; }

Flows moments(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  r.x = o.real(r.x);
  return {{reduced(c, "ReduceMean", r)}, {variance(c, r)}};
}

Flows ptp(Call& c) {
  const Reduction r = reduction(Operands(c));
  return {{c.emit("Sub", {reduced(c, "ReduceMax", r), reduced(c, "ReduceMin", r)})}};
}

Flows count_nonzero(Call& c) {
  Reduction r = reduction(Operands(c));
  const Operands o(c);
  r.x = c.b.cast(c.b.cast(r.x, DType::boolean), c.layer.class_name.starts_with("tf.") ? o.dtype("dtype", DType::i64) : DType::i32);
  return {{reduced(c, "ReduceSum", r)}};
}

// numpy's average: weighted by a tensor of the same shape.
Flows average(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  const Argument weights = o.get(kNamed, "weights");
  if (weights.is_none() || !c.b.ok()) return real_fold<"ReduceMean">(c);
  ValueId w = o.tensor(weights, c.b.dtype(r.x));
  if (c.b.rank(w) == 1 && r.axes.size() == 1) {  // a weight for each place of the axis
    std::vector<Int> along(static_cast<size_t>(c.b.rank(r.x)), Int(1));
    along[static_cast<size_t>(r.axes[0])] = -1;
    w = c.b.reshape(w, along);
  }
  if (c.b.rank(w) != c.b.rank(r.x)) return c.unsupported("average with weights of another shape");
  const ValueId sum = reduced(c, "ReduceSum", c.emit("Mul", {r.x, w}), r.axes, r.keep);
  return {{c.emit("Div", {sum, reduced(c, "ReduceSum", w, r.axes, r.keep)})}};
}

// Keras gives i32, tf.argmax i64 unless told.
template <Text op>
Flows arg(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kReduceX);
  const Argument axis = o.get(1, kAxis);
  const bool tf = c.layer.class_name.starts_with("tf.");
  if (axis.is_none() && !tf) x = c.b.reshape(x, {-1});
  const int a = axis.is_none() ? 0 : c.axis(axis.integer, c.b.rank(x));
  if (c.b.dtype(x) == DType::boolean) x = c.b.cast(x, DType::i32);
  const ValueId y = c.emit(op.text, {x}, attributes({{"axis", int64_t(a)}, {"keepdims", int64_t(o.flag(kKeep, false))}}));
  return {{c.b.cast(y, tf ? o.dtype("output_type", DType::i64) : DType::i32)}};
}

template <Text op>
Flows so_far(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kReduceX);
  const Argument axis = o.get(1, kAxis);
  if (axis.is_none() && c.layer.class_name.starts_with("ops.")) x = c.b.reshape(x, {-1});
  const DType dtype = o.dtype("dtype", c.b.dtype(x) == DType::boolean ? DType::i32 : c.b.dtype(x));
  x = c.b.cast(x, !is_float(dtype) && size_of(dtype) < 4 ? DType::i32 : dtype);  // sums wrap around in the end
  const int64_t a = axis.is_none() ? 0 : axis.integer;
  const ValueId y = c.emit(op.text, {x, c.b.constant(Tensor::scalar(a))},
                           attributes({{"exclusive", int64_t(o.flag("exclusive", false))}, {"reverse", int64_t(o.flag("reverse", false))}}));
  return {{c.b.cast(y, dtype)}};
}

// The largest, the least or the sum of the singular values.
Flows singular_norm(Call& c, const Reduction& r, const char* op) {
  const int rank = c.b.rank(r.x);
  std::vector<int64_t> order;
  for (int64_t d = 0; d < rank; ++d) {
    if (std::find(r.axes.begin(), r.axes.end(), d) == r.axes.end()) order.push_back(d);
  }
  order.insert(order.end(), r.axes.begin(), r.axes.end());
  const ValueId y = reduced(c, op, singular_values(c, c.emit("Transpose", {r.x}, attributes({{"perm", order}}))), {rank - 2}, false);
  return {{r.keep ? unsqueeze(c.b, y, r.axes) : y}};
}

// Of matrices, which two axes are: the largest or least sum of a column, or of a row, without signs.
Flows matrix_norm(Call& c, const Reduction& r, double order) {
  if (std::fabs(order) == 2) return singular_norm(c, r, order > 0 ? "ReduceMax" : "ReduceMin");
  const bool columns = std::fabs(order) == 1;
  if (!columns && !std::isinf(order)) return c.unsupported("this norm");
  const int64_t inner = r.axes[columns ? 0 : 1], outer = r.axes[columns ? 1 : 0];
  const ValueId sums = reduced(c, "ReduceL1", r.x, {inner}, true);
  const ValueId y = reduced(c, order > 0 ? "ReduceMax" : "ReduceMin", sums, {outer}, true);
  return {{r.keep ? y : squeeze(c.b, y, r.axes)}};
}

// The p-norm, p 2 unless told.
Flows norm(Call& c) {
  const Operands o(c);
  Reduction r{o.real(o.tensor(0, kReduceX)), {}, o.flag(kKeep, false)};
  r.axes = o.axes("axis", c.b.rank(r.x));
  const Argument ord = o.get(kNamed, "ord|order");
  if (ord.is_none() || (ord.is(Argument::Kind::text) && (ord.text == "euclidean" || ord.text == "fro"))) return {{reduced(c, "ReduceL2", r)}};
  if (ord.is(Argument::Kind::text) && ord.text == "nuc" && r.axes.size() == 2) return singular_norm(c, r, "ReduceSum");
  if (ord.is_number() && r.axes.size() == 2) return matrix_norm(c, r, ord.real);
  if (!ord.is_number() || r.axes.size() > 1) return c.unsupported("this norm");
  if (ord.real == 2) return {{reduced(c, "ReduceL2", r)}};
  if (ord.real == 1) return {{reduced(c, "ReduceL1", r)}};
  r.x = c.emit("Abs", {r.x});
  if (std::isinf(ord.real)) return {{reduced(c, ord.real > 0 ? "ReduceMax" : "ReduceMin", r)}};
  r.x = c.emit("Pow", {r.x, c.b.scalar_like(r.x, ord.real)});
  const ValueId sum = reduced(c, "ReduceSum", r);
  return {{c.emit("Pow", {sum, c.b.scalar_like(sum, 1 / ord.real)})}};
}

// keras.ops: x / max(norm, epsilon); tf: x * rsqrt(max(sum of squares, epsilon)).
Flows normalize(Call& c) {
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, kReduceX));
  const auto axes = o.axes("axis|dim", c.b.rank(x), 1);
  if (o.number("order", 2) != 2) return c.unsupported("normalize of another order than 2");
  const ValueId sum = reduced(c, "ReduceSum", c.emit("Mul", {x, x}), axes, true);
  const bool tf = c.layer.class_name.starts_with("tf.");
  const double epsilon = o.number("epsilon", tf ? 1e-12 : 1e-7);
  const ValueId least = c.emit("Max", {sum, c.b.scalar_like(sum, tf ? epsilon : epsilon * epsilon)});
  return {{c.emit("Div", {x, c.emit("Sqrt", {least})})}};
}

Flows top_k(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kReduceX);
  const auto out = c.b.emit("TopK", {x, c.b.ints({o.integer("k", 1, 1)})}, attributes({{"axis", int64_t(-1)}}), 2);
  return {{out[0]}, {c.b.cast(out[1], DType::i32)}};
}

// All of an axis in order; TopK is the operator that sorts.
std::vector<ValueId> sorted(Call& c, const Operands& o) {
  ValueId x = o.tensor(0, kReduceX);
  const bool flat = c.layer.class_name.starts_with("ops.") && !o.has("axis");
  if (flat) x = c.b.reshape(x, {-1});
  if (c.b.dtype(x) == DType::boolean) x = c.b.cast(x, DType::i32);
  const int axis = flat ? 0 : c.axis(o.integer("axis", -1, 1), c.b.rank(x));
  const bool down = o.text("direction") == "DESCENDING";
  const Int n = c.b.size(x, axis);
  return c.b.emit("TopK", {x, c.b.ints(std::vector<Int>{n})}, attributes({{"axis", int64_t(axis)}, {"largest", int64_t(down)}}), 2);
}
Flows sort(Call& c) {
  const Operands o(c);
  return {{c.b.cast(sorted(c, o)[0], c.b.dtype(o.tensor(0, kReduceX)))}};
}
Flows argsort(Call& c) { return {{c.b.cast(sorted(c, Operands(c))[1], DType::i32)}}; }

constexpr LayerRow kReduceRows[] = {
    {"ops.Sum tf.math.reduce_sum tf.reduce_sum", fold<"ReduceSum">},
    {"ops.Mean tf.math.reduce_mean tf.reduce_mean", real_fold<"ReduceMean">},
    {"ops.Average", average},
    {"ops.Max ops.Amax tf.math.reduce_max tf.reduce_max", extreme<"ReduceMax", "Max">},
    {"ops.Min ops.Amin tf.math.reduce_min tf.reduce_min", extreme<"ReduceMin", "Min">},
    {"ops.Prod tf.math.reduce_prod tf.reduce_prod", fold<"ReduceProd">},
    {"ops.Logsumexp tf.math.reduce_logsumexp tf.reduce_logsumexp", real_fold<"ReduceLogSumExp">},
    {"tf.math.reduce_euclidean_norm", real_fold<"ReduceL2">},
    {"ops.Any tf.math.reduce_any tf.reduce_any", of_bools<"ReduceMax">},
    {"ops.All tf.math.reduce_all tf.reduce_all", of_bools<"ReduceMin">},
    {"ops.Var tf.math.reduce_variance", var},
    {"ops.Std tf.math.reduce_std", std_deviation},
    {"ops.Moments tf.nn.moments", moments},
    {"ops.Ptp", ptp},
    {"ops.CountNonzero tf.math.count_nonzero", count_nonzero},
    {"ops.Argmax tf.math.argmax tf.argmax", arg<"ArgMax">},
    {"ops.Argmin tf.math.argmin tf.argmin", arg<"ArgMin">},
    {"ops.Cumsum tf.math.cumsum tf.cumsum", so_far<"CumSum">},
    {"ops.Cumprod tf.math.cumprod", so_far<"CumProd">},
    {"ops.Norm tf.norm tf.linalg.norm tf.compat.v1.norm", norm},
    {"ops.Normalize tf.math.l2_normalize tf.nn.l2_normalize tf.linalg.l2_normalize", normalize},
    {"ops.TopK tf.math.top_k tf.nn.top_k", top_k},
    {"ops.Sort tf.sort", sort},
    {"ops.Argsort ops.Argpartition tf.argsort", argsort},
};

}  // namespace

std::span<const LayerRow> reduce_operations() { return kReduceRows; }

}  // namespace tern::keras
