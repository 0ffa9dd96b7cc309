// Step 8: the production kernel, with its weights packed once, as a model packs its own: see kernels/gemm/panel.h for what it adds
// (bias, residual and activation on the way out; the dot form for very narrow results; two groups at a time for a single row).
// The end of the ladder. Next: kernels/gemm/panel.simd.cpp.
#include "bench/ladder/gemm/ladder.h"
#include "kernels/gemm/panel.h"

namespace tern::TERN_ISA {

void gemm_08_production(const LadderArgs& g) {
  PanelArgs p{};
  p.x = g.a;
  p.w = g.weights;
  p.y = g.c;
  p.m = g.m;
  p.n = p.ldy = g.n;
  p.k = p.lda = g.k;
  p.group_end = PanelGroups(g.n).groups;
  p.chains = gemm_chains(g.n, g.k);
  panel_gemm(p);
}

}  // namespace tern::TERN_ISA
