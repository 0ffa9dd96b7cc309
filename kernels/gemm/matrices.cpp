// See matrices.h.
#include "kernels/gemm/matrices.h"

namespace tern {
namespace {

Shape leading(const Shape& s) { return Shape(std::vector<Dim>(s.dims().begin(), s.dims().end() - std::min(2, s.rank()))); }

// The element offset of each matrix: `dims` are the leading axes of one operand under the `batch` axes of the output.
std::vector<int64_t> offsets(const Dims& dims, int64_t matrix, const Dims& batch) {
  std::vector<int64_t> all(static_cast<size_t>(batch.count()), 0);
  int64_t stride = matrix, inner = 1;
  for (int i = batch.rank - 1; i >= 0; --i) {
    const int at = i - (batch.rank - dims.rank);
    const int64_t n = at >= 0 ? dims[at] : 1;
    if (n != 1) {
      for (size_t j = 0; j < all.size(); ++j) all[j] += static_cast<int64_t>(j) / inner % batch[i] * stride;
    }
    stride *= n;
    inner *= batch[i];
  }
  return all;
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
  Matrices p{row ? 1 : a[a.rank - 2], column ? 1 : b.back(), a.back(), {{0, 0, 0}}};
  if (p.k != (column ? b[0] : b[b.rank - 2])) return invalid("A and B are " + shapes + ": inner dimensions differ");
  const Dims a_lead(a.span().first(static_cast<size_t>(row ? 0 : a.rank - 2))), b_lead(b.span().first(static_cast<size_t>(column ? 0 : b.rank - 2)));
  const auto lead = broadcast(a_lead, b_lead);
  if (!lead) return invalid("A and B are " + shapes + ": leading dimensions do not broadcast");
  if (b_lead.count() == 1 && a_lead.count() == lead->count()) {
    p.m *= a_lead.count();
    return p;
  }
  const auto x = offsets(a_lead, p.m * p.k, *lead), w = offsets(b_lead, p.k * p.n, *lead);
  p.batch.resize(x.size());
  for (size_t i = 0; i < x.size(); ++i) p.batch[i] = {x[i], w[i], static_cast<int64_t>(i) * p.m * p.n};
  return p;
}

}  // namespace tern
