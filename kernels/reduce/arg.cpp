// ArgMax and ArgMin: the first (or last) index of the extreme element; the first NaN counts as extreme, as in NumPy. See reduce.h.
#include "kernels/launch.h"
#include "kernels/reduce/lines.h"
#include "kernels/reduce/reduce.h"

namespace tern {
namespace {

template <bool Max>
constexpr KernelRow kArgDeviceRows[] = {
    device_row<ArgArgs, cuda::launch_arg<DType::f32, Max>>(Max ? "arg_max/f32/cuda" : "arg_min/f32/cuda", DType::f32),
    device_row<ArgArgs, cuda::launch_arg<DType::f64, Max>>(Max ? "arg_max/f64/cuda" : "arg_min/f64/cuda", DType::f64),
    device_row<ArgArgs, cuda::launch_arg<DType::f16, Max>>(Max ? "arg_max/f16/cuda" : "arg_min/f16/cuda", DType::f16),
    device_row<ArgArgs, cuda::launch_arg<DType::bf16, Max>>(Max ? "arg_max/bf16/cuda" : "arg_min/bf16/cuda", DType::bf16),
    device_row<ArgArgs, cuda::launch_arg<DType::i8, Max>>(Max ? "arg_max/i8/cuda" : "arg_min/i8/cuda", DType::i8),
    device_row<ArgArgs, cuda::launch_arg<DType::i16, Max>>(Max ? "arg_max/i16/cuda" : "arg_min/i16/cuda", DType::i16),
    device_row<ArgArgs, cuda::launch_arg<DType::i32, Max>>(Max ? "arg_max/i32/cuda" : "arg_min/i32/cuda", DType::i32),
    device_row<ArgArgs, cuda::launch_arg<DType::i64, Max>>(Max ? "arg_max/i64/cuda" : "arg_min/i64/cuda", DType::i64),
    device_row<ArgArgs, cuda::launch_arg<DType::u8, Max>>(Max ? "arg_max/u8/cuda" : "arg_min/u8/cuda", DType::u8),
    device_row<ArgArgs, cuda::launch_arg<DType::u16, Max>>(Max ? "arg_max/u16/cuda" : "arg_min/u16/cuda", DType::u16),
    device_row<ArgArgs, cuda::launch_arg<DType::u32, Max>>(Max ? "arg_max/u32/cuda" : "arg_min/u32/cuda", DType::u32),
    device_row<ArgArgs, cuda::launch_arg<DType::u64, Max>>(Max ? "arg_max/u64/cuda" : "arg_min/u64/cuda", DType::u64),
};

Status infer_arg(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!is_number(c.dtype(0))) return bad_dtype(c.dtype(0));
  if (!x.ranked()) {
    c.set(0, DType::i64, Shape());
    return {};
  }
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  if (x[*axis].is(0)) return invalid("an axis of 0 has no extreme");
  Shape y = x;
  if (c.attrs.i("keepdims") != 0) y[*axis] = Dim(1);
  else y.dims().erase(y.dims().begin() + *axis);
  c.set(0, DType::i64, std::move(y));
  return {};
}

template <bool Max>
Status bind_arg(BindContext& c) {
  const TensorView& x = c.in(0);
  ArgArgs& a =
      c.args(ArgArgs{nullptr, nullptr, lines_of(c, x.dims, *normalize_axis(c.attrs.i("axis"), x.dims.rank)), c.attrs.i("select_last_index") != 0});
  if (a.lines.begin == a.lines.end) return {};
  if (a.lines.n == 0) return invalid("an axis of 0 has no extreme");
  c.set(a.x, c.input(0));
  c.set(a.y, c.output<int64_t>(0));
  c.run(*c.pick(x.dtype));
  return {};
}

constexpr AttrSpec kArgAttrs[] = {{"axis", AttrKind::i, 0}, {"keepdims", AttrKind::i, 1}, {"select_last_index", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kArgMax = {.name = "ArgMax",
                                 .inputs = {1, 1},
                                 .outputs = {1, 1},
                                 .attrs = kArgAttrs,
                                 .infer = infer_arg,
                                 .bind = bind_arg<true>,
                                 .kernels = rows_of<TERN_ON_EACH_ISA(arg_max_any), kArgDeviceRows<true>>};
constinit const OpDef kArgMin = {.name = "ArgMin",
                                 .inputs = {1, 1},
                                 .outputs = {1, 1},
                                 .attrs = kArgAttrs,
                                 .infer = infer_arg,
                                 .bind = bind_arg<false>,
                                 .kernels = rows_of<TERN_ON_EACH_ISA(arg_min_any), kArgDeviceRows<false>>};

}  // namespace tern
