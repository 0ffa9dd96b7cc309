// Products of x and weights that are both rounded to bf16, pairs of terms at a time, for recurrent layers (rnn/rnn.h): a few rows of x become words, and
// tiles of these rows and the panels of a group go through them in one chain. See weights.h. Next: int8_quads.simd.cpp.
#include "kernels/gemm/bf16_pairs.h"

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

struct PairsTile {
  const int32_t *x, *w;  // rows of x x_stride apart
  TileCall call;         // its x and w are not read; w_stride: words from one pair of k to the next, k: pairs
  int64_t x_stride;
};

template <int R, int P>
void pairs_tile(const PairsTile& t) {
  Tile<R, P, 1> sums;
  start(sums, t.call);
  const int32_t* w = t.w;
  for (int64_t k = 0; k < t.call.k; ++k, w += t.call.w_stride) {
    i32x16 words[P];
    unroll<P>([&](auto p) TERN_INLINE_CALL { words[p.v] = load_i32(w + p.v * 16); });
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const i32x16 x = splat_i32(t.x[r.v * t.x_stride + k]);
      unroll<P>([&](auto p) TERN_INLINE_CALL { add_pair(sums.acc[r.v][p.v][0], x, words[p.v]); });
    });
  }
  finish(sums, t.call);
}

template <int R, int P>
TERN_INLINE void of_panels(const PairsTile& t, int64_t panels) {
  if (panels == P) return pairs_tile<R, P>(t);
  if constexpr (P > 1) of_panels<R, P - 1>(t, panels);
}
template <int R>
TERN_INLINE void of_rows(const PairsTile& t, int64_t rows, int64_t panels) {
  if (rows == R) return of_panels < R, R == 1 ? kPanelsOfRow : kPanelsOfRows > (t, panels);
  if constexpr (R > 1) of_rows<R - 1>(t, rows, panels);
}

}  // namespace

void bf16_pairs_gemm(const PanelArgs& a, const void* weights, int32_t* pairs) {
  const PanelGroups groups(a.n);
  const auto* w = static_cast<const int32_t*>(weights);
  const int64_t stride = pairs_row(a.k), count = (a.m + kMostRows - 1) / kMostRows;
  for (int64_t i = 0, row = 0, rows = 0; i < count; ++i, row += rows) {
    rows = a.m / count + (i < a.m % count);
    for (int64_t r = 0; r < rows; ++r) to_pairs(a.x + (row + r) * a.lda, a.k, pairs + r * stride);
    const int64_t most = rows == 1 ? kPanelsOfRow : kPanelsOfRows;
    for (int64_t g = a.group_begin; g < a.group_end; ++g) {
      const int64_t first = groups.first(g), panels = groups.first(g + 1) - first;
      for (int64_t p = 0, taken = 0; p < panels; p += taken) {
        taken = panels - p < most ? panels - p : most;
        const int64_t column = (first + p) * kPanel, columns = a.n - column;
        const float* bias = a.bias == nullptr ? nullptr : a.bias + row * a.bias_stride + column;
        const TileCall c{nullptr,
                         nullptr,
                         bias,
                         nullptr,
                         a.y + row * a.ldy + column,
                         0,
                         panels * kPanel,
                         pairs_of(a.k),
                         a.ldy,
                         a.bias_stride,
                         columns >= taken * kPanel ? kPanel : columns - (taken - 1) * kPanel,
                         a.epilogue};
        of_rows<kMostRows>({pairs, w + first * kPanel * pairs_of(a.k) + p * kPanel, c, stride}, rows, taken);
      }
    }
  }
}

}  // namespace tern::TERN_ISA
