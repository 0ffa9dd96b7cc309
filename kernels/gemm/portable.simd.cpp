// The products of dtypes other than f32: f64, f16 and bf16 (sums in f32), and wrapping integers; sixteen columns of up to four rows at a time, k
// ascending, product and sum each rounded, so that every ISA and every number of rows gives the same bits. See gemm.h. Next: portable.h.
#include "kernels/gemm/portable.h"

#include "kernels/rows.h"
#include "kernels/simd.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

using portable::Factors;
using portable::from_sum;
using portable::to_sum;

constexpr int kColumns = 16, kMostRows = 4;

// Eight sums, in whatever registers this ISA has for them.
template <class S>
struct Eight {
  typedef S Type __attribute__((vector_size(8 * sizeof(S))));
};

// Sixteen columns from b: neighbours in memory, or g.b_column apart, or fewer of those.
enum class Columns { dense, apart, some };
template <class T, int kRows, Columns kKind>
void tile(const PortableGemmArgs& g, const T* a, const T* b, int64_t columns, typename portable::SumOf<T>::type (*sum)[kColumns]) {
  using S = typename portable::SumOf<T>::type;
  using Vector = typename Eight<S>::Type;
  const int64_t a_row = g.a_row, b_column = g.b_column;
  Vector low[kRows], high[kRows];
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { low[r.v] = high[r.v] = Vector{}; });
  S w[kColumns] = {};
  for (int64_t k = 0; k < g.k; ++k, a += g.a_k, b += g.b_k) {
    if constexpr (kKind == Columns::some) {
      for (int64_t j = 0; j < columns; ++j) w[j] = to_sum(b[j * b_column]);
    } else {
      for (int j = 0; j < kColumns; ++j) w[j] = to_sum(b[kKind == Columns::dense ? j : j * b_column]);
    }
    Vector w0, w1;
    __builtin_memcpy(&w0, w, sizeof w0);
    __builtin_memcpy(&w1, w + 8, sizeof w1);
    unroll<kRows>([&](auto r) TERN_INLINE_CALL {
      const S x = to_sum(a[r.v * a_row]);
      low[r.v] = low[r.v] + x * w0;
      high[r.v] = high[r.v] + x * w1;
    });
  }
  unroll<kRows>([&](auto r) TERN_INLINE_CALL {
    __builtin_memcpy(sum[r.v], &low[r.v], sizeof low[r.v]);
    __builtin_memcpy(sum[r.v] + 8, &high[r.v], sizeof high[r.v]);
  });
}
template <class T, Columns kKind>
void tiles(const PortableGemmArgs& g, const T* a, const T* b, int64_t rows, int64_t columns, typename portable::SumOf<T>::type (*sum)[kColumns]) {
  if (rows == kMostRows) return tile<T, kMostRows, kKind>(g, a, b, columns, sum);
  for (int64_t r = 0; r < rows; ++r) tile<T, 1, kKind>(g, a + r * g.a_row, b, columns, sum + r);
}

template <class T>
void gemm(const PortableGemmArgs& g) {
  const Factors<T> factors(g);
  typename portable::SumOf<T>::type sum[kMostRows][kColumns];
  for (int64_t row = g.row_begin; row < g.row_end;) {
    const BatchOffset at = g.batch[row / g.m];
    const int64_t r = row % g.m, left = g.m - r < g.row_end - row ? g.m - r : g.row_end - row, rows = left < kMostRows ? left : kMostRows;
    const T* a = static_cast<const T*>(g.a) + at.x + r * g.a_row;
    for (int64_t first = 0; first < g.n; first += kColumns) {
      const T* b = static_cast<const T*>(g.b) + at.w + first * g.b_column;
      const int64_t columns = g.n - first < kColumns ? g.n - first : kColumns;
      if (columns < kColumns) tiles<T, Columns::some>(g, a, b, rows, columns, sum);
      else if (g.b_column == 1) tiles<T, Columns::dense>(g, a, b, rows, columns, sum);
      else tiles<T, Columns::apart>(g, a, b, rows, columns, sum);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < columns; ++j) portable::finish<T>(g, factors, sum[i][j], r + i, first + j, at.y + (r + i) * g.n + first + j);
      }
    }
    row += rows;
  }
}

template <class T>
constexpr KernelRow gemm_row(const char* name) {
  return row<PortableGemmArgs, gemm<T>>(name, dtype_of<T>(), Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<7> gemm_any = {{
    gemm_row<double>("gemm/f64/" TERN_ISA_NAME),
    gemm_row<f16>("gemm/f16/" TERN_ISA_NAME),
    gemm_row<bf16>("gemm/bf16/" TERN_ISA_NAME),
    gemm_row<int32_t>("gemm/i32/" TERN_ISA_NAME),
    gemm_row<int64_t>("gemm/i64/" TERN_ISA_NAME),
    gemm_row<uint32_t>("gemm/u32/" TERN_ISA_NAME),
    gemm_row<uint64_t>("gemm/u64/" TERN_ISA_NAME),
}};

}  // namespace tern::TERN_ISA
