// What steps 4 to 7 share: storing a register tile, and the tile sizes of this ISA. The multiply-adds are kernels/gemm/tile.h's
// accumulate(): for each k, P loads of B, R broadcasts of A, R*P independent fma.
#pragma once
#include "bench/ladder/gemm/ladder.h"
#include "kernels/gemm/tile.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kTileRows = 6, kTilePanels = 4;  // 24 sums in 32 registers
#else
constexpr int kTileRows = 6, kTilePanels = 1;  // a panel is two registers: 12 sums in 16
#endif

// R rows of A times P panels of B (rows w_stride apart), stored at c (rows n apart); the last panel has `last` columns.
template <int R, int P, int CH>
void compute(const float* a, int64_t lda, const float* w, int64_t w_stride, int64_t k, float* c, int64_t n, int64_t last) {
  Tile<R, P, CH> t;
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL { unroll<CH>([&](auto j) TERN_INLINE_CALL { t.acc[r.v][p.v][j.v] = zero(); }); });
  });
  accumulate(t, a, lda, w, w_stride, k);
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL { store_n(c + r.v * n + p.v * 16, total(t, r.v, p.v), p.v == P - 1 ? last : 16); });
  });
}

// The same for a number of rows known at run time, 1 <= rows <= R.
template <int R, int P, int CH>
void compute_rows(int64_t rows, const float* a, int64_t lda, const float* w, int64_t w_stride, int64_t k, float* c, int64_t n, int64_t last) {
  if (rows == R) {
    compute<R, P, CH>(a, lda, w, w_stride, k, c, n, last);
  } else if constexpr (R > 1) {
    compute_rows<R - 1, P, CH>(rows, a, lda, w, w_stride, k, c, n, last);
  }
}

// B as panels of 16 columns, `group` panels together: [group][K][group*16], zero-padded. What step 5 introduces.
[[maybe_unused]] void pack(const LadderArgs& g, int64_t group) {
  const int64_t width = group * 16;
  for (int64_t j = 0; j < g.n; j += 16) {
    const int64_t columns = g.n - j < 16 ? g.n - j : 16, first = j / width * width;
    const int64_t padded = (g.n + 15) / 16 * 16, here = padded - first < width ? padded - first : width;  // the last group may be narrow
    for (int64_t k = 0; k < g.k; ++k) store(g.packed + first * g.k + k * here + (j - first), load_n(g.b + k * g.n + j, columns));
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
