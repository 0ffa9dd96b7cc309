// Tensors out of shapes and numbers. See operator.h. Next: matrix.cpp, gather.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

Values fill(Call& c) { return {c.b.emit("Expand", {c.tensor(1), c.b.cast(c.tensor(0), DType::i64)})}; }

// What it holds is not said; TensorFlow's users write to it before they read.
Values empty(Call& c) { return {c.b.emit("Expand", {c.b.scalar(c.dtype("dtype"), 0), c.b.cast(c.tensor(0), DType::i64)})}; }

template <int Number>
Values full_like(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  return {b.emit("Expand", {b.scalar_like(x, Number), b.emit("Shape", {x})})};
}

Values range(Call& c) {
  GraphBuilder& b = c.b;
  const DType dtype = b.dtype(c.tensor(0));
  const bool narrow = size_of(dtype) < 4;  // the catalog's counts in 16-bit integers and more
  auto limit = [&](size_t i) { return narrow ? b.cast(c.tensor(i), is_float(dtype) ? DType::f32 : DType::i32) : c.tensor(i); };
  return {b.cast(b.emit("Range", {limit(0), limit(1), limit(2)}), dtype)};
}

// From start to stop, both included.
Values linspace(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId start = c.tensor(0), stop = c.tensor(1), n = b.cast(c.tensor(2), DType::i64);
  const ValueId places = b.emit("Range", {b.scalar(Int(0)), n, b.scalar(Int(1))});
  const ValueId steps = with(b, "Max", with(b, "Sub", n, 1), 1);
  const ValueId step = b.emit("Div", {b.emit("Sub", {stop, start}), b.cast(steps, b.dtype(start))});
  const ValueId y = b.emit("Add", {start, b.emit("Mul", {b.cast(places, b.dtype(start)), step})});
  const ValueId last = b.emit("And", {b.emit("Equal", {places, steps}), with(b, "Greater", n, 1)});  // exactly there
  return {select(b, last, stop, y)};
}

// depth is one number; negative indices and those beyond are off everywhere.
Values one_hot(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId indices = b.cast(c.tensor(0), DType::i64), depth = b.cast(c.tensor(1), DType::i64);
  const ValueId outside = with(b, "Less", indices, 0);  // the catalog's count those from the end
  const ValueId values = concat(b, {unsqueeze(b, c.tensor(3), {0}), unsqueeze(b, c.tensor(2), {0})}, 0);
  return {b.emit("OneHot", {select(b, outside, depth, indices), depth, values}, attributes({{"axis", c.integer("axis", -1)}}))};
}

constexpr Operator kCreateRows[] = {
    {"Fill", nullptr, fill},   {"Empty", nullptr, empty},       {"ZerosLike", nullptr, full_like<0>}, {"OnesLike", nullptr, full_like<1>},
    {"Range", nullptr, range}, {"LinSpace", nullptr, linspace}, {"OneHot", nullptr, one_hot},
};

}  // namespace

std::span<const Operator> create_operators() { return kCreateRows; }

}  // namespace tern::tensorflow
