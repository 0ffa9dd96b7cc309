// LRN, LpNormalization and MeanVarianceNormalization: schema, inference, binding, portable kernels in double. See norm.h.
//   LRN                        y = x / (bias + alpha/size * sum x^2)^beta over a window of channels; before = (size-1)/2, after = size/2
//   LpNormalization            y = x / (sum |x|^p)^(1/p) along one axis, p 1 or 2; 0 where the norm is 0
//   MeanVarianceNormalization  y = (x - mean) / (sqrt(var) + 1e-9) over a set of axes
#include "kernels/norm/norm.h"
#include "kernels/norm/portable.h"
#include "kernels/op.h"
#include "kernels/portable_math.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// Positions of a tensor along some of its axes, counted row-major.
struct Walk {
  int rank = 0;
  int64_t extent[kMaxRank], stride[kMaxRank];
  int64_t count = 1;
  void add(int64_t n, int64_t s) {
    extent[rank] = n;
    stride[rank++] = s;
    count *= n;
  }
  int64_t offset(int64_t i) const {
    int64_t at = 0;
    for (int d = rank - 1; d >= 0; --d) {
      at += i % extent[d] * stride[d];
      i /= extent[d];
    }
    return at;
  }
};

struct WalkArgs {
  const void* x;
  void* y;
  Walk kept, reduced;  // one result a kept position, over all reduced ones
  int64_t begin, end;  // of the kept positions
  int p;
};

template <class T>
void mean_variance(const WalkArgs& a) {
  for (int64_t k = a.begin; k < a.end; ++k) {
    const T* x = static_cast<const T*>(a.x) + a.kept.offset(k);
    T* y = static_cast<T*>(a.y) + a.kept.offset(k);
    double mean = 0, var = 0;
    for (int64_t i = 0; i < a.reduced.count; ++i) mean += norm::get(x, a.reduced.offset(i));
    mean /= static_cast<double>(a.reduced.count);
    for (int64_t i = 0; i < a.reduced.count; ++i) {
      const double d = norm::get(x, a.reduced.offset(i)) - mean;
      var += d * d;
    }
    const double spread = __builtin_sqrt(var / static_cast<double>(a.reduced.count)) + 1e-9;
    for (int64_t i = 0; i < a.reduced.count; ++i) {
      const int64_t at = a.reduced.offset(i);
      norm::put(y, at, (norm::get(x, at) - mean) / spread);
    }
  }
}

template <class T>
void lp(const WalkArgs& a) {
  const int64_t n = a.reduced.count, stride = a.reduced.stride[0];
  for (int64_t k = a.begin; k < a.end; ++k) {
    const T* x = static_cast<const T*>(a.x) + a.kept.offset(k);
    T* y = static_cast<T*>(a.y) + a.kept.offset(k);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double v = norm::get(x, i * stride);
      sum += a.p == 1 ? __builtin_fabs(v) : v * v;
    }
    double length = a.p == 1 ? sum : __builtin_sqrt(sum);
    // Where the length is 0, all x are, and 0 / 1 is 0. In integers, which no compiler turns into a branch.
    length += static_cast<double>(static_cast<int64_t>((std::bit_cast<uint64_t>(length) - 1) >> 63));
    for (int64_t i = 0; i < n; ++i) norm::put(y, i * stride, norm::get(x, i * stride) / length);
  }
}

struct PortableLrnArgs {
  const void* x;
  void* y;
  int64_t first, rows, channels, inner, before, after;
  double alpha_over_size, beta, bias;
};

template <class T>
void lrn(const PortableLrnArgs& a) {
  for (int64_t row = a.first; row < a.first + a.rows; ++row) {
    const int64_t c = row % a.channels, low = std::max<int64_t>(0, c - a.before), high = std::min(a.channels - 1, c + a.after);
    const T* x = static_cast<const T*>(a.x) + (row - c) * a.inner;  // [channels, inner]
    for (int64_t i = 0; i < a.inner; ++i) {
      double sum = 0;
      for (int64_t k = low; k <= high; ++k) sum += norm::get(x, k * a.inner + i) * norm::get(x, k * a.inner + i);
      norm::put(static_cast<T*>(a.y), row * a.inner + i, norm::get(x, c * a.inner + i) / portable::pow(a.bias + a.alpha_over_size * sum, a.beta));
    }
  }
}

