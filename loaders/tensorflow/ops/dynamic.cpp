// Operators whose results are as long as the data say: places of what is true, different elements, partitions; and counts in bins.
// See operator.h. Next: order.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// The places of what is not zero, a row each.
Values where(Call& c) { return {transpose(c.b, c.b.emit("NonZero", {c.tensor(0)}), 0, 1)}; }

// The different elements in the order in which they came first.
Values unique(Call& c, bool axis_given, bool counts) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  Attributes attrs = attributes({{"sorted", int64_t(0)}});
  if (axis_given) {
    const std::vector<int64_t> axes = axes_input(c, 1, b.rank(x));
    if (axes.size() > 1) return c.fail(invalid("there is more than one axis"));
    if (!axes.empty()) attrs.set("axis", axes[0]);
  }
  const auto made = b.emit("Unique", {x}, attrs, 4);
  const DType dtype = c.dtype("out_idx", DType::i32);
  Values out = {made[0], b.cast(made[2], dtype)};
  if (counts) out.push_back(b.cast(made[3], dtype));
  return out;
}
Values unique_v1(Call& c) { return unique(c, false, false); }
Values unique_v2(Call& c) { return unique(c, true, false); }
Values unique_counts(Call& c) { return unique(c, false, true); }
Values unique_counts_v2(Call& c) { return unique(c, true, true); }

// What x has and y has not, and where.
Values list_difference(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  if (!has_rank(c, 0, 1) || !has_rank(c, 1, 1)) return {};
  const ValueId equal = b.emit("Equal", {unsqueeze(b, x, {1}), unsqueeze(b, y, {0})});
  const ValueId there = reduced(b, "ReduceSum", b.cast(equal, DType::i32), {1}, false);  // 0 of an empty y
  const ValueId kept = is_zero(b, there);
  const Attributes rows = attributes({{"axis", int64_t(0)}});
  const ValueId places = b.emit("Compress", {counted(b, b.size(x, 0)), kept}, rows);
  return {b.emit("Compress", {x, kept}, rows), b.cast(places, c.dtype("out_idx", DType::i32))};
}

// x [p.., rest..] and p.. of it as one axis.
ValueId rows_of(GraphBuilder& b, ValueId x, int prefix) {
  std::vector<Int> sizes = sizes_of(b, x);
  if (!b.ok() || static_cast<int>(sizes.size()) < prefix) return b.fail(invalid("there are more dimensions of indices than of data"));
  sizes.erase(sizes.begin(), sizes.begin() + prefix);
  sizes.insert(sizes.begin(), Int(-1));
  return b.reshape(x, sizes);
}

Values partition(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId which = c.tensor(1), rows = rows_of(b, c.tensor(0), b.rank(which)), flat = b.reshape(which, {Int(-1)});
  const int64_t n = c.integer("num_partitions");
  if (b.ok() && (n < 1 || n > 4096)) return c.fail(unsupported("num_partitions is " + std::to_string(n)));
  Values out;
  for (int64_t i = 0; i < n && b.ok(); ++i) {
    const ValueId mine = with(b, "Equal", flat, static_cast<double>(i));
    out.push_back(b.emit("Compress", {rows, mine}, attributes({{"axis", int64_t(0)}})));
  }
  return out;
}

// merged[indices[m][i]] = data[m][i]; of the same index the last one.
Values stitch(Call& c) {
  GraphBuilder& b = c.b;
  const size_t n = c.count() / 2;
  if (n == 0 || c.count() % 2 != 0) return c.fail(invalid("there are not as many indices as data"));
  std::vector<ValueId> indices, rows;
  int64_t last = -1;
  bool known = true;
  for (size_t i = 0; i < n && b.ok(); ++i) {
    const ValueId at = c.tensor(i);
    rows.push_back(rows_of(b, c.tensor(n + i), b.rank(at)));
    indices.push_back(b.reshape(b.cast(at, DType::i64), {Int(-1)}));
    known = known && c.knows_ints(i);
    if (!known) continue;
    for (int64_t index : c.known_ints(i)) last = std::max(last, index);
  }
  if (!b.ok()) return {};
  if (known && last > int64_t(1) << 40) return c.fail(invalid("an index is " + std::to_string(last)));
  const ValueId at = concat(b, indices, 0), all = concat(b, rows, 0);
  Int count = last + 1;
  if (!known) count = Int::computed(with(b, "Add", reduced(b, "ReduceMax", concat(b, {b.ints({-1}), at}, 0), {0}, false), 1));
  std::vector<Int> sizes = sizes_of(b, all);
  if (!b.ok()) return {};
  sizes[0] = count;
  return {b.emit("ScatterND", {b.emit("Expand", {b.scalar_like(all, 0), b.ints(sizes)}), unsqueeze(b, at, {1}), all})};
}

// ---- bins ----

