// A row alone: the step of an LSTM or GRU in one pass over R. The gates of sixteen units lie side by side, so that their sums stay in registers until
// the activations take them, and no gate is written to memory. Included by rnn.simd.cpp only.
//
//   R      block of 16 units    [K][gate][16 units]     one stream of G vectors a step of K, of one, two or four terms as the form says (terms.h)
//          up to 4 units left   [K][gate * 4 + unit]    one vector: H = 100 reads 25 of them a step and not 28
//          of int8 before them  [vector] scales, then what a sum begins with: one of each for the vectors of a step of K
//   pass   two blocks on AVX-512 (8 or 6 sums in flight hide the latency of fma on one port), one elsewhere; the units left join the last
//   ahead  on AVX-512 a pass waits for R from L2: beside it the x part of eight steps to come is multiplied with one panel of W, so that the passes
//          of eight steps compute the x part of the next eight.
//   order  every other step goes through the blocks backwards: what the step before read last is still in L1. Measured on Zen 4
//
// The order of sums is rnn.h's: a gate's start, then k ascending in one chain. Next: pack.cpp, which packs R so.
#pragma once
#include "kernels/gemm/panel.h"
#include "kernels/gemm/tile.h"
#include "kernels/rnn/terms.h"
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
  const void* x;               // [K][kStepsAhead] words of terms, transposed
  const char* w;               // packed as kernels/gemm/panel.h and kernels/gemm/weights.h say: [K][panels of a group] vectors
  const float *bias, *scales;  // [columns]; scales, begins: of int8
  const int32_t* begins;
  float* pre;                                         // the row of the first of these steps; rows pre_step apart (negative: backwards)
  int64_t pre_step, depth, columns;                   // depth: steps of K
  int64_t panel, panels;                              // the next one, and how many there are
  int64_t group;                                      // of the next panel
  float factors[kStepsAhead == 0 ? 1 : kStepsAhead];  // of rows of x, int8
};
constexpr int64_t kBytesOfL1 = 32768;  // an R of no more does not wait for L2: of 20 units the panels ahead cost 5 %
constexpr int64_t kVectorBytes = 64;
constexpr int kSums = kStepsAhead == 0 ? 1 : kStepsAhead;

// One panel in the making: begun, multiplied with step k of the terms, ended.
struct AheadPanel {
  f32x16 sum[kSums];
  const char* w;
  int64_t width;  // bytes
};
TERN_INLINE f32x16 start_of_panel(const Ahead& a) {
  const int64_t at = a.panel * kPanel;
  return load_columns(a.bias + at, a.columns - at < 16 ? a.columns - at : 16);
}
template <WeightForm kForm>
TERN_INLINE void begin_panel(const Ahead& a, AheadPanel& p) {
  const PanelGroups groups(a.columns);
  const int64_t first = groups.first(a.group);
  p.width = (groups.first(a.group + 1) - first) * kVectorBytes;
  p.w = a.w + (first * a.depth + a.panel - first) * kVectorBytes;
  const f32x16 start = kForm == WeightForm::int8 ? begin_quads(a.begins + a.panel * kPanel) : start_of_panel(a);
  unroll<kSums>([&](auto r) TERN_INLINE_CALL { p.sum[r.v] = start; });
}
template <WeightForm kForm>
TERN_INLINE void step_panel(const Ahead& a, AheadPanel& p, int64_t k) {
  f32x16 w = load(reinterpret_cast<const float*>(p.w));
  keep(w);
  unroll<kSums>([&](auto r) TERN_INLINE_CALL { Terms<kForm>::add(p.sum[r.v], Terms<kForm>::at(a.x, k * kSums + r.v), w); });
  p.w += p.width;
}
template <WeightForm kForm>
TERN_INLINE void end_panel(Ahead& a, const AheadPanel& p) {
  const int64_t at = a.panel * kPanel, n = a.columns - at < 16 ? a.columns - at : 16;
  unroll<kSums>([&](auto r) TERN_INLINE_CALL {
    f32x16 y = p.sum[r.v];
    if constexpr (kForm == WeightForm::int8) y = fma(to_float(bits(y)) * load(a.scales + at), splat(a.factors[r.v]), start_of_panel(a));
    store_columns(a.pre + r.v * a.pre_step + at, y, n);
  });
  ++a.panel;
  if (a.panel == PanelGroups(a.columns).first(a.group + 1)) ++a.group;
}
// What the passes have left.
template <WeightForm kForm>
void finish_ahead(Ahead& a) {
  while (a.panel < a.panels) {
    AheadPanel p;
    begin_panel<kForm>(a, p);
    for (int64_t k = 0; k < a.depth; ++k) step_panel<kForm>(a, p, k);
    end_panel<kForm>(a, p);
  }
}

