// A matrix product, C [M,N] = A [M,K] B [K,N], from three loops to the production design, one idea a step.
//   01_naive           the definition
//   02_loop_order      B read along its rows
//   03_vectors         sixteen columns of C in a register
//   04_register_tile   six rows times four vectors: each load feeds many multiply-adds
//   05_packed          B copied into the order in which it is read
//   06_even_rows       no leftover rows: 33 rows as 6+6+6+5+5+5, not 6*5+3
//   07_chains          narrow results: several sums an element, so that multiply-adds do not wait for each other
//   08_production      kernels/gemm/panel.h: all of it, weights packed once
// Each file is compiled for AVX2 and for AVX-512 (`namespace tern::TERN_ISA`); main.cpp checks every step against the first in
// double and times it. Next: 01_naive.cpp.
#pragma once
#include <stdint.h>

namespace tern {

struct LadderArgs {
  const float *a, *b;  // [M,K], [K,N]
  float* c;            // [M,N]
  int64_t m, n, k;
  float* packed;         // room for B, columns rounded up to 16
  const float* weights;  // B as kernels/gemm/panel.h packs it, made beforehand (step 8 alone)
};

#define TERN_LADDER(isa)                         \
  namespace isa {                                \
  void gemm_01_naive(const LadderArgs&);         \
  void gemm_02_loop_order(const LadderArgs&);    \
  void gemm_03_vectors(const LadderArgs&);       \
  void gemm_04_register_tile(const LadderArgs&); \
  void gemm_05_packed(const LadderArgs&);        \
  void gemm_06_even_rows(const LadderArgs&);     \
  void gemm_07_chains(const LadderArgs&);        \
  void gemm_08_production(const LadderArgs&);    \
  }
TERN_LADDER(avx2)
TERN_LADDER(avx512)
#undef TERN_LADDER

}  // namespace tern
