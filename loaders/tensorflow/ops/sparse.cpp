// Sparse tensors, which TensorFlow passes as three: indices [n, rank] i64, values [n], dense_shape [rank] i64. See operator.h. Next: pad.cpp.
#include <limits>

#include "loaders/tensorflow/ops/ragged.h"

namespace tern::tensorflow {
namespace {

constexpr int64_t kMostParts = 4096;  // of a split

struct Sparse {
  ValueId indices, values, shape;
};

Sparse sparse_input(Call& c, size_t i) {
  if (!has_rank(c, i, 2) || !has_rank(c, i + 1, 1) || !has_rank(c, i + 2, 1)) return {kNone, kNone, kNone};
  return {c.b.cast(c.tensor(i), DType::i64), c.tensor(i + 1), c.b.cast(c.tensor(i + 2), DType::i64)};
}

// Row-major order; values of one place stay in theirs.
Sparse in_order(GraphBuilder& b, const Sparse& s) {
  const ValueId order = rising_order(b, flat_index(b, s.indices, s.shape));
  return {picked(b, s.indices, order), picked(b, s.values, order), s.shape};
}

Sparse where(GraphBuilder& b, const Sparse& s, ValueId kept, ValueId shape) {
  const Attributes rows = attributes({{"axis", int64_t(0)}});
  return {b.emit("Compress", {s.indices, kept}, rows), b.emit("Compress", {s.values, kept}, rows), shape};
}

// true where x [n, rank] is in every column.
ValueId in_all(GraphBuilder& b, ValueId x) { return is_zero(b, reduced(b, "ReduceSum", b.cast(b.emit("Not", {x}), DType::i64), {1}, false)); }

Values reorder(Call& c) {
  const Sparse y = in_order(c.b, sparse_input(c, 0));
  return {y.indices, y.values};
}

// One size may be -1.
Values sparse_reshape(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 1) || !has_rank(c, 2, 1)) return {};
  const ValueId shape = b.cast(c.tensor(1), DType::i64), given = b.cast(c.tensor(2), DType::i64);
  const ValueId open = with(b, "Less", given, 0), all = reduced(b, "ReduceProd", shape, {0}, false);
  const ValueId others = reduced(b, "ReduceProd", select(b, open, b.scalar(Int(1)), given), {0}, false);
  const ValueId to = select(b, open, b.emit("Div", {all, with(b, "Max", others, 1)}), given);
  return {index_of_flat(b, flat_index(b, c.tensor(0), shape), to), to};
}

Values sparse_slice(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse s = sparse_input(c, 0);
  if (!has_rank(c, 3, 1) || !has_rank(c, 4, 1)) return {};
  const ValueId start = b.cast(c.tensor(3), DType::i64), end = b.emit("Min", {b.emit("Add", {start, b.cast(c.tensor(4), DType::i64)}), s.shape});
  const ValueId inside = b.emit("And", {b.emit("GreaterOrEqual", {s.indices, start}), b.emit("Less", {s.indices, end})});
  const Sparse y = where(b, s, in_all(b, inside), with(b, "Max", b.emit("Sub", {end, start}), 0));
  return {b.emit("Sub", {y.indices, start}), y.values, y.shape};
}

