// A row alone: the step of an LSTM or GRU in one pass over R. The gates of sixteen units lie side by side, so that their sums stay in registers until the
// activations take them, and no gate is written to memory. Included by rnn.simd.cpp only.
//
//   R      block of 16 units    [k][gate][16 units]     one stream of G vectors a step of k
//          up to 4 units left   [k][gate * 4 + unit]    one vector: H = 100 reads 25 of them a step of k and not 28
//   pass   two blocks on AVX-512 (8 or 6 sums in flight hide the latency of fma on one port), one elsewhere; the units left join the last
//   order  every other step goes through the blocks backwards: what the step before read last is still in L1. Measured on Zen 4
//
// The order of sums is rnn.h's: a gate's start, then k ascending in one chain. Next: bind.cpp, which packs R so.
#pragma once
#include "kernels/gemm/tile.h"
#include "kernels/rnn/rnn.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kBlocksOfPass = 2;
#else
constexpr int kBlocksOfPass = 1;
#endif

TERN_INLINE f32x16 read_units(const float* p, int64_t n) { return n == 16 ? load(p) : load_n(p, n); }
TERN_INLINE void write_units(float* p, f32x16 a, int64_t n) {
  if (n == 16) {
    store(p, a);
  } else {
    store_n(p, a, n);
  }
}

// What a step reads and writes; h and the h that it makes are two buffers, as every gate reads all of h.
struct InterleavedStep {
  const float *r, *pre, *bias;  // bias: GRU's Rb of h~, [H]
  const float* h;               // [H]
  float *next, *c, *y;          // [H]; c: LSTM's state; y null: not wanted
  int64_t hidden;
};

// Where gate g of units [u, u + n) starts: the x part, of GRU's h~ the bias of its h part.
template <Cell kCell>
TERN_INLINE const float* start_of(const InterleavedStep& s, int64_t gate, int64_t u) {
  return kCell == Cell::gru && gate == 2 ? s.bias + u : s.pre + gate * s.hidden + u;
}

// The same operations as lstm_cell and gru_cell.
template <Cell kCell>
TERN_INLINE void finish_units(const InterleavedStep& s, int64_t u, int64_t n, const f32x16 (&g)[gates(kCell)]) {
  using enum Activation;
  f32x16 h;
  if constexpr (kCell == Cell::lstm) {
    const f32x16 c = activate<sigmoid>(g[2], 0, 0) * read_units(s.c + u, n) + activate<sigmoid>(g[0], 0, 0) * activate<tanh>(g[3], 0, 0);
    h = activate<sigmoid>(g[1], 0, 0) * activate<tanh>(c, 0, 0);
    write_units(s.c + u, c, n);
  } else {
    const f32x16 z = activate<sigmoid>(g[0], 0, 0);
    const f32x16 t = activate<tanh>(read_units(s.pre + 2 * s.hidden + u, n) + activate<sigmoid>(g[1], 0, 0) * g[2], 0, 0);
    h = (splat(1.0f) - z) * t + z * read_units(s.h + u, n);
  }
  write_units(s.next + u, h, n);
  if (s.y != nullptr) write_units(s.y + u, h, n);
}

// B blocks from unit u on, their weights at w, and the units left behind the last whole block when kLeft.
template <Cell kCell, int B, bool kLeft>
void pass(const InterleavedStep& s, int64_t u, const float* w, const float* left) {
  constexpr int G = static_cast<int>(gates(kCell));
  const int64_t H = s.hidden, block = H * G * 16, whole = H / 16 * 16, some = H - whole;
  f32x16 acc[B == 0 ? 1 : B][G], rest = zero();
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    unroll<G>([&](auto g) TERN_INLINE_CALL {
      const int64_t at = u + b.v * 16;
      acc[b.v][g.v] = read_units(start_of<kCell>(s, g.v, at), H - at < 16 ? H - at : 16);
    });
  });
  float lanes[16] = {};
  if constexpr (kLeft) {
    for (int64_t g = 0; g < G; ++g) {
      const float* from = start_of<kCell>(s, g, whole);
      for (int64_t i = 0; i < some; ++i) lanes[g * 4 + i] = from[i];
    }
    rest = load(lanes);
  }
  for (int64_t k = 0; k < H; ++k) {
    const f32x16 h = splat(s.h[k]);
    unroll<B>([&](auto b) TERN_INLINE_CALL {
      unroll<G>([&](auto g) TERN_INLINE_CALL { acc[b.v][g.v] = fma(h, load(w + b.v * block + g.v * 16), acc[b.v][g.v]); });
    });
    w += G * 16;
    if constexpr (kLeft) rest = fma(h, load(left + k * 16), rest);
  }
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    const int64_t at = u + b.v * 16;
    finish_units<kCell>(s, at, H - at < 16 ? H - at : 16, acc[b.v]);
  });
  if constexpr (kLeft) {
    store(lanes, rest);
    f32x16 g[G];
    unroll<G>([&](auto i) TERN_INLINE_CALL { g[i.v] = load_n(lanes + i.v * 4, some); });
    finish_units<kCell>(s, whole, some, g);
  }
}

template <Cell kCell>
void interleaved_step(const InterleavedStep& s, bool backwards) {
  const InterleavedBlocks in(s.hidden);
  const int64_t block = s.hidden * gates(kCell) * 16, passes = (in.blocks + kBlocksOfPass - 1) / kBlocksOfPass;
  const float* left = s.r + in.blocks * block;
  if (passes == 0) return pass<kCell, 0, true>(s, 0, s.r, left);
  for (int64_t i = 0; i < passes; ++i) {
    const int64_t p = backwards ? passes - 1 - i : i, first = p * kBlocksOfPass;
    const float* w = s.r + first * block;
    const bool last = p == passes - 1 && in.left > 0;
    if (kBlocksOfPass == 2 && in.blocks - first >= 2) {
      if (last) pass<kCell, kBlocksOfPass, true>(s, first * 16, w, left);
      else pass<kCell, kBlocksOfPass, false>(s, first * 16, w, left);
    } else if (last) {
      pass<kCell, 1, true>(s, first * 16, w, left);
    } else {
      pass<kCell, 1, false>(s, first * 16, w, left);
    }
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
