// MatMul, Gemm, Linear: schema, inference, binding. See gemm.h.
#include "kernels/gemm/gemm.h"

#include <array>
#include <bit>
#include <optional>

#include "kernels/epilogue.h"
#include "kernels/gemm/launch.h"
#include "kernels/gemm/library.h"
#include "kernels/gemm/product.h"
#include "kernels/gemm/tensor.h"
#include "kernels/gemm/weights.h"
#include "kernels/op.h"
#include "runtime/base/checked.h"

namespace tern {

Share share(BindContext& c, const Product& p, bool rows_may_split) {
  const int64_t batches = p.batch.count(), groups = PanelGroups(p.n).groups;
  Share s{{0, batches}, {0, p.m}, {0, groups}};
  if (batches >= c.parts && batches > 1) {
    s.batch = c.range(batches);
  } else if (gemm_chains(p.n, p.k) == 0 || (rows_may_split && p.m >= 6 * c.parts)) {
    s.rows = c.range(p.m, 6);
  } else {
    s.groups = c.range(groups);
  }
  return s;
}

Address<const BatchOffset> table_of(BindContext& c, const Batch& batch, BindContext::Range range) {
  return c.table<BatchOffset>(range.end - range.begin, [&](BatchOffset* to) {
    for (int64_t i = range.begin; i < range.end; ++i) *to++ = batch.at(i);
  });
}

bool bias_is_ready(const Product& p) { return p.beta == 1 && p.c_column == 1 && (p.bias_rows == 1 || p.c_row == p.n); }

std::string pack_tag(const Product& p) {
  return std::to_string(p.n) + "x" + std::to_string(p.k) + "/" + std::to_string(p.w_k) + "," + std::to_string(p.w_column) + "/" +
         std::to_string(std::bit_cast<uint32_t>(p.alpha));
}

namespace {

constexpr auto& kRows =
    rows_of<TERN_ON_EACH_ISA(gemm_f32), TERN_ON_EACH_ISA(gemm_row_f32), TERN_ON_EACH_ISA(gemm_weights_bf16), TERN_ON_EACH_ISA(gemm_weights_int8),
            cuda::gemm_f32, cuda::kTensorGemm, cuda::gemm_cublas_f32, TERN_ON_EACH_ISA(gemm_any), cuda::kPortableGemm>;
bool supported(DType t) { return pick(kRows, t, Isa::scalar) != nullptr; }

std::string shapes(const TensorView& a, const TensorView& b) { return to_string(a.dims) + " and " + to_string(b.dims); }

// Constant weights: packed once per model, all matrices one after the other.
Status pack_constant(BindContext& c, const Product& p, int chains, const float*& packed_w, Batch& batch) {
  const int64_t one = packed_floats(p.n, p.k, chains), plain = p.n * p.k, matrices = plain == 0 ? 1 : c.in(1).count() / plain;
  for (int64_t& step : batch.w) step = plain == 0 ? 0 : step / plain * one;
  const std::string tag = "gemm/" + std::to_string(chains) + "/" + pack_tag(p);
  const auto total = checked_mul(one, matrices);
  if (!total) return unsupported("packed weights of more than 2^63 bytes");
  c.set(packed_w, c.packed<float>(1, tag, std::max<int64_t>(*total, 1),
                                  [=, w_k = p.w_k, w_column = p.w_column, n = p.n, k = p.k, alpha = p.alpha](const float* w, float* packed) {
                                    for (int64_t i = 0; i < matrices; ++i)
                                      pack_weights(w + i * plain, w_k, w_column, n, k, alpha, chains, packed + i * one);
                                  }));
  return {};
}

// Weights that are computed: read in place when their rows are panels' rows and few rows of x will read them, packed otherwise.
// Says whether a run must prepare them.
bool use_computed(BindContext& c, const Product& p, GemmArgs& g) {
  const auto w = c.input<const float>(1);
  const bool dot = g.panel.chains == 0;
  const bool in_place = p.alpha == 1 && (dot ? p.w_k == 1 : p.w_column == 1 && (p.m <= 48 || p.n * p.k <= 4096));
  if (!in_place) {
    const auto packed = c.workspace<float>(std::max<int64_t>(1, packed_floats(p.n, p.k, g.panel.chains)));
    g.pack = {nullptr, nullptr, p.n, p.k, p.w_k, p.w_column, g.panel.group_begin, g.panel.group_end, p.alpha, g.panel.chains};
    c.set(g.pack.w, w);
    c.set(g.pack.packed, packed);
    c.set(g.panel.w, packed);
    return true;
  }
  c.set(g.panel.w, w);
  g.panel.w_stride = dot ? p.w_column : p.w_k;
  if (dot || p.n % kPanel == 0) return false;
  const auto tail = c.workspace<float>(kPanel * std::max<int64_t>(p.k, 1));
  c.set(g.tail, tail);
  c.set(g.panel.tail, tail);
  return true;
}

// The bias as the panels read it from row `first` on: the input itself, or beta C written out. Says whether a run must prepare it.
bool use_bias(BindContext& c, const Product& p, int64_t first, GemmArgs& g) {
  if (p.bias < 0 || p.beta == 0) return false;
  const size_t i = static_cast<size_t>(p.bias);
  const int64_t floats = std::max<int64_t>(1, p.bias_rows * p.n);
  g.panel.bias_stride = p.bias_rows == 1 ? 0 : p.n;
  const int64_t at = first * g.panel.bias_stride;
  if (bias_is_ready(p)) {
    c.set(g.panel.bias, c.input<const float>(i) + at);
    return false;
  }
  if (c.in(i).constant) {
    const std::string tag = "gemm/bias/" + std::to_string(p.bias_rows) + "x" + std::to_string(p.n) + "/" + std::to_string(p.c_row) + "," +
                            std::to_string(p.c_column) + "/" + std::to_string(std::bit_cast<uint32_t>(p.beta));
    const auto written = c.packed<float>(
        i, tag, floats, [rows = p.bias_rows, n = p.n, row = p.c_row, column = p.c_column, beta = p.beta](const float* from, float* out) {
          for (int64_t r = 0; r < rows; ++r) {
            for (int64_t j = 0; j < n; ++j) out[r * n + j] = beta * from[r * row + j * column];
          }
        });
    c.set(g.panel.bias, written + at);
    return false;
  }
  const auto written = c.workspace<float>(floats);
  c.set(g.bias, written);
  c.set(g.panel.bias, written + at);
  c.set(g.c, c.input<const float>(i));
  g.bias_rows = p.bias_rows;
  g.c_row = p.c_row;
  g.c_column = p.c_column;
  g.beta = p.beta;
  return true;
}

// Does one row meet the panels of one group, with nothing to prepare?
bool is_row_alone(const BindContext& c, const Product& p) {
  const bool ready = c.in(1).constant && p.x_k == 1 && (p.bias < 0 || (p.beta == 1 && p.c_column == 1));
  return ready && p.m == 1 && p.batch.count() == 1 && c.parts == 1 && PanelGroups(p.n).groups == 1 && gemm_chains(p.n, p.k) != 0;
}
Status bind_row(BindContext& c, const Product& p) {
  PanelRowArgs& a = c.args<PanelRowArgs>();
  a.chains = gemm_chains(p.n, p.k);
  a.panels = static_cast<int32_t>(PanelGroups(p.n).panels);
  a.tile.k = p.k;
  a.tile.w_stride = a.panels * kPanel;
  a.tile.last = p.n - (a.panels - 1) * kPanel;
  a.tile.epilogue = p.epilogue;
  Batch batch = p.batch;
  if (Status status = pack_constant(c, p, a.chains, a.tile.w, batch); !status) return status;
  c.set(a.tile.x, c.input<const float>(0));
  if (p.bias >= 0) c.set(a.tile.bias, c.input<const float>(static_cast<size_t>(p.bias)));
  if (p.residual >= 0) c.set(a.tile.residual, c.input<const float>(static_cast<size_t>(p.residual)));
  c.set(a.tile.y, c.output<float>(0));
  c.run(*pick(rows_of<TERN_ON_EACH_ISA(gemm_row_f32)>, DType::f32, c.isa));
  return {};
}

Status bind_f32(BindContext& c, const Product& p) {
  if (is_row_alone(c, p)) return bind_row(c, p);
  const bool constant = c.in(1).constant;
  GemmArgs& g = c.args<GemmArgs>();
  g.panel.chains = gemm_chains(p.n, p.k);
  const Share s = share(c, p, p.x_k == 1 && constant);
  if (s.empty()) return {};
  const int64_t first_row = s.rows.begin;
  g.panel.m = s.rows.end - first_row;
  g.panel.n = g.panel.ldy = p.n;
  g.panel.k = p.k;
  g.panel.group_begin = s.groups.begin;
  g.panel.group_end = s.groups.end;
  g.panel.epilogue = p.epilogue;
  Batch batch = p.batch;
  bool prepares = p.x_k != 1;
  if (constant) {
    if (Status status = pack_constant(c, p, g.panel.chains, g.panel.w, batch); !status) return status;
  } else {
    prepares |= use_computed(c, p, g);
  }
  prepares |= use_bias(c, p, first_row, g);
  g.panel.lda = p.x_row;
  if (p.x_k != 1) {
    c.set(g.x_rows, c.workspace<float>(std::max<int64_t>(1, p.m * p.k)));
    g.x_stride = p.x_k;
    g.panel.lda = p.k;
  }
  c.set(g.panel.x, c.input<const float>(0) + first_row * p.x_row);
  c.set(g.panel.y, c.output<float>(0) + first_row * p.n);
  if (p.residual >= 0) c.set(g.panel.residual, c.input<const float>(static_cast<size_t>(p.residual)) + first_row * p.n);
  g.batches = s.batch.end - s.batch.begin;
  const BatchOffset first = batch.at(s.batch.begin);
  if (prepares || g.batches > 1 || first.x != 0 || first.w != 0 || first.y != 0) c.set(g.batch, table_of(c, batch, s.batch));
  c.run(*pick(rows_of<TERN_ON_EACH_ISA(gemm_f32)>, DType::f32, c.isa));
  return {};
}

// What every form of a device is given, but for x and w.
void bind_rest(BindContext& c, const Product& p, cuda::ProductArgs& a) {
  a.batches = p.batch.count();
  a.m = p.m;
  a.n = a.y_row = p.n;
  a.k = p.k;
  a.epilogue = p.epilogue;
  if (p.bias >= 0 && p.beta != 0) {
    c.set(a.bias, c.input<const float>(static_cast<size_t>(p.bias)));
    a.bias_row = p.c_row;
    a.bias_column = p.c_column;
    a.beta = p.beta;
  }
  if (p.residual >= 0) c.set(a.residual, c.input<const float>(static_cast<size_t>(p.residual)));
  c.set(a.y, c.output<float>(0));
}

// For a device: w as plain rows, 16-byte aligned where it is a constant, x as plain rows.
Status bind_device(BindContext& c, const Product& p) {
  cuda::GemmArgs& g = c.args<cuda::GemmArgs>();
  bind_rest(c, p, g.product);
  g.product.x_row = p.x_row;
  g.product.w_k = p.w_k;
  g.product.w_column = p.w_column;
  g.product.chains = gemm_chains(p.n, p.k);
  Batch batch = p.batch;
  const bool constant = c.in(1).constant, dot = g.product.chains == 0;
  const int64_t row = round_up(p.n, 4), plain = p.n * p.k, matrices = plain == 0 ? 1 : c.in(1).count() / plain;
  if (p.alpha == 1 && (dot || (p.w_column == 1 && (!constant || row == p.n)))) {
    c.set(g.product.w, c.input<const float>(1));
  } else {
    g.product.w_k = row;
    g.product.w_column = 1;
    if (constant) {
      for (int64_t& step : batch.w) step = plain == 0 ? 0 : step / plain * p.k * row;
      const std::string tag = "gemm/rows/" + pack_tag(p);
      const auto floats = checked_count(std::array<int64_t, 3>{matrices, p.k, row});
      if (!floats) return unsupported("packed weights of more than 2^63 bytes");
      c.set(g.product.w, c.packed<float>(1, tag, std::max<int64_t>(*floats, 1),
                                         [=, w_k = p.w_k, w_column = p.w_column, n = p.n, k = p.k, alpha = p.alpha](const float* w, float* packed) {
                                           for (int64_t i = 0; i < matrices * k; ++i) {
                                             const float* from = w + i / k * plain + i % k * w_k;
                                             for (int64_t j = 0; j < n; ++j) packed[i * row + j] = alpha * from[j * w_column];
                                           }
                                         }));
    } else {
      const auto rows = c.workspace<float>(std::max<int64_t>(1, p.k * row));
      g.w = {nullptr, nullptr, p.k, p.n, row, p.w_k, p.w_column, p.alpha};
      c.set(g.w.from, c.input<const float>(1));
      c.set(g.w.to, rows);
      c.set(g.product.w, rows);
    }
  }
  if (p.x_k == 1) {
    c.set(g.product.x, c.input<const float>(0));
  } else {
    const auto rows = c.workspace<float>(std::max<int64_t>(1, p.m * p.k));
    g.x = {nullptr, nullptr, p.m, p.k, p.k, p.x_row, p.x_k, 1};
    c.set(g.x.from, c.input<const float>(0));
    c.set(g.x.to, rows);
    c.set(g.product.x, rows);
    g.product.x_row = p.k;
  }
  if (g.product.batches > 1) c.set(g.product.batch, table_of(c, batch, {0, g.product.batches}));
  c.run(cuda::gemm_f32);
  return {};
}

// For its tensor cores: rounded factors in rows of whole stages, w transposed; constant weights once per model.
Status bind_tensor(BindContext& c, const Product& p) {
  const Precision precision = c.products.precision;
  cuda::TensorGemmArgs& g = c.args<cuda::TensorGemmArgs>();
  bind_rest(c, p, g.product.product);
  const int64_t size = cuda::factor_bytes(precision), k = round_up(p.k, cuda::kStageBytes / size), x_plain = p.m * p.k, w_plain = p.k * p.n;
  const int64_t x_matrices = x_plain == 0 ? 1 : c.in(0).count() / x_plain, w_matrices = w_plain == 0 ? 1 : c.in(1).count() / w_plain;
  const auto x_bytes = checked_count(std::array<int64_t, 4>{x_matrices, p.m, k, size}),
             w_bytes = checked_count(std::array<int64_t, 4>{w_matrices, p.n, k, size});
  if (!x_bytes || !w_bytes) return unsupported("rounded factors of more than 2^63 bytes");
  g.product.row_bytes = k * size;
  g.x = {nullptr, nullptr, x_matrices, p.m, p.k, k, x_plain, p.x_row, p.x_k, 1};
  const auto x = c.workspace<std::byte>(std::max<int64_t>(1, *x_bytes));
  c.set(g.x.from, c.input<const float>(0));
  c.set(g.x.to, x);
  c.set(g.product.x, x);
  g.w = {nullptr, nullptr, w_matrices, p.n, p.k, k, w_plain, p.w_column, p.w_k, p.alpha};
  if (c.in(1).constant) {
    const std::string tag = "gemm/" + std::string(cuda::tensor_row(precision).name) + "/" + pack_tag(p);
    c.set(g.product.w, c.packed<std::byte, float>(1, tag, std::max<int64_t>(1, *w_bytes),
                                                  [precision, a = g.w](const float* w, std::byte* to) { cuda::round_on_host(precision, a, w, to); }));
  } else {
    const auto w = c.workspace<std::byte>(std::max<int64_t>(1, *w_bytes));
    c.set(g.w.from, c.input<const float>(1));
    c.set(g.w.to, w);
    c.set(g.product.w, w);
  }
  Batch batch = p.batch;  // offsets in bytes of what is rounded
  for (int64_t& step : batch.x) step = x_plain == 0 ? 0 : step / x_plain * p.m * k * size;
  for (int64_t& step : batch.w) step = w_plain == 0 ? 0 : step / w_plain * p.n * k * size;
  if (p.batch.count() > 1) c.set(g.product.product.batch, table_of(c, batch, {0, p.batch.count()}));
  c.run(cuda::tensor_row(precision));
  return {};
}

// From one matrix of the batch to the next, where that is the same for all.
std::optional<int64_t> even_step(const Dims& extents, const std::array<int64_t, kMaxRank>& steps) {
  int64_t step = 0, next = 0;  // next: what the axis before must move by
  bool any = false;
  for (int d = extents.rank - 1; d >= 0; --d) {
    if (extents[d] == 1) continue;
    const int64_t here = steps[static_cast<size_t>(d)];
    if (!any) step = next = here;
    else if (here != next) return std::nullopt;
    any = true;
    next *= extents[d];
  }
  return step;
}

// By cuBLAS, where it can: what each of the two operands is, is told by its strides. Says whether it can.
bool bind_library(BindContext& c, const Product& p) {
  const auto x_step = even_step(p.batch.extents, p.batch.x), w_step = even_step(p.batch.extents, p.batch.w);
  const bool x_transposed = p.x_k != 1, w_transposed = p.w_column != 1;
  const int64_t batches = p.batch.count();  // a row of which there is one may lie nearer to the next than it is long
  const int64_t x_row = x_transposed ? p.x_k : std::max(p.x_row, p.k), w_row = w_transposed ? p.w_column : std::max(p.w_k, p.n);
  if (!x_step || !w_step || p.k == 0 || std::max({p.m, p.n, p.k, batches, x_row, w_row}) > INT32_MAX) return false;
  cuda::LibraryGemmArgs& g = c.args<cuda::LibraryGemmArgs>();
  g.product.batches = batches;
  g.product.m = p.m;
  g.product.n = p.n;
  g.product.k = p.k;
  g.product.x_row = x_row;
  g.product.w_row = w_row;
  g.product.x_step = *x_step;
  g.product.w_step = *w_step;
  g.product.y_step = p.batch.y;
  g.product.alpha = p.alpha;
  g.product.precision = c.products.precision;
  g.product.x_transposed = x_transposed;
  g.product.w_transposed = w_transposed;
  c.set(g.product.x, c.input<const float>(0));
  c.set(g.product.w, c.input<const float>(1));
  // Where y lies on the residual, the product must not.
  const bool apart = p.residual >= 0 && (c.in_place >> p.residual & 1) != 0;
  const auto y = apart ? c.workspace<float>(batches * p.m * p.n) : c.output<float>(0);
  c.set(g.product.y, y);
  bind_rest(c, p, g.rest);
  c.set(g.rest.x, y);
  g.rest.m *= batches;
  c.run(cuda::gemm_cublas_f32);
  return true;
}

Status bind_portable(BindContext& c, const Product& p) {
  const KernelRow* kernel = c.pick(c.in(0).dtype);
  if (kernel == nullptr) return bad_dtype(c.in(0).dtype);
  if (p.epilogue.activation > Activation::relu) return unsupported("an activation is fused into f32 products only");
  const auto [begin, end] = c.range(p.batch.count() * p.m);
  if (begin == end) return {};
  const bool bias = p.bias >= 0 && p.beta != 0;
  PortableGemmArgs& a = c.args(PortableGemmArgs{
      nullptr, nullptr, nullptr, nullptr, nullptr,    nullptr, begin,      end,     p.m,    p.n,
      p.k,     p.x_row, p.x_k,   p.w_k,   p.w_column, p.c_row, p.c_column, p.alpha, p.beta, p.epilogue.activation == Activation::relu});
  c.set(a.a, c.input(0));
  c.set(a.b, c.input(1));
  if (bias) c.set(a.c, c.input(static_cast<size_t>(p.bias)));
  if (p.residual >= 0) c.set(a.residual, c.input(static_cast<size_t>(p.residual)));
  c.set(a.y, c.output(0));
  c.set(a.batch, table_of(c, p.batch, {0, p.batch.count()}));
  c.run(*kernel);
  return {};
}

Status bind_product(BindContext& c, const Product& p) {
  if (p.m == 0 || p.n == 0 || p.batch.count() == 0) return {};
  if (c.in(0).dtype != DType::f32) return bind_portable(c, p);
  if (c.isa != Isa::cuda) return keeps_weights(c, p) ? bind_weights(c, p) : bind_f32(c, p);
  if (c.products.cublas && bind_library(c, p)) return {};
  return c.products.precision == Precision::f32 ? bind_device(c, p) : bind_tensor(c, p);
}

Status same_dtypes(InferContext& c) {
  if (!supported(c.dtype(0))) return bad_dtype(c.dtype(0));
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    if (c.has(i) && c.dtype(i) != c.dtype(0)) {
      return invalid("input 0 is " + std::string(name(c.dtype(0))) + " and input " + std::to_string(i) + " is " + name(c.dtype(i)));
    }
  }
  return {};
}

// Inner dimensions that are numbers must agree.
Status same_inner(const Dim& a, const Dim& b, const Shape& x, const Shape& w) {
  if (!a.known() || !b.known() || a == b) return {};
  return invalid("A is " + x.text() + " and B is " + w.text() + ": inner dimensions differ");
}

// ---- MatMul ----

Status infer_matmul(InferContext& c) {
  if (Status s = same_dtypes(c); !s) return s;
  auto y = matmul_shape(c.shape(0), c.shape(1), c);
  if (!y) return y.error();
  c.set(0, c.dtype(0), *y);
  return {};
}

Status bind_matmul(BindContext& c) {
  auto matrices = matmul_matrices(c.in(0).dims, c.in(1).dims);
  if (!matrices) return matrices.error();
  Product p;
  p.m = matrices->m;
  p.n = p.w_k = matrices->n;
  p.k = p.x_row = matrices->k;
  p.batch = std::move(matrices->batch);
  return bind_product(c, p);
}

int64_t macs_by_k(std::span<const TensorView> out, int64_t k) { return out[0].count() * k; }
int64_t matmul_macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) { return macs_by_k(out, in[0].dims.back()); }

