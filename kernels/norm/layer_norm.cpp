// LayerNormalization and RMSNormalization: schema, inference, binding, the portable kernels. See norm.h.
#include "kernels/dtype_code.h"
#include "kernels/norm/norm.h"
#include "kernels/norm/portable.h"
#include "kernels/op.h"

namespace tern {
namespace {

// The portable form: any float dtypes, also mixed. The x dtype is the template's, the rest are read by their dtype.
struct LayerNormPortableArgs {
  const void *x, *scale, *bias;  // scale and bias under the indices, which are null for dense ones; bias null: none
  void *y, *mean, *inv;
  const int32_t *scale_index, *bias_index;
  DType scale_dtype, bias_dtype, y_dtype, mean_dtype, inv_dtype;
  int64_t rows, cols;
  double epsilon;
};

template <class T, bool kCenter>
void portable_layer_norm(const LayerNormPortableArgs& a) {
  for (int64_t r = 0; r < a.rows; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * a.cols;  // [cols]
    const norm::Moments m = norm::moments(x, a.cols, a.epsilon, kCenter);
    for (int64_t c = 0; c < a.cols; ++c) {
      double y = (norm::get(x, c) - m.mean) * m.inv * norm::get(a.scale, a.scale_dtype, a.scale_index ? a.scale_index[c] : c);
      if (a.bias) y += norm::get(a.bias, a.bias_dtype, a.bias_index ? a.bias_index[c] : c);
      norm::put(a.y, a.y_dtype, r * a.cols + c, y);
    }
    if (a.mean) norm::put(a.mean, a.mean_dtype, r, m.mean);
    if (a.inv) norm::put(a.inv, a.inv_dtype, r, m.inv);
  }
}

constexpr KernelRow kPortableLayer[] = {
    row<LayerNormPortableArgs, portable_layer_norm<double, true>>("layer_norm/f64/scalar", DType::f64, Isa::scalar),
    row<LayerNormPortableArgs, portable_layer_norm<float, true>>("layer_norm_mixed/f32/scalar", DType::f32, Isa::scalar),
    row<LayerNormPortableArgs, portable_layer_norm<f16, true>>("layer_norm/f16/scalar", DType::f16, Isa::scalar),
    row<LayerNormPortableArgs, portable_layer_norm<bf16, true>>("layer_norm/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kPortableRms[] = {
    row<LayerNormPortableArgs, portable_layer_norm<double, false>>("rms_norm/f64/scalar", DType::f64, Isa::scalar),
    row<LayerNormPortableArgs, portable_layer_norm<float, false>>("rms_norm_mixed/f32/scalar", DType::f32, Isa::scalar),
    row<LayerNormPortableArgs, portable_layer_norm<f16, false>>("rms_norm/f16/scalar", DType::f16, Isa::scalar),
    row<LayerNormPortableArgs, portable_layer_norm<bf16, false>>("rms_norm/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr AttrSpec kLayerNormAttrs[] = {{"axis", AttrKind::i, -1}, {"epsilon", AttrKind::f, 1e-5f}, {"stash_type", AttrKind::i, 1}};

Status infer_layer_norm(InferContext& c, bool center) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.has(i) && !is_float(c.dtype(i))) return bad_dtype(c.dtype(i));
  }
  const DType kept = dtype_from_code(c.attrs.i("stash_type"));  // of Mean and InvStdDev
  if (!is_float(kept)) return invalid("stash_type " + std::to_string(c.attrs.i("stash_type")) + " is no float type");
  // RMSNormalization answers in the dtype of its scale, LayerNormalization in that of its data.
  c.set(0, center || !c.has(1) ? c.dtype(0) : c.dtype(1), c.shape(0));
  Shape moments = c.shape(0);
  if (moments.ranked()) {
    const auto axis = normalize_axis(c.attrs.i("axis"), moments.rank());
    if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + moments.text());
    for (int i = *axis; i < moments.rank(); ++i) moments[i] = 1;
  }
  if (center) {
    c.set(1, kept, moments);
    c.set(2, kept, moments);
  }
  return {};
}
Status infer_layer(InferContext& c) { return infer_layer_norm(c, true); }
Status infer_rms(InferContext& c) { return infer_layer_norm(c, false); }

// For a parameter that is broadcast over the normalised dims: which of its elements belongs to column c. None in index: c itself.
Status column_index(BindContext& c, size_t input, int axis, int64_t cols, Address<const int32_t>& index) {
  const Dims& x = c.in(0).dims;
  const Dims& p = c.in(input).dims;
  const int missing = x.rank - p.rank;
  if (missing < 0) return invalid("the parameter " + to_string(p) + " has more dimensions than the input " + to_string(x));
  for (int i = 0; i < p.rank; ++i) {
    const bool normalized = i + missing >= axis;
    if (p[i] != 1 && (!normalized || p[i] != x[i + missing])) {
      return invalid("the parameter " + to_string(p) + " does not broadcast to the normalised dimensions of " + to_string(x));
    }
  }
  if (p.count() == cols) return {};
  if (cols > INT32_MAX) return unsupported("a row of " + std::to_string(cols) + " elements with a broadcast parameter");
  index = c.table<int32_t>(cols, [&](int32_t* to) {
    for (int64_t at = 0; at < cols; ++at) {
      int64_t rest = at, stride = 1, element = 0;
      for (int i = x.rank - 1; i >= axis; --i) {
        const int64_t coordinate = rest % x[i];
        rest /= x[i];
        const int64_t extent = i - missing >= 0 ? p[i - missing] : 1;
        if (extent != 1) element += coordinate * stride;
        stride *= extent;
      }
      to[at] = static_cast<int32_t>(element);
    }
  });
  return {};
}

using Rows = std::span<const KernelRow* const>;
Status bind_rows(BindContext& c, Rows f32, Rows mixed) {
  const TensorView& x = c.in(0);
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  const int64_t cols = x.dims.count(axis, x.dims.rank);
  const float epsilon = c.attrs.f("epsilon");
  Address<const int32_t> scale_index, bias_index;
  if (Status s = column_index(c, 1, axis, cols, scale_index); !s) return s;
  if (c.has(2)) {
    if (Status s = column_index(c, 2, axis, cols, bias_index); !s) return s;
  }
  const auto [begin, end] = c.range(x.dims.count(0, axis), 4);
  const bool all_f32 = x.dtype == DType::f32 && c.in(1).dtype == DType::f32 && (!c.has(2) || c.in(2).dtype == DType::f32) &&
                       (!c.has_out(1) || c.out(1).dtype == DType::f32) && (!c.has_out(2) || c.out(2).dtype == DType::f32);
  if (cols == 0 || begin == end) return {};
  if (all_f32) {
    RowNormArgs& a = c.args<RowNormArgs>();
    a.rows = end - begin;
    a.cols = cols;
    a.epsilon = epsilon;
    c.set(a.x, c.input<const float>(0) + begin * cols);
    c.set(a.y, c.output<float>(0) + begin * cols);
    c.set(a.scale, c.input<const float>(1));
    c.set(a.bias, c.input<const float>(2));
    c.set(a.scale_index, scale_index);
    c.set(a.bias_index, bias_index);
    if (scale_index || bias_index) c.set(a.expanded, c.workspace<float>(2 * cols));
    c.set(a.mean, c.output<float>(1) + begin);
    c.set(a.inv, c.output<float>(2) + begin);
    c.run(*pick(f32, DType::f32, c.isa));
    return {};
  }
  const KernelRow* kernel = pick(mixed, x.dtype, c.isa);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  auto dtype = [&](size_t o) { return c.has_out(o) ? c.out(o).dtype : DType::none; };
  auto bytes = [](DType t, int64_t elements) { return elements * static_cast<int64_t>(size_of(t)); };
  LayerNormPortableArgs& a = c.args<LayerNormPortableArgs>();
  a.scale_dtype = c.in(1).dtype;
  a.bias_dtype = c.has(2) ? c.in(2).dtype : DType::none;
  a.y_dtype = c.out(0).dtype;
  a.mean_dtype = dtype(1);
  a.inv_dtype = dtype(2);
  a.rows = end - begin;
  a.cols = cols;
  a.epsilon = epsilon;
  c.set(a.x, c.input(0) + bytes(x.dtype, begin * cols));
  c.set(a.y, c.output(0) + bytes(a.y_dtype, begin * cols));
  c.set(a.scale, c.input(1));
  c.set(a.bias, c.input(2));
  c.set(a.scale_index, scale_index);
  c.set(a.bias_index, bias_index);
  c.set(a.mean, c.output(1) + bytes(a.mean_dtype, begin));
  c.set(a.inv, c.output(2) + bytes(a.inv_dtype, begin));
  c.run(*kernel);
  return {};
}
Status bind_layer(BindContext& c) { return bind_rows(c, rows_of<TERN_ON_EACH_ISA(layer_norm_f32), cuda::layer_norm_f32>, rows_of<kPortableLayer>); }
Status bind_rms(BindContext& c) { return bind_rows(c, rows_of<TERN_ON_EACH_ISA(rms_norm_f32), cuda::rms_norm_f32>, rows_of<kPortableRms>); }

}  // namespace

constinit const OpDef kLayerNormalization = {.name = "LayerNormalization",
                                             .inputs = {2, 3},
                                             .outputs = {1, 3},
                                             .attrs = kLayerNormAttrs,
                                             .infer = infer_layer,
                                             .bind = bind_layer,
                                             .kernels = rows_of<TERN_ON_EACH_ISA(layer_norm_f32), cuda::layer_norm_f32, kPortableLayer>,
                                             .inplace_inputs = 1};
constinit const OpDef kRMSNormalization = {.name = "RMSNormalization",
                                           .inputs = {2, 2},
                                           .outputs = {1, 1},
                                           .attrs = kLayerNormAttrs,
                                           .infer = infer_rms,
                                           .bind = bind_rms,
                                           .kernels = rows_of<TERN_ON_EACH_ISA(rms_norm_f32), cuda::rms_norm_f32, kPortableRms>,
                                           .inplace_inputs = 1};

}  // namespace tern
