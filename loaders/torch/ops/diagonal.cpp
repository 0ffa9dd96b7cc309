// Diagonals: read, written, added up. See operator.h. Next: embedding.cpp.
#include "loaders/torch/ops/indexing.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostDiagonal = int64_t(1) << 22;

// The order that brings two axes to the end; and the one that brings them back.
struct ToEnd {
  std::vector<int64_t> order, back;
  ToEnd(int rank, int d1, int d2) : back(static_cast<size_t>(rank)) {
    for (int i = 0; i < rank; ++i) {
      if (i != d1 && i != d2) order.push_back(i);
    }
    order.insert(order.end(), {d1, d2});
    for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  }
};

// Element i of the diagonal of dim1 and dim2 that lies `offset` to the right, as a new last axis.
ValueId diagonal_of(Builder& b, ValueId x, int64_t offset, int d1, int d2) {
  const int rank = b.rank(x);
  if (!b.ok()) return kNone;
  if (rank < 2 || d1 == d2) return b.fail(invalid("a diagonal needs two different dimensions"));
  const Int rows = b.size(x, d1), cols = b.size(x, d2);
  if (!rows.known() || !cols.known()) return b.fail(unsupported("a diagonal of sizes that are not known when the model is loaded"));
  if (rows.value() > int64_t(1) << 31 || cols.value() > int64_t(1) << 31) return b.fail(unsupported("a diagonal of so large a matrix"));
  if (offset < -rows.value() || offset > cols.value()) return b.fail(invalid("offset " + std::to_string(offset) + " lies outside of the matrix"));
  const int64_t down = std::max<int64_t>(-offset, 0), right = std::max<int64_t>(offset, 0);
  const int64_t n = std::max<int64_t>(std::min(rows.value() - down, cols.value() - right), 0);
  if (n > kMostDiagonal) return b.fail(unsupported("a diagonal of " + std::to_string(n) + " elements"));
  const std::vector<int64_t> order = ToEnd(rank, d1, d2).order;
  std::vector<int64_t> places;
  std::vector<Int> sizes;
  for (size_t i = 0; i + 2 < order.size(); ++i) sizes.push_back(b.size(x, static_cast<int>(order[i])));
  sizes.push_back(b.mul(rows, cols));
  for (int64_t i = 0; i < n; ++i) places.push_back((down + i) * cols.value() + right + i);
  return b.emit("Gather", {b.reshape(permute(b, x, order), sizes), b.ints(places)}, attributes({{"axis", int64_t(rank - 2)}}));
}

IValue diagonal(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int d1 = b.axis(x, a.integer("dim1")), d2 = b.axis(x, a.integer("dim2"));
  return tensor_of(diagonal_of(b, x, a.integer("offset"), d1, d2));
}

// `src` [.., n] on a diagonal of x [.., rows, cols], which keeps the rest. Row i (with a negative offset: column i) gets src[i].
ValueId put_diagonal(Builder& b, ValueId x, ValueId src, int64_t offset) {
  const int rank = b.rank(x);
  if (!b.ok()) return kNone;
  if (b.rank(src) != rank - 1) return b.fail(invalid("src must have one dimension less than the input"));
  const int lines = offset >= 0 ? rank - 2 : rank - 1;
  const Int rows = b.size(x, rank - 2), cols = b.size(x, rank - 1), n = b.size(src, rank - 2);
  std::vector<Int> pads(static_cast<size_t>(2 * (rank - 1)), Int(0));
  pads.back() = b.sub(b.size(x, lines), n);
  const ValueId spread = unsqueeze(b, b.emit("Pad", {src, b.ints(pads)}), {offset >= 0 ? rank - 1 : rank - 2});
  const ValueId nothing = b.emit("Expand", {b.scalar(DType::boolean, 0), b.ints(std::vector<Int>{rows, cols})});
  return b.emit("Where", {b.emit("EyeLike", {nothing}, attributes({{"k", offset}})), spread, x});
}

IValue diagonal_scatter(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), src = b.cast(a.tensor("src"), b.dtype(x));
  const int d1 = b.axis(x, a.integer("dim1")), d2 = b.axis(x, a.integer("dim2"));
  if (!b.ok()) return {};
  if (b.rank(x) < 2 || d1 == d2) return tensor_of(b.fail(invalid("a diagonal needs two different dimensions")));
  const ToEnd move(b.rank(x), d1, d2);
  return tensor_of(permute(b, put_diagonal(b, permute(b, x, move.order), src, a.integer("offset")), move.back));
}

