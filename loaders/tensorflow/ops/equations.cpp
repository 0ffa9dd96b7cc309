// Systems of linear equations, determinants. See operator.h and kernels/linear_algebra. Next: gather.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// f(x) in f32 of what has 16 bits.
template <class F>
ValueId wide(Call& c, ValueId x, F f) {
  const DType dtype = c.b.dtype(x);
  return is_float(dtype) && size_of(dtype) < 4 ? in_dtype(c.b, x, DType::f32, f) : f(x);
}

Attributes adjoint(Call& c) { return attributes({{"adjoint", int64_t(c.boolean("adjoint", false))}}); }

Values cholesky(Call& c) {
  return {wide(c, c.tensor(0), [&](ValueId x) { return c.b.emit("Cholesky", {x}); })};
}
Values determinant(Call& c) {
  return {wide(c, c.tensor(0), [&](ValueId x) { return c.b.emit("Det", {x}); })};
}
Values inverse(Call& c) {
  return {wide(c, c.tensor(0), [&](ValueId x) { return c.b.emit("Solve", {x}, adjoint(c)); })};
}
Values solve(Call& c) { return {c.b.emit("Solve", {c.tensor(0), c.tensor(1)}, adjoint(c))}; }

Values log_determinant(Call& c) {
  const auto y = c.b.emit("LogDeterminant", {c.tensor(0)}, {}, 2);
  return {y[0], y[1]};
}

// Matrices [batch.., n, m] with the batch of both.
ValueId with_batch(GraphBuilder& b, ValueId x, ValueId other) {
  const int rank = b.rank(x), more = b.rank(other);
  if (!b.ok() || rank < 2 || more < 2) return b.ok() ? b.fail(invalid("a matrix must have at least two dimensions")) : kNone;
  std::vector<Int> sizes = sizes_of(b, other), own = sizes_of(b, x);
  sizes[sizes.size() - 2] = own[own.size() - 2];
  sizes[sizes.size() - 1] = own[own.size() - 1];
  return b.emit("Expand", {x, b.ints(sizes)});
}

bool same_batch(GraphBuilder& b, ValueId x, ValueId y) {
  const Shape &p = b.shape(x), &q = b.shape(y);
  bool same = p.ranked() && q.ranked() && p.rank() == q.rank();
  for (int d = 0; same && d + 2 < p.rank(); ++d) same = p[d] == q[d];
  return same;
}

Values triangular_solve(Call& c) {
  GraphBuilder& b = c.b;
  ValueId a = c.tensor(0), y = c.tensor(1);
  Attributes attrs = adjoint(c);
  attrs.set("lower", int64_t(c.boolean("lower", true)));
  if (!same_batch(b, a, y)) {
    y = with_batch(b, y, a);
    a = with_batch(b, a, y);
  }
  return {b.emit("TriangularSolve", {a, y}, attrs)};
}

// Values alone need no vectors: those outputs are empty then.
std::vector<ValueId> factors(Call& c, const char* op, const char* vectors, size_t outputs, bool full) {
  GraphBuilder& b = c.b;
  Attributes attrs;
  if (full) attrs.set("full", int64_t(c.boolean("full_matrices", false)));
  const bool all = vectors == nullptr || c.boolean(vectors, true);
  std::vector<ValueId> y = b.emit(op, {c.tensor(0)}, attrs, all ? outputs : 1);
  auto none = Tensor::allocate(b.ok() ? b.dtype(y[0]) : DType::f32, {0});
  if (!all && none) y.resize(outputs, b.constant(std::move(*none)));
  y.resize(outputs, kNone);
  return y;
}
Values svd(Call& c) {
  const auto y = factors(c, "Svd", "compute_uv", 3, true);
  return {y[0], y[1], y[2]};
}
Values qr(Call& c) {
  const auto y = factors(c, "Qr", nullptr, 2, true);
  return {y[0], y[1]};
}
Values self_adjoint_eigen(Call& c) {
  const auto y = factors(c, "SelfAdjointEigen", "compute_v", 2, false);
  return {y[0], y[1]};
}

constexpr Operator kEquationsRows[] = {
    {"Cholesky BatchCholesky", nullptr, cholesky},
    {"MatrixDeterminant BatchMatrixDeterminant", nullptr, determinant},
    {"LogMatrixDeterminant", "sign log_abs_determinant", log_determinant},
    {"MatrixInverse BatchMatrixInverse", nullptr, inverse},
    {"MatrixSolve BatchMatrixSolve", nullptr, solve},
    {"MatrixTriangularSolve BatchMatrixTriangularSolve", nullptr, triangular_solve},
    {"Qr", "q r", qr},
    {"SelfAdjointEigV2", "e v", self_adjoint_eigen},
    {"Svd", "s u v", svd},
};

}  // namespace

std::span<const Operator> equation_operators() { return kEquationsRows; }

}  // namespace tern::tensorflow
