// Step 4: a tile of C in registers. Six rows times four vectors are 24 independent sums, more than the eight that hide the latency
// of two fma units, and each step of k pays ten loads for 24 multiply-adds. Columns past the last whole tile take narrower tiles,
// rows past the last whole tile fewer rows. B's rows are N apart, so each k touches a new page once N is large. Next: 05_packed.cpp.
#include "bench/ladder/gemm/step.h"

namespace tern::TERN_ISA {
namespace {

// Vectors that would run past the end of B are loaded by mask, one panel at a time.
void last_columns(const LadderArgs& g, int64_t j) {
  const int64_t columns = g.n - j;
  for (int64_t i = 0; i < g.m; ++i) {
    f32x16 sum = zero();
    for (int64_t k = 0; k < g.k; ++k) sum = fma(splat(g.a[i * g.k + k]), load_n(g.b + k * g.n + j, columns), sum);
    store_n(g.c + i * g.n + j, sum, columns);
  }
}

template <int P>
void columns(const LadderArgs& g, int64_t j) {
  for (int64_t i = 0; i < g.m; i += kTileRows) {
    const int64_t rows = g.m - i < kTileRows ? g.m - i : kTileRows;
    compute_rows<kTileRows, P, 1>(rows, g.a + i * g.k, g.k, g.b + j, g.n, g.k, g.c + i * g.n + j, g.n, 16);
  }
}

}  // namespace

void gemm_04_register_tile(const LadderArgs& g) {
  int64_t j = 0;
  for (; j + kTilePanels * 16 <= g.n; j += kTilePanels * 16) columns<kTilePanels>(g, j);
  for (; j + 16 <= g.n; j += 16) columns<1>(g, j);
  if (j < g.n) last_columns(g, j);
}

}  // namespace tern::TERN_ISA
