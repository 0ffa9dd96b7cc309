// The normalisations in double on a device, a thread a kept position or an element, in the order of axis_norm.h. Next: launch_axis.cpp.
#include "kernels/norm/axis_norm.h"
#include "kernels/norm/norm_device.h"

namespace tern::cuda {
namespace {

__device__ int64_t thread_number() { return static_cast<int64_t>(blockIdx.x) * kNormBlock + threadIdx.x; }

template <class T>
__device__ void mean_variance(const WalkArgs& a) {
  if (thread_number() < a.end) norm::mean_variance<T>(a, thread_number());
}
template <class T>
__device__ void lp(const WalkArgs& a) {
  if (thread_number() < a.end) norm::lp<T>(a, thread_number());
}
template <class T>
__device__ void lrn_pow(const PortableLrnArgs& a) {
  const int64_t row = thread_number() / a.inner;
  if (row < a.rows) norm::lrn<T>(a, row, thread_number() - row * a.inner);
}

}  // namespace

extern "C" {
__global__ void mean_variance_f32(const __grid_constant__ WalkArgs a) { mean_variance<float>(a); }
__global__ void mean_variance_f64(const __grid_constant__ WalkArgs a) { mean_variance<double>(a); }
__global__ void mean_variance_f16(const __grid_constant__ WalkArgs a) { mean_variance<f16>(a); }
__global__ void mean_variance_bf16(const __grid_constant__ WalkArgs a) { mean_variance<bf16>(a); }
__global__ void lp_norm_f32(const __grid_constant__ WalkArgs a) { lp<float>(a); }
__global__ void lp_norm_f64(const __grid_constant__ WalkArgs a) { lp<double>(a); }
__global__ void lp_norm_f16(const __grid_constant__ WalkArgs a) { lp<f16>(a); }
__global__ void lp_norm_bf16(const __grid_constant__ WalkArgs a) { lp<bf16>(a); }
__global__ void lrn_pow_f32(const __grid_constant__ PortableLrnArgs a) { lrn_pow<float>(a); }
__global__ void lrn_pow_f64(const __grid_constant__ PortableLrnArgs a) { lrn_pow<double>(a); }
__global__ void lrn_pow_f16(const __grid_constant__ PortableLrnArgs a) { lrn_pow<f16>(a); }
__global__ void lrn_pow_bf16(const __grid_constant__ PortableLrnArgs a) { lrn_pow<bf16>(a); }
}

}  // namespace tern::cuda