// ---- Gemm ----

constexpr AttrSpec kGemmAttrs[] = {{"alpha", AttrKind::f, 1.0f}, {"beta", AttrKind::f, 1.0f}, {"transA", AttrKind::i, 0}, {"transB", AttrKind::i, 0}};

Status infer_gemm(InferContext& c) {
  if (Status s = same_dtypes(c); !s) return s;
  const Shape &a = c.shape(0), &b = c.shape(1);
  if ((a.ranked() && a.rank() != 2) || (b.ranked() && b.rank() != 2)) return invalid("Gemm takes matrices: A is " + a.text() + ", B is " + b.text());
  const int ta = c.attrs.i("transA") != 0, tb = c.attrs.i("transB") != 0;
  if (a.ranked() && b.ranked()) {
    if (Status s = same_inner(a[1 - ta], b[tb], a, b); !s) return s;
  }
  Shape y{a.ranked() ? a[ta] : c.fresh(), b.ranked() ? b[1 - tb] : c.fresh()};
  if (c.has(2) && c.shape(2).ranked()) {
    const Shape& bias = c.shape(2);
    bool fits = bias.rank() <= 2;
    for (int i = 0; fits && i < bias.rank(); ++i) {
      const Dim &n = bias[bias.rank() - 1 - i], &m = y[1 - i];
      fits = n.is(1) || !n.known() || !m.known() || n == m;
    }
    if (!fits) return invalid("C is " + bias.text() + ", which does not broadcast to " + y.text());
  }
  c.set(0, c.dtype(0), y);
  return {};
}

