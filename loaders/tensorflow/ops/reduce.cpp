// Reductions, places of extremes, running sums. See operator.h. Next: shape.cpp.
#include "loaders/tensorflow/ops/complex.h"
#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {
namespace {

using channels_last::Channels;
using channels_last::Pool;

// Over exactly the axes between the first and the last: a global pool of Keras.
bool is_global_pool(GraphBuilder& b, ValueId x, const std::vector<int64_t>& axes) {
  const int rank = b.rank(x);
  if (rank < 3 || rank > 5 || axes.size() != static_cast<size_t>(rank - 2) || !is_float(b.dtype(x))) return false;
  return axes.front() == 1 && axes.back() == rank - 2;
}

// Comparisons have no kernels for bools and 16-bit integers: those are compared as i32.
ValueId comparable(GraphBuilder& b, ValueId x) {
  const DType t = b.dtype(x);
  return t == DType::boolean || t == DType::i16 || t == DType::u16 ? b.cast(x, DType::i32) : x;
}

ValueId fold(Call& c, const char* op, ValueId x) {
  const std::vector<int64_t> axes = axes_input(c, 1, c.b.rank(x));
  if (!c.b.ok()) return kNone;
  if (axes.empty()) return x;  // every element is its own sum
  return reduced(c.b, op, x, axes, c.boolean("keep_dims", false));
}

Values sum(Call& c) { return {fold(c, "ReduceSum", c.tensor(0))}; }
Values product(Call& c) { return {fold(c, "ReduceProd", c.tensor(0))}; }

template <Pool Kind>
ValueId global_or(Call& c, const char* op) {
  const ValueId x = c.tensor(0);
  const std::vector<int64_t> axes = axes_input(c, 1, c.b.rank(x));
  if (c.b.ok() && is_global_pool(c.b, x, axes)) return channels_last::global_pool(c.b, x, Kind, Channels::last, c.boolean("keep_dims", false));
  return fold(c, op, x);
}

Values mean(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (is_float(b.dtype(x))) return {global_or<Pool::average>(c, "ReduceMean")};
  const std::vector<int64_t> axes = axes_input(c, 1, b.rank(x));  // of integers: the sum, divided without the rest
  Int n = 1;
  for (int64_t axis : axes) n = b.mul(n, b.size(x, static_cast<int>(axis)));
  if (axes.empty()) return {x};
  return {b.emit("Div", {fold(c, "ReduceSum", x), b.cast(b.scalar(n), b.dtype(x))})};
}

Values maximum(Call& c) {
  const ValueId x = c.tensor(0);
  if (is_float(c.b.dtype(x))) return {global_or<Pool::max>(c, "ReduceMax")};
  return {c.b.cast(fold(c, "ReduceMax", comparable(c.b, x)), c.b.dtype(x))};
}

Values minimum(Call& c) { return {c.b.cast(fold(c, "ReduceMin", comparable(c.b, c.tensor(0))), c.b.dtype(c.tensor(0)))}; }

// Of nothing the extremes are those of i32.
template <OpName Op>
Values logical(Call& c) {
  return {with(c.b, "Greater", fold(c, Op.text, c.b.cast(c.tensor(0), DType::i32)), 0)};
}

Values euclidean(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (is_float(b.dtype(x))) {
    const std::vector<int64_t> axes = axes_input(c, 1, b.rank(x));
    return {axes.empty() && b.ok() ? b.emit("Abs", {x}) : fold(c, "ReduceL2", x)};
  }
  const ValueId sums = fold(c, "ReduceSum", square(b, x));
  return {b.cast(b.emit("Sqrt", {b.cast(sums, DType::f64)}), b.dtype(x))};
}

template <OpName Op>
Values place(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = comparable(b, c.tensor(0));
  const int64_t axis = axis_input(c, 1, b.rank(x));
  return {b.cast(b.emit(Op.text, {x}, attributes({{"axis", axis}, {"keepdims", int64_t(0)}})), c.dtype("output_type", DType::i64))};
}

template <OpName Op>
Values running(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int64_t axis = axis_input(c, 1, b.rank(x));
  const Attributes attrs = attributes({{"exclusive", int64_t(c.boolean("exclusive", false))}, {"reverse", int64_t(c.boolean("reverse", false))}});
  return {b.emit(Op.text, {x, b.scalar(Int(axis))}, attrs)};
}

// log of the running sum of exp: relative to the largest of all along the axis, summed in f64, so that what lies 700 below it is still there.
Values running_log_sum(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int64_t axis = axis_input(c, 1, b.rank(x));
  if (!b.ok()) return {};
  const Attributes attrs = attributes({{"exclusive", int64_t(c.boolean("exclusive", false))}, {"reverse", int64_t(c.boolean("reverse", false))}});
  return {in_dtype(b, x, DType::f64, [&](ValueId v) {
    ValueId top = reduced(b, "ReduceMax", v, {axis}, true);
    top = select(b, b.emit("IsInf", {top}), b.scalar_like(top, 0), top);
    const ValueId sums = b.emit("CumSum", {b.emit("Exp", {b.emit("Sub", {v, top})}), b.scalar(Int(axis))}, attrs);
    return b.emit("Add", {b.emit("Log", {sums}), top});
  })};
}

constexpr Operator kReduceRows[] = {
    {"Sum", nullptr, each_part<sum>},
    {"Mean", nullptr, each_part<mean>},
    {"Max", nullptr, maximum},
    {"Min", nullptr, minimum},
    {"Prod", nullptr, product},
    {"All", nullptr, logical<"ReduceMin">},
    {"Any", nullptr, logical<"ReduceMax">},
    {"EuclideanNorm", nullptr, euclidean},
    {"ArgMax", nullptr, place<"ArgMax">},
    {"ArgMin", nullptr, place<"ArgMin">},
    {"Cumsum", nullptr, running<"CumSum">},
    {"Cumprod", nullptr, running<"CumProd">},
    {"CumulativeLogsumexp", nullptr, running_log_sum},
};

}  // namespace

std::span<const Operator> reduce_operators() { return kReduceRows; }

}  // namespace tern::tensorflow
