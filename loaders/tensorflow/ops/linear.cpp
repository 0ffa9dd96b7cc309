// Products of matrices, einsum, and biases; fused forms are what Grappler writes into graphs that it saved. See operator.h. Next: conv.cpp.
#include "loaders/tensorflow/ops/fused.h"
#include "runtime/graph_einsum.h"

namespace tern::tensorflow {
namespace {

ValueId swapped(GraphBuilder& b, ValueId v, bool swap) {
  const int rank = b.rank(v);
  if (!b.ok() || !swap) return v;
  if (rank < 2) return b.fail(invalid("a matrix must have at least two dimensions"));
  return transpose(b, v, rank - 2, rank - 1);
}

ValueId product(Call& c, const char* first, const char* second) {
  return c.b.emit("MatMul", {swapped(c.b, c.tensor(0), c.boolean(first, false)), swapped(c.b, c.tensor(1), c.boolean(second, false))});
}

Values matmul(Call& c) {
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 2)) return {};
  return {product(c, "transpose_a", "transpose_b")};
}

Values fused_matmul(Call& c) {
  if (!has_rank(c, 0, 2) || !has_rank(c, 1, 2)) return {};
  return {fused(c, product(c, "transpose_a", "transpose_b"), 2, channels_last::Channels::last)};
}

Values batch_matmul(Call& c) { return {product(c, "adj_x", "adj_y")}; }

// Of two dtypes, into a third.
Values mixed_matmul(Call& c) {
  GraphBuilder& b = c.b;
  const DType to = c.dtype("Tout");
  const ValueId x = b.cast(c.tensor(0), to), y = b.cast(c.tensor(1), to);
  return {b.emit("MatMul", {swapped(b, x, c.boolean("adj_x", false)), swapped(b, y, c.boolean("adj_y", false))})};
}

Values sparse_matmul(Call& c) {  // the zeros are a hint
  GraphBuilder& b = c.b;
  const ValueId x = b.cast(c.tensor(0), DType::f32), y = b.cast(c.tensor(1), DType::f32);
  return {b.emit("MatMul", {swapped(b, x, c.boolean("transpose_a", false)), swapped(b, y, c.boolean("transpose_b", false))})};
}

Values einsum_of(Call& c) {
  const std::string equation = c.string("equation", "");
  return {einsum(c.b, equation, c.tensors(0, c.count()))};
}

Values bias_add(Call& c) {
  const ValueId x = c.tensor(0);
  const auto channels = channels_of(c);
  if (c.b.rank(x) < 2 && c.b.ok()) return c.fail(invalid("a bias needs at least two dimensions"));
  return {channels_last::bias_add(c.b, x, c.tensor(1), channels)};
}

Values bias_add_last(Call& c) { return {channels_last::bias_add(c.b, c.tensor(0), c.tensor(1))}; }

// Half the sum of the squares.
Values l2_loss(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = b.reshape(c.tensor(0), {Int(-1)});
  return {with(b, "Mul", reduced(b, "ReduceSum", square(b, x), {0}, false), 0.5)};
}

constexpr Operator kLinearRows[] = {
    {"MatMul", nullptr, matmul},
    {"_FusedMatMul", nullptr, fused_matmul},
    {"BatchMatMul BatchMatMulV2", nullptr, batch_matmul},
    {"BatchMatMulV3", nullptr, mixed_matmul},
    {"SparseMatMul", nullptr, sparse_matmul},
    {"Einsum", nullptr, einsum_of},
    {"BiasAdd", nullptr, bias_add},
    {"BiasAddV1", nullptr, bias_add_last},
    {"L2Loss", nullptr, l2_loss},
};

}  // namespace

std::span<const Operator> linear_operators() { return kLinearRows; }

}  // namespace tern::tensorflow
