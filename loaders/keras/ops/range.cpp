// Rows and matrices made of few numbers: linspace, meshgrid, diagonals, products of vectors. See ops.h. Next: scatter.cpp.
#include <algorithm>
#include <cmath>

#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr const char* kRangeX = "x|x1|y";

std::pair<ValueId, ValueId> operands(Call& c, const char* first, const char* second) { return Operands(c).pair(0, first, second); }

// `num` numbers from start to stop along a new axis.
ValueId spread(Call& c, ValueId start, ValueId stop) {
  const Operands o(c);
  const int64_t n = o.integer("num", 50, 2);
  const bool endpoint = o.flag("endpoint", true);
  if (n < 1 || n > 1 << 20) return c.b.fail(invalid("its config: num is " + std::to_string(n)));
  if (o.flag("retstep", false) || (o.has("dtype") && !is_float(o.dtype("dtype", DType::f32))))
    return c.b.fail(unsupported("linspace of integers, or with its step, is not supported"));
  if (const DType dtype = o.dtype("dtype", DType::none); dtype != DType::none) start = c.b.cast(start, dtype), stop = c.b.cast(stop, dtype);
  const int rank = std::max(c.b.rank(start), c.b.rank(stop));
  const int axis = c.axis(o.integer("axis", 0), rank + 1);
  if (!c.b.ok()) return kNone;
  std::vector<double> shares;
  const double last = static_cast<double>(endpoint ? n - 1 : n);
  for (int64_t i = 0; i < n; ++i) shares.push_back(last == 0 ? 0 : static_cast<double>(i) / last);
  std::vector<Int> along(static_cast<size_t>(rank) + 1, Int(1));
  along[static_cast<size_t>(axis)] = n;
  const ValueId share = c.b.reshape(c.b.cast(c.b.constant(Tensor::of<double>({n}, shares)), c.b.dtype(start)), along);
  const ValueId reach = c.emit("Sub", {stop, start});
  const auto wide = [&](ValueId v) { return c.b.rank(v) == 0 ? v : unsqueeze(c.b, v, {axis}); };
  return c.emit("Add", {wide(start), c.emit("Mul", {wide(reach), share})});
}

ValueId spread(Call& c) {
  const Operands o(c);
  const auto [start, stop] = o.pair(0, "start", "stop");
  return spread(c, o.real(start), o.real(stop));
}
Flows linspace(Call& c) { return {{spread(c)}}; }
Flows logspace(Call& c) {
  const ValueId x = spread(c);
  return {{c.emit("Pow", {c.b.scalar_like(x, Operands(c).number("base", 10)), x})}};
}

// Powers of ten whose exponents lie equally far apart, with the sign of the first.
Flows geomspace(Call& c) {
  const Operands o(c);
  const auto [start, stop] = o.pair(0, "start", "stop");
  const auto exponent = [&](ValueId v) {
    const ValueId log = c.emit("Log", {c.emit("Abs", {o.real(v)})});
    return c.emit("Div", {log, c.b.scalar_like(log, M_LN10)});
  };
  const ValueId x = spread(c, exponent(start), exponent(stop));
  const ValueId y = c.emit("Pow", {c.b.scalar_like(x, 10), x}), sign = c.emit("Sign", {o.real(start)});
  const int axis = c.axis(o.integer("axis", 0), c.b.rank(y));
  return {{c.emit("Mul", {y, c.b.rank(sign) == 0 ? sign : unsqueeze(c.b, sign, {axis})})}};
}

// Each vector along an axis of its own, as large as all of them.
Flows meshgrid(Call& c) {
  const Operands o(c);
  Flows all;
  for (const Argument& a : c.args.positional) a.flatten(all);
  const size_t n = all.size();
  const bool xy = o.text("indexing", "xy") == "xy" && n > 1;
  if (n > kMaxRank) return c.unsupported("a grid of so many axes");
  std::vector<Int> sizes;
  for (const Flow& f : all) sizes.push_back(c.b.size(c.b.reshape(f.value, {-1}), 0));
  if (xy) std::swap(sizes[0], sizes[1]);
  Flows out;
  for (size_t i = 0; i < n && c.b.ok(); ++i) {
    std::vector<Int> along(n, Int(1));
    along[xy && i < 2 ? 1 - i : i] = -1;
    out.push_back({c.emit("Expand", {c.b.reshape(all[i].value, along), c.b.ints(sizes)})});
  }
  return out;
}

// A vector on diagonal k of a matrix of zeros.
ValueId on_diagonal(Call& c, ValueId v, int64_t k) {
  const int64_t n = c.known_size(v, 0), wide = n + std::abs(k);
  if (!c.b.ok()) return kNone;
  if (n > 4096 || std::abs(k) > 4096) return c.b.fail(unsupported("a diagonal of more than 4096 is not supported"));
  std::vector<int64_t> places(static_cast<size_t>(wide * wide), n);  // beyond the vector is a zero
  for (int64_t i = 0; i < n; ++i) places[static_cast<size_t>((i + std::max(-k, int64_t(0))) * wide + i + std::max(k, int64_t(0)))] = i;
  const ValueId padded = c.emit("Pad", {v, c.b.ints({0, 1})});
  return c.b.reshape(c.emit("Gather", {padded, c.b.ints(places)}), {Int(wide), Int(wide)});
}

