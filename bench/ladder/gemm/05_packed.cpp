// Step 5: B is copied once into the order in which the tiles read it, [group][K][columns of the group]: one linear stream, no
// page is touched twice, and the last columns are padded with zeros, so there is no special case. The copy pays when many rows
// read it; for one row it costs as much as the product. Next: 06_even_rows.cpp.
#include "bench/ladder/gemm/step.h"

namespace tern::TERN_ISA {
namespace {

template <int P>
void group(const LadderArgs& g, int64_t first) {
  const int64_t left = g.n - first, last = left >= P * 16 ? 16 : left - (P - 1) * 16;
  for (int64_t i = 0; i < g.m; i += kTileRows) {
    const int64_t rows = g.m - i < kTileRows ? g.m - i : kTileRows;
    compute_rows<kTileRows, P, 1>(rows, g.a + i * g.k, g.k, g.packed + first * g.k, P * 16, g.k, g.c + i * g.n + first, g.n, last);
  }
}

}  // namespace

void gemm_05_packed(const LadderArgs& g) {
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
