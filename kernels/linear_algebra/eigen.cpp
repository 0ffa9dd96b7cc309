// SelfAdjointEigen: rotations from both sides until nothing is left beside the diagonal. See factor.h.
#include "kernels/linear_algebra/factor.h"
#include "kernels/linear_algebra/linear_algebra.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// a [n, n] becomes diagonal, the rows of v [n, n] its eigenvectors.
void diagonalise(double* a, double* v, int64_t n) {
  for (int64_t i = 0; i < n * n; ++i) v[i] = double(i % (n + 1) == 0);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        const Rotation r = rotation_of(a[p * n + p], a[q * n + q], a[p * n + q]);
        rotate(a + p * n, a + q * n, n, 1, r);
        rotate(a + p, a + q, n, n, r);
        rotate(v + p * n, v + q * n, n, 1, r);
      }
    }
  }
}

template <class T>
void self_adjoint_eigen(const FactorArgs& a) {
  const int64_t n = a.n;
  for (int64_t at = 0; at < a.batch; ++at) {
    const T* x = static_cast<const T*>(a.x) + at * n * n;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) a.a[i * n + j] = static_cast<double>(j <= i ? x[i * n + j] : x[j * n + i]);
    }
    diagonalise(a.a, a.b, n);
    for (int64_t i = 0; i < n; ++i) a.sizes[i] = a.a[i * n + i];
    sort_places(a.sizes, a.order, n, false);
    for (int64_t k = 0; k < n; ++k) static_cast<T*>(a.values)[at * n + k] = static_cast<T>(a.sizes[a.order[k]]);
    if (a.left != nullptr) write_columns<T>(a.b, a.order, a.left, at, n);
  }
}

constexpr KernelRow kEigenRows[] = {
    row<FactorArgs, self_adjoint_eigen<float>>("self_adjoint_eigen/f32/scalar", DType::f32, Isa::scalar),
    row<FactorArgs, self_adjoint_eigen<double>>("self_adjoint_eigen/f64/scalar", DType::f64, Isa::scalar),
};

Status infer_eigen(InferContext& c) {
  if (Status s = check_square(c); !s) return s;
  const Dim n = shorter_side(c);
  c.set(0, c.dtype(0), with_sizes(c.shape(0), {n}));
  c.set(1, c.dtype(0), with_sizes(c.shape(0), {n, n}));
  return {};
}

Status bind_eigen(BindContext& c) {
  FactorArgs& a = bind_matrix(c);
  if (a.m != a.n) return invalid("the matrices of " + to_string(c.in(0).dims) + " are not square");
  c.set(a.values, c.output(0));
  c.set(a.left, c.output(1));
  c.set(a.a, c.workspace<double>(checked_mul(a.n, a.n).value_or(INT64_MAX)));
  c.set(a.b, c.workspace<double>(checked_mul(a.n, a.n).value_or(INT64_MAX)));
  c.set(a.sizes, c.workspace<double>(a.n));
  c.set(a.order, c.workspace<int64_t>(a.n));
  return {};
}

}  // namespace

constinit const OpDef kSelfAdjointEigen = {.name = "SelfAdjointEigen",
                                           .inputs = {1, 1},
                                           .outputs = {1, 2},
                                           .infer = infer_eigen,
                                           .bind = bind_eigen,
                                           .kernels = rows_of<kEigenRows>,
                                           .steps = rotation_steps,
                                           .tern_only = true};

}  // namespace tern
