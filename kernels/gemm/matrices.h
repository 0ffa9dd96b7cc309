// The operands of a MatMul as batches of matrices: NumPy's rules for 1-D operands and leading axes. For every operator that
// multiplies as MatMul does. Next: gemm.cpp.
#pragma once
#include <array>

#include "kernels/gemm/gemm.h"
#include "kernels/op.h"

namespace tern {

// A [...,M,K] times B [...,K,N]; a 1-D A is a row, a 1-D B a column. Errors: inner or leading dimensions do not fit, scalars.
Result<Shape> matmul_shape(const Shape& a, const Shape& b, InferContext& c);

// Which matrices are multiplied: the leading axes of the output, and how far each operand moves along them (0: broadcast). Not a list:
// there may be as many as elements.
struct Batch {
  Dims extents;  // none: one product
  std::array<int64_t, kMaxRank> x{}, w{};
  int64_t y = 0;  // elements of one result
  int64_t count() const { return extents.count(); }
  BatchOffset at(int64_t i) const {
    BatchOffset o{0, 0, i * y};
    for (int d = extents.rank - 1; d >= 0; --d) {
      o.x += i % extents[d] * x[static_cast<size_t>(d)];
      o.w += i % extents[d] * w[static_cast<size_t>(d)];
      i /= extents[d];
    }
    return o;
  }
};

struct Matrices {
  int64_t m, n, k;
  Batch batch;  // in elements; a batch of A over one B has become rows
};
Result<Matrices> matmul_matrices(const Dims& a, const Dims& b);

}  // namespace tern
