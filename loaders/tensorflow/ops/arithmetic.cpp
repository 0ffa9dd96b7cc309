// Arithmetic, comparisons and logic of two operands, and sums of many. See operator.h. Next: functions.cpp.
#include <cmath>

#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

ValueId zero_like(GraphBuilder& b, ValueId x) { return b.scalar_like(x, 0); }

// The remainder with the sign of the divisor, as Python's %.
ValueId remainder(GraphBuilder& b, ValueId x, ValueId y) {
  if (!is_float(b.dtype(x))) return b.emit("Mod", {x, y});
  const ValueId r = b.emit("Mod", {x, y}, attributes({{"fmod", int64_t(1)}})), zero = zero_like(b, x);
  const ValueId apart = b.emit("Xor", {b.emit("Less", {r, zero}), b.emit("Less", {y, zero})});
  return select(b, b.emit("And", {apart, b.emit("Not", {is_zero(b, r)})}), b.emit("Add", {r, y}), r);
}

Values floor_mod(Call& c) { return {remainder(c.b, c.tensor(0), c.tensor(1))}; }

Values floor_div(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  if (is_float(b.dtype(x))) return {b.emit("Floor", {b.emit("Div", {x, y})})};
  return {b.emit("Div", {b.emit("Sub", {x, remainder(b, x, y)}), y})};  // without the remainder nothing is rounded
}

Values truncate_mod(Call& c) { return {c.b.emit("Mod", {c.tensor(0), c.tensor(1)}, attributes({{"fmod", int64_t(1)}}))}; }

// Nothing where an operand is zero, whatever the other one is.
template <OpName Op, size_t Which>
Values no_nan(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  return {select(b, is_zero(b, Which == 0 ? x : y), zero_like(b, x), b.emit(Op.text, {x, y}))};
}

// x log y, x log(1 + y)
template <bool OnePlus>
Values x_log_y(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  const ValueId log = b.emit("Log", {OnePlus ? with(b, "Add", y, 1) : y});
  return {select(b, is_zero(b, x), zero_like(b, x), b.emit("Mul", {x, log}))};
}

// The sign bit: -0 has it, which only its reciprocal shows.
ValueId minus(GraphBuilder& b, ValueId x) { return b.emit("Or", {with(b, "Less", x, 0), with(b, "Less", b.emit("Reciprocal", {x}), 0)}); }

Values atan2(Call& c) { return {atan2_of(c.b, c.tensor(0), c.tensor(1))}; }

Values pow(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  const Tensor* exponent = b.contents(y);
  if (b.ok() && exponent != nullptr && exponent->count() == 1 && b.dtype(y) == DType::f32 && b.rank(y) <= b.rank(x)) {  // exact, and cheap
    const float e = exponent->data<float>()[0];
    if (e == 1) return {x};
    if (e == 2) return {square(b, x)};
    if (e == 3) return {b.emit("Mul", {square(b, x), x})};
    if (e == 0.5f) return {b.emit("Sqrt", {x})};
  }
  return {b.emit("Pow", {x, y})};
}

Values squared_difference(Call& c) { return {square(c.b, c.b.emit("Sub", {c.tensor(0), c.tensor(1)}))}; }

Values add_n(Call& c) {
  if (c.count() == 1) return {c.tensor(0)};
  ValueId sum = c.tensor(0);
  for (size_t i = 1; i < c.count() && c.b.ok(); ++i) sum = c.b.emit("Add", {sum, c.tensor(i)});
  return {sum};
}

// a × b along the last axis, which has three elements.
Values cross(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  const int axis = b.rank(x) - 1;
  if (!b.ok()) return {};
  if (axis < 0 || (b.shape(x)[axis].known() && !b.shape(x)[axis].is(3))) return c.fail(invalid("the vectors must have three elements"));
  auto turned = [&](ValueId v, std::vector<int64_t> order) { return b.emit("Gather", {v, b.ints(order)}, attributes({{"axis", int64_t(axis)}})); };
  const ValueId plus = b.emit("Mul", {turned(x, {1, 2, 0}), turned(y, {2, 0, 1})}),
                less = b.emit("Mul", {turned(x, {2, 0, 1}), turned(y, {1, 2, 0})});
  return {b.emit("Sub", {plus, less})};
}

Values not_equal(Call& c) { return {c.b.emit("Not", {c.b.emit("Equal", {c.tensor(0), c.tensor(1)})})}; }

