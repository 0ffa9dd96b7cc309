// Step 1: the definition. Every step of k reads another row of B: a cache line for four bytes of it, and each sum waits for
// its own previous addition (four cycles). Next: 02_loop_order.cpp.
#include "bench/ladder/gemm/ladder.h"

namespace tern::TERN_ISA {

void gemm_01_naive(const LadderArgs& g) {
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t j = 0; j < g.n; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < g.k; ++k) sum += g.a[i * g.k + k] * g.b[k * g.n + j];
      g.c[i * g.n + j] = sum;
    }
  }
}

}  // namespace tern::TERN_ISA
