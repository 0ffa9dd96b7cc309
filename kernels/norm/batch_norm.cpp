// BatchNormalization with recorded statistics: schema, inference, binding, the portable kernel. See norm.h.
#include <algorithm>

#include "kernels/apart.h"
#include "kernels/layouts.h"
#include "kernels/norm/norm.h"
#include "kernels/norm/portable.h"
#include "kernels/op.h"

namespace tern {
namespace {

struct BatchNormPortableArgs {  // parameters of any float dtype
  const void *x, *scale, *bias, *mean, *var;
  void* y;
  DType parameter_dtype, statistics_dtype;
  int64_t first, rows, channels, inner;
  double epsilon;
};

template <class T>
void portable_batch_norm(const BatchNormPortableArgs& a) {
  for (int64_t r = a.first; r < a.first + a.rows; ++r) {
    const int64_t c = r % a.channels;
    const T* x = static_cast<const T*>(a.x) + r * a.inner;  // [inner]
    T* y = static_cast<T*>(a.y) + r * a.inner;              // [inner]
    const double mean = norm::get(a.mean, a.statistics_dtype, c), bias = norm::get(a.bias, a.parameter_dtype, c);
    const double factor = norm::get(a.scale, a.parameter_dtype, c) / __builtin_sqrt(norm::get(a.var, a.statistics_dtype, c) + a.epsilon);
    const int64_t inner = a.inner;
    TERN_APART
    for (int64_t i = 0; i < inner; ++i) norm::put(y, i, (norm::get(x, i) - mean) * factor + bias);
  }
}

constexpr KernelRow kBatchNormPortable[] = {
    row<BatchNormPortableArgs, portable_batch_norm<double>>("batch_norm/f64/scalar", DType::f64, Isa::scalar),
    row<BatchNormPortableArgs, portable_batch_norm<float>>("batch_norm_mixed/f32/scalar", DType::f32, Isa::scalar),
    row<BatchNormPortableArgs, portable_batch_norm<f16>>("batch_norm/f16/scalar", DType::f16, Isa::scalar),
    row<BatchNormPortableArgs, portable_batch_norm<bf16>>("batch_norm/bf16/scalar", DType::bf16, Isa::scalar),
};

constexpr AttrSpec kBatchNormAttrs[] = {{"epsilon", AttrKind::f, 1e-5f}, {"momentum", AttrKind::f, 0.9f}, {"training_mode", AttrKind::i, 0}};

Status infer_batch_norm(InferContext& c) {
  if (c.attrs.i("training_mode") != 0) return unsupported("training_mode=1: statistics of the batch itself are for training; export for inference");
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.has(i) && !is_float(c.dtype(i))) return bad_dtype(c.dtype(i));
  }
  if ((c.has(1) && c.has(2) && c.dtype(1) != c.dtype(2)) || (c.has(3) && c.has(4) && c.dtype(3) != c.dtype(4))) {
    return invalid("scale and bias, and mean and variance, must have one dtype");
  }
  const Shape& x = c.shape(0);
  if (x.ranked() && x.rank() < 1) return invalid("the input is a scalar");
  for (size_t i = 1; i < 5; ++i) {
    if (!c.has(i) || !c.shape(i).ranked() || !x.ranked()) continue;
    const Shape& p = c.shape(i);
    const Dim channels = x.rank() > 1 ? x[1] : Dim(1);
    if (p.rank() != 1 || (p[0].known() && channels.known() && p[0] != channels)) {
      return invalid("a parameter is " + p.text() + ", the input " + x.text() + " needs one element a channel");
    }
  }
  return infer_same(c);
}

Status bind_batch_norm(BindContext& c) {
  const TensorView& x = c.in(0);
  const int64_t channels = x.dims.rank > 1 ? x.dims[1] : 1, inner = x.dims.rank > 1 ? x.dims.count(2, x.dims.rank) : 1;
  for (size_t i = 1; i < 5; ++i) {
    if (c.in(i).count() != channels) return invalid("a parameter is " + to_string(c.in(i).dims) + ", the input is " + to_string(x.dims));
  }
  const float epsilon = c.attrs.f("epsilon");
  const auto [begin, end] = c.range(x.dims[0] * channels, inner == 1 ? std::max<int64_t>(channels, 1) : 1);
  if (inner == 0 || begin == end) return {};
  bool all_f32 = x.dtype == DType::f32 && c.in(1).dtype == DType::f32 && c.in(3).dtype == DType::f32;
  if (all_f32) {
    BatchNormArgs& a = c.args<BatchNormArgs>();
    a.first = begin;
    a.rows = end - begin;
    a.channels = channels;
    a.inner = inner;
    a.epsilon = epsilon;
    c.set(a.x, c.input<const float>(0) + begin * inner);
    c.set(a.y, c.output<float>(0) + begin * inner);
    c.set(a.scale, c.input<const float>(1));
    c.set(a.bias, c.input<const float>(2));
    c.set(a.mean, c.input<const float>(3));
    c.set(a.var, c.input<const float>(4));
    c.run(*pick(rows_of<TERN_ON_EACH_ISA(batch_norm_f32), cuda::batch_norm_f32>, DType::f32, c.isa));
  } else {
    BatchNormPortableArgs& a = c.args<BatchNormPortableArgs>();
    a.parameter_dtype = c.in(1).dtype;
    a.statistics_dtype = c.in(3).dtype;
    a.first = begin;
    a.rows = end - begin;
    a.channels = channels;
    a.inner = inner;
    a.epsilon = epsilon;
    c.set(a.x, c.input(0));
    c.set(a.y, c.output(0));
    c.set(a.scale, c.input(1));
    c.set(a.bias, c.input(2));
    c.set(a.mean, c.input(3));
    c.set(a.var, c.input(4));
    c.run(*pick(rows_of<kBatchNormPortable>, x.dtype, c.isa));
  }
  return {};
}

std::optional<LayoutForm> batch_norm_layouts(const LayoutQuery& q) {
  const bool all_f32 = std::all_of(q.inputs.begin(), q.inputs.end(), [](const LayoutQuery::Input& x) { return x.type->dtype == DType::f32; });
  if (q.outputs.size() != 1 || !q.suits_output() || !q.like_y(0) || !all_f32) return std::nullopt;
  LayoutForm f = map_form("map", std::string("BatchNormalization"));
  f.attrs.set("epsilon", q.attrs.f("epsilon"));
  f.inputs.clear();
  return f;
}

}  // namespace

constinit const OpDef kBatchNormalization = {.name = "BatchNormalization",
                                             .inputs = {5, 5},
                                             .outputs = {1, 3},
                                             .attrs = kBatchNormAttrs,
                                             .infer = infer_batch_norm,
                                             .bind = bind_batch_norm,
                                             .kernels = rows_of<TERN_ON_EACH_ISA(batch_norm_f32), cuda::batch_norm_f32, kBatchNormPortable>,
                                             .inplace_inputs = 1,
                                             .layouts = batch_norm_layouts};

}  // namespace tern
