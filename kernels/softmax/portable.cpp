// The rows on a device of Softmax and LogSoftmax of f64, f16 and bf16, and of Hardmax. See softmax.h, portable_rows.h.
#include "kernels/launch.h"
#include "kernels/softmax/portable_rows.h"

namespace tern::portable {

constinit const KernelRow kSoftmax[3] = {
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::softmax, DType::f64>>("softmax/f64/cuda", DType::f64),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::softmax, DType::f16>>("softmax/f16/cuda", DType::f16),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::softmax, DType::bf16>>("softmax/bf16/cuda", DType::bf16),
};
constinit const KernelRow kLogSoftmax[3] = {
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::log_softmax, DType::f64>>("log_softmax/f64/cuda", DType::f64),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::log_softmax, DType::f16>>("log_softmax/f16/cuda", DType::f16),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::log_softmax, DType::bf16>>("log_softmax/bf16/cuda", DType::bf16),
};
constinit const KernelRow kHardmax[4] = {
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::f32>>("hardmax/f32/cuda", DType::f32),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::f64>>("hardmax/f64/cuda", DType::f64),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::f16>>("hardmax/f16/cuda", DType::f16),
    device_row<SoftmaxArgs, cuda::launch_portable<cuda::SoftmaxKind::hardmax, DType::bf16>>("hardmax/bf16/cuda", DType::bf16),
};

}  // namespace tern::portable
