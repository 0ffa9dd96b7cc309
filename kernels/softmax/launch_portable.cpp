// How wide the kernels of portable.cu run. See launch.h.
#include "kernels/launch.h"
#include "kernels/softmax/portable_rows.h"

namespace tern::cuda {
namespace {

constexpr int number_of(DType t) { return t == DType::f32 ? 0 : t == DType::f64 ? 1 : t == DType::f16 ? 2 : 3; }
constexpr const char* kKernels[3][4] = {{nullptr, "softmax_f64", "softmax_f16", "softmax_bf16"},
                                        {nullptr, "log_softmax_f64", "log_softmax_f16", "log_softmax_bf16"},
                                        {"hardmax_f32", "hardmax_f64", "hardmax_f16", "hardmax_bf16"}};

}  // namespace

template <SoftmaxKind kKind, DType kType>
void launch_portable(const SoftmaxArgs& a, Launches& to) {
  constexpr const char* kKernel = kKernels[static_cast<int>(kKind)][number_of(kType)];
  to.add("softmax/portable", kKernel, {blocks_for(a.outer * a.inner, kPortableSoftmaxBlock)}, {kPortableSoftmaxBlock}, 0, a);
}
template void launch_portable<SoftmaxKind::softmax, DType::f64>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::softmax, DType::f16>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::softmax, DType::bf16>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::log_softmax, DType::f64>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::log_softmax, DType::f16>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::log_softmax, DType::bf16>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::hardmax, DType::f32>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::hardmax, DType::f64>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::hardmax, DType::f16>(const SoftmaxArgs&, Launches&);
template void launch_portable<SoftmaxKind::hardmax, DType::bf16>(const SoftmaxArgs&, Launches&);

}  // namespace tern::cuda
