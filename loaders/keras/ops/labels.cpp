// Labels: those that a recogniser's scores spell, and those that occur. See ops.h. Next: rarer.cpp.
#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

// The best label of each step, without blanks and, unless told otherwise, without repetitions, moved to the front; -1 behind: [1, batch, steps] i32.
// And the sum of the scores of the best, negated: [batch, 1].
Flows ctc_decode(Call& c) {
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, "inputs")), lengths = c.b.cast(o.tensor(1, "sequence_lengths"), DType::i64);
  if (o.text("strategy", "greedy") != "greedy") return c.unsupported("decoding by beam search");
  if (c.b.rank(x) != 3 || c.b.rank(lengths) != 1) return c.invalid("its inputs are not [batch, steps, labels] and lengths [batch]");
  const Int batch = c.b.size(x, 0), steps = c.b.size(x, 1);
  const int64_t given = o.integer("mask_index", 0);
  const ValueId blank = c.b.scalar(given < 0 ? c.b.add(c.b.size(x, 2), given) : Int(given));
  const ValueId best = c.emit("ArgMax", {x}, attributes({{"axis", int64_t(2)}, {"keepdims", int64_t(0)}}));  // [batch, steps]
  const ValueId numbers = c.emit("Range", {c.b.scalar(Int(0)), c.b.scalar(steps), c.b.scalar(Int(1))});
  const ValueId there = c.emit("Less", {unsqueeze(c.b, numbers, {0}), unsqueeze(c.b, lengths, {1})});
  ValueId kept = c.emit("And", {there, c.emit("Not", {c.emit("Equal", {best, blank})})});
  if (o.flag("merge_repeated", true)) {
    const ValueId none = c.emit("Expand", {c.b.scalar(Int(-1)), c.b.ints(std::vector<Int>{batch, Int(1)})});
    kept = c.emit("And", {kept, c.emit("Not", {c.emit("Equal", {best, concat(c.b, {none, slice(c.b, best, 1, 0, -1)}, 1)})})});
  }
  const ValueId place = c.emit("CumSum", {c.b.cast(kept, DType::i64), c.b.scalar(Int(1))}, attributes({{"exclusive", int64_t(1)}}));
  const ValueId to = c.emit("Where", {kept, place, c.b.scalar(steps)});  // what is left out goes behind the end
  const ValueId empty = c.emit("Expand", {c.b.scalar(Int(-1)), c.b.ints(std::vector<Int>{batch, c.b.add(steps, 1)})});
  const ValueId y = c.emit("ScatterElements", {empty, to, best}, attributes({{"axis", int64_t(1)}}));
  const ValueId front = c.emit("Slice", {y, c.b.ints({0}), c.b.ints(std::vector<Int>{steps}), c.b.ints({1})});
  const ValueId chosen = c.emit("Where", {there, reduce(c, "ReduceMax", x, {2}, false), number(c, x, 0)});
  return {{c.b.cast(unsqueeze(c.b, front, {0}), DType::i32)}, {c.emit("Neg", {reduce(c, "ReduceSum", chosen, {1}, true)})}};
}

// The different elements, ascending; where each comes first, which is which, and how many there are, as asked for.
Flows unique(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x");
  if (o.has("axis") || o.has("size")) return c.unsupported("unique along an axis, or of a fixed size,");
  const auto made = c.b.emit("Unique", {c.b.reshape(x, {-1})}, attributes({{"sorted", int64_t(o.flag("sorted", true))}}), 4);
  Flows out = {{made[0]}};
  if (o.flag("return_index", false)) out.push_back({c.b.cast(made[1], DType::i32)});
  if (o.flag("return_inverse", false)) out.push_back({c.b.cast(c.b.reshape(made[2], sizes_of(c.b, x)), DType::i32)});
  if (o.flag("return_counts", false)) out.push_back({c.b.cast(made[3], DType::i32)});
  return out;
}

// The same bytes as another dtype.
Flows view(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x");
  const DType to = o.dtype("dtype", c.b.dtype(x));
  if (size_of(to) != size_of(c.b.dtype(x))) return c.unsupported("a view of elements of another size");
  return {{by_tensorflow(c, "Bitcast", {x}, {{"type", to}})[0].value}};
}

constexpr LayerRow kLabelRows[] = {
    {"ops.CTCDecode", ctc_decode},
    {"ops.Unique", unique},
    {"ops.View", view},
};

}  // namespace

std::span<const LayerRow> label_operations() { return kLabelRows; }

}  // namespace tern::keras