// Parts along one axis; the first ones have one more where the size does not divide.
Values sparse_split(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse s = sparse_input(c, 1);
  const int64_t n = c.integer("num_split");
  const std::vector<Int> shape = b.elements(s.shape);
  const int axis = axis_of(c, known_int(c, 0), static_cast<int>(shape.size()));
  if (!b.ok()) return {};
  if (n < 1 || n > kMostParts) return c.fail(unsupported("num_split " + std::to_string(n) + " is not in [1, " + std::to_string(kMostParts) + "]"));
  const Int size = shape[static_cast<size_t>(axis)], each = b.floor_div(size, n), longer = b.mod(size, n);
  const ValueId place = column(b, s.indices, axis), part = b.scalar(each), more = b.scalar(longer);
  Values indices, values, shapes;
  const auto begin = [&](int64_t k) { return b.emit("Add", {b.emit("Mul", {part, b.scalar(Int(k))}), b.emit("Min", {more, b.scalar(Int(k))})}); };
  for (int64_t i = 0; i < n && b.ok(); ++i) {
    const ValueId from = begin(i), to = begin(i + 1);
    const ValueId inside = b.emit("And", {b.emit("GreaterOrEqual", {place, from}), b.emit("Less", {place, to})});
    std::vector<Int> own = shape;
    own[static_cast<size_t>(axis)] = Int::computed(b.emit("Sub", {to, from}));
    std::vector<Int> back(shape.size(), Int(0));
    back[static_cast<size_t>(axis)] = Int::computed(from);
    const Sparse y = where(b, s, inside, b.ints(own));
    indices.push_back(b.emit("Sub", {y.indices, b.ints(back)}));
    values.push_back(y.values);
    shapes.push_back(y.shape);
  }
  indices.insert(indices.end(), values.begin(), values.end());
  indices.insert(indices.end(), shapes.begin(), shapes.end());
  return indices;
}

// Indices, values and shapes of all, one list after another.
Values concat_of(Call& c) {
  GraphBuilder& b = c.b;
  const size_t n = c.count() / 3;
  if (n == 0 || c.count() % 3 != 0) return c.fail(invalid("there are not as many indices as values and shapes"));
  const Int rank_size = b.size(c.tensor(2 * n), 0);
  if (!b.ok()) return {};
  if (!rank_size.known()) return c.fail(unsupported("the number of dimensions must be known when the model is loaded"));
  const int rank = static_cast<int>(rank_size.value()), axis = axis_of(c, c.integer("concat_dim"), rank);
  std::vector<ValueId> indices, values;
  ValueId shape = kNone;
  std::vector<int64_t> along(static_cast<size_t>(rank));
  if (!b.ok()) return {};
  along[static_cast<size_t>(axis)] = 1;
  const ValueId mask = b.ints(along);
  for (size_t i = 0; i < n && b.ok(); ++i) {
    const ValueId own = b.emit("Mul", {b.cast(c.tensor(2 * n + i), DType::i64), mask});  // its size along the axis, 0 elsewhere
    indices.push_back(i == 0 ? c.tensor(0) : b.emit("Add", {c.tensor(i), b.emit("Mul", {shape, mask})}));
    values.push_back(c.tensor(n + i));
    shape = i == 0 ? b.cast(c.tensor(2 * n), DType::i64) : b.emit("Add", {shape, own});
  }
  const Sparse y = in_order(b, {concat(b, indices, 0), concat(b, values, 0), shape});
  return {y.indices, y.values, y.shape};
}

// A default in the first place of every row that has nothing.
Values fill_empty_rows(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse s = sparse_input(c, 0);
  const Int n = b.size(s.indices, 0), rank = b.size(s.indices, 1);
  const std::vector<Int> shape = b.elements(s.shape);
  if (!b.ok()) return {};
  if (shape.empty()) return c.fail(invalid("dense_shape has no elements"));
  const ValueId row = column(b, s.indices, 0);
  const ValueId counts = added(b, full(b, DType::i64, 0, {shape[0]}), unsqueeze(b, row, {1}), full(b, DType::i64, 1, {n}));
  const ValueId empty = is_zero(b, counts), missing = squeeze(b, b.emit("NonZero", {empty}), {0});
  const Int more = b.size(missing, 0);
  const ValueId extra = concat(b, {unsqueeze(b, missing, {1}), full(b, DType::i64, 0, {more, b.sub(rank, 1)})}, 1);
  const ValueId order = rising_order(b, concat(b, {row, missing}, 0));
  const ValueId indices = picked(b, concat(b, {s.indices, extra}, 0), order);
  const ValueId defaults = b.emit("Expand", {c.tensor(3), b.ints(std::vector<Int>{more})});
  const ValueId values = picked(b, concat(b, {s.values, defaults}, 0), order);
  const Int all = b.size(order, 0);
  const ValueId back = b.emit("ScatterND", {full(b, DType::i64, 0, {all}), unsqueeze(b, order, {1}), counted(b, all)});
  return {indices, values, empty, b.emit("Slice", {back, b.ints({0}), b.ints(std::vector<Int>{n}), b.ints({0})})};
}