// What a step reads and writes; h and the h that it makes are two buffers, as every gate reads all of h.
struct InterleavedStep {
  const char* r;        // vectors
  const float* scales;  // of int8, as its sums begin: [vectors][16]
  const int32_t* begins;
  const float *pre, *bias;  // bias: GRU's Rb of h~, [H]
  const float* h;           // [H]
  const void* terms;        // h as it is multiplied
  float factor;             // of its terms
  float *next, *c, *y;      // [H]; c: LSTM's state; y null: not wanted
  int64_t hidden, depth;    // depth: steps of K
};

// Where gate g of units [u, u + n) starts: the x part, of GRU's h~ the bias of its h part.
template <Cell kCell>
TERN_INLINE const float* start_of(const InterleavedStep& s, int64_t gate, int64_t u) {
  return kCell == Cell::gru && gate == 2 ? s.bias + u : s.pre + gate * s.hidden + u;
}

// The same operations as lstm_cell and gru_cell. kReady: gates are activated, but h~ of GRU.
template <Cell kCell, bool kReady>
TERN_INLINE void finish_units(const InterleavedStep& s, int64_t u, int64_t n, const f32x16 (&g)[gates(kCell)]) {
  using enum Activation;
  const auto gate = [&](int i) TERN_INLINE_CALL { return kReady ? g[i] : activate<sigmoid>(g[i], 0, 0); };
  f32x16 h;
  if constexpr (kCell == Cell::lstm) {
    const f32x16 c = gate(2) * load_columns(s.c + u, n) + gate(0) * (kReady ? g[3] : activate<tanh>(g[3], 0, 0));
    h = gate(1) * activate<tanh>(c, 0, 0);
    store_columns(s.c + u, c, n);
  } else {
    const f32x16 z = gate(0);
    const f32x16 t = activate<tanh>(load_columns(s.pre + 2 * s.hidden + u, n) + gate(1) * g[2], 0, 0);
    h = (splat(1.0f) - z) * t + z * load_columns(s.h + u, n);
  }
  store_columns(s.next + u, h, n);
  if (s.y != nullptr) store_columns(s.y + u, h, n);
}
// The units left, up to four, gates beside each other: activated together.
template <Cell kCell>
TERN_INLINE void finish_left(const InterleavedStep& s, int64_t u, int64_t n, f32x16 gates_of) {
  using enum Activation;
  constexpr int G = static_cast<int>(gates(kCell));
  const f32x16 rest = kCell == Cell::lstm ? activate<tanh>(gates_of, 0, 0) : gates_of;
  float lanes[16];
  store(lanes, select(lanes_below(4 * (G - 1)), activate<sigmoid>(gates_of, 0, 0), rest));
  f32x16 g[G];
  unroll<G>([&](auto i) TERN_INLINE_CALL { g[i.v] = load_n(lanes + i.v * 4, n); });
  finish_units<kCell, true>(s, u, n, g);
}

// The sum of vector v begins; it ends as a gate that began with `start`.
template <WeightForm kForm>
TERN_INLINE f32x16 begin_sum([[maybe_unused]] const InterleavedStep& s, [[maybe_unused]] int64_t v, [[maybe_unused]] f32x16 start) {
  return kForm == WeightForm::int8 ? begin_quads(s.begins + v * 16) : start;
}
template <WeightForm kForm>
TERN_INLINE f32x16 end_sum([[maybe_unused]] const InterleavedStep& s, [[maybe_unused]] int64_t v, f32x16 sum, [[maybe_unused]] f32x16 start) {
  if constexpr (kForm == WeightForm::int8) return fma(to_float(bits(sum)) * load(s.scales + v * 16), splat(s.factor), start);
  else return sum;
}

