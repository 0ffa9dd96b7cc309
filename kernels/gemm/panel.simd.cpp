// The loops over register tiles: which tile for how many rows and panels, one row alone, the dot form, packing on the hot path.
// The order of sums is in panel.h; nothing here changes it. Next: gemm.cpp.
#include "kernels/gemm/panel.h"

#include "kernels/gemm/tile_ends.h"

namespace tern::TERN_ISA {
namespace {

using TileFn = void (*)(const TileCall&);

template <int R, int P, int CH>
void tile(const TileCall& c) {
  Tile<R, P, CH> t;
  start(t, c);
  accumulate(t, c.x, c.lda, c.w, c.w_stride, c.k);
  finish(t, c);
}

// Four chains, two at a time, for an ISA whose registers hold the four of one row alone: tiles of one row and one panel wait for loads and for each
// other, at half of the peak. Chain 0 + 1 waits in memory until 2 + 3 is there.
template <int R>
void tile_in_turns(const TileCall& c) {
  alignas(64) float sums[R][16];
  Tile<R, 1, 2> t;
  unroll<2>([&](auto turn) TERN_INLINE_CALL {
    constexpr int kFirst = 2 * turn.v;
    if constexpr (turn.v == 0) start(t, c);
    else unroll<R>([&](auto r) TERN_INLINE_CALL { t.acc[r.v][0][0] = t.acc[r.v][0][1] = zero(); });
    const float *w = c.w + kFirst * c.w_stride, *x = c.x + kFirst;
    const auto step = [&](auto j, int64_t k) TERN_INLINE_CALL {
      f32x16 b = load(w + j.v * c.w_stride);
      keep(b);
      unroll<R>([&](auto r) TERN_INLINE_CALL { t.acc[r.v][0][j.v] = fma(splat(x[r.v * c.lda + k + j.v]), b, t.acc[r.v][0][j.v]); });
    };
    int64_t k = 0;
    for (; k + kFirst + 2 <= c.k; k += 4) {
      step(Index<0>{}, k);
      step(Index<1>{}, k);
      w += 4 * c.w_stride;
    }
    if (k + kFirst < c.k) step(Index<0>{}, k);
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const f32x16 sum = total(t, r.v, 0);
      if constexpr (turn.v == 0) store(sums[r.v], sum);
      else t.acc[r.v][0][0] = load(sums[r.v]) + sum;
    });
  });
  Tile<R, 1, 1> y;
  unroll<R>([&](auto r) TERN_INLINE_CALL { y.acc[r.v][0][0] = t.acc[r.v][0][0]; });
  finish(y, c);
}

// Most rows of a tile of P panels and CH chains: as many as the registers hold.
constexpr int most_rows(int panels, int chains) {
#if defined(__AVX512F__)
  constexpr int kRows[3][5] = {{0, 8, 8, 9, 6}, {0, 6, 6, 4, 3}, {0, 6, 3, 2, 1}};
#elif defined(__AVX2__)
  constexpr int kRows[3][5] = {{0, 6, 3, 1, 1}, {0, 3, 1, 1, 0}, {0, 1, 0, 0, 0}};
#elif defined(TERN_NEON)
  constexpr int kRows[3][5] = {{0, 6, 2, 1, 0}, {0, 3, 1, 0, 0}, {0, 1, 0, 0, 0}};
#else
  constexpr int kRows[3][5] = {{0, 2, 0, 0, 0}, {0, 2, 0, 0, 0}, {0, 1, 0, 0, 0}};
#endif
  return kRows[chains / 2][panels];
}
// Panels of the next tile when `left` remain: all of them on AVX-512, fewer where registers are short.
TERN_INLINE int64_t tile_panels(int64_t left, int chains, int64_t rows) {
  while (most_rows(static_cast<int>(left), chains) == 0) --left;
#if defined(__AVX2__) && !defined(__AVX512F__)
  if (rows > 1 && left > 2) left = 2;
  if (rows > 3 || (rows > 1 && chains == 2)) left = 1;
#elif defined(TERN_NEON)
  if (rows > 1 && left > 2) left = 2;
  if (rows > 2 || (rows > 1 && chains == 2)) left = 1;
#endif
  (void)rows;
  return left;
}

