// Step 7: narrow results. With one or two panels and one row there are one or two sums in flight; an fma takes four cycles and
// two start in each, so seven of eight slots stay empty. Splitting every sum into four chains (k = 0 mod 4, 1 mod 4, ...) fills
// them. The split must depend on N and K alone: a row alone and a row of a batch then have the same bits. Next: 08_production.cpp.
#include "bench/ladder/gemm/step.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int rows_of(int panels, int chains) { return 24 / (panels * chains) < 6 ? 24 / (panels * chains) : 6; }
#else
constexpr int rows_of(int panels, int chains) { return 6 / (panels * chains) > 0 ? 6 / (panels * chains) : 1; }
#endif

template <int P, int CH>
void group(const LadderArgs& g, int64_t first) {
  constexpr int kRows = rows_of(P, CH);
  const int64_t left = g.n - first, last = left >= P * 16 ? 16 : left - (P - 1) * 16;
  const int64_t tiles = (g.m + kRows - 1) / kRows, each = g.m / tiles, longer = g.m % tiles;
  for (int64_t t = 0, i = 0; t < tiles; ++t) {
    const int64_t rows = each + (t < longer);
    compute_rows<kRows, P, CH>(rows, g.a + i * g.k, g.k, g.packed + first * g.k, P * 16, g.k, g.c + i * g.n + first, g.n, last);
    i += rows;
  }
}

template <int CH>
void groups(const LadderArgs& g) {
  for (int64_t first = 0; first < g.n; first += kTilePanels * 16) {
    const int64_t panels = (g.n - first + 15) / 16;
    if (panels >= kTilePanels) group<kTilePanels, CH>(g, first);
    else if (panels == 3) group<3, CH>(g, first);
    else if (panels == 2) group<2, CH>(g, first);
    else group<1, CH>(g, first);
  }
}

}  // namespace

void gemm_07_chains(const LadderArgs& g) {
  pack(g, kTilePanels);
  const int64_t panels = (g.n + 15) / 16;
  if (g.k < 16 || panels >= 7) groups<1>(g);
  else if (panels <= 2) groups<4>(g);
  else groups<2>(g);
}

}  // namespace tern::TERN_ISA
