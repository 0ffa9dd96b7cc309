// Writing by index, and sums over segments, which are writes that add. See operator.h. Next: dynamic.cpp.
#include <limits>

#include "loaders/tensorflow/ops/common.h"
#include "runtime/base/half.h"

namespace tern::tensorflow {
namespace {

// The largest or least number of a dtype.
ValueId extreme(GraphBuilder& b, DType dtype, bool largest) {
  if (!b.ok()) return kNone;
  if (dtype == DType::f16) return b.scalar(dtype, largest ? 65504 : -65504);
  if (dtype == DType::bf16) return b.scalar(dtype, largest ? 3.3895313892515355e38 : -3.3895313892515355e38);
  return visit(dtype, [&]<class T>() -> ValueId {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      return b.constant(Tensor::scalar(largest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest()));
    } else {
      return b.fail(unsupported(std::string("of ") + name(dtype) + " is not supported"));
    }
  });
}

Attributes how(const char* reduction) { return attributes({{"reduction", std::string(reduction)}}); }

bool strict(Call& c) {
  if (c.string("bad_indices_policy", "") != "IGNORE") return true;
  c.fail(unsupported("bad_indices_policy IGNORE is not supported"));
  return false;
}

Values scatter_nd(Call& c) {
  GraphBuilder& b = c.b;
  if (!strict(c)) return {};
  const ValueId updates = c.tensor(1);
  const ValueId zeros = b.emit("Expand", {b.scalar_like(updates, 0), b.cast(c.tensor(2), DType::i64)});
  return {b.emit("ScatterND", {zeros, b.cast(c.tensor(0), DType::i64), updates}, how("add"))};
}

template <OpName Reduction>
Values tensor_scatter(Call& c) {
  GraphBuilder& b = c.b;
  if (!strict(c)) return {};
  const ValueId x = c.tensor(0), indices = b.cast(c.tensor(1), DType::i64);
  ValueId updates = c.tensor(2);
  std::string reduction = Reduction.text;
  if (reduction == "sub") {
    updates = b.emit("Neg", {updates});
    reduction = "add";
  }
  return {b.emit("ScatterND", {x, indices, updates}, how(reduction.c_str()))};
}

// One default everywhere but at the given places. These are [n, rank], or [n] or one number where the tensor is a vector.
Values sparse_to_dense(Call& c) {
  GraphBuilder& b = c.b;
  ValueId places = b.cast(c.tensor(0), DType::i64), values = c.tensor(2);
  const int rank = b.rank(places);
  if (!b.ok() || rank > 2) return b.ok() ? c.fail(invalid("sparse_indices have more than two dimensions")) : Values();
  if (rank < 2) places = b.reshape(places, {Int(-1), Int(1)});
  if (b.rank(values) == 0) values = b.emit("Expand", {values, b.ints(std::vector<Int>{b.size(places, 0)})});
  const ValueId all = b.emit("Expand", {c.tensor(3), b.cast(c.tensor(1), DType::i64)});
  return {b.emit("ScatterND", {all, places, values})};
}

// ---- segments: y[s] = the sum (product, maximum …) of all rows of x with that id ----

struct Segments {
  ValueId rows = kNone;  // [n, rest..]
  ValueId ids = kNone;   // [n] i64
  Int count;
};

enum class Fold : uint8_t { sum, mean, sqrt_n, product, largest, least };

// Ids below 0 and beyond the last segment go into one more, which is cut off. `empty`: of a segment without rows; kNone: what the fold begins with.
ValueId folded(GraphBuilder& b, const Segments& s, Fold fold, ValueId empty) {
  const DType dtype = b.dtype(s.rows);
  const ValueId count = b.scalar(s.count);
  const ValueId inside = b.emit("And", {b.emit("Less", {s.ids, count}), b.emit("GreaterOrEqual", {s.ids, b.scalar(Int(0))})});
  const ValueId ids = unsqueeze(b, select(b, inside, s.ids, count), {1});
  std::vector<Int> sizes = sizes_of(b, s.rows);
  if (!b.ok()) return kNone;
  sizes[0] = b.add(s.count, 1);
  const bool adds = fold == Fold::sum || fold == Fold::mean || fold == Fold::sqrt_n;
  const ValueId first = adds ? b.scalar_like(s.rows, 0) : fold == Fold::product ? b.scalar_like(s.rows, 1) : extreme(b, dtype, fold == Fold::least);
  const char* reduction = adds ? "add" : fold == Fold::product ? "mul" : fold == Fold::largest ? "max" : "min";
  ValueId y = b.emit("ScatterND", {b.emit("Expand", {first, b.ints(sizes)}), ids, s.rows}, how(reduction));
  if (fold == Fold::mean || fold == Fold::sqrt_n || empty != kNone) {
    const ValueId none = b.emit("Expand", {b.scalar_like(s.rows, 0), b.ints(std::vector<Int>{sizes[0]})});
    const ValueId ones = b.emit("Expand", {b.scalar_like(s.rows, 1), b.ints(std::vector<Int>{b.size(s.rows, 0)})});
    std::vector<Int> tall(sizes.size(), Int(1));
    tall[0] = sizes[0];
    const ValueId counts = b.reshape(b.emit("ScatterND", {none, ids, ones}, how("add")), tall);
    if (empty != kNone) y = select(b, is_zero(b, counts), empty, y);
    ValueId by = with(b, "Max", counts, 1);
    if (fold == Fold::sqrt_n) by = b.emit("Sqrt", {by});
    if (fold == Fold::mean || fold == Fold::sqrt_n) y = b.emit("Div", {y, by});
  }
  return b.emit("Slice", {y, b.ints({0}), b.ints(std::vector<Int>{s.count}), b.ints({0})});
}

// Sorted ids: the last one tells how many segments there are.
Int count_of(Call& c, size_t ids) {
  GraphBuilder& b = c.b;
  if (c.knows_ints(ids)) {
    const std::vector<int64_t> known = c.known_ints(ids);
    const int64_t last = known.empty() ? -1 : known.back();
    if (last < -1 || last > int64_t(1) << 40) c.fail(invalid("a segment id is " + std::to_string(last)));
    return last + 1;
  }
  const ValueId with_none = concat(b, {b.ints({-1}), b.cast(c.tensor(ids), DType::i64)}, 0);
  return Int::computed(with(b, "Add", reduced(b, "ReduceMax", with_none, {0}, false), 1));
}

template <Fold F>
Values segments(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!has_rank(c, 1, 1)) return {};
  const ValueId empty = F == Fold::largest || F == Fold::least ? b.scalar_like(x, 0) : kNone;
  return {folded(b, {x, b.cast(c.tensor(1), DType::i64), count_of(c, 1)}, F, empty)};
}

