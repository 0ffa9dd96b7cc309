// Qr, and what factors share. See factor.h.
#include <algorithm>

#include "kernels/linear_algebra/factor.h"
#include "runtime/base/checked.h"

namespace tern {

Status check_matrix(InferContext& c) {
  if (c.dtype(0) != DType::f32 && c.dtype(0) != DType::f64) return bad_dtype(c.dtype(0));
  if (c.shape(0).ranked() && c.shape(0).rank() < 2) return invalid("the input " + c.shape(0).text() + " is no matrix");
  return {};
}

Shape with_sizes(const Shape& x, std::initializer_list<Dim> sizes) {
  if (!x.ranked()) return x;
  std::vector<Dim> dims(x.dims().begin(), x.dims().end() - 2);
  dims.insert(dims.end(), sizes);
  return Shape(std::move(dims));
}

Dim shorter_side(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.ranked()) return c.fresh();
  const Dim &rows = x[x.rank() - 2], &columns = x[x.rank() - 1];
  if (rows == columns) return rows;
  return rows.known() && columns.known() ? Dim(std::min(rows.value(), columns.value())) : c.fresh();
}

FactorArgs& bind_matrix(BindContext& c) {
  const Dims& x = c.in(0).dims;
  FactorArgs& a = c.args<FactorArgs>();
  a.m = x[x.rank - 2];
  a.n = x[x.rank - 1];
  a.batch = x.count(0, x.rank - 2);
  c.set(a.x, c.input(0));
  c.run(*c.pick(c.in(0).dtype));
  return a;
}

int64_t rotation_steps(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) {
  const Dims& x = in[0].dims;
  const int64_t m = x[x.rank - 2], n = x[x.rank - 1];
  int64_t sum = 0;
  for (const TensorView& y : out) sum = checked_add(sum, y.present() ? y.dims.count() : 0).value_or(INT64_MAX);
  const auto rotated = checked_mul(x.count(), checked_mul(std::min(m, n), 6 * kSweeps).value_or(INT64_MAX));
  const auto made = checked_mul(sum, checked_mul(std::max(m, n), 4).value_or(INT64_MAX));
  return rotated && made ? checked_add(*rotated, *made).value_or(INT64_MAX) : INT64_MAX;
}

// Each reflection I - tau v v^T, v[0] = 1, takes what is below the diagonal of a column into it: the diagonal gets the sign that cancels nothing.
// A column that is zero there already stays as it is, its sign too.
void factor_qr(double* a, double* q, int64_t m, int64_t n) {
  for (int64_t i = 0; i < m * m; ++i) q[i] = double(i % (m + 1) == 0);
  for (int64_t k = 0; k < std::min(m, n); ++k) {
    double below = 0;
    for (int64_t i = k + 1; i < m; ++i) below += a[i * n + k] * a[i * n + k];
    const double head = a[k * n + k], length = std::sqrt(head * head + below);
    const bool done = below <= 0x1p-1022;
    const double beta = portable::select(done, head, portable::select(head < 0, length, -length));
    const double tau = portable::select(done, 0, (beta - head) / beta);
    const double scale = portable::select(done, 0, 1 / (head - beta));
    for (int64_t i = k + 1; i < m; ++i) a[i * n + k] *= scale;  // v, until the column is made zero
    for (int64_t j = k + 1; j < n; ++j) {
      double sum = a[k * n + j];
      for (int64_t i = k + 1; i < m; ++i) sum += a[i * n + k] * a[i * n + j];
      a[k * n + j] -= tau * sum;
      for (int64_t i = k + 1; i < m; ++i) a[i * n + j] -= tau * sum * a[i * n + k];
    }
    for (int64_t r = 0; r < m; ++r) {
      double sum = q[r * m + k];
      for (int64_t i = k + 1; i < m; ++i) sum += a[i * n + k] * q[r * m + i];
      q[r * m + k] -= tau * sum;
      for (int64_t i = k + 1; i < m; ++i) q[r * m + i] -= tau * sum * a[i * n + k];
    }
    a[k * n + k] = beta;
    for (int64_t i = k + 1; i < m; ++i) a[i * n + k] = 0;
  }
}

namespace {

template <class T>
void qr(const FactorArgs& a) {
  const int64_t p = a.full ? a.m : std::min(a.m, a.n);
  for (int64_t i = 0; i < a.batch; ++i) {
    const T* x = static_cast<const T*>(a.x) + i * a.m * a.n;
    for (int64_t j = 0; j < a.m * a.n; ++j) a.a[j] = static_cast<double>(x[j]);
    factor_qr(a.a, a.q, a.m, a.n);
    write_matrix<T>(a.q, a.left, i, a.m, p, a.m, 1);
    write_matrix<T>(a.a, a.right, i, p, a.n, a.n, 1);
  }
}

constexpr KernelRow kQrRows[] = {
    row<FactorArgs, qr<float>>("qr/f32/scalar", DType::f32, Isa::scalar),
    row<FactorArgs, qr<double>>("qr/f64/scalar", DType::f64, Isa::scalar),
};

Status infer_qr(InferContext& c) {
  if (Status s = check_matrix(c); !s) return s;
  const Shape& x = c.shape(0);
  const int rank = x.ranked() ? x.rank() : 0;
  const Dim m = rank ? x[rank - 2] : c.fresh(), n = rank ? x[rank - 1] : c.fresh();
  const Dim p = c.attrs.i("full") != 0 ? m : shorter_side(c);
  c.set(0, c.dtype(0), with_sizes(x, {m, p}));
  c.set(1, c.dtype(0), with_sizes(x, {p, n}));
  return {};
}

Status bind_qr(BindContext& c) {
  FactorArgs& a = bind_matrix(c);
  a.full = c.attrs.i("full") != 0;
  c.set(a.left, c.output(0));
  c.set(a.right, c.output(1));
  c.set(a.a, c.workspace<double>(checked_mul(a.m, a.n).value_or(INT64_MAX)));
  c.set(a.q, c.workspace<double>(checked_mul(a.m, a.m).value_or(INT64_MAX)));
  return {};
}

constexpr AttrSpec kQrAttrs[] = {{"full", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kQr = {.name = "Qr",
                             .inputs = {1, 1},
                             .outputs = {2, 2},
                             .attrs = kQrAttrs,
                             .infer = infer_qr,
                             .bind = bind_qr,
                             .kernels = rows_of<kQrRows>,
                             .steps = rotation_steps,
                             .tern_only = true};

}  // namespace tern
