// Softmax: schema, inference, binding, kernel table. See softmax.h.
#include "kernels/softmax/softmax.h"

#include "kernels/op.h"

namespace tern {
namespace {

constexpr KernelRow kRows[] = {
    row<SoftmaxArgs, scalar::softmax_f32>("softmax/f32/scalar", DType::f32, Isa::scalar),
    row<SoftmaxArgs, avx2::softmax_f32>("softmax/f32/avx2", DType::f32, Isa::avx2),
    row<SoftmaxArgs, avx512::softmax_f32>("softmax/f32/avx512", DType::f32, Isa::avx512),
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

Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  const int axis = *normalize_axis(c.attrs.i("axis", -1), x.dims.rank);
  const KernelRow* kernel = pick(kRows, x.dtype, c.isa);
  if (kernel == nullptr || x.dims.count(axis + 1, x.dims.rank) != 1) return bad_dtype(x.dtype);
  const int64_t cols = x.dims[axis];
  const auto [begin, end] = c.range(x.dims.count(0, axis));
  if (cols == 0 || begin == end) return {};
  c.run(*kernel, SoftmaxArgs{x.as<const float>() + begin * cols, c.out(0).as<float>() + begin * cols, end - begin, cols});
  return {};
}

}  // namespace

constinit const OpDef kSoftmax = {
    .name = "Softmax", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kAttrs, .infer = infer, .bind = bind, .kernels = kRows, .inplace_inputs = 1};

}  // namespace tern
