// Softmax, LogSoftmax, Hardmax: schema, inference, binding. See softmax.h.
#include "kernels/softmax/softmax.h"

#include "kernels/op.h"

namespace tern {
namespace {

constexpr AttrSpec kAttrs[] = {{"axis", AttrKind::i, -1}};

Status infer(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  const Shape& x = c.shape(0);
  if (x.ranked() && !normalize_axis(c.attrs.i("axis"), x.rank())) {
    return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  }
  return infer_same(c);
}

Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  const auto axis = normalize_axis(c.attrs.i("axis"), x.dims.rank);
  const KernelRow* kernel = c.pick(x.dtype);
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

constinit const OpDef kSoftmax = {
    .name = "Softmax",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .attrs = kAttrs,
    .infer = infer,
    .bind = bind,
    .kernels = rows_of<TERN_ON_EACH_ISA(softmax_f32), TERN_ON_EACH_ISA(softmax_wide), cuda::softmax_f32, portable::kSoftmax>,
    .inplace_inputs = 1};
constinit const OpDef kLogSoftmax = {
    .name = "LogSoftmax",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .attrs = kAttrs,
    .infer = infer,
    .bind = bind,
    .kernels = rows_of<TERN_ON_EACH_ISA(log_softmax_f32), TERN_ON_EACH_ISA(log_softmax_wide), cuda::log_softmax_f32, portable::kLogSoftmax>,
    .inplace_inputs = 1};
constinit const OpDef kHardmax = {.name = "Hardmax",
                                  .inputs = {1, 1},
                                  .outputs = {1, 1},
                                  .attrs = kAttrs,
                                  .infer = infer,
                                  .bind = bind,
                                  .kernels = rows_of<TERN_ON_EACH_ISA(hardmax_any), portable::kHardmax>,
                                  .inplace_inputs = 1};

}  // namespace tern