// values [rows, n], weights like them or kNone: [rows, size]; values from `size` on are left out.
ValueId counts(GraphBuilder& b, ValueId values, ValueId weights, const Int& size, DType dtype, bool binary) {
  const ValueId top = b.scalar(size), v = b.emit("Min", {b.cast(values, DType::i64), top});
  const Int rows = b.size(v, 0), wide = b.add(size, 1);
  const ValueId row = b.emit("Mul", {unsqueeze(b, counted(b, rows), {1}), b.scalar(wide)});
  const ValueId at = b.reshape(b.emit("Add", {v, row}), {Int(-1), Int(1)});
  const ValueId zeros = b.emit("Expand", {b.scalar(dtype, 0), b.ints(std::vector<Int>{b.mul(rows, wide)})});
  const bool plain = weights == kNone || binary;
  const ValueId each = plain ? b.emit("Expand", {b.scalar(dtype, 1), b.ints(std::vector<Int>{b.size(at, 0)})}) : b.reshape(weights, {Int(-1)});
  const ValueId sums = b.emit("ScatterND", {zeros, at, each}, attributes({{"reduction", std::string(binary ? "none" : "add")}}));
  return b.emit("Slice", {b.reshape(sums, {rows, wide}), b.ints({0}), b.ints(std::vector<Int>{size}), b.ints({1})});
}

// No weights is a tensor without elements.
Values bincount_of(Call& c, int rank, bool binary) {
  GraphBuilder& b = c.b;
  const ValueId values = c.tensor(0), given = c.tensor(2);
  const std::vector<Int> sizes = b.elements(c.tensor(1));
  if (!b.ok()) return {};
  if (sizes.size() != 1) return c.fail(invalid("size must be one number"));
  const Shape& w = b.shape(given);
  const bool weighted = !(w.ranked() && w.rank() == 1 && w[0].is(0));
  const ValueId table = rank == 2 ? values : b.reshape(values, {Int(1), Int(-1)});
  const ValueId y = counts(b, table, weighted ? given : kNone, sizes[0], b.dtype(given), binary);
  return {rank == 2 ? y : squeeze(b, y, {0})};
}

// Bincount takes all dimensions for one.
Values bincount(Call& c) { return bincount_of(c, 1, false); }
Values dense_bincount(Call& c) {
  const int rank = c.b.rank(c.tensor(0));
  if (c.b.ok() && rank > 2) return c.fail(invalid("the values have more than two dimensions"));
  return bincount_of(c, rank, c.boolean("binary_output", false));
}

// How many values lie in each of nbins equal parts of value_range; what lies outside counts at its ends.
Values histogram(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 1, 1)) return {};
  const std::vector<Int> bins = b.elements(c.tensor(2));
  if (!b.ok()) return {};
  if (bins.size() != 1) return c.fail(invalid("nbins must be one number"));
  const ValueId range = b.cast(c.tensor(1), DType::f64), low = slice(b, range, 0, 0, 1), high = slice(b, range, 0, 1, 2);
  const ValueId step = b.emit("Div", {b.emit("Sub", {high, low}), b.cast(b.scalar(bins[0]), DType::f64)});
  const ValueId x = b.reshape(b.cast(c.tensor(0), DType::f64), {Int(-1)});
  const ValueId at = b.emit("Floor", {b.emit("Div", {b.emit("Sub", {x, low}), step})});
  const ValueId last = b.cast(b.scalar(b.sub(bins[0], 1)), DType::f64), inside = b.emit("Min", {with(b, "Max", at, 0), last});
  const ValueId y = counts(b, b.reshape(b.cast(inside, DType::i64), {Int(1), Int(-1)}), kNone, bins[0], c.dtype("dtype", DType::i32), false);
  return {squeeze(b, y, {0})};
}

// How many boundaries lie at or below each number; NaN lies above all.
Values bucketize(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const std::vector<float> boundaries = c.floats("boundaries");
  const std::vector<double> wide(boundaries.begin(), boundaries.end());
  if (!std::is_sorted(wide.begin(), wide.end())) return c.fail(invalid("the boundaries are not in order"));
  const int rank = b.rank(x);
  const ValueId edges = b.constant(Tensor::of<double>({static_cast<int64_t>(wide.size())}, wide));
  const ValueId below = b.emit("Less", {unsqueeze(b, b.cast(x, DType::f64), {rank}), edges});
  return {reduced(b, "ReduceSum", b.cast(b.emit("Not", {below}), DType::i32), {rank}, false)};
}

// sorted [rows, n], values [rows, m]: how many of a row lie below each value, or not above it.
template <OpName Op>
Values bound(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 2)) return {};
  const ValueId before = b.emit(Op.text, {unsqueeze(b, c.tensor(0), {1}), unsqueeze(b, c.tensor(1), {2})});
  return {reduced(b, "ReduceSum", b.cast(before, c.dtype("out_type", DType::i32)), {2}, false)};
}

constexpr Operator kDynamicRows[] = {
    {"Where", nullptr, where},
    {"HistogramFixedWidth", nullptr, histogram},
    {"Unique", "y idx", unique_v1},
    {"UniqueV2", "y idx", unique_v2},
    {"UniqueWithCounts", "y idx count", unique_counts},
    {"UniqueWithCountsV2", "y idx count", unique_counts_v2},
    {"ListDiff", "out idx", list_difference},
    {"DynamicPartition", nullptr, partition},
    {"DynamicStitch ParallelDynamicStitch", nullptr, stitch},
    {"Bincount", nullptr, bincount},
    {"DenseBincount", nullptr, dense_bincount},
    {"Bucketize", nullptr, bucketize},
    {"LowerBound", nullptr, bound<"Less">},
    {"UpperBound", nullptr, bound<"LessOrEqual">},
};

}  // namespace

std::span<const Operator> dynamic_operators() { return kDynamicRows; }

}  // namespace tern::tensorflow
