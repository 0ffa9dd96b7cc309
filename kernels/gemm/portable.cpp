// The product in plain C++, sixteen columns at a time, k ascending: f64, f16 and bf16 (sums in f32), and wrapping integers.
#include "kernels/gemm/portable.h"

#include <algorithm>

namespace tern::portable {
namespace {

template <class T>
void gemm(const PortableGemmArgs& g) {
  using S = typename SumOf<T>::type;
  const Factors<T> factors(g);
  for (int64_t row = g.row_begin; row < g.row_end; ++row) {
    const BatchOffset at = g.batch[row / g.m];
    const int64_t r = row % g.m;
    const T* a = static_cast<const T*>(g.a) + at.x + r * g.a_row;
    const T* b = static_cast<const T*>(g.b) + at.w;
    const int64_t out = at.y + r * g.n;
    for (int64_t begin = 0; begin < g.n; begin += 16) {
      const int64_t columns = std::min<int64_t>(16, g.n - begin);
      S sum[16] = {};
      for (int64_t k = 0; k < g.k; ++k) {
        const S x = to_sum(a[k * g.a_k]);
        const T* w = b + k * g.b_k + begin * g.b_column;
        for (int64_t j = 0; j < columns; ++j) sum[j] = static_cast<S>(sum[j] + x * to_sum(w[j * g.b_column]));
      }
      for (int64_t j = 0; j < columns; ++j) finish<T>(g, factors, sum[j], r, begin + j, out + begin + j);
    }
  }
}

template <class T>
constexpr KernelRow gemm_row(const char* name) {
  return row<PortableGemmArgs, gemm<T>>(name, dtype_of<T>(), Isa::scalar);
}

}  // namespace

constinit const KernelRow kGemm[] = {
    gemm_row<double>("gemm/f64/scalar"),   gemm_row<f16>("gemm/f16/scalar"),     gemm_row<bf16>("gemm/bf16/scalar"),
    gemm_row<int32_t>("gemm/i32/scalar"),  gemm_row<int64_t>("gemm/i64/scalar"), gemm_row<uint32_t>("gemm/u32/scalar"),
    gemm_row<uint64_t>("gemm/u64/scalar"),
};

}  // namespace tern::portable
