// Further functions of one and two numbers, made of several nodes each. See ops.h. Next: reduce.cpp.
#include <cmath>

#include "loaders/keras/ops/ops.h"
#include "runtime/graph_scan.h"

namespace tern::keras {
namespace {

constexpr const char *kFunctionsX = "x1|x|y|a", *kFunctionsY = "x2|y|x|b";

std::pair<ValueId, ValueId> reals(Call& c) {
  const Operands o(c);
  const auto [x, y] = o.pair(0, kFunctionsX, kFunctionsY);
  return {o.real(x), o.real(y)};
}

ValueId real_x(Call& c) {
  const Operands o(c);
  return o.real(o.tensor(0, "x|array|input"));
}

// The angle of the point (x, y): atan(y / x), moved by pi where x is negative; 0 / 0 is 0.
Flows arctan2(Call& c) {
  const auto [y, x] = reals(c);
  const ValueId zero = c.b.scalar_like(x, 0), angle = c.emit("Atan", {c.emit("Div", {y, x})});
  const ValueId up = c.emit("GreaterOrEqual", {y, zero}), left = c.emit("Less", {x, zero});
  const ValueId turn = c.emit("Where", {up, c.b.scalar_like(x, M_PI), c.b.scalar_like(x, -M_PI)});
  const ValueId moved = c.emit("Where", {left, c.emit("Add", {angle, turn}), angle});
  const ValueId origin = c.emit("And", {c.emit("Equal", {x, zero}), c.emit("Equal", {y, zero})});
  return {{c.emit("Where", {origin, c.b.scalar_like(x, 0), moved})}};
}

// sqrt(x^2 + y^2) = m sqrt(1 + (n / m)^2) of the larger m, which does not overflow.
Flows hypot(Call& c) {
  const auto [x, y] = reals(c);
  const ValueId a = c.emit("Abs", {x}), b = c.emit("Abs", {y}), most = c.emit("Max", {a, b}), least = c.emit("Min", {a, b});
  const ValueId zero = c.emit("Equal", {most, c.b.scalar_like(most, 0)});
  const ValueId ratio = c.emit("Div", {least, c.emit("Where", {zero, c.b.scalar_like(most, 1), most})});
  const ValueId root = c.emit("Sqrt", {c.emit("Add", {c.b.scalar_like(most, 1), c.emit("Mul", {ratio, ratio})})});
  return {{c.emit("Mul", {most, root})}};
}

Flows heaviside(Call& c) {
  const auto [x, at_zero] = reals(c);
  const ValueId zero = c.b.scalar_like(x, 0), one = c.b.scalar_like(x, 1);
  const ValueId step = c.emit("Where", {c.emit("Greater", {x, zero}), one, zero});
  return {{c.emit("Where", {c.emit("Equal", {x, zero}), at_zero, step})}};
}

ValueId close(Call& c) {
  const Operands o(c);
  const auto [x, y] = reals(c);
  const ValueId gap = c.emit("Abs", {c.emit("Sub", {x, y})});
  const ValueId scaled = c.emit("Mul", {c.emit("Abs", {y}), c.b.scalar_like(y, o.number("rtol", 1e-5, 2))});
  const ValueId within = c.emit("LessOrEqual", {gap, c.emit("Add", {scaled, c.b.scalar_like(y, o.number("atol", 1e-8, 3))})});
  if (o.flag("equal_nan", false)) {
    return c.emit("Or", {within, c.emit("And", {c.emit("IsNaN", {x}), c.emit("IsNaN", {y})})});
  }
  return c.emit("Or", {within, c.emit("Equal", {x, y})});
}
Flows is_close(Call& c) { return {{close(c)}}; }
Flows all_close(Call& c) { return {{c.emit("ReduceMin", {c.b.reshape(close(c), {-1}), c.b.ints({0})}, attributes({{"keepdims", int64_t(0)}}))}}; }

Flows cbrt(Call& c) {
  const ValueId x = real_x(c);
  return {{c.emit("Mul", {c.emit("Sign", {x}), c.emit("Pow", {c.emit("Abs", {x}), c.b.scalar_like(x, 1.0 / 3)})})}};
}

Flows sinc(Call& c) {  // sin(pi x) / (pi x), 1 at 0
  const ValueId x = c.emit("Mul", {real_x(c), c.b.scalar_like(real_x(c), M_PI)});
  const ValueId zero = c.emit("Equal", {x, c.b.scalar_like(x, 0)}), one = c.b.scalar_like(x, 1);
  return {{c.emit("Where", {zero, one, c.emit("Div", {c.emit("Sin", {x}), c.emit("Where", {zero, one, x})})})}};
}

template <bool positive>
Flows is_signed_inf(Call& c) {
  return {{c.emit("IsInf", {real_x(c)}, attributes({{positive ? "detect_negative" : "detect_positive", int64_t(0)}}))}};
}

// Below zero, or -0, whose reciprocal is -infinity.
Flows signbit(Call& c) {
  const ValueId x = real_x(c), zero = c.b.scalar_like(x, 0);
  const ValueId turned = c.emit("Less", {c.emit("Div", {c.b.scalar_like(x, 1), x}), zero});
  return {{c.emit("Or", {c.emit("Less", {x, zero}), c.emit("And", {c.emit("Equal", {x, zero}), turned})})}};
}

// Euclid's algorithm on integers of one shape, as many steps as Fibonacci's numbers take to leave the dtype: 46 of 32 bits, 92 of 64.
ValueId greatest_divisor(const Call& c, ValueId x, ValueId y) {
  const std::vector<int32_t> steps(c.b.dtype(x) == DType::i64 || c.b.dtype(x) == DType::u64 ? 92 : 46, 0);
  const ScanInputs in{.carried = {x, y}, .sequences = {c.b.constant(Tensor::of<int32_t>({static_cast<int64_t>(steps.size())}, steps))}, .axis = 0};
  const auto out = scan(c.b, in, [](GraphBuilder& b, const auto& pair, const auto&, const auto&) {
    const ValueId done = b.emit("Equal", {pair[1], b.scalar_like(pair[1], 0)});
    const ValueId by = b.emit("Where", {done, b.scalar_like(pair[1], 1), pair[1]});
    const ValueId rest = b.emit("Where", {done, pair[1], b.emit("Mod", {pair[0], by})});
    return std::vector<ValueId>{b.emit("Where", {done, pair[0], pair[1]}), rest};
  });
  return out.empty() ? kNone : out[0];
}

// |x y| / gcd(x, y), or the divisor itself.
template <bool multiple>
Flows divisor(Call& c) {
  auto [x, y] = Operands(c).pair(0, kFunctionsX, kFunctionsY);
  if (!is_int(c.b.dtype(x)) || size_of(c.b.dtype(x)) < 4) return c.unsupported("this of other than integers of 32 or 64 bits");
  const ValueId zero = c.emit("Sub", {c.emit("Add", {x, y}), c.emit("Add", {x, y})});  // of the shape that both fit
  x = c.emit("Abs", {c.emit("Add", {x, zero})}), y = c.emit("Abs", {c.emit("Add", {y, zero})});
  const ValueId greatest = greatest_divisor(c, x, y);
  if (!multiple) return {{greatest}};
  const ValueId none = c.emit("Equal", {greatest, c.b.scalar_like(x, 0)});
  return {{c.emit("Mul", {c.emit("Div", {x, c.emit("Where", {none, c.b.scalar_like(x, 1), greatest})}), y})}};
}

// Of real numbers: 0, or pi below zero.
Flows angle(Call& c) {
  const ValueId x = real_x(c), zero = c.b.scalar_like(x, 0);
  return {{c.emit("Where", {c.emit("Less", {x, zero}), c.b.scalar_like(x, M_PI), zero})}};
}

Flows filled(Call& c, DType dtype, double value) {
  const ValueId x = Operands(c).tensor(0, "x");
  return {{c.emit("Expand", {c.b.scalar(dtype == DType::none ? c.b.dtype(x) : dtype, value), c.emit("Shape", {x})})}};
}
Flows imaginary(Call& c) { return filled(c, DType::none, 0); }
Flows is_real(Call& c) { return filled(c, DType::boolean, 1); }
Flows empty(Call& c) { return filled(c, Operands(c).dtype("dtype", DType::none), 0); }

Flows ldexp(Call& c) {  // x 2^n
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, "x1")), n = o.tensor(o.get(1, "x2"), c.b.dtype(x));
  const ValueId y = c.emit("Mul", {x, c.emit("Pow", {c.b.scalar_like(x, 2), n})});
  const ValueId as_is = c.emit("Or", {c.emit("IsInf", {x}), c.emit("Equal", {x, c.b.scalar_like(x, 0)})});
  return {{c.emit("Where", {as_is, x, y})}};
}

