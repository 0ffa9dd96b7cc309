// The register tile: R rows times P panels of 16 columns, CH chains of sums each, all in registers. Included by *.simd.cpp only.
//   each step of k: P loads of weights, R broadcasts of x, R*P fused multiply-adds. On AVX-512 6x4 and 9x3 leave no register
//   idle and spill none (gcc and clang); on AVX2 a panel is two registers, so 6x1 and 3x2 do.
// Next: tile_ends.h.
#pragma once
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// Keeps a loaded vector in its register: gcc would rather read memory again in each of its uses, and then the load ports, two reads
// for two multiply-adds a cycle, become the limit (a 3x4 tile of two chains lost a quarter). No instruction comes of it.
TERN_INLINE void keep([[maybe_unused]] f32x16& a) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(a.v));
#elif defined(__AVX2__)
  __asm__("" : "+x"(a.lo), "+x"(a.hi));
#elif defined(TERN_NEON)
  __asm__("" : "+w"(a.v[0]), "+w"(a.v[1]), "+w"(a.v[2]), "+w"(a.v[3]));
#endif
}
// The first n of the 16 columns of a panel: the plain instructions where that is all of them.
TERN_INLINE f32x16 load_columns(const float* p, int64_t n) { return n == 16 ? load(p) : load_n(p, n); }
TERN_INLINE void store_columns(float* p, f32x16 a, int64_t n) {
  if (n == 16) {
    store(p, a);
  } else {
    store_n(p, a, n);
  }
}

#if defined(__AVX512F__)
constexpr int kRegisters = 32, kVector = 1;
#elif defined(__AVX2__)
constexpr int kRegisters = 16, kVector = 2;
#elif defined(TERN_NEON)
constexpr int kRegisters = 32, kVector = 4;
#else
constexpr int kRegisters = 0, kVector = 1;
#endif

template <int R, int P, int CH>
struct Tile {
  f32x16 acc[R][P][CH];
};

// acc += x[r, k] * w[k, p] for k in [0, K): chain j takes k = j mod CH. `x` rows lda apart, `w` rows w_stride apart.
template <int R, int P, int CH>
TERN_INLINE void accumulate(Tile<R, P, CH>& t, const float* x, int64_t lda, const float* w, int64_t w_stride, int64_t K) {
  const float* row[R];
  unroll<R>([&](auto r) TERN_INLINE_CALL { row[r.v] = x + r.v * lda; });
  const auto step = [&](auto j, int64_t k) TERN_INLINE_CALL {
    f32x16 b[P];
    constexpr bool kKeep = R > 1 && kVector * (R * P * CH + P) + 1 <= kRegisters;
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      b[p.v] = load(w + j.v * w_stride + p.v * 16);
      if constexpr (kKeep) keep(b[p.v]);
    });
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const f32x16 a = splat(row[r.v][k + j.v]);
      unroll<P>([&](auto p) TERN_INLINE_CALL { t.acc[r.v][p.v][j.v] = fma(a, b[p.v], t.acc[r.v][p.v][j.v]); });
    });
  };
  int64_t k = 0;
  for (; k + CH <= K; k += CH) {
    unroll<CH>([&](auto j) TERN_INLINE_CALL { step(j, k); });
    w += CH * w_stride;
  }
  if constexpr (CH > 1) {  // the last K % CH: one of each of the first chains
    unroll<CH - 1>([&](auto j) TERN_INLINE_CALL {
      if (k + j.v < K) step(j, k);
    });
  }
}

template <int R, int P, int CH>
TERN_INLINE f32x16 total(const Tile<R, P, CH>& t, int r, int p) {
  if constexpr (CH == 1) return t.acc[r][p][0];
  if constexpr (CH == 2) return t.acc[r][p][0] + t.acc[r][p][1];
  if constexpr (CH == 4) return (t.acc[r][p][0] + t.acc[r][p][1]) + (t.acc[r][p][2] + t.acc[r][p][3]);
}

}  // namespace
}  // namespace tern::TERN_ISA
