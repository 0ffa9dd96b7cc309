// Step 2: the two inner loops change places. B and C are now read along their rows, and the additions of one row of C do not
// depend on each other. But every multiply-add reads and writes C. Next: 03_vectors.cpp.
#include "bench/ladder/gemm/ladder.h"

namespace tern::TERN_ISA {

void gemm_02_loop_order(const LadderArgs& g) {
  for (int64_t i = 0; i < g.m; ++i) {
    float* c = g.c + i * g.n;  // [N]
    for (int64_t j = 0; j < g.n; ++j) c[j] = 0;
    for (int64_t k = 0; k < g.k; ++k) {
      const float a = g.a[i * g.k + k];
      const float* b = g.b + k * g.n;  // [N]
      for (int64_t j = 0; j < g.n; ++j) c[j] += a * b[j];
    }
  }
}

}  // namespace tern::TERN_ISA
