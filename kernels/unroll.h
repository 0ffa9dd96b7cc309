// Loops over register tiles, unrolled by templates: an array indexed by a constant is a set of registers for every compiler.
// Included by *.simd.cpp only. Next: gemm/tile.h, conv/conv_tile.h.
#pragma once
#include "kernels/simd.h"

#define TERN_INLINE_CALL __attribute__((always_inline))

namespace tern::TERN_ISA {
namespace {

template <int I>
struct Index {
  static constexpr int v = I;
};
// f(Index<0>), f(Index<1>), ..., f(Index<N - 1>)
template <int N, int I = 0, class F>
TERN_INLINE void unroll(const F& f) {
  if constexpr (I < N) {
    f(Index<I>{});
    unroll<N, I + 1>(f);
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
