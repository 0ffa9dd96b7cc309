// Step 3: sixteen columns of C stay in a register for all of k, and multiplication and addition are one instruction (fma) that
// rounds once. One sum a column is one chain: an fma every four cycles, an eighth of what the machine can do. Next: 04_register_tile.cpp.
#include "bench/ladder/gemm/ladder.h"
#include "kernels/simd.h"

namespace tern::TERN_ISA {

void gemm_03_vectors(const LadderArgs& g) {
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t j = 0; j < g.n; j += 16) {
      const int64_t columns = g.n - j < 16 ? g.n - j : 16;
      f32x16 sum = zero();
      for (int64_t k = 0; k < g.k; ++k) sum = fma(splat(g.a[i * g.k + k]), load_n(g.b + k * g.n + j, columns), sum);
      store_n(g.c + i * g.n + j, sum, columns);
    }
  }
}

}  // namespace tern::TERN_ISA