Status bind_gemm(BindContext& c) {
  const Dims &a = c.in(0).dims, &b = c.in(1).dims;
  const bool ta = c.attrs.i("transA") != 0, tb = c.attrs.i("transB") != 0;
  Product p;
  p.m = a[ta ? 1 : 0];
  p.k = a[ta ? 0 : 1];
  p.n = b[tb ? 0 : 1];
  if (p.k != b[tb ? 1 : 0]) return invalid("A and B are " + shapes(c.in(0), c.in(1)) + ": inner dimensions differ");
  p.x_row = ta ? 1 : p.k;
  p.x_k = ta ? p.m : 1;
  p.w_k = tb ? 1 : p.n;
  p.w_column = tb ? p.k : 1;
  p.alpha = c.attrs.f("alpha");
  p.beta = c.attrs.f("beta");
  if (c.has(2)) {
    const Dims& d = c.in(2).dims;
    const int64_t rows = d.rank == 2 ? d[0] : 1, columns = d.rank >= 1 ? d.back() : 1;
    if (d.rank > 2 || (rows != 1 && rows != p.m) || (columns != 1 && columns != p.n))
      return invalid("C is " + to_string(d) + ", which does not broadcast");
    p.bias = 2;
    p.bias_rows = rows == 1 ? 1 : p.m;
    p.c_row = rows == 1 ? 0 : columns;
    p.c_column = columns == 1 ? 0 : 1;
    if (p.n == 1) p.c_column = 1;
  }
  return bind_product(c, p);
}

