// Which of tensor.cu's kernels runs. See tensor.h.
#include "kernels/conv/tensor.h"
#include "kernels/launch.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

struct Names {
  const char *tile_64x64, *spread_64x64, *tile_16x64;
};
constexpr Names kNames[] = {{"conv_64x64_by_tf32", "conv_64x64_spread_by_tf32", "conv_16x64_by_tf32"},
                            {"conv_64x64_by_f16", "conv_64x64_spread_by_f16", "conv_16x64_by_f16"},
                            {"conv_64x64_by_bf16", "conv_64x64_spread_by_bf16", "conv_16x64_by_bf16"}};

template <Precision kPrecision>
void launch(const ConvTensorArgs& t, Launches& to) {
  constexpr const Names& names = kNames[static_cast<int>(kPrecision) - 1];
  const ConvArgs& a = t.conv;
  const bool spread = a.spread[0] != 1 || a.spread[1] != 1 || a.spread[2] != 1, flat = a.ocs <= 16 && !spread;
  const int64_t tiles = ceil_div(int64_t(a.ocs), flat ? 16 : 64) * ceil_div(a.columns, 64) * a.groups;
  to.add("conv/tensor", spread ? names.spread_64x64 : flat ? names.tile_16x64 : names.tile_64x64, {blocks_for(tiles, 1)}, {flat ? 128u : 256u}, 0, t);
}

template <Precision kPrecision>
constexpr KernelRow row_of(const char* name) {
  return device_row<ConvTensorArgs, launch<kPrecision>>(name, DType::f32);
}

}  // namespace

constinit const KernelRow kTensorConv[] = {row_of<Precision::tf32>("conv_tf32/f32/cuda"), row_of<Precision::f16>("conv_f16/f32/cuda"),
                                           row_of<Precision::bf16>("conv_bf16/f32/cuda")};
const KernelRow& conv_tensor_row(Precision precision) { return kTensorConv[static_cast<int>(precision) - 1]; }

}  // namespace tern::cuda
