// How wide the kernels of axis_norm.cu run. See launch.h.
#include "kernels/launch.h"
#include "kernels/norm/axis_norm.h"
#include "kernels/norm/norm_device.h"

namespace tern::cuda {
namespace {

constexpr const char* kAxisModule = "norm/axis_norm";

constexpr int number_of(DType t) { return t == DType::f32 ? 0 : t == DType::f64 ? 1 : t == DType::f16 ? 2 : 3; }
template <class Args>
void add(const char* kernel, int64_t threads, const Args& a, Launches& to) {
  to.add(kAxisModule, kernel, {blocks_for(threads, kNormBlock)}, {kNormBlock}, 0, a);  // a device's share is all
}

}  // namespace

template <DType kType>
void launch_mean_variance(const WalkArgs& a, Launches& to) {
  constexpr const char* kKernels[] = {"mean_variance_f32", "mean_variance_f64", "mean_variance_f16", "mean_variance_bf16"};
  add(kKernels[number_of(kType)], a.end, a, to);
}
template <DType kType>
void launch_lp(const WalkArgs& a, Launches& to) {
  constexpr const char* kKernels[] = {"lp_norm_f32", "lp_norm_f64", "lp_norm_f16", "lp_norm_bf16"};
  add(kKernels[number_of(kType)], a.end, a, to);
}
template <DType kType>
void launch_lrn_pow(const PortableLrnArgs& a, Launches& to) {
  constexpr const char* kKernels[] = {"lrn_pow_f32", "lrn_pow_f64", "lrn_pow_f16", "lrn_pow_bf16"};
  add(kKernels[number_of(kType)], a.rows * a.inner, a, to);
}
template void launch_mean_variance<DType::f32>(const WalkArgs&, Launches&);
template void launch_mean_variance<DType::f64>(const WalkArgs&, Launches&);
template void launch_mean_variance<DType::f16>(const WalkArgs&, Launches&);
template void launch_mean_variance<DType::bf16>(const WalkArgs&, Launches&);
template void launch_lp<DType::f32>(const WalkArgs&, Launches&);
template void launch_lp<DType::f64>(const WalkArgs&, Launches&);
template void launch_lp<DType::f16>(const WalkArgs&, Launches&);
template void launch_lp<DType::bf16>(const WalkArgs&, Launches&);
template void launch_lrn_pow<DType::f32>(const PortableLrnArgs&, Launches&);
template void launch_lrn_pow<DType::f64>(const PortableLrnArgs&, Launches&);
template void launch_lrn_pow<DType::f16>(const PortableLrnArgs&, Launches&);
template void launch_lrn_pow<DType::bf16>(const PortableLrnArgs&, Launches&);

}  // namespace tern::cuda
