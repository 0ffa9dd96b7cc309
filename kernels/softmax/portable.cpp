// Softmax and LogSoftmax of f64, f16 and bf16 (in double, rounded once), and Hardmax, which only compares. See softmax.h.
#include "kernels/launch.h"
#include "kernels/softmax/portable_rows.h"

namespace tern::portable {
namespace {

template <class T, bool kLog>
void softmax_rows(const SoftmaxArgs& a) {
  for (int64_t r = 0; r < a.outer * a.inner; ++r) softmax_row<T, kLog>(a, r);
}
template <class T>
void hardmax_rows(const SoftmaxArgs& a) {
  for (int64_t r = 0; r < a.outer * a.inner; ++r) hardmax_row<T>(a, r);
}

}  // namespace

constinit const KernelRow kSoftmax[6] = {
    row<SoftmaxArgs, softmax_rows<double, false>>("softmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, softmax_rows<f16, false>>("softmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, softmax_rows<bf16, false>>("softmax/bf16/scalar", DType::bf16, Isa::scalar),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::softmax, DType::f64>>("softmax/f64/cuda", DType::f64),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::softmax, DType::f16>>("softmax/f16/cuda", DType::f16),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::softmax, DType::bf16>>("softmax/bf16/cuda", DType::bf16),
};
constinit const KernelRow kLogSoftmax[6] = {
    row<SoftmaxArgs, softmax_rows<double, true>>("log_softmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, softmax_rows<f16, true>>("log_softmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, softmax_rows<bf16, true>>("log_softmax/bf16/scalar", DType::bf16, Isa::scalar),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::log_softmax, DType::f64>>("log_softmax/f64/cuda", DType::f64),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::log_softmax, DType::f16>>("log_softmax/f16/cuda", DType::f16),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::log_softmax, DType::bf16>>("log_softmax/bf16/cuda", DType::bf16),
};
constinit const KernelRow kHardmax[8] = {
    row<SoftmaxArgs, hardmax_rows<float>>("hardmax/f32/scalar", DType::f32, Isa::scalar),
    row<SoftmaxArgs, hardmax_rows<double>>("hardmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, hardmax_rows<f16>>("hardmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, hardmax_rows<bf16>>("hardmax/bf16/scalar", DType::bf16, Isa::scalar),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::f32>>("hardmax/f32/cuda", DType::f32),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::f64>>("hardmax/f64/cuda", DType::f64),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::f16>>("hardmax/f16/cuda", DType::f16),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::bf16>>("hardmax/bf16/cuda", DType::bf16),
};

}  // namespace tern::portable
