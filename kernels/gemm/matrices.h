// The operands of a MatMul as batches of matrices: NumPy's rules for 1-D operands and leading axes. For every operator that
// multiplies as MatMul does. Next: gemm.cpp.
#pragma once
#include "kernels/gemm/gemm.h"
#include "kernels/op.h"

namespace tern {

// A [...,M,K] times B [...,K,N]; a 1-D A is a row, a 1-D B a column. Errors: inner or leading dimensions do not fit, scalars.
Result<Shape> matmul_shape(const Shape& a, const Shape& b, InferContext& c);

struct Matrices {
  int64_t m, n, k;
  std::vector<BatchOffset> batch;  // in elements; a batch of A over one B has become rows
};
Result<Matrices> matmul_matrices(const Dims& a, const Dims& b);

}  // namespace tern
