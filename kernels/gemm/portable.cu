// The products of portable.simd.cpp on a device, where integers and f64 are rare: a thread an element, k ascending. Next: launch.cpp.
#include "kernels/gemm/launch.h"
#include "kernels/gemm/portable.h"
#include "kernels/simd.h"

namespace tern::cuda {
namespace {

template <class T>
TERN_INLINE void product(const PortableGemmArgs& g) {
  using S = typename portable::SumOf<T>::type;
  const portable::Factors<T> factors(g);
  const int64_t first = g.row_begin * g.n, end = g.row_end * g.n, step = static_cast<int64_t>(gridDim.x) * kPortableGemmBlock;
  for (int64_t i = first + static_cast<int64_t>(blockIdx.x) * kPortableGemmBlock + threadIdx.x; i < end; i += step) {
    const int64_t row = i / g.n, column = i - row * g.n, r = row % g.m;
    const BatchOffset at = g.batch[row / g.m];
    const T* a = static_cast<const T*>(g.a) + at.x + r * g.a_row;
    const T* b = static_cast<const T*>(g.b) + at.w + column * g.b_column;
    S sum = 0;
    for (int64_t k = 0; k < g.k; ++k) sum = static_cast<S>(sum + portable::to_sum(a[k * g.a_k]) * portable::to_sum(b[k * g.b_k]));
    portable::finish<T>(g, factors, sum, r, column, at.y + r * g.n + column);
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_f64(const PortableGemmArgs g) { product<double>(g); }
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_f16(const PortableGemmArgs g) { product<f16>(g); }
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_bf16(const PortableGemmArgs g) { product<bf16>(g); }
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_i32(const PortableGemmArgs g) { product<int32_t>(g); }
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_i64(const PortableGemmArgs g) { product<int64_t>(g); }
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_u32(const PortableGemmArgs g) { product<uint32_t>(g); }
__global__ __launch_bounds__(kPortableGemmBlock) void gemm_u64(const PortableGemmArgs g) { product<uint64_t>(g); }
}

}  // namespace tern::cuda