// A matrix of a vector; of a matrix its diagonal.
Flows diag(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kRangeX);
  const int64_t k = o.integer("k", 0);
  if (c.b.rank(x) == 1) return {{on_diagonal(c, x, k)}};
  const int64_t rows = c.known_size(x, 0), columns = c.known_size(x, 1);
  if (c.b.rank(x) != 2 || rows > 4096 || columns > 4096) return c.unsupported("the diagonal of this");
  std::vector<int64_t> places;
  for (int64_t i = 0; i < rows; ++i) {
    if (i + k >= 0 && i + k < columns) places.push_back(i * columns + i + k);
  }
  return {{c.emit("Gather", {c.b.reshape(x, {-1}), c.b.ints(places)})}};
}
Flows diagflat(Call& c) {
  const Operands o(c);
  return {{on_diagonal(c, c.b.reshape(o.tensor(0, kRangeX), {-1}), o.integer("k", 0))}};
}

// Of three numbers each along an axis; two have 0 as the third.
Flows cross(Call& c) {
  const Operands o(c);
  auto [x, y] = operands(c, "x1", "x2");
  const bool one = o.has("axis");
  const auto last = [&](ValueId v, const char* name) {
    const int rank = c.b.rank(v), axis = c.axis(one ? o.integer("axis", -1) : o.integer(name, -1), rank);
    std::vector<int64_t> order;
    for (int i = 0; i < rank; ++i) {
      if (i != axis) order.push_back(i);
    }
    order.push_back(axis);
    return permute(c.b, v, order);
  };
  x = last(x, "axisa"), y = last(y, "axisb");
  const int64_t m = c.features(x), n = c.features(y);
  if (!c.b.ok() || m < 2 || m > 3 || n < 2 || n > 3) return c.b.ok() ? c.invalid("a cross product of other than two or three numbers") : Flows();
  const auto part = [&](ValueId v, int64_t size, int64_t i) { return i < size ? slice(c.b, v, c.b.rank(v) - 1, i, i + 1) : c.b.scalar_like(v, 0); };
  const auto component = [&, x = x, y = y](int64_t i, int64_t j) {
    return c.emit("Sub", {c.emit("Mul", {part(x, m, i), part(y, n, j)}), c.emit("Mul", {part(x, m, j), part(y, n, i)})});
  };
  if (m == 2 && n == 2) return {{squeeze(c.b, component(0, 1), {-1})}};
  const ValueId z = concat(c.b, {component(1, 2), component(2, 0), component(0, 1)}, -1);
  const int rank = c.b.rank(z), axis = c.axis(one ? o.integer("axis", -1) : o.integer("axisc", -1), rank);
  std::vector<int64_t> order;
  for (int i = 0; i < rank - 1; ++i) order.push_back(i);
  order.insert(order.begin() + axis, rank - 1);
  return {{permute(c.b, z, order)}};
}

Flows kron(Call& c) {
  const auto [x, y] = operands(c, "x1", "x2");
  const int rank = std::max(c.b.rank(x), c.b.rank(y));
  std::vector<Int> of_x, of_y, made;
  for (int i = 0; i < rank && c.b.ok(); ++i) {
    const int at = i - rank + c.b.rank(x), bt = i - rank + c.b.rank(y);
    const Int n = at < 0 ? Int(1) : c.b.size(x, at), m = bt < 0 ? Int(1) : c.b.size(y, bt);
    of_x.insert(of_x.end(), {n, Int(1)});
    of_y.insert(of_y.end(), {Int(1), m});
    made.push_back(c.b.mul(n, m));
  }
  if (2 * rank > kMaxRank) return c.unsupported("a product of so many axes");
  return {{c.b.reshape(c.emit("Mul", {c.b.reshape(x, of_x), c.b.reshape(y, of_y)}), made)}};
}

// Of rows of numbers: covariances over the deviations of both.
Flows corrcoef(Call& c) {
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, kRangeX));
  if (c.b.rank(x) != 2) return c.unsupported("corrcoef of other than a matrix");
  const auto over = [&](const char* op, ValueId v) { return c.emit(op, {v, c.b.ints({1})}, attributes({{"keepdims", int64_t(1)}})); };
  const ValueId d = c.emit("Sub", {x, over("ReduceMean", x)}), deviation = c.emit("Sqrt", {over("ReduceSumSquare", d)});
  const auto turned = [&](ValueId v) { return permute(c.b, v, {1, 0}); };
  const ValueId y = c.emit("Div", {c.emit("MatMul", {d, turned(d)}), c.emit("Mul", {deviation, turned(deviation)})});
  return {{c.emit("Clip", {y, c.b.scalar_like(y, -1), c.b.scalar_like(y, 1)})}};
}

