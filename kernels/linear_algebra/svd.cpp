// Svd. Columns of x are rotated in pairs until all are orthogonal: then they are u s, and the rotations v. A wide x is turned first. See factor.h.
#include <algorithm>
#include <utility>

#include "kernels/linear_algebra/factor.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

double dot(const double* p, const double* q, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += p[i] * q[i];
  return sum;
}

// w [n, m], its rows the columns of the matrix, and v [n, n] so too: the rows of w become orthogonal.
void orthogonalise(double* w, double* v, int64_t m, int64_t n) {
  for (int64_t i = 0; i < n * n; ++i) v[i] = double(i % (n + 1) == 0);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        double *wp = w + p * m, *wq = w + q * m;
        const Rotation r = rotation_of(dot(wp, wp, m), dot(wq, wq, m), dot(wp, wq, m));
        rotate(wp, wq, m, 1, r);
        rotate(v + p * n, v + q * n, n, 1, r);
      }
    }
  }
}

// u [m, m] by rows from columns that are orthogonal: made of length 1 and, where they have none, completed.
void complete(const FactorArgs& a, double* w, int64_t m, int64_t n) {
  double* u = a.q + m * m;  // [m, n]
  const double least = a.sizes[a.order[0]] * double(n) * 0x1p-52;
  for (int64_t k = 0; k < n; ++k) {
    const double* from = w + a.order[k] * m;
    const double length = a.sizes[a.order[k]], scale = portable::select(length > least, 1 / length, 0);
    for (int64_t i = 0; i < m; ++i) u[i * n + k] = from[i] * scale;
  }
  factor_qr(u, a.q, m, n);
  for (int64_t k = 0; k < n; ++k) {
    const double sign = portable::select(u[k * n + k] < 0, -1, 1);
    for (int64_t i = 0; i < m; ++i) a.q[i * m + k] *= sign;
  }
}

template <class T>
void svd(const FactorArgs& a) {
  const bool wide = a.m < a.n;
  const int64_t m = std::max(a.m, a.n), n = std::min(a.m, a.n);
  for (int64_t at = 0; at < a.batch; ++at) {
    const T* x = static_cast<const T*>(a.x) + at * m * n;
    double largest = 0;
    for (int64_t i = 0; i < m * n; ++i) largest = portable::max_nan(largest, std::fabs(static_cast<double>(x[i])));
    const double scale = portable::select(largest == 0, 1, largest);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) a.a[j * m + i] = static_cast<double>(wide ? x[j * m + i] : x[i * n + j]) / scale;
    }
    orthogonalise(a.a, a.b, m, n);
    for (int64_t j = 0; j < n; ++j) a.sizes[j] = std::sqrt(dot(a.a + j * m, a.a + j * m, m));
    sort_places(a.sizes, a.order, n, true);
    for (int64_t k = 0; k < n; ++k) static_cast<T*>(a.values)[at * n + k] = static_cast<T>(a.sizes[a.order[k]] * scale);
    void *tall = wide ? a.right : a.left, *small = wide ? a.left : a.right;
    if (tall != nullptr) {
      complete(a, a.a, m, n);
      write_matrix<T>(a.q, tall, at, m, a.full ? m : n, m, 1);
    }
    if (small != nullptr) write_columns<T>(a.b, a.order, small, at, n);
  }
}

constexpr KernelRow kSvdRows[] = {
    row<FactorArgs, svd<float>>("svd/f32/scalar", DType::f32, Isa::scalar),
    row<FactorArgs, svd<double>>("svd/f64/scalar", DType::f64, Isa::scalar),
};

Status infer_svd(InferContext& c) {
  if (Status s = check_matrix(c); !s) return s;
  const Shape& x = c.shape(0);
  const int rank = x.ranked() ? x.rank() : 0;
  const Dim m = rank ? x[rank - 2] : c.fresh(), n = rank ? x[rank - 1] : c.fresh(), p = shorter_side(c);
  const bool full = c.attrs.i("full") != 0;
  c.set(0, c.dtype(0), with_sizes(x, {p}));
  c.set(1, c.dtype(0), with_sizes(x, {m, full ? m : p}));
  c.set(2, c.dtype(0), with_sizes(x, {n, full ? n : p}));
  return {};
}

Status bind_svd(BindContext& c) {
  FactorArgs& a = bind_matrix(c);
  a.full = c.attrs.i("full") != 0;
  c.set(a.values, c.output(0));
  const int64_t m = std::max(a.m, a.n), n = std::min(a.m, a.n);
  c.set(a.a, c.workspace<double>(checked_mul(m, n).value_or(INT64_MAX)));
  c.set(a.b, c.workspace<double>(checked_mul(n, n).value_or(INT64_MAX)));
  c.set(a.sizes, c.workspace<double>(n));
  c.set(a.order, c.workspace<int64_t>(n));
  c.set(a.left, c.output(1));
  c.set(a.right, c.output(2));
  if (c.has_out(a.m < a.n ? 2 : 1)) c.set(a.q, c.workspace<double>(checked_mul(m, checked_add(m, n).value_or(INT64_MAX)).value_or(INT64_MAX)));
  return {};
}

constexpr AttrSpec kSvdAttrs[] = {{"full", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kSvd = {.name = "Svd",
                              .inputs = {1, 1},
                              .outputs = {1, 3},
                              .attrs = kSvdAttrs,
                              .infer = infer_svd,
                              .bind = bind_svd,
                              .kernels = rows_of<kSvdRows>,
                              .steps = rotation_steps,
                              .tern_only = true};

}  // namespace tern
