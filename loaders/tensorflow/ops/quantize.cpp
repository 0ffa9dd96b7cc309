// Numbers rounded to the levels of a quantised type, in f32: what training that knows of quantisation leaves in a graph. See operator.h.
// Next: complex.h.
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

constexpr Operator kRows[] = {
    {"FakeQuantWithMinMaxArgs", nullptr, with_attributes},
    {"FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel", nullptr, with_inputs},
};

}  // namespace

std::span<const Operator> quantize_operators() { return kRows; }

}  // namespace tern::tensorflow
