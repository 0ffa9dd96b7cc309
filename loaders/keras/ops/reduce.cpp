// Along axes: sums, means, variances, norms, places of the largest, sums so far. See ops.h. Next: shape.cpp.
#include <cmath>

#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr const char *kX = "x|input|input_tensor|a|tensor|value|values", *kAxis = "axis|dim|axes", *kKeep = "keepdims|keep_dims";

struct Reduction {
  ValueId x;
  std::vector<int64_t> axes;
  bool keep;
};

// TensorFlow's functions have the axis second; of keras.ops it lies in the config.
Reduction reduction(const Operands& o) {
  const ValueId x = o.tensor(0, kX);
  return {x, o.axes(kAxis, o.b.rank(x), 1), o.flag(kKeep, false)};
}

ValueId reduced(const Call& c, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keep) {
  if (axes.empty()) return x;  // of a scalar
  return c.emit(op, {x, c.b.ints(axes)}, attributes({{"keepdims", int64_t(keep)}}));
}
ValueId reduced(const Call& c, const char* op, const Reduction& r) { return reduced(c, op, r.x, r.axes, r.keep); }

template <Text op>
Flows fold(Call& c) {
  Reduction r = reduction(Operands(c));
  if (c.b.dtype(r.x) == DType::boolean) r.x = c.b.cast(r.x, DType::i32);
  return {{reduced(c, op.text, r)}};
}

template <Text op>
Flows real_fold(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
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
  r.x = c.b.cast(c.b.cast(r.x, DType::boolean), DType::i32);
  return {{reduced(c, "ReduceSum", r)}};
}

// numpy's average: weighted by a tensor of the same shape.
Flows average(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  const Argument weights = o.get(kNamed, "weights");
  if (weights.is_none() || !c.b.ok()) return real_fold<"ReduceMean">(c);
  const ValueId w = o.tensor(weights, c.b.dtype(r.x));
  if (c.b.rank(w) != c.b.rank(r.x)) return c.unsupported("average with weights of another shape");
  const ValueId sum = reduced(c, "ReduceSum", c.emit("Mul", {r.x, w}), r.axes, r.keep);
  return {{c.emit("Div", {sum, reduced(c, "ReduceSum", w, r.axes, r.keep)})}};
}

// Keras gives i32, tf.argmax i64 unless told.
template <Text op>
Flows arg(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kX);
  const Argument axis = o.get(1, kAxis);
  const bool tf = c.layer.class_name.starts_with("tf.");
  if (axis.is_none() && !tf) x = c.b.reshape(x, {-1});
  const int a = axis.is_none() ? 0 : c.axis(axis.integer, c.b.rank(x));
  const ValueId y = c.emit(op.text, {x}, attributes({{"axis", int64_t(a)}, {"keepdims", int64_t(o.flag(kKeep, false))}}));
  return {{c.b.cast(y, tf ? o.dtype("output_type", DType::i64) : DType::i32)}};
}

template <Text op>
Flows so_far(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kX);
  const Argument axis = o.get(1, kAxis);
  if (axis.is_none() && c.layer.class_name.starts_with("ops.")) x = c.b.reshape(x, {-1});
  x = c.b.cast(x, o.dtype("dtype", c.b.dtype(x)));
  const int64_t a = axis.is_none() ? 0 : axis.integer;
  return {{c.emit(op.text, {x, c.b.constant(Tensor::scalar(a))},
                  attributes({{"exclusive", int64_t(o.flag("exclusive", false))}, {"reverse", int64_t(o.flag("reverse", false))}}))}};
}

// The p-norm, p 2 unless told. Of matrices none but Frobenius'.
Flows norm(Call& c) {
  const Operands o(c);
  Reduction r{o.real(o.tensor(0, kX)), {}, o.flag(kKeep, false)};
  r.axes = o.axes("axis", c.b.rank(r.x));
  const Argument ord = o.get(kNamed, "ord|order");
  if (ord.is_none() || (ord.is(Argument::Kind::text) && (ord.text == "euclidean" || ord.text == "fro"))) return {{reduced(c, "ReduceL2", r)}};
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
  const ValueId x = o.real(o.tensor(0, kX));
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
  const ValueId x = o.tensor(0, kX);
  const auto out = c.b.emit("TopK", {x, c.b.ints({o.integer("k", 1, 1)})}, attributes({{"axis", int64_t(-1)}}), 2);
  return {{out[0]}, {c.b.cast(out[1], DType::i32)}};
}

// All of an axis in order; TopK is the operator that sorts.
std::vector<ValueId> sorted(Call& c, const Operands& o) {
  const ValueId x = o.tensor(0, kX);
  const int axis = c.axis(o.integer("axis", -1, 1), c.b.rank(x));
  const bool down = o.text("direction") == "DESCENDING";
  const Int n = c.b.size(x, axis);
  return c.b.emit("TopK", {x, c.b.ints(std::vector<Int>{n})}, attributes({{"axis", int64_t(axis)}, {"largest", int64_t(down)}}), 2);
}
Flows sort(Call& c) { return {{sorted(c, Operands(c))[0]}}; }
Flows argsort(Call& c) { return {{c.b.cast(sorted(c, Operands(c))[1], DType::i32)}}; }

constexpr LayerRow kRows[] = {
    {"ops.Sum tf.math.reduce_sum tf.reduce_sum", fold<"ReduceSum">},
    {"ops.Mean tf.math.reduce_mean tf.reduce_mean", real_fold<"ReduceMean">},
    {"ops.Average", average},
    {"ops.Max ops.Amax tf.math.reduce_max tf.reduce_max", fold<"ReduceMax">},
    {"ops.Min ops.Amin tf.math.reduce_min tf.reduce_min", fold<"ReduceMin">},
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
    {"ops.Argsort tf.argsort", argsort},
};

}  // namespace

std::span<const LayerRow> reduce_operations() { return kRows; }

}  // namespace tern::keras
