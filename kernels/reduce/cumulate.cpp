// CumSum and CumProd: y[i] = x[0] + ... + x[i], from either end, with or without x[i] itself. See reduce.h. Next: cumulate.simd.cpp.
#include "kernels/launch.h"
#include "kernels/reduce/lines.h"
#include "kernels/reduce/reduce.h"

namespace tern {
namespace {

template <bool P>
constexpr KernelRow kOnDevice[] = {
    device_row<CumulateArgs, cuda::launch_cumulate<DType::f32, P>>(P ? "cum_prod/f32/cuda" : "cum_sum/f32/cuda", DType::f32),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::f64, P>>(P ? "cum_prod/f64/cuda" : "cum_sum/f64/cuda", DType::f64),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::f16, P>>(P ? "cum_prod/f16/cuda" : "cum_sum/f16/cuda", DType::f16),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::bf16, P>>(P ? "cum_prod/bf16/cuda" : "cum_sum/bf16/cuda", DType::bf16),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::i32, P>>(P ? "cum_prod/i32/cuda" : "cum_sum/i32/cuda", DType::i32),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::i64, P>>(P ? "cum_prod/i64/cuda" : "cum_sum/i64/cuda", DType::i64),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::u32, P>>(P ? "cum_prod/u32/cuda" : "cum_sum/u32/cuda", DType::u32),
    device_row<CumulateArgs, cuda::launch_cumulate<DType::u64, P>>(P ? "cum_prod/u64/cuda" : "cum_sum/u64/cuda", DType::u64),
};

constexpr auto& kSums = rows_of<TERN_ON_EACH_ISA(cum_sum_any), kOnDevice<false>>;
constexpr auto& kProducts = rows_of<TERN_ON_EACH_ISA(cum_prod_any), kOnDevice<true>>;

Status infer_cumulate(InferContext& c) {
  if (pick(kSums, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  auto axis = c.known_ints(1);
  if (axis && c.shape(0).ranked() && !normalize_axis((*axis)[0], c.shape(0).rank())) {
    return invalid("axis " + std::to_string((*axis)[0]) + " is outside of " + c.shape(0).text());
  }
  return infer_same(c);
}

Status bind_cumulate(BindContext& c) {
  const TensorView& x = c.in(0);
  const auto axis = normalize_axis(c.ints(1)[0], x.dims.rank);
  if (!axis) return invalid("axis is outside of " + to_string(x.dims));
  CumulateArgs& a = c.args(CumulateArgs{nullptr, nullptr, lines_of(c, x.dims, *axis), c.attrs.i("exclusive") != 0, c.attrs.i("reverse") != 0});
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  if (a.lines.begin < a.lines.end && a.lines.n > 0) c.run(*c.pick(x.dtype));
  return {};
}

constexpr AttrSpec kCumulateAttrs[] = {{"exclusive", AttrKind::i, 0}, {"reverse", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kCumSum = {.name = "CumSum",
                                 .inputs = {2, 2},
                                 .outputs = {1, 1},
                                 .attrs = kCumulateAttrs,
                                 .infer = infer_cumulate,
                                 .bind = bind_cumulate,
                                 .kernels = kSums,
                                 .value_inputs = {.integer = 2},
                                 .inplace_inputs = 1};
constinit const OpDef kCumProd = {.name = "CumProd",
                                  .inputs = {2, 2},
                                  .outputs = {1, 1},
                                  .attrs = kCumulateAttrs,
                                  .infer = infer_cumulate,
                                  .bind = bind_cumulate,
                                  .kernels = kProducts,
                                  .value_inputs = {.integer = 2},
                                  .inplace_inputs = 1};

}  // namespace tern