// ---- with dense ones ----

// y[i, :] = the sum of a[i, k] b[k, :] over the k that a has.
Values sparse_dense_matmul(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse a = sparse_input(c, 0);
  if (!has_rank(c, 3, 2)) return {};
  const bool turned = c.boolean("adjoint_a", false);
  const ValueId dense = c.boolean("adjoint_b", false) ? transpose(b, c.tensor(3), 0, 1) : c.tensor(3);
  const std::vector<Int> shape = b.elements(a.shape);
  if (!b.ok()) return {};
  if (shape.size() != 2) return c.fail(invalid("a_shape must be two sizes"));
  const ValueId row = column(b, a.indices, turned ? 1 : 0), inner = column(b, a.indices, turned ? 0 : 1);
  const ValueId products = b.emit("Mul", {picked(b, dense, inner), unsqueeze(b, a.values, {1})});
  return {added(b, full(b, b.dtype(dense), 0, {shape[turned ? 1 : 0], b.size(dense, 1)}), unsqueeze(b, row, {1}), products)};
}

Values dense_add(Call& c) {
  const Sparse a = sparse_input(c, 0);
  return {added(c.b, c.tensor(3), a.indices, a.values)};
}

// The values with what a dense tensor, broadcast, has in their places.
template <OpName Op>
Values elementwise(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse a = sparse_input(c, 0);
  const ValueId dense = b.emit("Expand", {c.tensor(3), a.shape});
  return {b.emit(Op.text, {a.values, b.emit("GatherND", {dense, a.indices})})};
}

Values reduce_sum(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse s = sparse_input(c, 0);
  const std::vector<Int> shape = b.elements(s.shape);
  if (!b.ok()) return {};
  const int rank = static_cast<int>(shape.size());
  const std::vector<int64_t> axes = axes_input(c, 3, rank);
  std::vector<Int> sizes, kept;
  std::vector<int64_t> columns;
  for (int d = 0; d < rank; ++d) {
    const bool gone = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (!gone) columns.push_back(d), sizes.push_back(shape[static_cast<size_t>(d)]);
    kept.push_back(gone ? Int(1) : shape[static_cast<size_t>(d)]);
  }
  ValueId y;
  if (columns.empty()) {
    y = reduced(b, "ReduceSum", s.values, {0}, false);
  } else {
    const ValueId indices = b.emit("Gather", {s.indices, b.ints(columns)}, attributes({{"axis", int64_t(1)}}));
    y = added(b, full(b, b.dtype(s.values), 0, sizes), indices, s.values);
  }
  return {c.boolean("keep_dims", false) ? b.reshape(y, kept) : y};
}

// Of the values in each row of the last axis.
Values sparse_softmax(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse s = sparse_input(c, 0);
  const auto but_last = [&](ValueId v, int64_t axis) { return slice(b, v, axis, 0, -1); };
  const ValueId rows = flat_index(b, but_last(s.indices, 1), but_last(s.shape, 0));
  const auto places = b.emit("Unique", {rows}, attributes({{"sorted", int64_t(1)}}), 4);
  const ValueId row = places[2], at = unsqueeze(b, row, {1});
  const Int n = b.size(places[0], 0);
  const DType dtype = b.dtype(s.values);
  if (!b.ok()) return {};
  const ValueId lowest = full(b, dtype, -std::numeric_limits<double>::infinity(), {n});
  const ValueId most = b.emit("ScatterND", {lowest, at, s.values}, attributes({{"reduction", std::string("max")}}));
  const ValueId e = b.emit("Exp", {b.emit("Sub", {s.values, picked(b, most, row)})});
  return {b.emit("Div", {e, picked(b, added(b, full(b, dtype, 0, {n}), at, e), row)})};
}