// Distances of all rows of x [..., n, k] from all of y [..., m, k].
Flows distances(Call& c) {
  const auto [x, y] = reals(c);
  const ValueId d = c.emit("Sub", {unsqueeze(c.b, x, {-2}), unsqueeze(c.b, y, {-3})});
  return {{c.emit("ReduceL2", {d, c.b.ints({-1})}, attributes({{"keepdims", int64_t(0)}}))}};
}

// x[i + 1] - x[i], n times.
Flows diff(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, "a|x");
  const int axis = c.axis(o.integer("axis", -1), c.b.rank(x));
  const int64_t n = o.integer("n", 1);
  if (n < 0 || n > 64) return c.invalid("diff " + std::to_string(n) + " times");
  for (int64_t i = 0; i < n; ++i) x = c.emit("Sub", {slice(c.b, x, axis, 1, INT64_MAX), slice(c.b, x, axis, 0, -1)});
  return {{x}};
}

// Along the diagonal of two axes, which move behind the others.
Flows diagonal(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, "x|input");
  const int rank = c.b.rank(x), a = c.axis(o.integer("axis1", 0), rank), b = c.axis(o.integer("axis2", 1), rank);
  if (a == b) return c.invalid("the diagonal of one axis");
  std::vector<int64_t> order;
  for (int i = 0; i < rank; ++i) {
    if (i != a && i != b) order.push_back(i);
  }
  order.push_back(a), order.push_back(b);
  x = permute(c.b, x, order);
  const int64_t offset = o.integer("offset", 0), rows = c.known_size(x, -2), columns = c.known_size(x, -1);
  const int64_t row = offset < 0 ? -offset : 0, column = offset > 0 ? offset : 0;
  const int64_t n = std::max<int64_t>(0, std::min(rows - row, columns - column));
  if (!c.b.ok() || row > rows || column > columns) return {{c.b.ok() ? slice(c.b, slice(c.b, x, rank - 2, 0, 0), rank - 1, 0, 1) : kNone}};
  std::vector<int64_t> places;
  for (int64_t i = 0; i < n && i < (1 << 20); ++i) places.push_back((row + i) * columns + column + i);
  std::vector<Int> sizes = sizes_of(c.b, x);
  sizes.resize(static_cast<size_t>(rank) - 2);
  sizes.emplace_back(rows * columns);
  return {{c.emit("Gather", {c.b.reshape(x, sizes), c.b.ints(places)}, attributes({{"axis", int64_t(rank - 2)}}))}};
}

