// Numbers rounded to the levels of a quantised type, in f32: what training that knows of quantisation leaves in a graph. See operator.h.
// Next: complex.h.
#include <cmath>

#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// low, high: numbers, or one for each channel of the last axis. They are moved a little so that zero is a level.
ValueId fake_quantised(Call& c, ValueId low, ValueId high) {
  GraphBuilder& b = c.b;
  const int64_t bits = c.integer("num_bits", 8);
  if (bits < 2 || bits > 16) return b.fail(invalid("num_bits is " + std::to_string(bits))), kNone;
  const double first = c.boolean("narrow_range", false) ? 1 : 0, last = static_cast<double>((int64_t(1) << bits) - 1);
  const ValueId scale = with(b, "Div", b.emit("Sub", {high, low}), last - first);
  // Half away from zero; the level of zero lies between the first and the last.
  const ValueId zero = b.emit("Sub", {b.scalar_like(low, first), b.emit("Div", {low, scale})});
  const ValueId level = b.emit("Clip", {b.emit("Floor", {with(b, "Add", zero, 0.5)}), b.scalar_like(low, first), b.scalar_like(low, last)});
  const ValueId least = b.emit("Mul", {b.emit("Sub", {b.scalar_like(low, first), level}), scale});
  const ValueId most = b.emit("Mul", {b.emit("Sub", {b.scalar_like(low, last), level}), scale});
  const ValueId inside = b.emit("Max", {b.emit("Min", {c.tensor(0), most}), least});
  const ValueId steps = b.emit("Mul", {b.emit("Sub", {inside, least}), b.emit("Reciprocal", {scale})});
  return b.emit("Add", {b.emit("Mul", {b.emit("Floor", {with(b, "Add", steps, 0.5)}), scale}), least});
}

Values with_attributes(Call& c) {
  return {fake_quantised(c, c.b.scalar(DType::f32, c.number("min", -6)), c.b.scalar(DType::f32, c.number("max", 6)))};
}

Values with_inputs(Call& c) { return {fake_quantised(c, c.tensor(1), c.tensor(2))}; }

// As often as `axis` says along one, or once for all: x to the nearest of the levels that low and high span, where zero is one and the wider side
// ends at a level. Without a range it is that of x.
ValueId requantised(Call& c, int64_t bits) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  const bool is_signed = c.boolean("signed_input", true), given = c.boolean("range_given", c.op == "QuantizeAndDequantizeV3"),
             narrow = c.boolean("narrow_range", false);
  const int64_t axis = c.integer("axis", -1);
  const std::string rounding = c.string("round_mode", "HALF_TO_EVEN");
  if (!b.ok()) return kNone;
  if (bits < 1 || bits > 62 || (is_signed && bits < 2)) return b.fail(invalid("num_bits is " + std::to_string(bits))), kNone;
  if (axis < -1 || axis >= rank) return b.fail(invalid("axis is " + std::to_string(axis))), kNone;
  std::vector<int64_t> others;
  std::vector<Int> shape;
  for (int d = 0; d < rank; ++d) {
    if (d != axis) others.push_back(d);
    shape.push_back(d == axis ? Int(-1) : Int(1));
  }
  auto ends = [&](const char* op, size_t i) {
    if (!given) return others.empty() ? x : reduced(b, op, x, others, true);
    return axis < 0 ? c.tensor(i) : b.reshape(c.tensor(i), shape);
  };
  const ValueId low = ends("ReduceMin", 1), high = ends("ReduceMax", 2);
  const double most = static_cast<double>((int64_t(1) << (is_signed ? bits - 1 : bits)) - 1), least = !is_signed ? 0 : narrow ? -most : -most - 1;
  const ValueId zero = b.scalar_like(x, 0), endless = b.scalar_like(x, INFINITY);
  auto scale_of = [&](ValueId end, double level) {  // a side that has no numbers limits nothing
    const ValueId there = b.emit("Greater", {with(b, "Mul", end, level), zero});
    return select(b, there, b.emit("Div", {b.scalar_like(x, level), end}), endless);
  };
  const ValueId below = scale_of(low, least), above = scale_of(high, most), by_low = b.emit("Less", {below, above});
  const ValueId limited = b.emit("Less", {b.emit("Min", {below, above}), endless});  // else all is zero
  const ValueId scale = select(b, limited, b.emit("Min", {below, above}), b.scalar_like(x, 1));
  const ValueId step = select(b, limited, select(b, by_low, with(b, "Div", low, least == 0 ? 1 : least), with(b, "Div", high, most)), zero);
  ValueId y = x;
  if (given) {
    const ValueId from = select(b, by_low, low, with(b, "Mul", step, least)), to = select(b, by_low, with(b, "Mul", step, most), high);
    y = b.emit("Min", {b.emit("Max", {y, from}), to});
  }
  y = b.emit("Mul", {y, scale});
  y = rounding == "HALF_UP" ? b.emit("Floor", {with(b, "Add", y, 0.5)}) : b.emit("Round", {y});
  return b.emit("Mul", {y, step});
}

Values requantised_v2(Call& c) { return {requantised(c, c.integer("num_bits", 8))}; }
Values requantised_v3(Call& c) { return {requantised(c, known_int(c, 3))}; }

constexpr Operator kQuantizeRows[] = {
    {"QuantizeAndDequantizeV2 QuantizeAndDequantizeV4", nullptr, requantised_v2},
    {"QuantizeAndDequantizeV3", nullptr, requantised_v3},
    {"FakeQuantWithMinMaxArgs", nullptr, with_attributes},
    {"FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel", nullptr, with_inputs},
};

}  // namespace

std::span<const Operator> quantize_operators() { return kQuantizeRows; }

}  // namespace tern::tensorflow
