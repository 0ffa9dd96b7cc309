// A row alone: the step of an LSTM or GRU in one pass over R. The gates of sixteen units lie side by side, so that their sums stay in registers until
// the activations take them, and no gate is written to memory. Included by rnn.simd.cpp only.
//
//   R      block of 16 units    [k][gate][16 units]     one stream of G vectors a step of k
//          up to 4 units left   [k][gate * 4 + unit]    one vector: H = 100 reads 25 of them a step of k and not 28
//   pass   two blocks on AVX-512 (8 or 6 sums in flight hide the latency of fma on one port), one elsewhere; the units left join the last
//   ahead  on AVX-512 a pass waits for R from L2: beside it the x part of eight steps to come is multiplied with one panel of W, so that the passes
//          of eight steps compute the x part of the next eight
//   order  every other step goes through the blocks backwards: what the step before read last is still in L1. Measured on Zen 4
//
// The order of sums is rnn.h's: a gate's start, then k ascending in one chain. Next: bind.cpp, which packs R so.
#pragma once
#include "kernels/gemm/panel.h"
#include "kernels/gemm/tile.h"
#include "kernels/rnn/rnn.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kBlocksOfPass = 2, kStepsAhead = 8;
#else
constexpr int kBlocksOfPass = 1, kStepsAhead = 0;
#endif

// The x part of kStepsAhead steps to come, a panel of W at a time.
struct Ahead {
  const float* x;         // [inputs][kStepsAhead], transposed
  const float *w, *bias;  // packed as kernels/gemm/panel.h says; [columns]
  float* pre;             // the row of the first of these steps; rows pre_step apart (negative: backwards)
  int64_t pre_step, inputs, columns;
  int64_t panel, panels;  // the next one, and how many there are
  int64_t group;          // of the next panel
};
constexpr int64_t kFloatsOfL1 = 8192;  // an R of no more does not wait for L2: of 20 units the panels ahead cost 5 %
constexpr int kSums = kStepsAhead == 0 ? 1 : kStepsAhead;

// One panel in the making: begun, multiplied with step k of the inputs, ended.
struct AheadPanel {
  f32x16 sum[kSums];
  const float* w;
  int64_t width;
};
TERN_INLINE void begin_panel(const Ahead& a, AheadPanel& p) {
  const PanelGroups groups(a.columns);
  const int64_t first = groups.first(a.group), at = a.panel * kPanel;
  p.width = (groups.first(a.group + 1) - first) * kPanel;
  p.w = a.w + first * kPanel * a.inputs + (a.panel - first) * kPanel;
  const f32x16 start = load_columns(a.bias + at, a.columns - at < 16 ? a.columns - at : 16);
  unroll<kSums>([&](auto r) TERN_INLINE_CALL { p.sum[r.v] = start; });
}
TERN_INLINE void step_panel(const Ahead& a, AheadPanel& p, int64_t k) {
  f32x16 w = load(p.w);
  keep(w);
  unroll<kSums>([&](auto r) TERN_INLINE_CALL { p.sum[r.v] = fma(splat(a.x[k * kSums + r.v]), w, p.sum[r.v]); });
  p.w += p.width;
}
TERN_INLINE void end_panel(Ahead& a, const AheadPanel& p) {
  const int64_t at = a.panel * kPanel, n = a.columns - at < 16 ? a.columns - at : 16;
  unroll<kSums>([&](auto r) TERN_INLINE_CALL { store_columns(a.pre + r.v * a.pre_step + at, p.sum[r.v], n); });
  ++a.panel;
  if (a.panel == PanelGroups(a.columns).first(a.group + 1)) ++a.group;
}
// What the passes have left.
void finish_ahead(Ahead& a) {
  while (a.panel < a.panels) {
    AheadPanel p;
    begin_panel(a, p);
    for (int64_t k = 0; k < a.inputs; ++k) step_panel(a, p, k);
    end_panel(a, p);
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
    const f32x16 c = activate<sigmoid>(g[2], 0, 0) * load_columns(s.c + u, n) + activate<sigmoid>(g[0], 0, 0) * activate<tanh>(g[3], 0, 0);
    h = activate<sigmoid>(g[1], 0, 0) * activate<tanh>(c, 0, 0);
    store_columns(s.c + u, c, n);
  } else {
    const f32x16 z = activate<sigmoid>(g[0], 0, 0);
    const f32x16 t = activate<tanh>(load_columns(s.pre + 2 * s.hidden + u, n) + activate<sigmoid>(g[1], 0, 0) * g[2], 0, 0);
    h = (splat(1.0f) - z) * t + z * load_columns(s.h + u, n);
  }
  store_columns(s.next + u, h, n);
  if (s.y != nullptr) store_columns(s.y + u, h, n);
}

