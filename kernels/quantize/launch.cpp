// Which of quantize.cu's kernels runs, and how wide. See launch.h.
#include "kernels/launch.h"

#include <algorithm>

#include "kernels/portable_row.h"
#include "kernels/quantize/linear.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "quantize/quantize";

template <class Div>
void launch_with(const QuantArgs& a, DType x, int64_t count, const char* kernel, Launches& to) {
  to.add(kModule, kernel, {blocks_for(count, kQuantBlock)}, {kQuantBlock}, 0, QuantLaunch<Div>{a, Div(a.n), Div(a.inner), Div(a.block), count, x});
}
template <DType kX, bool kQuantizes>
void launch_quantize(const QuantArgs& a, Launches& to) {
  const int64_t count = (a.end - a.begin) * a.inner;
  if (std::max({count, a.n, a.block}) < kFastDivMost) launch_with<FastDiv>(a, kX, count, kQuantizes ? "quantize_any" : "dequantize_any", to);
  else launch_with<WideDiv>(a, kX, count, kQuantizes ? "quantize_large" : "dequantize_large", to);
}
template <class T, bool kQuantizes>
constexpr KernelRow row() {
  constexpr DType kX = dtype_of<T>();
  constexpr const char* kName = kQuantizes ? kRowName<"quantize", kX, Isa::cuda>.data() : kRowName<"dequantize", kX, Isa::cuda>.data();
  return device_row<QuantArgs, launch_quantize<kX, kQuantizes>>(kName, kX);
}

void launch_dynamic(const DynamicArgs& a, Launches& to) {
  const uint32_t blocks = std::clamp<uint32_t>(blocks_for(a.count, kQuantBlock), 1, kRangeBlocks);
  to.add(kModule, "dynamic_quantize_ranges", {blocks}, {kQuantBlock}, 0, a);
  to.add(kModule, "dynamic_quantize_scale", {1}, {kQuantBlock}, 0, DynamicScale{a, blocks});
  to.add(kModule, "dynamic_quantize", {blocks_for(a.count, kQuantBlock)}, {kQuantBlock}, 0, a);
}

}  // namespace

constinit const KernelRow kQuantize[4] = {row<float, true>(), row<f16, true>(), row<bf16, true>(), row<int32_t, true>()};
constinit const KernelRow kDequantize[5] = {row<uint8_t, false>(), row<int8_t, false>(), row<uint16_t, false>(), row<int16_t, false>(),
                                            row<int32_t, false>()};
constinit const KernelRow kDynamicQuantize = device_row<DynamicArgs, launch_dynamic>("dynamic_quantize/f32/cuda", DType::f32);

}  // namespace tern::cuda
