// Systems of linear equations, small and dense: each matrix of a batch on its own.
//   Cholesky         y = L with x = L L^T, zero above the diagonal; what lies above it in x is not read
//   Solve            y with a y = b, or a^T y = b (adjoint); without b the inverse of a
//   TriangularSolve  the same of a matrix of which only one triangle is read
//   Det              ONNX's: the determinant
//   LogDeterminant   its sign, and the logarithm of its size
//   Shapes    a: [batch.., n, n], b and y: [batch.., n, columns], determinants [batch..]. f32 or f64.
//   Cost      n^3 / 3 multiply-accumulates for a matrix, and n^2 for each column. Plain loops: n is a few dozen where networks solve anything.
//   Numerics  in f64, rounded once; LU has partial pivoting.
//   Edges     n == 0: determinant 1. A matrix that has no inverse, or is not positive definite, is reported (BindContext::fault).
//   Source    Golub and Van Loan, Matrix Computations, 3.4 and 4.2. Next: lu.h, solve.cpp, cholesky.cpp, factor.h.
#pragma once
#include "kernels/op.h"

namespace tern {

extern const OpDef kCholesky, kDet, kLogDeterminant, kSolve, kTriangularSolve;

struct MatrixArgs {
  const void *a, *b;  // [batch, n, n], [batch, n, columns] or null
  void *y, *log;      // [batch, n, columns] or [batch]; [batch]
  double *lu, *x;     // [n, n], [n, columns] scratch
  int64_t* pivots;    // [n] scratch
  uint32_t* fault;
  int64_t batch, n, columns;
  bool lower, adjoint;
};

// For `infer` and `bind`: input 0 is [batch.., n, n] of f32 or f64; the fields of args that come from it, and the row to run.
Status check_square(InferContext& c);
MatrixArgs& bind_square(BindContext& c);
// About n^3 of each matrix, and n^2 of each column.
int64_t matrix_steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out);

}  // namespace tern
