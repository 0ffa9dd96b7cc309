// Softmax, LogSoftmax, Hardmax: schema, inference, binding, kernel tables. See softmax.h.
#include "kernels/softmax/softmax.h"

#include "kernels/op.h"

namespace tern {
namespace {

constexpr KernelRow kSoftmaxRows[] = {
    row<SoftmaxArgs, scalar::softmax_f32>("softmax/f32/scalar", DType::f32, Isa::scalar),
    row<SoftmaxArgs, avx2::softmax_f32>("softmax/f32/avx2", DType::f32, Isa::avx2),
    row<SoftmaxArgs, avx512::softmax_f32>("softmax/f32/avx512", DType::f32, Isa::avx512),
    row<SoftmaxArgs, portable::softmax_f64>("softmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, portable::softmax_f16>("softmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, portable::softmax_bf16>("softmax/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kLogSoftmaxRows[] = {
    row<SoftmaxArgs, scalar::log_softmax_f32>("log_softmax/f32/scalar", DType::f32, Isa::scalar),
    row<SoftmaxArgs, avx2::log_softmax_f32>("log_softmax/f32/avx2", DType::f32, Isa::avx2),
    row<SoftmaxArgs, avx512::log_softmax_f32>("log_softmax/f32/avx512", DType::f32, Isa::avx512),
    row<SoftmaxArgs, portable::log_softmax_f64>("log_softmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, portable::log_softmax_f16>("log_softmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, portable::log_softmax_bf16>("log_softmax/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kHardmaxRows[] = {
    row<SoftmaxArgs, portable::hardmax_f32>("hardmax/f32/scalar", DType::f32, Isa::scalar),
    row<SoftmaxArgs, portable::hardmax_f64>("hardmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, portable::hardmax_f16>("hardmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, portable::hardmax_bf16>("hardmax/bf16/scalar", DType::bf16, Isa::scalar),
};

constexpr AttrSpec kAttrs[] = {{"axis", AttrKind::i}};

Status infer(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  const Shape& x = c.shape(0);
  if (x.ranked() && !normalize_axis(c.attrs.i("axis", -1), x.rank())) {
    return invalid("axis " + std::to_string(c.attrs.i("axis", -1)) + " is outside of " + x.text());
  }
  return infer_same(c);
}

Status bind(BindContext& c, std::span<const KernelRow> rows) {
  const TensorView& x = c.in(0);
  const auto axis = normalize_axis(c.attrs.i("axis", -1), x.dims.rank);
  const KernelRow* kernel = pick(rows, x.dtype, c.isa);
  if (kernel == nullptr || !axis) return bad_dtype(x.dtype);
  SoftmaxArgs& a = c.args<SoftmaxArgs>();
  a.outer = x.dims.count(0, *axis);
  a.cols = x.dims[*axis];
  a.inner = x.dims.count(*axis + 1, x.dims.rank);
  a.stride = a.inner;
  int64_t first = 0;  // element where this share begins
  if (a.outer >= c.parts) {
    const auto [begin, end] = c.range(a.outer);
    a.outer = end - begin;
    first = begin * a.cols * a.stride;
  } else {
    const auto [begin, end] = c.range(a.inner, 16);
    a.inner = end - begin;
    first = begin;
  }
  if (a.outer == 0 || a.cols == 0 || a.inner == 0) return {};
  const int64_t bytes = first * static_cast<int64_t>(size_of(x.dtype));
  c.set(a.x, c.input(0) + bytes);
  c.set(a.y, c.output(0) + bytes);
  c.run(*kernel);
  return {};
}

}  // namespace

constinit const OpDef kSoftmax = {.name = "Softmax", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer,
                                  .bind = [](BindContext& c) { return bind(c, kSoftmaxRows); }, .kernels = kSoftmaxRows, .inplace_inputs = 1};
constinit const OpDef kLogSoftmax = {.name = "LogSoftmax", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer,
                                     .bind = [](BindContext& c) { return bind(c, kLogSoftmaxRows); }, .kernels = kLogSoftmaxRows, .inplace_inputs = 1};
constinit const OpDef kHardmax = {.name = "Hardmax", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer,
                                  .bind = [](BindContext& c) { return bind(c, kHardmaxRows); }, .kernels = kHardmaxRows, .inplace_inputs = 1};

}  // namespace tern