constexpr int kMostRows = 9;
struct TileTable {
  TileFn of[5][kMostRows + 1];  // [panels][rows]
};
template <int CH, int P, int R>
constexpr void fill_tiles(TileTable& t) {
  if constexpr (R > 0) {
    t.of[P][R] = tile<R, P, CH>;
    fill_tiles<CH, P, R - 1>(t);
  }
}
template <int CH>
constexpr TileTable make_tiles() {
  TileTable t{};
  fill_tiles<CH, 1, most_rows(1, CH)>(t);
  fill_tiles<CH, 2, most_rows(2, CH)>(t);
  fill_tiles<CH, 3, most_rows(3, CH)>(t);
  fill_tiles<CH, 4, most_rows(4, CH)>(t);
  return t;
}
constexpr TileTable kTiles[3] = {make_tiles<1>(), make_tiles<2>(), make_tiles<4>()};

// Most rows of tile_in_turns, where four chains leave room for one row alone; scalar code has no registers to save.
constexpr int kTurnRows = kRegisters > 0 && most_rows(1, 4) == 1 ? 3 : 0;
constexpr TileFn kTurns[] = {nullptr, nullptr, tile_in_turns<2>, tile_in_turns<3>};

// All rows of x, split evenly among tiles of at most `most`: never one row left over.
TERN_INLINE void in_rows(TileCall c, const PanelArgs& a, const TileFn* tiles, int most) {
  const int64_t count = (a.m + most - 1) / most, rows = a.m / count, longer = a.m % count;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t r = rows + (i < longer);
    tiles[r](c);
    c.x += r * a.lda;
    c.y += r * a.ldy;
    if (c.bias != nullptr) c.bias += r * a.bias_stride;
    if (c.residual != nullptr) c.residual += r * a.ldy;
  }
}

// All rows of x times the panels [first, first + panels), which lie beside each other, w_stride floats a step of k.
void rows_by_panels(const PanelArgs& a, int64_t first, int64_t panels, const float* w, int64_t w_stride) {
  for (int64_t p = 0; p < panels;) {
    const int64_t taken = tile_panels(panels - p, a.chains, a.m), column = (first + p) * kPanel;
    const int64_t columns = a.n - column;
    TileCall c{a.x,
               w + p * kPanel,
               a.bias == nullptr ? nullptr : a.bias + column,
               a.residual == nullptr ? nullptr : a.residual + column,
               a.y + column,
               a.lda,
               w_stride,
               a.k,
               a.ldy,
               a.bias_stride,
               columns >= taken * kPanel ? kPanel : columns - (taken - 1) * kPanel,
               a.epilogue};
    const TileFn* tiles = kTiles[a.chains / 2].of[taken];
    if (a.m == 1) {
      tiles[1](c);
    } else if (kTurnRows > 0 && a.chains == 4 && a.m > 2) {
      in_rows(c, a, kTurns, kTurnRows);
    } else {
      in_rows(c, a, tiles, most_rows(static_cast<int>(taken), a.chains));
    }
    p += taken;
  }
}

// All panels of a group for one row: one tile, or as few as registers allow.
template <int P, int CH>
void row_of_group(const TileCall& c) {
  constexpr int kTaken = [] {
    int taken = P;
    while (most_rows(taken, CH) == 0) --taken;
    return taken;
  }();
  if constexpr (kTaken == P) {
    tile<1, P, CH>(c);
  } else {
    TileCall part = c;
    part.last = kPanel;
    tile<1, kTaken, CH>(part);
    part.last = c.last;
    part.w += kTaken * kPanel;
    part.y += kTaken * kPanel;
    if (c.bias != nullptr) part.bias += kTaken * kPanel;
    if (c.residual != nullptr) part.residual += kTaken * kPanel;
    row_of_group<P - kTaken, CH>(part);
  }
}
constexpr TileFn kRows[3][kGroup + 1] = {{nullptr, row_of_group<1, 1>, row_of_group<2, 1>, row_of_group<3, 1>, row_of_group<4, 1>},
                                         {nullptr, row_of_group<1, 2>, row_of_group<2, 2>, row_of_group<3, 2>, row_of_group<4, 2>},
                                         {nullptr, row_of_group<1, 4>, row_of_group<2, 4>, row_of_group<3, 4>, row_of_group<4, 4>}};
