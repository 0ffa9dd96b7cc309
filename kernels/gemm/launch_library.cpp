// cuBLAS, and the kernel that follows where there is something left. See library.h.
#include <algorithm>

#include "kernels/gemm/library.h"
#include "kernels/launch.h"

namespace tern::cuda {
namespace {

void launch(const LibraryGemmArgs& a, Launches& to) {
  to.multiply(a.product);
  const ProductArgs& r = a.rest;
  if (r.x == r.y && r.bias == nullptr && r.residual == nullptr && r.epilogue.activation == Activation::none) return;
  const auto rows = static_cast<uint32_t>(std::min<int64_t>(r.m, 65535));
  to.add("gemm/library", "gemm_finish_f32", {blocks_for(r.n, kFinishBlock), rows}, {kFinishBlock}, 0, r);
}

}  // namespace

constinit const KernelRow gemm_cublas_f32 = device_row<LibraryGemmArgs, launch>("gemm_cublas/f32/cuda", DType::f32);

}  // namespace tern::cuda
