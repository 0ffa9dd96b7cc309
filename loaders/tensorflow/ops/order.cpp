// What is sorted: the largest k, whether a class is among them. See operator.h. Next: image.cpp.
#include <cmath>

#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// The first k in order along the last axis; of equal ones the first come first.
std::vector<ValueId> sorted(GraphBuilder& b, ValueId x, ValueId k, bool largest) {
  const DType dtype = b.dtype(x);
  const bool narrow = dtype == DType::boolean || dtype == DType::i16 || dtype == DType::u16;  // without kernels of comparisons
  auto made = b.emit("TopK", {narrow ? b.cast(x, DType::i32) : x, b.reshape(b.cast(k, DType::i64), {Int(1)})},
                     attributes({{"axis", int64_t(-1)}, {"largest", int64_t(largest)}}), 2);
  made[0] = b.cast(made[0], dtype);
  return made;
}

Values top_k(Call& c) {
  const auto made = sorted(c.b, c.tensor(0), c.b.ints({c.integer("k")}), true);
  return {made[0], c.b.cast(made[1], DType::i32)};
}

Values top_k_v2(Call& c) {
  const auto made = sorted(c.b, c.tensor(0), c.tensor(1), true);
  return {made[0], c.b.cast(made[1], c.dtype("index_type", DType::i32))};
}

// The element that comes at place n in order.
Values nth(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId n = b.cast(c.tensor(1), DType::i64);
  const auto made = sorted(b, c.tensor(0), with(b, "Add", n, 1), c.boolean("reverse", false));
  return {b.emit("Gather", {made[0], n}, attributes({{"axis", int64_t(-1)}}))};
}

// Whether fewer than k classes are more probable than the target. Of rows with something that is not finite: no.
Values in_top_k(Call& c, ValueId k) {
  GraphBuilder& b = c.b;
  const ValueId p = c.tensor(0);
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 1)) return {};
  const ValueId targets = b.cast(c.tensor(1), DType::i64), classes = b.scalar(b.size(p, 1));
  const ValueId there = b.emit("And", {b.emit("Less", {targets, classes}), with(b, "GreaterOrEqual", targets, 0)});
  const ValueId own =
      b.emit("GatherElements", {p, unsqueeze(b, select(b, there, targets, b.scalar(Int(0))), {1})}, attributes({{"axis", int64_t(1)}}));
  const ValueId above = reduced(b, "ReduceSum", b.cast(b.emit("Greater", {p, own}), DType::i64), {1}, false);
  const ValueId infinite = b.emit("Not", {with(b, "Less", b.emit("Abs", {p}), INFINITY)});
  const ValueId finite = is_zero(b, reduced(b, "ReduceSum", b.cast(infinite, DType::i64), {1}, false));
  return {b.emit("And", {b.emit("And", {there, finite}), b.emit("Less", {above, b.cast(k, DType::i64)})})};
}
Values in_top_k_v1(Call& c) { return in_top_k(c, c.b.scalar(Int(c.integer("k")))); }
Values in_top_k_v2(Call& c) { return in_top_k(c, c.tensor(2)); }

constexpr Operator kOrderRows[] = {
    {"TopK", "values indices", top_k}, {"TopKV2", "values indices", top_k_v2}, {"NthElement", nullptr, nth},
    {"InTopK", nullptr, in_top_k_v1},  {"InTopKV2", nullptr, in_top_k_v2},
};

}  // namespace

std::span<const Operator> order_operators() { return kOrderRows; }

}  // namespace tern::tensorflow
