// The kernels of GatherMean: sixty-four columns at a time, four sums that do not wait for each other. See gather_mean.h.
#include "kernels/gather/gather_mean.h"

#include "kernels/gather/place.h"
#include "kernels/gemm/tile.h"
#include "kernels/simd_half.h"

namespace tern::TERN_ISA {
namespace {

// P vectors of the rows that `indices` name, from x on; of the last one n columns.
template <int P, class T, class Index>
TERN_INLINE void mean_of(const GatherMeanArgs& a, const Index* indices, const T* x, float* y, int64_t n, uint32_t& fault) {
  f32x16 sum[P];
  unroll<P>([&](auto p) TERN_INLINE_CALL { sum[p.v] = zero(); });
  for (int64_t j = 0; j < a.count; ++j) {
    const T* row = x + place_index(indices[j], a.n, fault) * a.row;
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      if constexpr (P == 1) sum[p.v] = sum[p.v] + load_n(row, n);
      else sum[p.v] = sum[p.v] + load(row + p.v * 16);
    });
  }
  const f32x16 count = splat(static_cast<float>(a.count));
  unroll<P>([&](auto p) TERN_INLINE_CALL {
    if constexpr (P == 1) store_n(y, sum[p.v] / count, n);
    else store(y + p.v * 16, sum[p.v] / count);
  });
}

template <class T, class Index>
void means_of(const GatherMeanArgs& a) {
  const T* x = static_cast<const T*>(a.x);  // [n, row]
  uint32_t fault = 0;
  for (int64_t o = a.begin; o < a.end; ++o) {
    const Index* indices = static_cast<const Index*>(a.indices) + o * a.count;  // [count]
    float* y = a.y + o * a.row;                                                 // [row]
    int64_t c = 0;
    for (; c + 64 <= a.row; c += 64) mean_of<4>(a, indices, x + c, y + c, 16, fault);
    for (; c < a.row; c += 16) mean_of<1>(a, indices, x + c, y + c, a.row - c < 16 ? a.row - c : 16, fault);
  }
  *a.fault = fault;
}
template <class Index>
void gather_mean(const GatherMeanArgs& a) {
  switch (a.from) {
    case DType::f16: return means_of<f16, Index>(a);
    case DType::bf16: return means_of<bf16, Index>(a);
    default: return means_of<float, Index>(a);
  }
}

}  // namespace

constinit const KernelRow gather_mean_i32 = row<GatherMeanArgs, gather_mean<int32_t>>("gather_mean/i32/" TERN_ISA_NAME, DType::i32, Isa::TERN_ISA);
constinit const KernelRow gather_mean_i64 = row<GatherMeanArgs, gather_mean<int64_t>>("gather_mean/i64/" TERN_ISA_NAME, DType::i64, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
