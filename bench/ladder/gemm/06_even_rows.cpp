// Step 6: rows are split evenly. 33 rows in sixes leave three over, and 31 leave one: a tile of one row has four sums in flight
// where eight are needed, and costs nearly as much as a full one. ceil(33 / 6) = 6 tiles of 5 or 6 rows do not. Next: 07_chains.cpp.
#include "bench/ladder/gemm/step.h"

namespace tern::TERN_ISA {
namespace {

template <int P>
void group(const LadderArgs& g, int64_t first) {
  const int64_t left = g.n - first, last = left >= P * 16 ? 16 : left - (P - 1) * 16;
  const int64_t tiles = (g.m + kTileRows - 1) / kTileRows, each = g.m / tiles, longer = g.m % tiles;
  for (int64_t t = 0, i = 0; t < tiles; ++t) {
    const int64_t rows = each + (t < longer);
    compute_rows<kTileRows, P, 1>(rows, g.a + i * g.k, g.k, g.packed + first * g.k, P * 16, g.k, g.c + i * g.n + first, g.n, last);
    i += rows;
  }
}

}  // namespace

void gemm_06_even_rows(const LadderArgs& g) {
  pack(g, kTilePanels);
  for (int64_t first = 0; first < g.n; first += kTilePanels * 16) {
    const int64_t panels = (g.n - first + 15) / 16;
    if (panels >= kTilePanels) group<kTilePanels>(g, first);
    else if (panels == 3) group<3>(g, first);
    else if (panels == 2) group<2>(g, first);
    else group<1>(g, first);
  }
}

}  // namespace tern::TERN_ISA
