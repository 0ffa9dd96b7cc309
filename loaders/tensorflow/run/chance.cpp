// Random numbers. No graph here draws any; but dropout that keeps everything (TensorFlow 1 with keep_prob = 1) compares numbers of [0, 1) with a limit
// beyond them, and what comes of that is known. So a draw is followed as an interval until a comparison decides, and refused where none does. See special.h.
#include <cmath>

#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {
namespace {

Values refused(Call& c) {
  return c.fail(unsupported("draws random numbers, which an inference graph should not: export the model with training=False, without augmentation"));
}

Values uniform(Call& c, const Site&) {
  const DType dtype = c.dtype("dtype");
  const ValueId shape = c.tensor(0);
  if (!c.b.ok()) return {};
  return {Value(Value::Chance{shape, dtype, 0, 1})};
}

// The number that an input holds; nothing when it is not known.
std::optional<double> number(Call& c, size_t i) {
  if (c.value(i).id() == kNone) return {};
  auto t = c.b.evaluated(c.value(i).id());
  if (!t || t->count() != 1) return {};
  return t->dtype() == DType::f32   ? std::optional<double>(t->span<float>()[0])
         : t->dtype() == DType::f64 ? std::optional(t->span<double>()[0])
                                    : std::nullopt;
}

Value all(Call& c, const Value::Chance& of, DType dtype, double value) {
  return c.b.emit("Expand", {c.b.scalar(dtype, value), c.b.cast(of.shape, DType::i64)});
}

}  // namespace

Values with_chances(Call& c) {
  const bool first = c.value(0).get<Value::Chance>() != nullptr;
  if (!first && c.value(1).get<Value::Chance>() == nullptr) return refused(c);
  const Value::Chance x = *c.value(first ? 0 : 1).get<Value::Chance>();
  if (c.op == "Floor" && std::floor(x.low) == std::ceil(x.high) - 1) return {all(c, x, x.dtype, std::floor(x.low))};
  const std::optional<double> k = c.count() == 2 ? number(c, first ? 1 : 0) : std::nullopt;
  if (!k || !std::isfinite(*k)) return refused(c);
  if (c.op == "Mul" && *k > 0) return {Value(Value::Chance{x.shape, x.dtype, x.low * *k, x.high * *k})};
  if (c.op == "Add" || c.op == "AddV2") return {Value(Value::Chance{x.shape, x.dtype, x.low + *k, x.high + *k})};
  if (c.op == "Sub" && first) return {Value(Value::Chance{x.shape, x.dtype, x.low - *k, x.high - *k})};
  if (c.op == "GreaterEqual" && first && (*k <= x.low || *k >= x.high)) return {all(c, x, DType::boolean, *k <= x.low)};
  return refused(c);
}

namespace {
constexpr Special kChanceOperators[] = {{"RandomUniform", uniform}};
}

std::span<const Special> chance_operators() { return kChanceOperators; }

}  // namespace tern::tensorflow
