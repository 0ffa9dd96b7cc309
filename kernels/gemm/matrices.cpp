// See matrices.h.
#include "kernels/gemm/matrices.h"

namespace tern {
namespace {

Shape leading(const Shape& s) { return Shape(std::vector<Dim>(s.dims().begin(), s.dims().end() - std::min(2, s.rank()))); }

// How far an operand whose leading axes are `dims` moves along those of the output.
std::array<int64_t, kMaxRank> steps(const Dims& dims, int64_t matrix, const Dims& batch) {
  std::array<int64_t, kMaxRank> out{};
  for (int i = dims.rank - 1; i >= 0; --i) {
    if (dims[i] != 1) out[static_cast<size_t>(i + batch.rank - dims.rank)] = matrix;
    matrix *= dims[i];
  }
  return out;
}

}  // namespace

Result<Shape> matmul_shape(const Shape& a, const Shape& b, InferContext& c) {
  if (!a.ranked() || !b.ranked()) return Shape();
  if (a.rank() == 0 || b.rank() == 0) return invalid("MatMul takes no scalars: A is " + a.text() + ", B is " + b.text());
  const bool row = a.rank() == 1, column = b.rank() == 1;
  const Dim &a_inner = a[a.rank() - 1], &b_inner = b[column ? 0 : b.rank() - 2];
  if (a_inner.known() && b_inner.known() && !(a_inner == b_inner)) {
    return invalid("A is " + a.text() + " and B is " + b.text() + ": inner dimensions differ");
  }
  auto y = broadcast_shapes(row ? Shape({}) : leading(a), column ? Shape({}) : leading(b), c);
  if (!y) return y.error();
  if (!row) y->push_back(a[a.rank() - 2]);
  if (!column) y->push_back(b[b.rank() - 1]);
  return y;
}

Result<Matrices> matmul_matrices(const Dims& a, const Dims& b) {
  const std::string shapes = to_string(a) + " and " + to_string(b);
  const bool row = a.rank == 1, column = b.rank == 1;
  Matrices p{row ? 1 : a[a.rank - 2], column ? 1 : b.back(), a.back(), {}};
  if (p.k != (column ? b[0] : b[b.rank - 2])) return invalid("A and B are " + shapes + ": inner dimensions differ");
  const Dims a_lead(a.span().first(static_cast<size_t>(row ? 0 : a.rank - 2))), b_lead(b.span().first(static_cast<size_t>(column ? 0 : b.rank - 2)));
  const auto lead = broadcast(a_lead, b_lead);
  if (!lead) return invalid("A and B are " + shapes + ": leading dimensions do not broadcast");
  if (b_lead.count() == 1 && a_lead.count() == lead->count()) {
    p.m *= a_lead.count();
    return p;
  }
  p.batch = {*lead, steps(a_lead, p.m * p.k, *lead), steps(b_lead, p.k * p.n, *lead), p.m * p.n};
  return p;
}

}  // namespace tern
