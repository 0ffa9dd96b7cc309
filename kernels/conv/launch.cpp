// Which of conv.cu's kernels runs, and how wide. See launch.h.
#include "kernels/conv/launch.h"

#include "kernels/launch.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "conv/conv";
constexpr int64_t kEnough = 108;  // smaller tiles below so many blocks: about one for each multiprocessor of a large card, as in gemm/launch.cpp

bool aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }

void launch(const ConvStep& step, Launches& to) {
  ConvArgs a = step.conv;
  const bool spread = a.spread[0] != 1 || a.spread[1] != 1 || a.spread[2] != 1;
  auto add = [&](const char* kernel, int64_t blocks, uint32_t threads) { to.add(kModule, kernel, {blocks_for(blocks, 1)}, {threads}, 0, a); };
  if (step.depthwise) {
    const int64_t blocks = (a.columns * a.groups + kDepthwiseBlock - 1) / kDepthwiseBlock;
    return add(spread ? "conv_depthwise_spread_f32" : "conv_depthwise_f32", blocks, kDepthwiseBlock);
  }
  if (step.arrange.from != nullptr) {
    const ConvArrangeArgs& r = step.arrange;
    to.add(kModule, "conv_arrange_f32", {blocks_for(r.rows * r.w_row, kConvArrangeBlock)}, {kConvArrangeBlock}, 0, r);
  }
  a.wide_y = a.pixels % 4 == 0 && aligned(a.y) && aligned(a.residual);
  auto tiles = [&](int64_t channels, int64_t pixels) { return (a.ocs + channels - 1) / channels * ((a.columns + pixels - 1) / pixels) * a.groups; };
  if (spread) {
    if (a.ocs > 32 && tiles(64, 64) >= kEnough) return add("conv_64x64_spread_f32", tiles(64, 64), 256);
    return add("conv_32x32_spread_f32", tiles(32, 32), 128);
  }
  if (a.ocs > 64 && tiles(128, 128) >= kEnough) return add("conv_128x128_f32", tiles(128, 128), 256);
  if (a.ocs > 32 && tiles(64, 64) >= kEnough) return add("conv_64x64_f32", tiles(64, 64), 256);
  if (tiles(32, 64) >= kEnough) return add("conv_32x64_f32", tiles(32, 64), 128);
  add("conv_32x32_f32", tiles(32, 32), 128);
}

template <DType kType>
void launch_portable(const PortableConvStep& a, Launches& to) {
  const int64_t elements = a.images * a.groups * a.ocs * a.out[0] * a.out[1] * a.out[2];
  const char* kernel = kType == DType::f64 ? "conv_f64" : kType == DType::f16 ? "conv_f16" : "conv_bf16";
  to.add("conv/portable", kernel, {blocks_for(elements, kPortableConvBlock)}, {kPortableConvBlock}, 0, a);
}

}  // namespace

constinit const KernelRow kPortableConv[] = {
    device_row<PortableConvStep, launch_portable<DType::f64>>("conv/f64/cuda", DType::f64),
    device_row<PortableConvStep, launch_portable<DType::f16>>("conv/f16/cuda", DType::f16),
    device_row<PortableConvStep, launch_portable<DType::bf16>>("conv/bf16/cuda", DType::bf16),
};
constinit const KernelRow conv_f32 = device_row<ConvStep, launch>("conv/f32/cuda", DType::f32);

}  // namespace tern::cuda
