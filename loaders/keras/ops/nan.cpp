// Reductions that leave out what is no number, and quantiles. See ops.h. Next: shape.cpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/reduce.h"

namespace tern::keras {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

// Of integers nothing is left out.
ValueId is_nan(const Call& c, ValueId x) { return c.emit("IsNaN", {x}); }
ValueId without(const Call& c, ValueId x, double instead) { return c.emit("Where", {is_nan(c, x), number(c, x, instead), x}); }
ValueId count(const Call& c, const Reduction& r, bool keep) {
  return reduced(c, "ReduceSum", c.b.cast(c.emit("Not", {is_nan(c, r.x)}), c.b.dtype(r.x)), r.axes, keep);
}

Reduction real_reduction(const Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  r.x = o.real(r.x);
  return r;
}

// Integers keep their dtype, as all of them count.
template <Text op, int instead>
Flows sum(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  if (!is_float(c.b.dtype(r.x))) r.x = c.b.cast(r.x, DType::i32);
  else r.x = without(c, r.x, instead);
  return {{reduced(c, op.text, r.x, r.axes, r.keep)}};
}

ValueId mean_of(const Call& c, const Reduction& r, bool keep) {
  return c.emit("Div", {reduced(c, "ReduceSum", without(c, r.x, 0), r.axes, keep), count(c, r, keep)});
}
Flows mean(Call& c) {
  const Reduction r = real_reduction(c);
  return {{mean_of(c, r, r.keep)}};
}

ValueId variance(Call& c) {
  const Reduction r = real_reduction(c);
  const ValueId d = c.emit("Where", {is_nan(c, r.x), number(c, r.x, 0), c.emit("Sub", {r.x, mean_of(c, r, true)})});
  return c.emit("Div", {reduced(c, "ReduceSum", c.emit("Mul", {d, d}), r.axes, r.keep), count(c, r, r.keep)});
}
Flows nan_var(Call& c) { return {{variance(c)}}; }
Flows nan_std(Call& c) { return {{c.emit("Sqrt", {variance(c)})}}; }

// Nothing but NaN gives NaN.
template <Text op, bool largest>
Flows extreme(Call& c) {
  const Reduction r = reduction(Operands(c));
  if (!is_float(c.b.dtype(r.x))) return c.unsupported("this of integers");
  const ValueId y = reduced(c, op.text, without(c, r.x, largest ? -kInfinity : kInfinity), r.axes, r.keep);
  return {{c.emit("Where", {c.emit("Equal", {count(c, r, r.keep), number(c, y, 0)}), number(c, y, kNan), y})}};
}

// -1 where there is nothing but NaN.
template <Text op, bool largest>
Flows place(Call& c) {
  const Operands o(c);
  Reduction r = reduction(o);
  if (!is_float(c.b.dtype(r.x))) return c.unsupported("this of integers");
  const bool all = !o.has("axis");
  const ValueId none = c.emit("Equal", {count(c, r, r.keep), number(c, r.x, 0)});
  const int64_t axis = all ? 0 : r.axes.empty() ? 0 : r.axes[0];
  ValueId x = without(c, r.x, largest ? -kInfinity : kInfinity);
  if (all) x = c.b.reshape(x, {-1});
  ValueId y = c.emit(op.text, {x}, attributes({{"axis", axis}, {"keepdims", int64_t(r.keep && !all)}}));
  y = c.b.cast(y, DType::i32);
  if (all && r.keep) y = c.b.reshape(y, std::vector<Int>(static_cast<size_t>(c.b.rank(r.x)), Int(1)));
  return {{c.emit("Where", {none, c.b.scalar(DType::i32, -1), y})}};
}

template <Text op, int instead>
Flows so_far(Call& c) {
  const Operands o(c);
  ValueId x = without(c, o.real(o.tensor(0, "x")), 0);
  if (instead == 1) x = c.emit("Where", {is_nan(c, o.real(o.tensor(0, "x"))), number(c, x, 1), x});
  const Argument axis = o.get(1, "axis");
  if (axis.is_none()) x = c.b.reshape(x, {-1});
  return {{c.emit(op.text, {x, c.b.constant(Tensor::scalar(axis.is_none() ? int64_t(0) : axis.integer))})}};
}

// ---- quantiles

enum class Method : uint8_t { linear, lower, higher, nearest, midpoint };

std::optional<Method> method_of(const Operands& o) {
  const std::string name = o.text("method", "linear");
  constexpr const char* kNames[] = {"linear", "lower", "higher", "nearest", "midpoint"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<Method>(i);
  }
  o.c.unsupported("this method");
  return std::nullopt;
}

// The elements along r.axes side by side as the last axis, and the sizes of the others.
struct Rows {
  ValueId x = kNone;  // [others…, n], ascending, NaN as infinity
  std::vector<Int> others;
};
Rows rows_of(Call& c, const Reduction& r) {
  Rows rows;
  std::vector<int64_t> order;
  const std::vector<Int> sizes = sizes_of(c.b, r.x);
  for (int i = 0; i < c.b.rank(r.x); ++i) {
    if (std::find(r.axes.begin(), r.axes.end(), i) == r.axes.end()) order.push_back(i), rows.others.push_back(sizes[static_cast<size_t>(i)]);
  }
  order.insert(order.end(), r.axes.begin(), r.axes.end());
  std::vector<Int> flat = rows.others;
  Int n = 1;
  for (int64_t a : r.axes) n = c.b.mul(n, sizes[static_cast<size_t>(a)]);
  flat.push_back(n);
  const ValueId x = c.b.reshape(permute(c.b, without(c, r.x, kInfinity), order), flat);
  rows.x = c.b.emit("TopK", {x, c.b.ints(std::vector<Int>{n})}, attributes({{"axis", int64_t(-1)}, {"largest", int64_t(0)}}), 2)[0];
  return rows;
}

// One number of each row, at the share q of the `last` [others…, 1] f64 places: [others…, 1].
ValueId at_share(Call& c, ValueId sorted, ValueId last, double q, Method method) {
  const auto element = [&](ValueId place) {
    const ValueId inside = c.emit("Max", {c.emit("Min", {place, last}), number(c, place, 0)});
    return c.emit("GatherElements", {sorted, c.b.cast(inside, DType::i64)}, attributes({{"axis", int64_t(c.b.rank(sorted)) - 1}}));
  };
  const ValueId exact = c.emit("Mul", {last, number(c, last, q)}), below = c.emit("Floor", {exact}), above = c.emit("Ceil", {exact});
  if (method == Method::lower) return element(below);
  if (method == Method::higher) return element(above);
  if (method == Method::nearest) return element(c.emit("Round", {exact}));
  const ValueId low = element(below), high = element(above);
  const ValueId share = method == Method::midpoint ? number(c, low, 0.5) : c.b.cast(c.emit("Sub", {exact, below}), c.b.dtype(low));
  const ValueId rest = c.emit("Sub", {number(c, low, 1), share});
  return c.emit("Add", {c.emit("Mul", {low, rest}), c.emit("Mul", {high, share})});
}

// q: shares; a list of them gives an axis more, the first. NaN among the numbers: left out, or (nans false) not expected.
Flows quantiles(Call& c, const std::vector<double>& shares, bool list, Method method, bool nans) {
  const Reduction r = real_reduction(c);
  if (!c.b.ok() || r.axes.empty()) return c.b.ok() ? c.unsupported("a quantile of a scalar") : Flows();
  const Rows rows = rows_of(c, r);
  std::vector<Int> one = rows.others;
  one.emplace_back(1);
  Int n = c.b.size(rows.x, -1 + c.b.rank(rows.x));
  ValueId counts = c.b.reshape(count(c, r, false), one);
  if (!nans) counts = c.emit("Expand", {c.b.cast(c.b.scalar(n), c.b.dtype(counts)), c.b.ints(one)});
  const ValueId last = c.emit("Sub", {c.b.cast(counts, DType::f64), c.b.scalar(DType::f64, 1)});
  std::vector<Int> sizes = rows.others;
  if (r.keep) {
    sizes = sizes_of(c.b, r.x);
    for (int64_t a : r.axes) sizes[static_cast<size_t>(a)] = 1;
  }
  if (list) sizes.insert(sizes.begin(), Int(1));
  std::vector<ValueId> out;
  for (double q : shares) {
    ValueId y = at_share(c, rows.x, last, q, method);
    if (nans) y = c.emit("Where", {c.emit("Equal", {counts, number(c, counts, 0)}), number(c, y, kNan), y});
    out.push_back(c.b.reshape(y, sizes));
  }
  return {{list ? concat(c.b, out, 0) : out[0]}};
}

template <bool percent, bool nans>
Flows quantile(Call& c) {
  const Operands o(c);
  const Argument q = o.get(1, "q");
  const auto method = c.layer.class_name == "ops.Quantile" ? std::optional(Method::linear) : method_of(o);  // Keras drops that one's
  std::vector<double> shares;
  const bool list = q.is(Argument::Kind::list);
  for (const Argument& a : list ? q.items : std::vector<Argument>{q}) {
    if (!a.is_number()) return c.unsupported("a quantile that is computed");
    const auto share = static_cast<float>(a.real);  // Keras has them in f32
    shares.push_back(percent ? share / 100.0F : share);
  }
  if (!method || shares.empty() || shares.size() > 1024) return c.b.ok() ? c.invalid("it has no quantiles, or too many") : Flows();
  return quantiles(c, shares, list, *method, nans);
}

template <bool nans>
Flows median(Call& c) {
  return quantiles(c, {0.5}, false, Method::linear, nans);
}

constexpr LayerRow kNanRows[] = {
    {"ops.Nansum", sum<"ReduceSum", 0>},
    {"ops.Nanprod", sum<"ReduceProd", 1>},
    {"ops.Nanmean", mean},
    {"ops.Nanvar", nan_var},
    {"ops.Nanstd", nan_std},
    {"ops.Nanmax", extreme<"ReduceMax", true>},
    {"ops.Nanmin", extreme<"ReduceMin", false>},
    {"ops.Nanargmax", place<"ArgMax", true>},
    {"ops.Nanargmin", place<"ArgMin", false>},
    {"ops.Nancumsum", so_far<"CumSum", 0>},
    {"ops.Nancumprod", so_far<"CumProd", 1>},
    {"ops.Median", median<false>},
    {"ops.Nanmedian", median<true>},
    {"ops.Quantile", quantile<false, false>},
    {"ops.Nanquantile", quantile<false, true>},
    {"ops.Percentile", quantile<true, false>},
    {"ops.Nanpercentile", quantile<true, true>},
};

}  // namespace

std::span<const LayerRow> nan_operations() { return kNanRows; }

}  // namespace tern::keras
