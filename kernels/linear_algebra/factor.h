// Factors of matrices of any proportions: each matrix of a batch on its own, in f64, rounded once. Columns of q, u and v are orthonormal.
//   Qr                x = q r                r is zero below its diagonal; by Householder's reflections, whose signs they keep
//   Svd               x = u diag(s) v^T      s >= 0, the largest first; by one-sided Jacobi rotations
//   SelfAdjointEigen  x = v diag(e) v^T      e ascending; of a symmetric x only the lower triangle is read; by two-sided rotations
//   Shapes    x: [batch.., m, n], p = min(m, n); with `full` p is m for q and u, n for v, and r is [m, n]. f32 or f64.
//             q, u [batch.., m, p], r [batch.., p, n], v [batch.., n, p], s and e [batch.., p].
//   Cost      kSweeps passes over all pairs of columns: about 6 kSweeps m n^2 multiply-accumulates; Qr 2 m^2 n.
//   Numerics  in f64 whatever comes in. The signs of singular and eigenvectors, and vectors of equal values, are as the rotations leave them:
//             no two libraries agree on these. The same instructions whatever the numbers are: the number of passes is fixed.
//   Edges     a column of no length in Svd: its u completes the others. NaN anywhere: all of that matrix may be NaN.
//   Source    Golub and Van Loan, Matrix Computations, 5.2, 8.5 and 8.6. Next: qr.cpp, svd.cpp, eigen.cpp.
#pragma once
#include <cmath>

#include "kernels/op.h"
#include "kernels/portable_math.h"

namespace tern {

extern const OpDef kQr, kSelfAdjointEigen, kSvd;

// Rotations converge quadratically: five to eight passes for a few dozen columns, ten for a thousand.
constexpr int kSweeps = 12;

struct FactorArgs {
  const void* x;                // [batch, m, n]
  void *values, *left, *right;  // s or e; u, q; v, r. Null: nobody asks for it
  double *a, *b, *q;            // scratch: [m, n], [n, n], [m, m]
  double* sizes;                // [n]
  int64_t* order;               // [n]
  int64_t batch, m, n;
  bool full;
};

struct Rotation {
  double c, s;
};
// What makes the symmetric [[a, g], [g, b]] diagonal: (p, q) to (c p - s q, s p + c q).
inline Rotation rotation_of(double a, double b, double g) {
  const double zeta = (b - a) / (2 * g);
  double t = 1 / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
  t = portable::select(g == 0, 0, portable::select(zeta < 0, -t, t));
  const double c = 1 / std::sqrt(1 + t * t);
  return {c, c * t};
}
inline void rotate(double* p, double* q, int64_t n, int64_t step, Rotation r) {
  for (int64_t i = 0; i < n; ++i) {
    const double x = p[i * step], y = q[i * step];
    p[i * step] = r.c * x - r.s * y;
    q[i * step] = r.s * x + r.c * y;
  }
}

// order[k]: which of sizes[n] comes k-th; equal ones in their order.
inline void sort_places(const double* sizes, int64_t* order, int64_t n, bool descending) {
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  for (int64_t i = 0; i < n; ++i) {
    int64_t place = 0;
    for (int64_t j = 0; j < n; ++j) {
      const bool before = descending ? sizes[j] > sizes[i] : sizes[j] < sizes[i];
      place += int64_t(before) + int64_t((sizes[j] == sizes[i]) & (j < i));
    }
    order[place] = i;
  }
}

// a [m, n], by rows, becomes r; q [m, m] the product of the reflections.
void factor_qr(double* a, double* q, int64_t m, int64_t n);

template <class T>
void write_matrix(const double* from, void* to, int64_t at, int64_t rows, int64_t columns, int64_t row_step, int64_t column_step) {
  T* y = static_cast<T*>(to) + at * rows * columns;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) y[i * columns + j] = static_cast<T>(from[i * row_step + j * column_step]);
  }
}
// The rows of v [n, n], in that order, as the columns of matrix `at`.
template <class T>
void write_columns(const double* v, const int64_t* order, void* to, int64_t at, int64_t n) {
  T* y = static_cast<T*>(to) + at * n * n;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < n; ++k) y[i * n + k] = static_cast<T>(v[order[k] * n + i]);
  }
}

// For `infer`: input 0 is [batch.., m, n] of f32 or f64; its batch with these sizes behind it. For `bind`: the fields of args that come from it.
Status check_matrix(InferContext& c);
Shape with_sizes(const Shape& x, std::initializer_list<Dim> sizes);
// min(m, n), or a symbol of its own.
Dim shorter_side(InferContext& c);
FactorArgs& bind_matrix(BindContext& c);
int64_t rotation_steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out);

}  // namespace tern
