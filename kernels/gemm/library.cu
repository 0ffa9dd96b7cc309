// What cuBLAS leaves undone of a product: y = act(x + beta bias + residual), of elements; y may be x or the residual. See library.h.
#include "kernels/gemm/epilogue.cuh"
#include "kernels/gemm/library.h"

namespace tern::cuda {

extern "C" __global__ __launch_bounds__(kFinishBlock) void gemm_finish_f32(const ProductArgs a) {
  const int64_t n = static_cast<int64_t>(blockIdx.x) * kFinishBlock + threadIdx.x;
  if (n >= a.n) return;
  for (int64_t m = blockIdx.y; m < a.m; m += gridDim.y) {
    const int64_t at = m * a.y_row + n;
    float v = a.x[at];
    if (a.bias != nullptr) v = v + start_of(a, m, n);
    if (a.residual != nullptr) v = v + a.residual[at];
    a.y[at] = activate(a.epilogue, f32x16{v}).v;
  }
}

}  // namespace tern::cuda
