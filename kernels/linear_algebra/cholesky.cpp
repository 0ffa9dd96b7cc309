// Cholesky, and what operators on square matrices share. See linear_algebra.h.
#include <cmath>

#include "kernels/linear_algebra/linear_algebra.h"
#include "runtime/base/checked.h"

namespace tern {

Status check_square(InferContext& c) {
  if (c.dtype(0) != DType::f32 && c.dtype(0) != DType::f64) return bad_dtype(c.dtype(0));
  const Shape& x = c.shape(0);
  if (!x.ranked()) return {};
  if (x.rank() < 2) return invalid("the input " + x.text() + " is no matrix");
  const Dim &rows = x[x.rank() - 2], &columns = x[x.rank() - 1];
  if (rows.known() && columns.known() && rows.value() != columns.value()) return invalid("the matrices of " + x.text() + " are not square");
  return {};
}

MatrixArgs& bind_square(BindContext& c) {
  const Dims& x = c.in(0).dims;
  MatrixArgs& a = c.args<MatrixArgs>();
  a.n = x[x.rank - 1];
  a.columns = a.n;
  a.batch = x.count(0, x.rank - 2);
  c.set(a.a, c.input(0));
  c.set(a.y, c.output(0));
  c.run(*c.pick(c.in(0).dtype));
  return a;
}

int64_t matrix_steps(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) {
  const Dims& x = in[0].dims;
  const auto products = checked_mul(x.count(), x[x.rank - 1]);
  const auto sides = checked_mul(out[0].dims.count(), x[x.rank - 1]);
  return products && sides ? checked_add(*products, *sides).value_or(INT64_MAX) : INT64_MAX;
}

namespace {

template <class T>
void cholesky(const MatrixArgs& a) {
  uint32_t fault = 0;
  for (int64_t m = 0; m < a.batch; ++m) {
    const T* x = static_cast<const T*>(a.a) + m * a.n * a.n;
    T* y = static_cast<T*>(a.y) + m * a.n * a.n;
    double* l = a.lu;
    for (int64_t i = 0; i < a.n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        double sum = static_cast<double>(x[i * a.n + j]);
        for (int64_t k = 0; k < j; ++k) sum -= l[i * a.n + k] * l[j * a.n + k];
        if (i == j && !(sum > 0)) fault = 1;
        l[i * a.n + j] = i == j ? std::sqrt(sum) : sum / l[j * a.n + j];
      }
      for (int64_t j = 0; j < a.n; ++j) y[i * a.n + j] = j <= i ? static_cast<T>(l[i * a.n + j]) : T(0);
    }
  }
  *a.fault = fault;
}

constexpr KernelRow kRows[] = {
    row<MatrixArgs, cholesky<float>>("cholesky/f32/scalar", DType::f32, Isa::scalar),
    row<MatrixArgs, cholesky<double>>("cholesky/f64/scalar", DType::f64, Isa::scalar),
};

Status infer(InferContext& c) {
  if (Status s = check_square(c); !s) return s;
  return infer_same(c);
}

Status bind(BindContext& c) {
  MatrixArgs& a = bind_square(c);
  c.set(a.lu, c.workspace<double>(checked_mul(a.n, a.n).value_or(INT64_MAX)));
  c.set(a.fault, c.fault("a matrix is not positive definite"));
  return {};
}

}  // namespace

constinit const OpDef kCholesky = {.name = "Cholesky",
                                   .inputs = {1, 1},
                                   .outputs = {1, 1},
                                   .infer = infer,
                                   .bind = bind,
                                   .kernels = rows_of<kRows>,
                                   .steps = matrix_steps,
                                   .tern_only = true};

}  // namespace tern