Values approximate_equal(Call& c) {
  GraphBuilder& b = c.b;
  return {with(b, "Less", b.emit("Abs", {b.emit("Sub", {c.tensor(0), c.tensor(1)})}), c.number("tolerance", 1e-5f))};
}

Values clip(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), low = c.tensor(1), high = c.tensor(2);
  if (b.rank(low) == 0 && b.rank(high) == 0) return {b.emit("Clip", {x, low, high})};
  return {b.emit("Max", {b.emit("Min", {x, high}), low})};
}

// The condition may be a scalar or tell rows.
Values select_rows(Call& c) {
  GraphBuilder& b = c.b;
  ValueId condition = c.tensor(0);
  const ValueId yes = c.tensor(1), no = c.tensor(2);
  const int rank = b.rank(condition), wide = b.rank(yes);
  if (b.ok() && rank == 1 && wide > 1) {
    std::vector<int64_t> axes;
    for (int i = 1; i < wide; ++i) axes.push_back(i);
    condition = unsqueeze(b, condition, axes);
  }
  return {select(b, condition, yes, no)};
}

// One bool that is known chooses now: what it chooses may be a size.
Values select_broadcast(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId yes = c.tensor(1), no = c.tensor(2);
  const Tensor* condition = b.contents(c.tensor(0));
  if (condition != nullptr && condition->dtype() == DType::boolean && condition->dims().rank == 0 && b.shape(yes).known() &&
      b.shape(yes) == b.shape(no))
    return {*condition->raw() != std::byte(0) ? yes : no};
  return {select(b, c.tensor(0), yes, no)};
}

constexpr Operator kArithmeticRows[] = {
    {"Add AddV2", nullptr, each_part<binary<"Add">>},
    {"Sub", nullptr, each_part<binary<"Sub">>},
    {"Mul", nullptr, either<binary<"Mul">, complex_multiply>},
    {"RealDiv Div TruncateDiv", nullptr, either<binary<"Div">, complex_divide>},
    {"FloorDiv", nullptr, floor_div},
    {"FloorMod", nullptr, floor_mod},
    {"TruncateMod Mod", nullptr, truncate_mod},
    {"DivNoNan", nullptr, no_nan<"Div", 1>},
    {"MulNoNan", nullptr, no_nan<"Mul", 1>},
    {"Xdivy", nullptr, no_nan<"Div", 0>},
    {"Xlogy", nullptr, x_log_y<false>},
    {"Xlog1py", nullptr, x_log_y<true>},
    {"Maximum", nullptr, binary<"Max">},
    {"Minimum", nullptr, binary<"Min">},
    {"Pow", nullptr, pow},
    {"SquaredDifference", nullptr, squared_difference},
    {"Atan2", nullptr, atan2},
    {"AddN AccumulateNV2", nullptr, each_part<add_n>},
    {"Cross", nullptr, cross},
    {"Equal", nullptr, binary<"Equal">},
    {"NotEqual", nullptr, not_equal},
    {"Less", nullptr, binary<"Less">},
    {"LessEqual", nullptr, binary<"LessOrEqual">},
    {"Greater", nullptr, binary<"Greater">},
    {"GreaterEqual", nullptr, binary<"GreaterOrEqual">},
    {"ApproximateEqual", nullptr, approximate_equal},
    {"LogicalAnd", nullptr, binary<"And">},
    {"LogicalOr", nullptr, binary<"Or">},
    {"LogicalNot", nullptr, unary<"Not">},
    {"ClipByValue", nullptr, clip},
    {"Select", nullptr, select_rows},
    {"SelectV2", nullptr, select_broadcast},
};

}  // namespace

// The angle of (x, y): the one of (|x|, |y|), mirrored by their signs. 0/0 and inf/inf count as 0 and 1.
ValueId atan2_of(GraphBuilder& b, ValueId y, ValueId x) {
  const ValueId rise = b.emit("Abs", {y}), run = b.emit("Abs", {x});
  const ValueId quotient = select(b, b.emit("Equal", {rise, run}), b.emit("Sign", {rise}), b.emit("Div", {rise, run}));
  ValueId angle = b.emit("Atan", {quotient});
  angle = select(b, minus(b, x), b.emit("Sub", {b.scalar_like(y, M_PI), angle}), angle);
  return select(b, minus(b, y), b.emit("Neg", {angle}), angle);
}

std::span<const Operator> arithmetic_operators() { return kArithmeticRows; }

}  // namespace tern::tensorflow
