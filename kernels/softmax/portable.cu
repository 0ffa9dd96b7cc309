// Softmax and LogSoftmax of f64, f16 and bf16 and Hardmax on a device: a thread a row. Next: launch_portable.cpp.
#include "kernels/softmax/portable_rows.h"

namespace tern::cuda {
namespace {

__device__ int64_t row_number() { return static_cast<int64_t>(blockIdx.x) * kPortableSoftmaxBlock + threadIdx.x; }

template <class T, bool kLog>
__device__ void softmax(const SoftmaxArgs& a) {
  if (row_number() < a.outer * a.inner) portable::softmax_row<T, kLog>(a, row_number());
}
template <class T>
__device__ void hardmax(const SoftmaxArgs& a) {
  if (row_number() < a.outer * a.inner) portable::hardmax_row<T>(a, row_number());
}

}  // namespace

extern "C" {
__global__ void softmax_f64(const SoftmaxArgs a) { softmax<double, false>(a); }
__global__ void softmax_f16(const SoftmaxArgs a) { softmax<f16, false>(a); }
__global__ void softmax_bf16(const SoftmaxArgs a) { softmax<bf16, false>(a); }
__global__ void log_softmax_f64(const SoftmaxArgs a) { softmax<double, true>(a); }
__global__ void log_softmax_f16(const SoftmaxArgs a) { softmax<f16, true>(a); }
__global__ void log_softmax_bf16(const SoftmaxArgs a) { softmax<bf16, true>(a); }
__global__ void hardmax_f32(const SoftmaxArgs a) { hardmax<float>(a); }
__global__ void hardmax_f64(const SoftmaxArgs a) { hardmax<double>(a); }
__global__ void hardmax_f16(const SoftmaxArgs a) { hardmax<f16>(a); }
__global__ void hardmax_bf16(const SoftmaxArgs a) { hardmax<bf16>(a); }
}

}  // namespace tern::cuda
