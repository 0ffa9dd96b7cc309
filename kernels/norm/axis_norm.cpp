// LRN, LpNormalization and MeanVarianceNormalization: schema, inference, binding, portable kernels in double. See norm.h.
//   LRN                        y = x / (bias + alpha/size * sum x^2)^beta over a window of channels; before = (size-1)/2, after = size/2
//   LpNormalization            y = x / (sum |x|^p)^(1/p) along one axis, p 1 or 2; 0 where the norm is 0
//   MeanVarianceNormalization  y = (x - mean) / (sqrt(var) + 1e-9) over a set of axes
#include "kernels/norm/axis_norm.h"

#include "kernels/launch.h"
#include "kernels/norm/norm.h"
#include "kernels/op.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

template <class T>
void mean_variance(const WalkArgs& a) {
  for (int64_t k = a.begin; k < a.end; ++k) norm::mean_variance<T>(a, k);
}
template <class T>
void lrn(const PortableLrnArgs& a) {
  for (int64_t row = a.first; row < a.first + a.rows; ++row) {
    for (int64_t i = 0; i < a.inner; ++i) norm::lrn<T>(a, row, i);
  }
}

constexpr KernelRow kMvnRows[] = {
    row<WalkArgs, mean_variance<double>>("mean_variance_norm/f64/scalar", DType::f64, Isa::scalar),
    row<WalkArgs, mean_variance<float>>("mean_variance_norm/f32/scalar", DType::f32, Isa::scalar),
    row<WalkArgs, mean_variance<f16>>("mean_variance_norm/f16/scalar", DType::f16, Isa::scalar),
    row<WalkArgs, mean_variance<bf16>>("mean_variance_norm/bf16/scalar", DType::bf16, Isa::scalar),
    device_row<WalkArgs, cuda::launch_mean_variance<DType::f32>>("mean_variance_norm/f32/cuda", DType::f32),
    device_row<WalkArgs, cuda::launch_mean_variance<DType::f64>>("mean_variance_norm/f64/cuda", DType::f64),
    device_row<WalkArgs, cuda::launch_mean_variance<DType::f16>>("mean_variance_norm/f16/cuda", DType::f16),
    device_row<WalkArgs, cuda::launch_mean_variance<DType::bf16>>("mean_variance_norm/bf16/cuda", DType::bf16),
};
constexpr KernelRow kLpOnDevice[] = {
    device_row<WalkArgs, cuda::launch_lp<DType::f32>>("lp_norm/f32/cuda", DType::f32),
    device_row<WalkArgs, cuda::launch_lp<DType::f64>>("lp_norm/f64/cuda", DType::f64),
    device_row<WalkArgs, cuda::launch_lp<DType::f16>>("lp_norm/f16/cuda", DType::f16),
    device_row<WalkArgs, cuda::launch_lp<DType::bf16>>("lp_norm/bf16/cuda", DType::bf16),
};
constexpr KernelRow kPortableLrn[] = {
    row<PortableLrnArgs, lrn<double>>("lrn/f64/scalar", DType::f64, Isa::scalar),
    row<PortableLrnArgs, lrn<float>>("lrn_pow/f32/scalar", DType::f32, Isa::scalar),
    row<PortableLrnArgs, lrn<f16>>("lrn/f16/scalar", DType::f16, Isa::scalar),
    row<PortableLrnArgs, lrn<bf16>>("lrn/bf16/scalar", DType::bf16, Isa::scalar),
    device_row<PortableLrnArgs, cuda::launch_lrn_pow<DType::f32>>("lrn_pow/f32/cuda", DType::f32),
    device_row<PortableLrnArgs, cuda::launch_lrn_pow<DType::f64>>("lrn/f64/cuda", DType::f64),
    device_row<PortableLrnArgs, cuda::launch_lrn_pow<DType::f16>>("lrn/f16/cuda", DType::f16),
    device_row<PortableLrnArgs, cuda::launch_lrn_pow<DType::bf16>>("lrn/bf16/cuda", DType::bf16),
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
                                          .kernels = rows_of<TERN_ON_EACH_ISA(lp_norm_any), kLpOnDevice>,
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