// B blocks from block `first` on, their weights at w, and the units left behind the last whole block when kLeft; beside them a panel ahead when kAhead.
// A function of its own: inlined, gcc 12 leaves sums in memory.
template <WeightForm kForm, Cell kCell, int B, bool kLeft, bool kAhead>
[[gnu::noinline]] void pass(const InterleavedStep& s, int64_t first, const char* w, const char* left, Ahead& ahead) {
  using T = Terms<kForm>;
  constexpr int G = static_cast<int>(gates(kCell));
  const int64_t H = s.hidden, block = s.depth * G * kVectorBytes, whole = H / 16 * 16, some = H - whole, last = whole / 16 * G;
  const auto start = [&](int64_t b, int64_t g) TERN_INLINE_CALL {
    const int64_t at = (first + b) * 16;
    return load_columns(start_of<kCell>(s, g, at), H - at < 16 ? H - at : 16);
  };
  f32x16 acc[B == 0 ? 1 : B][G], rest;
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    unroll<G>([&](auto g) TERN_INLINE_CALL { acc[b.v][g.v] = begin_sum<kForm>(s, (first + b.v) * G + g.v, start(b.v, g.v)); });
  });
  float lanes[16] = {};
  if constexpr (kLeft) {
    for (int64_t g = 0; g < G; ++g) {
      const float* from = start_of<kCell>(s, g, whole);
      for (int64_t i = 0; i < some; ++i) lanes[g * 4 + i] = from[i];
    }
    rest = begin_sum<kForm>(s, last, load(lanes));
  }
  AheadPanel panel;
  if constexpr (kAhead) begin_panel<kForm>(ahead, panel);
  const auto recur = [&](int64_t k) TERN_INLINE_CALL {
    const auto h = T::at(s.terms, k);
    unroll<B>([&](auto b)
                  TERN_INLINE_CALL { unroll<G>([&](auto g) TERN_INLINE_CALL { T::add(acc[b.v][g.v], h, w + b.v * block + g.v * kVectorBytes); }); });
    w += G * kVectorBytes;
    if constexpr (kLeft) T::add(rest, h, left + k * kVectorBytes);
  };
  int64_t k = 0;
  if constexpr (kAhead) {
    for (; k < s.depth && k < ahead.depth; ++k) {
      recur(k);
      step_panel<kForm>(ahead, panel, k);
    }
    for (int64_t i = k; i < ahead.depth; ++i) step_panel<kForm>(ahead, panel, i);
    end_panel<kForm>(ahead, panel);
  }
  for (; k < s.depth; ++k) recur(k);
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    const int64_t at = (first + b.v) * 16;
    f32x16 g[G];
    unroll<G>([&](auto i) TERN_INLINE_CALL { g[i.v] = end_sum<kForm>(s, (first + b.v) * G + i.v, acc[b.v][i.v], start(b.v, i.v)); });
    finish_units<kCell, false>(s, at, H - at < 16 ? H - at : 16, g);
  });
  if constexpr (kLeft) finish_left<kCell>(s, whole, some, end_sum<kForm>(s, last, rest, load(lanes)));
}

template <WeightForm kForm, Cell kCell, int B, bool kLeft>
TERN_INLINE void pass_and_ahead(const InterleavedStep& s, int64_t first, const char* w, const char* left, Ahead& ahead) {
  if constexpr (kStepsAhead > 0) {
    if (ahead.panel < ahead.panels) return pass<kForm, kCell, B, kLeft, true>(s, first, w, left, ahead);
  }
  pass<kForm, kCell, B, kLeft, false>(s, first, w, left, ahead);
}

template <WeightForm kForm, Cell kCell>
void interleaved_step(const InterleavedStep& s, bool backwards, Ahead& ahead) {
  const InterleavedBlocks in(s.hidden);
  const int64_t block = s.depth * gates(kCell) * kVectorBytes, passes = (in.blocks + kBlocksOfPass - 1) / kBlocksOfPass;
  const char* left = s.r + in.blocks * block;
  if (passes == 0) return pass<kForm, kCell, 0, true, false>(s, 0, s.r, left, ahead);  // so few do not wait
  for (int64_t i = 0; i < passes; ++i) {
    const int64_t p = backwards ? passes - 1 - i : i, first = p * kBlocksOfPass;
    const char* w = s.r + first * block;
    const bool last = p == passes - 1 && in.left > 0;
    if (kBlocksOfPass == 2 && in.blocks - first >= 2) {
      if (last) pass_and_ahead<kForm, kCell, kBlocksOfPass, true>(s, first, w, left, ahead);
      else pass_and_ahead<kForm, kCell, kBlocksOfPass, false>(s, first, w, left, ahead);
    } else if (last) {
      pass_and_ahead<kForm, kCell, 1, true>(s, first, w, left, ahead);
    } else {
      pass_and_ahead<kForm, kCell, 1, false>(s, first, w, left, ahead);
    }
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