Flows trace(Call& c) {
  const Flows made = diagonal(c);
  if (!c.b.ok()) return {};
  const ValueId d = made[0].value;
  return {{c.emit("ReduceSum", {d, c.b.ints({int64_t(c.b.rank(d)) - 1})}, attributes({{"keepdims", int64_t(0)}}))}};
}

constexpr LayerRow kFunctionsRows[] = {
    {"ops.Arctan2 tf.math.atan2", arctan2},
    {"ops.Hypot", hypot},
    {"ops.Heaviside", heaviside},
    {"ops.Isclose", is_close},
    {"ops.AllClose", all_close},
    {"ops.Cbrt", cbrt},
    {"ops.Sinc", sinc},
    {"ops.Isposinf", is_signed_inf<true>},
    {"ops.Isneginf", is_signed_inf<false>},
    {"ops.Signbit", signbit},
    {"ops.Angle tf.math.angle", angle},
    {"ops.Imag tf.math.imag", imaginary},
    {"ops.Isreal", is_real},
    {"ops.EmptyLike", empty},
    {"ops.Ldexp", ldexp},
    {"ops.CDist", distances},
    {"ops.Diff", diff},
    {"ops.Diagonal", diagonal},
    {"ops.Trace", trace},
    {"ops.Gcd", divisor<false>},
    {"ops.Lcm", divisor<true>},
};

}  // namespace

std::span<const LayerRow> function_operations() { return kFunctionsRows; }

}  // namespace tern::keras
