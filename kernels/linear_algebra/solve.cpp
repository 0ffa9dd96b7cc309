// Solve, TriangularSolve, Det and LogDeterminant. See linear_algebra.h.
#include <limits>

#include "kernels/linear_algebra/linear_algebra.h"
#include "kernels/linear_algebra/lu.h"
#include "kernels/portable_math.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// One matrix as f64, transposed or not.
template <class T>
void read_matrix(const T* a, double* to, int64_t n, bool transposed) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) to[i * n + j] = static_cast<double>(transposed ? a[j * n + i] : a[i * n + j]);
  }
}

template <class T>
void read_sides(const MatrixArgs& a, int64_t m) {
  const auto* b = static_cast<const T*>(a.b);
  for (int64_t i = 0; i < a.n; ++i) {
    for (int64_t j = 0; j < a.columns; ++j) {
      a.x[i * a.columns + j] = b == nullptr ? static_cast<double>(i == j) : static_cast<double>(b[(m * a.n + i) * a.columns + j]);
    }
  }
}

template <class T>
void write_sides(const MatrixArgs& a, int64_t m) {
  T* y = static_cast<T*>(a.y) + m * a.n * a.columns;
  for (int64_t i = 0; i < a.n * a.columns; ++i) y[i] = static_cast<T>(a.x[i]);
}

template <class T>
void solve(const MatrixArgs& a) {
  uint32_t fault = 0;
  for (int64_t m = 0; m < a.batch; ++m) {
    read_matrix(static_cast<const T*>(a.a) + m * a.n * a.n, a.lu, a.n, a.adjoint);
    read_sides<T>(a, m);
    const bool singular = factor_lu(a.lu, a.n, a.pivots) == 0;
    fault |= uint32_t(singular);
    for (int64_t k = 0; k < a.n; ++k) {
      for (int64_t j = 0; j < a.columns; ++j) std::swap(a.x[k * a.columns + j], a.x[a.pivots[k] * a.columns + j]);
    }
    solve_triangle(a.lu, a.x, a.n, a.columns, true, true);
    solve_triangle(a.lu, a.x, a.n, a.columns, false, false);
    for (int64_t i = 0; i < a.n * a.columns; ++i) a.x[i] = portable::select(singular, std::numeric_limits<double>::quiet_NaN(), a.x[i]);
    write_sides<T>(a, m);
  }
  *a.fault = fault;
}

template <class T>
void solve_triangles(const MatrixArgs& a) {
  uint32_t fault = 0;
  for (int64_t m = 0; m < a.batch; ++m) {
    read_matrix(static_cast<const T*>(a.a) + m * a.n * a.n, a.lu, a.n, a.adjoint);
    read_sides<T>(a, m);
    fault |= uint32_t(!solve_triangle(a.lu, a.x, a.n, a.columns, a.lower != a.adjoint, false));
    write_sides<T>(a, m);
  }
  *a.fault = fault;
}

template <class T, bool Log>
void determinants(const MatrixArgs& a) {
  for (int64_t m = 0; m < a.batch; ++m) {
    read_matrix(static_cast<const T*>(a.a) + m * a.n * a.n, a.lu, a.n, false);
    double sign = factor_lu(a.lu, a.n, a.pivots), product = sign, log = 0;
    const bool singular = sign == 0;
    for (int64_t i = 0; i < a.n; ++i) {
      const double d = a.lu[i * a.n + i];
      product *= d;
      log += portable::log(std::fabs(d));
      sign = portable::select(d < 0, -sign, sign);
    }
    product = portable::select(singular, 0, product);
    log = portable::select(singular, -INFINITY, log);
    static_cast<T*>(a.y)[m] = static_cast<T>(Log ? sign : product);
    if (Log) static_cast<T*>(a.log)[m] = static_cast<T>(log);
  }
}

constexpr KernelRow kSolveRows[] = {
    row<MatrixArgs, solve<float>>("solve/f32/scalar", DType::f32, Isa::scalar),
    row<MatrixArgs, solve<double>>("solve/f64/scalar", DType::f64, Isa::scalar),
};
constexpr KernelRow kTriangleRows[] = {
    row<MatrixArgs, solve_triangles<float>>("triangular_solve/f32/scalar", DType::f32, Isa::scalar),
    row<MatrixArgs, solve_triangles<double>>("triangular_solve/f64/scalar", DType::f64, Isa::scalar),
};
constexpr KernelRow kDetRows[] = {
    row<MatrixArgs, determinants<float, false>>("det/f32/scalar", DType::f32, Isa::scalar),
    row<MatrixArgs, determinants<double, false>>("det/f64/scalar", DType::f64, Isa::scalar),
};
constexpr KernelRow kLogRows[] = {
    row<MatrixArgs, determinants<float, true>>("log_determinant/f32/scalar", DType::f32, Isa::scalar),
    row<MatrixArgs, determinants<double, true>>("log_determinant/f64/scalar", DType::f64, Isa::scalar),
};