ValueId embedded(Builder& b, ValueId src, int64_t offset) {
  if (!b.ok()) return kNone;
  if (offset < -(int64_t(1) << 31) || offset > int64_t(1) << 31) return b.fail(unsupported("an offset of " + std::to_string(offset)));
  std::vector<Int> sizes = sizes_of(b, src);
  if (sizes.empty()) return b.fail(invalid("a diagonal needs at least one dimension"));
  sizes.back() = b.add(sizes.back(), std::abs(offset));
  sizes.push_back(sizes.back());
  return put_diagonal(b, b.emit("Expand", {b.scalar_like(src, 0), b.ints(sizes)}), src, offset);
}

IValue diag_embed(Builder& b, const Arguments& a) {
  const ValueId src = a.tensor("input");
  const int rank = b.rank(src) + 1, d1 = b.axis_of(a.integer("dim1"), rank), d2 = b.axis_of(a.integer("dim2"), rank);
  if (b.ok() && d1 == d2) b.fail(invalid("a diagonal needs two different dimensions"));
  const ValueId y = embedded(b, src, a.integer("offset"));
  return tensor_of(b.ok() ? permute(b, y, ToEnd(rank, d1, d2).back) : kNone);
}

IValue diag(Builder& b, const Arguments& a) {  // of a vector the matrix, of a matrix the vector
  const ValueId x = a.tensor("input");
  const int64_t offset = a.integer("diagonal");
  if (b.ok() && b.rank(x) != 1 && b.rank(x) != 2) b.fail(invalid("diag takes a vector or a matrix"));
  return tensor_of(b.rank(x) == 1 ? embedded(b, x, offset) : diagonal_of(b, x, offset, 0, 1));
}

IValue trace(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const ValueId y = diagonal_of(b, x, 0, 0, 1);
  if (!b.ok()) return {};
  return tensor_of(b.emit("ReduceSum", {is_float(b.dtype(y)) ? y : b.cast(y, DType::i64), b.ints({0})}, attributes({{"keepdims", int64_t(0)}})));
}

// One behind the other, zeros beside them.
IValue block_diag(Builder& b, const Arguments& a) {
  std::vector<ValueId> blocks = a.tensors("tensors");
  Int columns = 0;
  for (ValueId& v : blocks) {
    v = with_rank(b, v, 2);
    if (b.ok() && b.rank(v) != 2) b.fail(invalid("a block must have at most two dimensions"));
    columns = b.add(columns, b.size(v, 1));
  }
  Int before = 0;
  for (ValueId& v : blocks) {
    if (!b.ok()) return {};
    const Int width = b.size(v, 1), after = b.sub(columns, b.add(before, width));
    v = b.emit("Pad", {v, b.ints(std::vector<Int>{0, before, 0, after})});
    before = b.add(before, width);
  }
  if (blocks.empty()) return tensor_of(b.ok() ? b.fail(invalid("there are no tensors")) : kNone);
  return tensor_of(b.ok() ? concat(b, blocks, 0) : kNone);
}

constexpr Operator kDiagonalRows[] = {
    {"aten.diagonal.default torch.diagonal Tensor.diagonal", "input|self, offset=0, dim1=0, dim2=1", diagonal, Shares::view},
    {"torch.linalg.diagonal aten.linalg_diagonal.default", "input|A, *, offset=0, dim1=-2, dim2=-1", diagonal, Shares::view},
    {"aten.diagonal_scatter.default torch.diagonal_scatter Tensor.diagonal_scatter", "input|self, src, offset=0, dim1=0, dim2=1", diagonal_scatter},
    {"aten.diag_embed.default torch.diag_embed Tensor.diag_embed", "input|self, offset=0, dim1=-2, dim2=-1", diag_embed},
    {"aten.diag.default torch.diag Tensor.diag", "input|self, diagonal=0", diag},
    {"torch.block_diag", "*tensors", block_diag},
    {"aten.block_diag.default", "tensors", block_diag},
    {"aten.trace.default torch.trace Tensor.trace", "input|self", trace},
};

}  // namespace

std::span<const Operator> diagonal_operators() { return kDiagonalRows; }

}  // namespace tern::torch
