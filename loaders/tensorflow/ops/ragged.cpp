// Ragged tensors: ranges, rows picked by index, rows as a sparse tensor. See operator.h and ragged.h. Next: sparse.cpp.
#include "loaders/tensorflow/ops/ragged.h"

namespace tern::tensorflow {

ValueId full(GraphBuilder& b, DType dtype, double value, const std::vector<Int>& sizes) {
  return b.emit("Expand", {b.scalar(dtype, value), b.ints(sizes)});
}

ValueId column(GraphBuilder& b, ValueId x, int64_t k) { return squeeze(b, slice(b, x, 1, k, k + 1), {1}); }
ValueId picked(GraphBuilder& b, ValueId x, ValueId rows) { return b.emit("Gather", {x, rows}, attributes({{"axis", int64_t(0)}})); }
ValueId added(GraphBuilder& b, ValueId to, ValueId indices, ValueId values) {
  return b.emit("ScatterND", {to, indices, values}, attributes({{"reduction", std::string("add")}}));
}

namespace {
ValueId cumulated(GraphBuilder& b, ValueId x) { return b.emit("CumSum", {x, b.scalar(Int(0))}); }
}  // namespace

ValueId splits_of(GraphBuilder& b, ValueId lengths) { return concat(b, {b.ints({0}), cumulated(b, lengths)}, 0); }
ValueId row_starts(GraphBuilder& b, ValueId splits) { return slice(b, splits, 0, 0, -1); }
ValueId row_lengths(GraphBuilder& b, ValueId splits) { return b.emit("Sub", {slice(b, splits, 0, 1, INT64_MAX), row_starts(b, splits)}); }

// Every row but the first adds one where it begins; those that begin at n have nothing.
ValueId row_of_each(GraphBuilder& b, ValueId splits, const Int& n) {
  const ValueId begins = slice(b, splits, 0, 1, -1);
  const ValueId ones = full(b, DType::i64, 1, {b.size(begins, 0)});
  const ValueId marks = added(b, full(b, DType::i64, 0, {b.add(n, 1)}), unsqueeze(b, begins, {1}), ones);
  return cumulated(b, slice(b, marks, 0, 0, -1));
}

Run places_of(GraphBuilder& b, ValueId splits) {
  const Int n = Int::computed(squeeze(b, slice(b, splits, 0, -1, INT64_MAX), {0}));
  const ValueId row = row_of_each(b, splits, n);
  return {row, b.emit("Sub", {counted(b, n), picked(b, splits, row)}), n};
}

namespace {

// The products of all sizes behind each axis.
ValueId strides_of(GraphBuilder& b, ValueId shape) {
  return b.emit("CumProd", {shape, b.scalar(Int(0))}, attributes({{"exclusive", int64_t(1)}, {"reverse", int64_t(1)}}));
}

}  // namespace

ValueId flat_index(GraphBuilder& b, ValueId indices, ValueId shape) {
  return reduced(b, "ReduceSum", b.emit("Mul", {indices, strides_of(b, shape)}), {1}, false);
}

ValueId index_of_flat(GraphBuilder& b, ValueId flat, ValueId shape) {  // sizes of zero have no elements, and divide nothing
  auto divisor = [&](ValueId v) { return with(b, "Max", v, 1); };
  return b.emit("Mod", {b.emit("Div", {unsqueeze(b, flat, {1}), divisor(strides_of(b, shape))}), divisor(shape)});
}

ValueId rising_order(GraphBuilder& b, ValueId x) {
  const ValueId n = b.reshape(b.scalar(b.size(x, 0)), {Int(1)});
  return b.emit("TopK", {x, n}, attributes({{"axis", int64_t(0)}, {"largest", int64_t(0)}}), 2)[1];
}

namespace {

ValueId wide(Call& c, size_t i) { return c.b.cast(c.tensor(i), DType::i64); }
DType splits_dtype(Call& c) { return c.dtype("Tsplits", DType::i64); }

// From starts to limits, each in steps of deltas; one number stands for all.
Values ragged_range(Call& c) {
  GraphBuilder& b = c.b;
  ValueId start = c.tensor(0), limit = c.tensor(1), delta = c.tensor(2);
  const DType dtype = b.dtype(start);
  const ValueId sum = b.emit("Add", {b.emit("Add", {start, limit}), delta});  // for its shape
  if (!b.ok()) return {};
  auto whole = [&](ValueId v) { return b.reshape(b.emit("Expand", {v, b.emit("Shape", {sum})}), {Int(-1)}); };
  start = whole(start), limit = whole(limit), delta = whole(delta);
  const ValueId reach = b.emit("Sub", {limit, start});
  ValueId length;
  if (is_float(dtype)) {
    length = b.cast(b.emit("Ceil", {b.emit("Div", {reach, delta})}), DType::i64);
  } else {  // rounded up
    const ValueId down = with(b, "Less", delta, 0);
    const ValueId step = b.cast(b.emit("Abs", {delta}), DType::i64), far = b.cast(select(b, down, b.emit("Neg", {reach}), reach), DType::i64);
    length = b.emit("Div", {b.emit("Add", {far, with(b, "Sub", step, 1)}), step});
  }
  const ValueId splits = splits_of(b, with(b, "Max", length, 0));
  const Run run = places_of(b, splits);
  const ValueId values = b.emit("Add", {picked(b, start, run.row), b.emit("Mul", {b.cast(run.place, dtype), picked(b, delta, run.row)})});
  return {b.cast(splits, splits_dtype(c)), values};
}

// Rows by index, whole, with what lies below them. Each axis of the indices but the last is a level of rows of one length.
Values ragged_gather(Call& c) {
  GraphBuilder& b = c.b;
  const int64_t levels = c.integer("PARAMS_RAGGED_RANK");
  if (levels < 1 || static_cast<size_t>(levels) + 2 != c.count()) return c.fail(invalid("PARAMS_RAGGED_RANK is " + std::to_string(levels)));
  const ValueId indices = wide(c, static_cast<size_t>(levels) + 1);
  const std::vector<Int> sizes = sizes_of(b, indices);
  if (!b.ok()) return {};
  if (sizes.empty()) return c.fail(unsupported("one index is not supported, a list of them is"));
  Values out;
  Int rows = sizes[0];
  for (size_t axis = 1; axis < sizes.size(); ++axis) {
    const ValueId lengths = b.emit("Expand", {b.scalar(sizes[axis]), b.ints(std::vector<Int>{rows})});
    out.push_back(b.cast(splits_of(b, lengths), splits_dtype(c)));
    rows = b.mul(rows, sizes[axis]);
  }
  ValueId chosen = b.reshape(indices, {Int(-1)});
  for (int64_t level = 0; level < levels; ++level) {
    const ValueId all = wide(c, static_cast<size_t>(level));
    const ValueId splits = splits_of(b, picked(b, row_lengths(b, all), chosen));
    const Run run = places_of(b, splits);
    chosen = b.emit("Add", {picked(b, picked(b, all, chosen), run.row), run.place});
    out.push_back(b.cast(splits, splits_dtype(c)));
  }
  out.push_back(picked(b, c.tensor(static_cast<size_t>(levels)), chosen));
  return out;
}

// An index for each value: of its row on every level, and of its place in the values' own dimensions. As wide as the longest row.
Values to_sparse(Call& c) {
  GraphBuilder& b = c.b;
  if (c.count() < 2) return c.fail(invalid("no row_splits"));
  const size_t levels = c.count() - 1;
  const ValueId values = c.tensor(levels);
  const std::vector<Int> sizes = sizes_of(b, values);
  if (!b.ok()) return {};
  if (sizes.empty()) return c.fail(invalid("the values are one number"));
  auto row_count = [&](ValueId splits) { return b.sub(b.size(splits, 0), 1); };
  auto longest = [&](ValueId splits) { return reduced(b, "ReduceMax", concat(b, {b.ints({0}), row_lengths(b, splits)}, 0), {0}, true); };
  ValueId splits = wide(c, levels - 1);
  const Run run = places_of(b, splits);
  ValueId row = run.row;
  std::vector<ValueId> columns = {run.place}, shape = {longest(splits)};
  for (size_t level = levels - 1; level-- > 0;) {  // which row of the level above that row is in, and where there
    const ValueId above = wide(c, level);
    const ValueId outer = picked(b, row_of_each(b, above, row_count(splits)), row);
    columns.insert(columns.begin(), b.emit("Sub", {row, picked(b, above, outer)}));
    shape.insert(shape.begin(), longest(above));
    row = outer;
    splits = above;
  }
  columns.insert(columns.begin(), row);
  shape.insert(shape.begin(), b.ints(std::vector<Int>{row_count(splits)}));
  for (ValueId& v : columns) v = unsqueeze(b, v, {1});
  ValueId indices = concat(b, columns, 1);
  const std::vector<Int> inner(sizes.begin() + 1, sizes.end());
  if (!inner.empty()) {  // [n, places, levels + 1] and, behind it, [n, places, inner]
    Int each = 1;
    for (const Int& size : inner) each = b.mul(each, size);
    const ValueId inner_shape = b.ints(inner), places = index_of_flat(b, counted(b, each), inner_shape);
    const auto wide_rank = static_cast<int64_t>(columns.size());
    const ValueId outer = b.emit("Expand", {unsqueeze(b, indices, {1}), b.ints(std::vector<Int>{run.n, each, Int(wide_rank)})});
    const ValueId within =
        b.emit("Expand", {unsqueeze(b, places, {0}), b.ints(std::vector<Int>{run.n, each, Int(static_cast<int64_t>(inner.size()))})});
    indices = b.reshape(concat(b, {outer, within}, 2), {Int(-1), Int(wide_rank + static_cast<int64_t>(inner.size()))});
    shape.push_back(inner_shape);
  }
  return {indices, b.reshape(values, {Int(-1)}), concat(b, shape, 0)};
}

constexpr Operator kRaggedRows[] = {
    {"RaggedRange", "rt_nested_splits rt_dense_values", ragged_range},
    {"RaggedGather", "output_nested_splits*OUTPUT_RAGGED_RANK output_dense_values", ragged_gather},
    {"RaggedTensorToSparse", "sparse_indices sparse_values sparse_dense_shape", to_sparse},
};

}  // namespace

std::span<const Operator> ragged_operators() { return kRaggedRows; }

}  // namespace tern::tensorflow