void row_alone(const PanelRowArgs& a) { kRows[a.chains / 2][a.panels](a.tile); }

#if defined(__AVX512F__)
// One row, one chain, two groups at a time: eight sums in flight hide the latency of fma, and two streams of weights are read.
// Only up to so many floats: past L1 it gains a few per cent at best, and weights of half a megabyte took 1.6 times as long.
constexpr int64_t kPairsUpTo = 65536;
template <int A, int B>
void row_by_two_groups(const PanelArgs& a, int64_t column, const float* w, const float* v) {
  TileCall c{a.x,
             w,
             a.bias == nullptr ? nullptr : a.bias + column,
             a.residual == nullptr ? nullptr : a.residual + column,
             a.y + column,
             a.lda,
             A * 16,
             a.k,
             a.ldy,
             a.bias_stride,
             16,
             a.epilogue};
  TileCall d = c;
  if (c.bias != nullptr) d.bias += A * 16;
  if (c.residual != nullptr) d.residual += A * 16;
  d.y += A * 16;
  const int64_t columns = a.n - column - A * 16;
  d.last = columns >= B * 16 ? 16 : columns - (B - 1) * 16;
  Tile<1, A, 1> s;
  Tile<1, B, 1> t;
  start(s, c);
  start(t, d);
  for (int64_t k = 0; k < a.k; ++k) {
    const f32x16 x = splat(a.x[k]);
    unroll<A>([&](auto p) TERN_INLINE_CALL { s.acc[0][p.v][0] = fma(x, load(w + p.v * 16), s.acc[0][p.v][0]); });
    unroll<B>([&](auto p) TERN_INLINE_CALL { t.acc[0][p.v][0] = fma(x, load(v + p.v * 16), t.acc[0][p.v][0]); });
    w += A * 16;
    v += B * 16;
  }
  finish(s, c);
  finish(t, d);
}

bool row_by_groups(const PanelArgs& a, const PanelGroups& groups, int64_t g) {
  const int64_t first = groups.first(g), middle = groups.first(g + 1), end = groups.first(g + 2);
  const float *w = a.w + first * kPanel * a.k, *v = a.w + middle * kPanel * a.k;
  const int64_t column = first * kPanel, left = middle - first, right = end - middle;
  if (left == 4 && right == 4) row_by_two_groups<4, 4>(a, column, w, v);
  else if (left == 4 && right == 3) row_by_two_groups<4, 3>(a, column, w, v);
  else if (left == 3 && right == 4) row_by_two_groups<3, 4>(a, column, w, v);
  else if (left == 3 && right == 3) row_by_two_groups<3, 3>(a, column, w, v);
  else return false;
  return true;
}
#endif

// C dot products of R rows: sixteen lanes of k, summed by the fixed tree.
template <int R, int C>
void dots(const PanelArgs& a, int64_t m, int64_t n, int64_t w_stride) {
  const float *x = a.x + m * a.lda, *w = a.w + n * w_stride;
  f32x16 acc[R][C];
  unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<C>([&](auto c) TERN_INLINE_CALL { acc[r.v][c.v] = zero(); }); });
  const auto step = [&](auto read) TERN_INLINE_CALL {
    f32x16 b[C];
    unroll<C>([&](auto c) TERN_INLINE_CALL { b[c.v] = read(w + c.v * w_stride); });
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const f32x16 s = read(x + r.v * a.lda);
      unroll<C>([&](auto c) TERN_INLINE_CALL { acc[r.v][c.v] = fma(s, b[c.v], acc[r.v][c.v]); });
    });
    w += 16;
    x += 16;
  };
  for (int64_t k = 16; k <= a.k; k += 16) step([](const float* p) TERN_INLINE_CALL { return load(p); });
  const int64_t tail = a.k % 16;
  if (tail != 0) step([=](const float* p) TERN_INLINE_CALL { return load_n(p, tail); });
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<C>([&](auto c) TERN_INLINE_CALL {
      const int64_t row = m + r.v, column = n + c.v;
      float s = reduce_add(acc[r.v][c.v]);
      if (a.bias != nullptr) s = s + a.bias[row * a.bias_stride + column];
      if (a.residual != nullptr) s = s + a.residual[row * a.ldy + column];
      a.y[row * a.ldy + column] = s;
    });
  });
  if (a.epilogue.activation != Activation::none) activate_stored(a.epilogue, a.y + m * a.ldy + n, a.ldy, R, C);
}