// The sum of two, in order; of what both have, what is smaller than thresh is left out.
Values add(Call& c) {
  GraphBuilder& b = c.b;
  const Sparse p = sparse_input(c, 0), q = sparse_input(c, 3);
  const ValueId flat = concat(b, {flat_index(b, p.indices, p.shape), flat_index(b, q.indices, q.shape)}, 0);
  const auto places = b.emit("Unique", {flat}, attributes({{"sorted", int64_t(1)}}), 4);
  const ValueId zeros = full(b, b.dtype(p.values), 0, {b.size(places[0], 0)});
  const ValueId sums = added(b, zeros, unsqueeze(b, places[2], {1}), concat(b, {p.values, q.values}, 0));
  const ValueId enough = b.emit("GreaterOrEqual", {b.emit("Abs", {sums}), b.cast(c.tensor(6), b.dtype(sums))});
  const ValueId kept = b.emit("Or", {enough, with(b, "Equal", places[3], 1)});
  const Sparse y = where(b, {index_of_flat(b, places[0], p.shape), sums, p.shape}, kept, p.shape);
  return {y.indices, y.values, y.shape};
}

// ---- crossed columns ----

// The last `extra` inputs are no columns.
Values crossed(Call& c, size_t extra, Attributes attrs) {
  const int64_t sparse = c.integer("N", 0);
  attrs.set("sparse", sparse);
  std::vector<ValueId> inputs = c.tensors(0, c.count() - std::min(extra, c.count()));
  for (ValueId& v : inputs) {
    if (is_int(c.b.dtype(v))) v = c.b.cast(v, DType::i64);
  }
  const auto y = c.b.emit("SparseCross", std::move(inputs), std::move(attrs), 3);
  return {y[0], y[1], y[2]};
}

Values sparse_cross(Call& c) {
  return crossed(
      c, 0,
      attributes({{"hashed", int64_t(c.boolean("hashed_output"))}, {"buckets", c.integer("num_buckets")}, {"hash_key", c.integer("hash_key")}}));
}

Values cross_text(Call& c) {
  const Tensor* separator = c.count() == 0 ? nullptr : c.b.contents(c.tensor(c.count() - 1));
  if (separator == nullptr || separator->dtype() != DType::string || separator->count() != 1)
    return c.fail(unsupported("the separator must be known when the model is loaded"));
  return crossed(c, 1, attributes({{"separator", std::string(separator->span<StringRef>()[0].view())}}));
}

constexpr Operator kSparseRows[] = {
    {"SparseReorder", "output_indices output_values", reorder},
    {"SparseReshape", "output_indices output_shape", sparse_reshape},
    {"SparseSlice", "output_indices output_values output_shape", sparse_slice},
    {"SparseSplit", "output_indices*num_split output_values*num_split output_shape*num_split", sparse_split},
    {"SparseConcat", "output_indices output_values output_shape", concat_of},
    {"SparseFillEmptyRows", "output_indices output_values empty_row_indicator reverse_index_map", fill_empty_rows},
    {"SparseTensorDenseMatMul", nullptr, sparse_dense_matmul},
    {"SparseTensorDenseAdd", nullptr, dense_add},
    {"SparseDenseCwiseAdd", nullptr, elementwise<"Add">},
    {"SparseDenseCwiseMul", nullptr, elementwise<"Mul">},
    {"SparseDenseCwiseDiv", nullptr, elementwise<"Div">},
    {"SparseSoftmax", nullptr, sparse_softmax},
    {"SparseReduceSum", nullptr, reduce_sum},
    {"SparseCross", "output_indices output_values output_shape", sparse_cross},
    {"SparseCrossV2", "output_indices output_values output_shape", cross_text},
    {"SparseAdd", "sum_indices sum_values sum_shape", add},
};

}  // namespace

std::span<const Operator> sparse_operators() { return kSparseRows; }

}  // namespace tern::tensorflow