Status infer_solve(InferContext& c) {
  if (Status s = check_square(c); !s) return s;
  if (!c.has(1)) return infer_same(c);
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (c.dtype(1) != c.dtype(0)) return invalid("the sides are " + std::string(name(c.dtype(1))) + " and the matrix " + name(c.dtype(0)));
  if (a.ranked() && b.ranked()) {
    bool fits = a.rank() == b.rank();
    for (int d = 0; fits && d < a.rank() - 1; ++d) fits = !a[d].known() || !b[d].known() || a[d].value() == b[d].value();
    if (!fits) return invalid("sides of " + b.text() + " do not fit matrices of " + a.text());
  }
  c.set(0, c.dtype(0), b);
  return {};
}

Status bind_solve(BindContext& c) {
  MatrixArgs& a = bind_square(c);
  if (c.has(1)) {
    const Dims& b = c.in(1).dims;
    if (b.count(0, b.rank - 1) != a.batch * a.n) return invalid("sides of " + to_string(b) + " do not fit matrices of " + to_string(c.in(0).dims));
    a.columns = b[b.rank - 1];
    c.set(a.b, c.input(1));
  }
  a.adjoint = c.attrs.i("adjoint") != 0;
  a.lower = c.attrs.lists("lower") && c.attrs.i("lower") != 0;
  c.set(a.lu, c.workspace<double>(checked_mul(a.n, a.n).value_or(INT64_MAX)));
  c.set(a.x, c.workspace<double>(checked_mul(a.n, a.columns).value_or(INT64_MAX)));
  c.set(a.pivots, c.workspace<int64_t>(a.n));
  c.set(a.fault, c.fault("a matrix has no inverse"));
  return {};
}

Status infer_determinant(InferContext& c) {
  if (Status s = check_square(c); !s) return s;
  Shape batch = c.shape(0);
  if (batch.ranked()) batch = Shape(std::vector<Dim>(batch.dims().begin(), batch.dims().end() - 2));
  for (size_t o = 0; o < c.outputs.size(); ++o) c.set(o, c.dtype(0), batch);
  return {};
}

Status bind_determinant(BindContext& c) {
  MatrixArgs& a = bind_square(c);
  c.set(a.lu, c.workspace<double>(checked_mul(a.n, a.n).value_or(INT64_MAX)));
  c.set(a.pivots, c.workspace<int64_t>(a.n));
  if (c.outputs.size() > 1) c.set(a.log, c.output(1));
  return {};
}

constexpr AttrSpec kSolveAttrs[] = {{"adjoint", AttrKind::i, 0}};
constexpr AttrSpec kTriangleAttrs[] = {{"adjoint", AttrKind::i, 0}, {"lower", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kSolve = {.name = "Solve",
                                .inputs = {1, 2},
                                .outputs = {1, 1},
                                .attrs = kSolveAttrs,
                                .infer = infer_solve,
                                .bind = bind_solve,
                                .kernels = rows_of<kSolveRows>,
                                .steps = matrix_steps,
                                .tern_only = true};
constinit const OpDef kTriangularSolve = {.name = "TriangularSolve",
                                          .inputs = {2, 2},
                                          .outputs = {1, 1},
                                          .attrs = kTriangleAttrs,
                                          .infer = infer_solve,
                                          .bind = bind_solve,
                                          .kernels = rows_of<kTriangleRows>,
                                          .steps = matrix_steps,
                                          .tern_only = true};
constinit const OpDef kDet = {.name = "Det",
                              .inputs = {1, 1},
                              .outputs = {1, 1},
                              .infer = infer_determinant,
                              .bind = bind_determinant,
                              .kernels = rows_of<kDetRows>,
                              .steps = matrix_steps};
constinit const OpDef kLogDeterminant = {.name = "LogDeterminant",
                                         .inputs = {1, 1},
                                         .outputs = {2, 2},
                                         .infer = infer_determinant,
                                         .bind = bind_determinant,
                                         .kernels = rows_of<kLogRows>,
                                         .steps = matrix_steps,
                                         .tern_only = true};

}  // namespace tern
