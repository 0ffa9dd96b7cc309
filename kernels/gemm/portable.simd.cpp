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

constexpr int kColumns = 16, kTileRows = 4;
constexpr int64_t kMostRows = 64, kDepth = 64;  // of a block: 8 KB of sums of doubles, and 8 KB of columns

// Eight sums, in whatever registers this ISA has for them.
template <class S>
struct Eight {
  typedef S Type __attribute__((vector_size(8 * sizeof(S))));
};

// kRows rows by sixteen columns join their sums: k of them, from b, a row of columns b_k elements after the one before.
template <class T, int kRows, class B>
void tile(const PortableGemmArgs& g, const T* a, const B* b, int64_t b_k, int64_t k, typename portable::SumOf<T>::type (*sum)[kColumns]) {
  using S = typename portable::SumOf<T>::type;
  using Vector = typename Eight<S>::Type;
  const int64_t a_row = g.a_row;
  Vector low[kRows], high[kRows];
  unroll<kRows>([&](auto r) TERN_INLINE_CALL {
    __builtin_memcpy(&low[r.v], sum[r.v], sizeof low[r.v]);
    __builtin_memcpy(&high[r.v], sum[r.v] + 8, sizeof high[r.v]);
  });
  for (; k > 0; --k, a += g.a_k, b += b_k) {
    Vector w0, w1;
    if constexpr (std::is_same_v<B, S>) {
      __builtin_memcpy(&w0, b, sizeof w0);
      __builtin_memcpy(&w1, b + 8, sizeof w1);
    } else {
      S w[kColumns];
      for (int j = 0; j < kColumns; ++j) w[j] = to_sum(b[j]);
      __builtin_memcpy(&w0, w, sizeof w0);
      __builtin_memcpy(&w1, w + 8, sizeof w1);
    }
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
template <class T, class B>
void tiles(const PortableGemmArgs& g, const T* a, const B* b, int64_t b_k, int64_t k, int64_t rows,
           typename portable::SumOf<T>::type (*sum)[kColumns]) {
  int64_t r = 0;
  for (; r + kTileRows <= rows; r += kTileRows) tile<T, kTileRows>(g, a + r * g.a_row, b, b_k, k, sum + r);
  for (; r < rows; ++r) tile<T, 1>(g, a + r * g.a_row, b, b_k, k, sum + r);
}

// Columns that are no neighbours in memory, or fewer than a tile has, are laid side by side for all rows of a block first.
template <class T>
void packed_tiles(const PortableGemmArgs& g, const T* a, const T* b, int64_t columns, int64_t rows,
                  typename portable::SumOf<T>::type (*sum)[kColumns]) {
  typename portable::SumOf<T>::type panel[kDepth][kColumns] = {};
  for (int64_t from = 0; from < g.k; from += kDepth) {
    const int64_t k = g.k - from < kDepth ? g.k - from : kDepth;
    for (int64_t j = 0; j < columns; ++j) {
      for (int64_t i = 0; i < k; ++i) panel[i][j] = to_sum(b[(from + i) * g.b_k + j * g.b_column]);
    }
    tiles(g, a + from * g.a_k, panel[0], kColumns, k, rows, sum);
  }
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
      __builtin_memset(sum, 0, static_cast<size_t>(rows) * sizeof sum[0]);
      if (columns == kColumns && g.b_column == 1) tiles(g, a, b, g.b_k, g.k, rows, sum);
      else packed_tiles(g, a, b, columns, rows, sum);
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
