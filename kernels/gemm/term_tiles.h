// How products that take several terms of a sum as one word are cut, of pairs of bf16 as of quads of bytes: a few rows of x become words, and tiles of these
// rows and the panels of a group go through them in one chain. Weights lie as PanelGroups (panel.h) has them, a word for each column of a panel.
// Included by *.simd.cpp only. Next: bf16_pairs.simd.cpp, int8_quads.simd.cpp.
#pragma once
#include "kernels/gemm/tile_ends.h"
#include "kernels/gemm/weights.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kMostRows = 6, kPanelsOfRow = 4, kPanelsOfRows = 4;
#else
constexpr int kMostRows = 4, kPanelsOfRow = 2, kPanelsOfRows = 1;
#endif
static_assert(kMostRows <= kTermRows);

struct TermTile {
  const int32_t* w;
  int64_t column;  // the first one
  TileCall call;   // its x and w are not read; w_stride: words of w from one word of x to the next, k: words of x
};

template <int R, int P, class Product>
TERN_INLINE void of_panels(const Product& product, const TermTile& t, int64_t panels) {
  if (panels == P) return product.template tile<R, P>(t);
  if constexpr (P > 1) of_panels<R, P - 1>(product, t, panels);
}
template <int R, class Product>
TERN_INLINE void of_rows(const Product& product, const TermTile& t, int64_t rows, int64_t panels) {
  if (rows == R) return of_panels < R, R == 1 ? kPanelsOfRow : kPanelsOfRows > (product, t, panels);
  if constexpr (R > 1) of_rows<R - 1>(product, t, rows, panels);
}

// words: of a row of x, and so of a column of w. A Product has
//   set_row(x, k, r)       row r of the tiles to come
//   tile<R, P>(TermTile)   R rows, P panels
template <class Product>
TERN_INLINE void multiply_terms(const PanelArgs& a, const int32_t* w, int64_t words, Product&& product) {
  const PanelGroups groups(a.n);
  const int64_t count = (a.m + kMostRows - 1) / kMostRows;
  for (int64_t i = 0, row = 0, rows = 0; i < count; ++i, row += rows) {
    rows = a.m / count + (i < a.m % count);
    for (int64_t r = 0; r < rows; ++r) product.set_row(a.x + (row + r) * a.lda, a.k, r);
    const int64_t most = rows == 1 ? kPanelsOfRow : kPanelsOfRows;
    for (int64_t g = a.group_begin; g < a.group_end; ++g) {
      const int64_t first = groups.first(g), panels = groups.first(g + 1) - first;
      for (int64_t p = 0, taken = 0; p < panels; p += taken) {
        taken = panels - p < most ? panels - p : most;
        const int64_t column = (first + p) * kPanel, columns = a.n - column,
                      last = columns >= taken * kPanel ? kPanel : columns - (taken - 1) * kPanel;
        const float* bias = a.bias == nullptr ? nullptr : a.bias + row * a.bias_stride + column;
        const TileCall c{nullptr, nullptr,       bias, nullptr,   a.y + row * a.ldy + column, 0, panels * kPanel, words,
                         a.ldy,   a.bias_stride, last, a.epilogue};
        of_rows<kMostRows>(product, {w + first * kPanel * words + p * kPanel, column, c}, rows, taken);
      }
    }
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