// Ids have as many leading dimensions of x as they like.
template <Fold F>
Values unsorted(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), ids = c.tensor(1);
  const int rank = b.rank(ids);
  if (b.ok() && rank > b.rank(x)) return c.fail(invalid("segment_ids have more dimensions than data"));
  const Int count = b.elements(c.tensor(2)).empty() ? Int(0) : b.elements(c.tensor(2))[0];
  std::vector<Int> rest = sizes_of(b, x);
  if (!b.ok()) return {};
  rest.erase(rest.begin(), rest.begin() + rank);
  std::vector<Int> rows = rest;
  rows.insert(rows.begin(), Int(-1));
  return {folded(b, {b.reshape(x, rows), b.reshape(b.cast(ids, DType::i64), {Int(-1)}), count}, F, kNone)};
}

// Rows are picked by index first.
template <Fold F, bool Counted>
Values sparse_segments(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 1, 1) || !has_rank(c, 2, 1)) return {};
  const ValueId rows = b.emit("Gather", {c.tensor(0), c.tensor(1)}, attributes({{"axis", int64_t(0)}}));
  const std::vector<Int> given = Counted ? b.elements(c.tensor(3)) : std::vector<Int>();
  const Int count = Counted ? (given.empty() ? Int(0) : given[0]) : count_of(c, 2);
  return {folded(b, {rows, b.cast(c.tensor(2), DType::i64), count}, F, kNone)};
}

constexpr Operator kScatterRows[] = {
    {"ScatterNd", nullptr, scatter_nd},
    {"TensorScatterUpdate", nullptr, tensor_scatter<"none">},
    {"TensorScatterAdd ScatterNdNonAliasingAdd", nullptr, tensor_scatter<"add">},
    {"TensorScatterSub", nullptr, tensor_scatter<"sub">},
    {"TensorScatterMax", nullptr, tensor_scatter<"max">},
    {"TensorScatterMin", nullptr, tensor_scatter<"min">},
    {"SparseToDense", nullptr, sparse_to_dense},
    {"SegmentSum", nullptr, segments<Fold::sum>},
    {"SegmentMean", nullptr, segments<Fold::mean>},
    {"SegmentProd", nullptr, segments<Fold::product>},
    {"SegmentMax", nullptr, segments<Fold::largest>},
    {"SegmentMin", nullptr, segments<Fold::least>},
    {"UnsortedSegmentSum", nullptr, unsorted<Fold::sum>},
    {"UnsortedSegmentProd", nullptr, unsorted<Fold::product>},
    {"UnsortedSegmentMax", nullptr, unsorted<Fold::largest>},
    {"UnsortedSegmentMin", nullptr, unsorted<Fold::least>},
    {"SparseSegmentSum", nullptr, sparse_segments<Fold::sum, false>},
    {"SparseSegmentMean", nullptr, sparse_segments<Fold::mean, false>},
    {"SparseSegmentSqrtN", nullptr, sparse_segments<Fold::sqrt_n, false>},
    {"SparseSegmentSumWithNumSegments", nullptr, sparse_segments<Fold::sum, true>},
    {"SparseSegmentMeanWithNumSegments", nullptr, sparse_segments<Fold::mean, true>},
    {"SparseSegmentSqrtNWithNumSegments", nullptr, sparse_segments<Fold::sqrt_n, true>},
};

}  // namespace

std::span<const Operator> scatter_operators() { return kScatterRows; }

}  // namespace tern::tensorflow