constexpr KernelRow kMvnRows[] = {
    row<WalkArgs, mean_variance<double>>("mean_variance_norm/f64/scalar", DType::f64, Isa::scalar),
    row<WalkArgs, mean_variance<float>>("mean_variance_norm/f32/scalar", DType::f32, Isa::scalar),
    row<WalkArgs, mean_variance<f16>>("mean_variance_norm/f16/scalar", DType::f16, Isa::scalar),
    row<WalkArgs, mean_variance<bf16>>("mean_variance_norm/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kLpRows[] = {
    row<WalkArgs, lp<double>>("lp_norm/f64/scalar", DType::f64, Isa::scalar),
    row<WalkArgs, lp<float>>("lp_norm/f32/scalar", DType::f32, Isa::scalar),
    row<WalkArgs, lp<f16>>("lp_norm/f16/scalar", DType::f16, Isa::scalar),
    row<WalkArgs, lp<bf16>>("lp_norm/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kPortableLrn[] = {
    row<PortableLrnArgs, lrn<double>>("lrn/f64/scalar", DType::f64, Isa::scalar),
    row<PortableLrnArgs, lrn<float>>("lrn_pow/f32/scalar", DType::f32, Isa::scalar),
    row<PortableLrnArgs, lrn<f16>>("lrn/f16/scalar", DType::f16, Isa::scalar),
    row<PortableLrnArgs, lrn<bf16>>("lrn/bf16/scalar", DType::bf16, Isa::scalar),
};

constexpr int64_t kMvnAxes[] = {0, 2, 3};
constexpr AttrSpec kMvnAttrs[] = {{"axes", AttrKind::ints, kMvnAxes}};
constexpr AttrSpec kLpAttrs[] = {{"axis", AttrKind::i, -1}, {"p", AttrKind::i, 2}};
constexpr AttrSpec kLrnAttrs[] = {
    {"alpha", AttrKind::f, 1e-4f}, {"beta", AttrKind::f, 0.75f}, {"bias", AttrKind::f, 1.0f}, {"size", AttrKind::i, kRequired}};

Status infer_mvn(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  for (int64_t axis : c.attrs.ints("axes")) {
    if (c.shape(0).ranked() && !normalize_axis(axis, c.shape(0).rank())) {
      return invalid("axis " + std::to_string(axis) + " is outside of " + c.shape(0).text());
    }
  }
  return infer_same(c);
}
Status infer_lp(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  const int64_t axis = c.attrs.i("axis"), p = c.attrs.i("p");
  if (p != 1 && p != 2) return invalid("p is " + std::to_string(p) + ", it must be 1 or 2");
  if (c.shape(0).ranked() && !normalize_axis(axis, c.shape(0).rank())) {
    return invalid("axis " + std::to_string(axis) + " is outside of " + c.shape(0).text());
  }
  return infer_same(c);
}
Status infer_lrn(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  if (c.attrs.i("size") < 1) return invalid("size is " + std::to_string(c.attrs.i("size")) + ", it must be positive");
  if (c.shape(0).ranked() && c.shape(0).rank() < 2)
    return invalid("the input is " + c.shape(0).text() + ", it needs a batch and a channel dimension");
  return infer_same(c);
}

Status bind_walk(BindContext& c, uint32_t reduced, int p) {
  const TensorView& x = c.in(0);
  WalkArgs& a = c.args(WalkArgs{nullptr, nullptr, {}, {}, 0, 0, p});
  for (int i = 0; i < x.dims.rank; ++i) {
    (reduced >> i & 1 ? a.reduced : a.kept).add(x.dims[i], x.dims.count(i + 1, x.dims.rank));
  }
  const auto [begin, end] = c.range(a.kept.count);
  if (x.count() == 0 || begin == end) return {};
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  c.run(*c.pick(x.dtype));
  return {};
}
Status bind_mvn(BindContext& c) {
  uint32_t reduced = 0;
  for (int64_t axis : c.attrs.ints("axes")) reduced |= 1u << *normalize_axis(axis, c.in(0).dims.rank);
  return bind_walk(c, reduced, 2);
}
Status bind_lp(BindContext& c) { return bind_walk(c, 1u << *normalize_axis(c.attrs.i("axis"), c.in(0).dims.rank), static_cast<int>(c.attrs.i("p"))); }

Status bind_lrn(BindContext& c) {
  const TensorView& x = c.in(0);
  const int64_t size = c.attrs.i("size"), channels = x.dims[1], inner = x.dims.count(2, x.dims.rank);
  // A window beyond all channels is all channels: no sum below can overflow then.
  const int64_t before = std::min((size - 1) / 2, channels), after = std::min(size / 2, channels);
  const float alpha = c.attrs.f("alpha"), beta = c.attrs.f("beta"), bias = c.attrs.f("bias");
  const auto [begin, end] = c.range(x.dims[0] * channels);
  if (inner == 0 || begin == end) return {};
  const bool quarters = beta == 0.5f || beta == 0.75f || beta == 1.0f;
  if (x.dtype == DType::f32 && quarters) {
    LrnArgs& a = c.args<LrnArgs>();
    a.first = begin;
    a.rows = end - begin;
    a.channels = channels;
    a.inner = inner;
    a.before = before;
    a.after = after;
    a.alpha_over_size = alpha / static_cast<float>(size);
    a.bias = bias;
    a.quarters = static_cast<int>(beta * 4);
    c.set(a.x, c.input<const float>(0));
    c.set(a.y, c.output<float>(0));
    c.run(*pick(rows_of<TERN_ON_EACH_ISA(lrn_f32), cuda::lrn_f32>, DType::f32, c.isa));
  } else {
    PortableLrnArgs& a = c.args(PortableLrnArgs{nullptr, nullptr, begin, end - begin, channels, inner, before, after,
                                                static_cast<double>(alpha) / static_cast<double>(size), beta, bias});
    c.set(a.x, c.input(0));
    c.set(a.y, c.output(0));
    c.run(*pick(rows_of<kPortableLrn>, x.dtype, c.isa));
  }
  return {};
}

int64_t lrn_steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView>) {
  return checked_mul(in[0].count(), std::min(attrs.i("size"), 2 * in[0].dims[1] + 1)).value_or(INT64_MAX);
}

}  // namespace

constinit const OpDef kMeanVarianceNormalization = {.name = "MeanVarianceNormalization",
                                                    .inputs = {1, 1},
                                                    .outputs = {1, 1},
                                                    .attrs = kMvnAttrs,
                                                    .infer = infer_mvn,
                                                    .bind = bind_mvn,
                                                    .kernels = rows_of<kMvnRows>,
                                                    .inplace_inputs = 1};
constinit const OpDef kLpNormalization = {.name = "LpNormalization",
                                          .inputs = {1, 1},
                                          .outputs = {1, 1},
                                          .attrs = kLpAttrs,
                                          .infer = infer_lp,
                                          .bind = bind_lp,
                                          .kernels = rows_of<kLpRows>,
                                          .inplace_inputs = 1};
constinit const OpDef kLRN = {.name = "LRN",
                              .inputs = {1, 1},
                              .outputs = {1, 1},
                              .attrs = kLrnAttrs,
                              .infer = infer_lrn,
                              .bind = bind_lrn,
                              .kernels = rows_of<TERN_ON_EACH_ISA(lrn_f32), cuda::lrn_f32, kPortableLrn>,
                              .steps = lrn_steps};

}  // namespace tern
