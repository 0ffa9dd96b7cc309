// Which of softmax.cu's kernels runs, and how wide. See launch.h.
#include "kernels/launch.h"

#include "kernels/softmax/softmax.h"

namespace tern::cuda {
namespace {

struct Names {
  const char *short_rows, *long_rows, *huge_rows, *across;
};
constexpr Names kSoftmaxNames = {"softmax_short_f32", "softmax_long_f32", "softmax_huge_f32", "softmax_across_f32"};
constexpr Names kLogSoftmaxNames = {"log_softmax_short_f32", "log_softmax_long_f32", "log_softmax_huge_f32", "log_softmax_across_f32"};

template <const Names& kNames>
void launch(const SoftmaxArgs& a, Launches& to) {
  constexpr const char* kModule = "softmax/softmax";
  const Dim3 block{kSoftmaxBlock};
  if (a.stride != 1) {
    to.add(kModule, kNames.across, {blocks_for(a.outer * a.inner, kSoftmaxBlock)}, block, 0, a);
  } else if (a.cols <= kSoftmaxShort) {
    to.add(kModule, kNames.short_rows, {blocks_for(a.outer, kSoftmaxBlock / 16)}, block, 0, a);
  } else if (a.cols <= kSoftmaxLong) {
    to.add(kModule, kNames.long_rows, {blocks_for(a.outer, 1)}, block, static_cast<uint32_t>(a.cols * 4), a);
  } else {
    to.add(kModule, kNames.huge_rows, {blocks_for(a.outer, 1)}, block, 0, a);
  }
}

}  // namespace

constinit const KernelRow softmax_f32 = device_row<SoftmaxArgs, launch<kSoftmaxNames>>("softmax/f32/cuda", DType::f32);
constinit const KernelRow log_softmax_f32 = device_row<SoftmaxArgs, launch<kLogSoftmaxNames>>("log_softmax/f32/cuda", DType::f32);

}  // namespace tern::cuda