template <int R>
TERN_INLINE void dot_rows(const PanelArgs& a, int64_t m, int64_t w_stride) {
  int64_t n = 0;
  for (; n + 4 <= a.n; n += 4) dots<R, 4>(a, m, n, w_stride);
  if (a.n - n == 3) dots<R, 3>(a, m, n, w_stride);
  if (a.n - n == 2) dots<R, 2>(a, m, n, w_stride);
  if (a.n - n == 1) dots<R, 1>(a, m, n, w_stride);
}

}  // namespace

void panel_gemm(const PanelArgs& a) {
  if (a.chains == 0) {
    const int64_t w_stride = a.w_stride != 0 ? a.w_stride : (a.k + 15) / 16 * 16;
    int64_t m = 0;
    for (; m + 2 <= a.m; m += 2) dot_rows<2>(a, m, w_stride);
    if (m < a.m) dot_rows<1>(a, m, w_stride);
    return;
  }
  const PanelGroups groups(a.n);
#if defined(__AVX512F__)
  const bool pairs = a.m == 1 && a.chains == 1 && a.w_stride == 0 && a.n * a.k <= kPairsUpTo;
#endif
  for (int64_t g = a.group_begin; g < a.group_end; ++g) {
#if defined(__AVX512F__)
    if (pairs && g + 2 <= a.group_end && row_by_groups(a, groups, g)) {
      ++g;
      continue;
    }
#endif
    const int64_t first = groups.first(g), end = groups.first(g + 1), width = (end - first) * kPanel;
    if (a.w_stride == 0) {
      rows_by_panels(a, first, end - first, a.w + first * kPanel * a.k, width);
    } else {
      const int64_t whole = end * kPanel > a.n ? end - 1 : end;
      rows_by_panels(a, first, whole - first, a.w + first * kPanel, a.w_stride);
      if (whole < end) rows_by_panels(a, whole, 1, a.tail, kPanel);
    }
  }
}

void panel_pack(const PanelPackArgs& a) {
  const f32x16 alpha = splat(a.alpha);
  if (a.chains == 0) {  // [N][K rounded up]
    const int64_t row = (a.k + 15) / 16 * 16;
    for (int64_t j = 0; j < a.n; ++j) {
      for (int64_t i = 0; i < a.k; ++i) a.packed[j * row + i] = a.alpha * a.w[i * a.k_stride + j * a.n_stride];
      for (int64_t i = a.k; i < row; ++i) a.packed[j * row + i] = 0;
    }
    return;
  }
  const PanelGroups groups(a.n);
  for (int64_t g = a.group_begin; g < a.group_end; ++g) {
    const int64_t begin = groups.first(g) * kPanel, width = groups.first(g + 1) * kPanel - begin;
    float* out = a.packed + begin * a.k;  // [K,width]
    for (int64_t j = 0; j < width; j += kPanel) {
      const int64_t columns = a.n - begin - j < kPanel ? a.n - begin - j : kPanel;
      const float* w = a.w + (begin + j) * a.n_stride;
      for (int64_t i = 0; i < a.k; ++i) {
        float* to = out + i * width + j;
        if (a.n_stride == 1) {
          store(to, load_columns(w + i * a.k_stride, columns) * alpha);
        } else {
          for (int64_t c = 0; c < columns; ++c) to[c] = a.alpha * w[i * a.k_stride + c * a.n_stride];
          for (int64_t c = columns; c < kPanel; ++c) to[c] = 0;
        }
      }
    }
  }
}

constinit const KernelRow gemm_row_f32 = row<PanelRowArgs, row_alone>("gemm_row/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
