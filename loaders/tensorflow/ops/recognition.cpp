// What recognisers of speech and writing end with: the best label of every step. See operator.h. Next: sparse.cpp.
#include "loaders/tensorflow/ops/ragged.h"

namespace tern::tensorflow {
namespace {

// x [steps, batch, labels], lengths [batch]: the most probable label of each step, without blanks and, on request, without repetitions; as a sparse
// tensor, and the sum of what was chosen, negated.
Values greedy(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!has_rank(c, 0, 3) || !has_rank(c, 1, 1)) return {};
  const int64_t blank = c.integer("blank_index", -1);
  const Int labels = b.size(x, 2);
  const ValueId none = b.scalar(blank < 0 ? b.add(labels, blank) : Int(blank));
  const ValueId best = b.emit("ArgMax", {x}, attributes({{"axis", int64_t(2)}, {"keepdims", int64_t(0)}}));  // [steps, batch]
  const ValueId there = b.emit("Less", {unsqueeze(b, counted(b, b.size(x, 0)), {1}), b.cast(c.tensor(1), DType::i64)});
  ValueId kept = b.emit("And", {there, b.emit("Not", {b.emit("Equal", {best, none})})});
  if (c.boolean("merge_repeated", false)) {
    const ValueId before = concat(b, {full(b, DType::i64, -1, {Int(1), b.size(x, 1)}), slice(b, best, 0, 0, -1)}, 0);
    kept = b.emit("And", {kept, b.emit("Not", {b.emit("Equal", {best, before})})});
  }
  const ValueId rows = transpose(b, kept, 0, 1), count = b.cast(rows, DType::i64);  // [batch, steps]
  const ValueId place = b.emit("CumSum", {count, b.scalar(Int(1))}, attributes({{"exclusive", int64_t(1)}}));
  const ValueId found = transpose(b, b.emit("NonZero", {rows}), 0, 1);  // [n, 2]
  const ValueId indices = concat(b, {unsqueeze(b, column(b, found, 0), {1}), unsqueeze(b, b.emit("GatherND", {place, found}), {1})}, 1);
  const ValueId values = b.emit("GatherND", {transpose(b, best, 0, 1), found});
  const ValueId lengths = reduced(b, "ReduceSum", count, {1}, false);
  const ValueId longest = reduced(b, "ReduceMax", concat(b, {b.ints({0}), lengths}, 0), {0}, true);
  const ValueId shape = concat(b, {b.ints(std::vector<Int>{b.size(x, 1)}), longest}, 0);
  const ValueId chosen = select(b, there, reduced(b, "ReduceMax", x, {2}, false), b.scalar_like(x, 0));
  const ValueId score = b.emit("Neg", {reduced(b, "ReduceSum", chosen, {0}, false)});
  return {indices, values, shape, unsqueeze(b, score, {1})};
}

constexpr Operator kRecognitionRows[] = {
    {"CTCGreedyDecoder", "decoded_indices decoded_values decoded_shape log_probability", greedy},
};

}  // namespace

std::span<const Operator> recognition_operators() { return kRecognitionRows; }

}  // namespace tern::tensorflow