// sum of x[i + n] y[n] for all i where they meet.
Flows correlate(Call& c) {
  const Operands o(c);
  auto [x, y] = operands(c, "x1", "x2");
  x = o.real(x), y = o.real(y);
  const int64_t n = c.known_size(x, 0), m = c.known_size(y, 0);
  const std::string mode = o.text("mode", "valid");
  if (!c.b.ok()) return {};
  const int64_t all = mode == "valid" ? 0 : m - 1;
  if (mode != "valid" && mode != "same" && mode != "full") return c.unsupported("this mode");
  const ValueId wide = c.b.reshape(x, {Int(1), Int(1), Int(n)}), kernel = c.b.reshape(y, {Int(1), Int(1), Int(m)});
  ValueId z = c.b.reshape(c.emit("Conv", {wide, kernel}, attributes({{"pads", std::vector<int64_t>{all, all}}})), {-1});
  const int64_t full = n + m - 1, out = std::max(n, m), first = (full - out) / 2;
  if (mode == "same") z = slice(c.b, z, 0, first, first + out);
  return {{z}};
}

// Areas under y, whose points lie dx apart, or at x.
Flows trapezoid(Call& c) {
  const Operands o(c);
  const ValueId y = o.real(o.tensor(0, "y"));
  const int axis = c.axis(o.integer("axis", -1), c.b.rank(y));
  const auto sides = [&](ValueId v, int a, const char* op) { return c.emit(op, {slice(c.b, v, a, 1, INT64_MAX), slice(c.b, v, a, 0, -1)}); };
  ValueId height = with(c, "Mul", sides(y, axis, "Add"), 0.5);
  if (const Argument at = o.get(1, "x"); at.is_none()) {
    height = with(c, "Mul", height, o.number("dx", 1));
  } else {
    const ValueId x = o.tensor(at, c.b.dtype(y));
    if (c.b.rank(x) != 1 || axis != c.b.rank(y) - 1) return c.unsupported("points other than one row for the last axis");
    height = c.emit("Mul", {height, sides(x, 0, "Sub")});
  }
  return {{c.emit("ReduceSum", {height, c.b.ints({axis})}, attributes({{"keepdims", int64_t(0)}}))}};
}

// Powers of each number: from N - 1 down to 0, or up.
Flows vander(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kRangeX);
  const int64_t n = o.has("N") ? o.integer("N", 0) : c.known_size(x, 0);
  if (!c.b.ok() || n < 1 || n > 4096) return c.b.ok() ? c.unsupported("so many powers") : Flows();
  std::vector<float> powers;
  for (int64_t i = 0; i < n; ++i) powers.push_back(static_cast<float>(o.flag("increasing", false) ? i : n - 1 - i));
  const ValueId wide = unsqueeze(c.b, o.real(x), {c.b.rank(x)});
  const ValueId exponent = c.b.cast(c.b.constant(Tensor::of<float>({n}, powers)), c.b.dtype(wide));
  return {{c.b.cast(c.emit("Pow", {wide, exponent}), c.b.dtype(x))}};
}

Flows unravel(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, "indices|x");
  std::vector<int64_t> shape = o.ints("shape");
  if (c.b.rank(x) != 1) std::reverse(shape.begin(), shape.end());  // as Keras has it
  Flows out;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] < 1) return c.invalid("its config: shape has a size less than 1");
    const ValueId n = c.b.scalar_like(x, static_cast<double>(shape[i])), rest = c.emit("Mod", {x, n});
    out.insert(out.begin(), {rest});
    x = c.emit("Div", {c.emit("Sub", {x, rest}), n});
  }
  return out;
}

// The choice of the first condition that holds.
Flows select(Call& c) {
  const Operands o(c);
  const Argument conditions = o.get(0, "condlist"), choices = o.get(1, "choicelist"), otherwise = o.get(2, "default");
  if (!conditions.is(Argument::Kind::list) || !choices.is(Argument::Kind::list) || conditions.items.size() != choices.items.size())
    return c.invalid("it has other conditions than choices");
  std::vector<Argument> all = choices.items;
  if (!otherwise.is_none()) all.push_back(otherwise);
  const DType dtype = o.common(all);
  ValueId y = otherwise.is_none() ? c.b.scalar(dtype, 0) : o.tensor(otherwise, dtype);
  for (size_t i = conditions.items.size(); i-- > 0;) {
    y = c.emit("Where", {c.b.cast(o.tensor(conditions.items[i]), DType::boolean), o.tensor(choices.items[i], dtype), y});
  }
  return {{y}};
}

constexpr LayerRow kRangeRows[] = {
    {"ops.Linspace tf.linspace", linspace},
    {"ops.Logspace", logspace},
    {"ops.Geomspace", geomspace},
    {"ops.Meshgrid", meshgrid},
    {"ops.Diag", diag},
    {"ops.Diagflat", diagflat},
    {"ops.Cross", cross},
    {"ops.Kron", kron},
    {"ops.Corrcoef", corrcoef},
    {"ops.Correlate", correlate},
    {"ops.Trapezoid", trapezoid},
    {"ops.Vander", vander},
    {"ops.UnravelIndex", unravel},
    {"ops.Select", select},
};

}  // namespace

std::span<const LayerRow> range_operations() { return kRangeRows; }

}  // namespace tern::keras