int64_t gemm_macs(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  return macs_by_k(out, in[0].dims[attrs.i("transA") != 0 ? 0 : 1]);
}

// ---- Linear ----

constexpr AttrSpec kOwnLinearAttrs[] = {{"transB", AttrKind::i, 0}};
constexpr auto kLinearAttrs = with_epilogue(kOwnLinearAttrs);
constexpr EpilogueSlots kLinearEpilogue{&kLinear, 3};

Status infer_linear(InferContext& c) {
  if (Status s = same_dtypes(c); !s) return s;
  const Shape &x = c.shape(0), &w = c.shape(1);
  if ((x.ranked() && x.rank() < 1) || (w.ranked() && w.rank() != 2))
    return invalid("Linear takes x [...,K] and a matrix: " + x.text() + ", " + w.text());
  if (!x.ranked()) {
    c.set(0, c.dtype(0), {});
    return check_epilogue(c, kLinearEpilogue, {});
  }
  const int tb = c.attrs.i("transB") != 0;
  Shape y = x;
  y[y.rank() - 1] = w.ranked() ? w[1 - tb] : c.fresh();
  if (w.ranked()) {
    if (Status s = same_inner(x[x.rank() - 1], w[tb], x, w); !s) return s;
    if (c.has(2) && c.shape(2).known() && (c.shape(2).rank() != 1 || (w.known() && !(c.shape(2)[0] == w[1 - tb])))) {
      return invalid("the bias is " + c.shape(2).text() + " for weights " + w.text());
    }
  }
  c.set(0, c.dtype(0), y);
  return check_epilogue(c, kLinearEpilogue, y);
}