// B blocks from unit u on, their weights at w, and the units left behind the last whole block when kLeft; beside them a panel ahead when kAhead.
template <Cell kCell, int B, bool kLeft, bool kAhead>
void pass(const InterleavedStep& s, int64_t u, const float* w, const float* left, Ahead& ahead) {
  constexpr int G = static_cast<int>(gates(kCell));
  const int64_t H = s.hidden, block = H * G * 16, whole = H / 16 * 16, some = H - whole;
  f32x16 acc[B == 0 ? 1 : B][G], rest = zero();
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    unroll<G>([&](auto g) TERN_INLINE_CALL {
      const int64_t at = u + b.v * 16;
      acc[b.v][g.v] = load_columns(start_of<kCell>(s, g.v, at), H - at < 16 ? H - at : 16);
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
  AheadPanel panel;
  if constexpr (kAhead) begin_panel(ahead, panel);
  const auto recur = [&](int64_t k) TERN_INLINE_CALL {
    const f32x16 h = splat(s.h[k]);
    unroll<B>([&](auto b) TERN_INLINE_CALL {
      unroll<G>([&](auto g) TERN_INLINE_CALL { acc[b.v][g.v] = fma(h, load(w + b.v * block + g.v * 16), acc[b.v][g.v]); });
    });
    w += G * 16;
    if constexpr (kLeft) rest = fma(h, load(left + k * 16), rest);
  };
  int64_t k = 0;
  if constexpr (kAhead) {
    for (; k < H && k < ahead.inputs; ++k) {
      recur(k);
      step_panel(ahead, panel, k);
    }
    for (int64_t i = k; i < ahead.inputs; ++i) step_panel(ahead, panel, i);
    end_panel(ahead, panel);
  }
  for (; k < H; ++k) recur(k);
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

template <Cell kCell, int B, bool kLeft>
TERN_INLINE void pass_and_ahead(const InterleavedStep& s, int64_t u, const float* w, const float* left, Ahead& ahead) {
  if constexpr (kStepsAhead > 0) {
    if (ahead.panel < ahead.panels) return pass<kCell, B, kLeft, true>(s, u, w, left, ahead);
  }
  pass<kCell, B, kLeft, false>(s, u, w, left, ahead);
}

template <Cell kCell>
void interleaved_step(const InterleavedStep& s, bool backwards, Ahead& ahead) {
  const InterleavedBlocks in(s.hidden);
  const int64_t block = s.hidden * gates(kCell) * 16, passes = (in.blocks + kBlocksOfPass - 1) / kBlocksOfPass;
  const float* left = s.r + in.blocks * block;
  if (passes == 0) return pass_and_ahead<kCell, 0, true>(s, 0, s.r, left, ahead);
  for (int64_t i = 0; i < passes; ++i) {
    const int64_t p = backwards ? passes - 1 - i : i, first = p * kBlocksOfPass;
    const float* w = s.r + first * block;
    const bool last = p == passes - 1 && in.left > 0;
    if (kBlocksOfPass == 2 && in.blocks - first >= 2) {
      if (last) pass_and_ahead<kCell, kBlocksOfPass, true>(s, first * 16, w, left, ahead);
      else pass_and_ahead<kCell, kBlocksOfPass, false>(s, first * 16, w, left, ahead);
    } else if (last) {
      pass_and_ahead<kCell, 1, true>(s, first * 16, w, left, ahead);
    } else {
      pass_and_ahead<kCell, 1, false>(s, first * 16, w, left, ahead);
    }
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