Status bind_linear(BindContext& c) {
  const Dims &x = c.in(0).dims, &w = c.in(1).dims;
  const bool tb = c.attrs.i("transB") != 0;
  Product p;
  p.k = x.back();
  p.m = x.count(0, x.rank - 1);
  p.n = w[tb ? 0 : 1];
  if (p.k != w[tb ? 1 : 0]) return invalid("x and W are " + shapes(c.in(0), c.in(1)) + ": inner dimensions differ");
  p.x_row = p.k;
  p.w_k = tb ? 1 : p.n;
  p.w_column = tb ? p.k : 1;
  if (c.has(2)) {
    if (c.in(2).count() != p.n) return invalid("the bias is " + to_string(c.in(2).dims) + " for weights " + to_string(w));
    p.bias = 2;
  }
  if (c.has(static_cast<size_t>(kLinearEpilogue.residual))) p.residual = kLinearEpilogue.residual;
  p.epilogue = *fused_activation(c.attrs);
  return bind_product(c, p);
}

}  // namespace

constinit const OpDef kMatMul = {
    .name = "MatMul", .inputs = {2, 2}, .outputs = {1, 1}, .infer = infer_matmul, .bind = bind_matmul, .kernels = kRows, .macs = matmul_macs};
constinit const OpDef kGemm = {.name = "Gemm",
                               .inputs = {2, 3},
                               .outputs = {1, 1},
                               .attrs = kGemmAttrs,
                               .infer = infer_gemm,
                               .bind = bind_gemm,
                               .kernels = kRows,
                               .macs = gemm_macs};
constinit const OpDef kLinear = {.name = "Linear",
                                 .inputs = {2, 4},
                                 .outputs = {1, 1},
                                 .attrs = kLinearAttrs,
                                 .infer = infer_linear,
                                 .bind = bind_linear,
                                 .kernels = kRows,
                                 .macs = matmul_macs,
                                 .inplace_inputs = 1u << kLinearEpilogue.residual,
                                 .tern_only = true,
                                 .epilogue = &kLinearEpilogue};

}  // namespace tern
