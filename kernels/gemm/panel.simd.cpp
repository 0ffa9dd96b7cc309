// The loops over register tiles: which tile for how many rows and panels, one row alone, the dot form, packing on the hot path.
// The order of sums is in panel.h; nothing here changes it. Next: gemm.cpp.
#include "kernels/gemm/panel.h"

#include "kernels/gemm/tile_ends.h"

namespace tern::TERN_ISA {
namespace {

TERN_INLINE void move_down(TileCall& c, int64_t rows) {
  c.x += rows * c.lda;
  c.y += rows * c.ldy;
  if (c.bias != nullptr) c.bias += rows * c.bias_stride;
  if (c.residual != nullptr) c.residual += rows * c.ldy;
}

template <int R, int P, int CH>
TERN_INLINE void tile(const TileCall& c) {
  Tile<R, P, CH> t;
  start(t, c);
  accumulate(t, c.x, c.lda, c.w, c.w_stride, c.k);
  finish(t, c);
}

// Four chains, one after the other, for an ISA whose registers hold the four of one row alone: tiles of one row and one panel wait for loads and for
// each other, at half of the peak, and of three rows and two chains at a time three quarters of the instructions were not multiply-adds where k is 16.
// Sums wait in memory until their partners are there: 0 for 1, 0 + 1 for 2 + 3, and 2 for 3.
template <int R>
TERN_INLINE void tile_in_turns(const TileCall& c) {
  alignas(64) float sums[2 * R * 16];
  const int64_t lda = c.lda, w_stride = c.w_stride;
  const float *from = c.w, *x_end = c.x + c.k;
  Tile<R, 1, 1> t;
  start(t, c);
  const auto each = [&](auto f) TERN_INLINE_CALL { unroll<R>([&](auto r) TERN_INLINE_CALL { f(t.acc[r.v][0][0], r.v); }); };
  for (const float* first = c.x;; ++first, from += w_stride) {  // a loop over chains: unrolled, gcc would keep sums in registers that it has not
    const float* w = from;
    for (const float* x = first; x < x_end; x += 4) {
      f32x16 b = load(w);
      keep(b);
      each([&](f32x16& acc, int r) TERN_INLINE_CALL { acc = fma(splat(x[r * lda]), b, acc); });
      w += 4 * w_stride;
    }
    const auto add = [&](const float* sum) TERN_INLINE_CALL { each([&](f32x16& acc, int r) TERN_INLINE_CALL { acc = load(sum + r * 16) + acc; }); };
    const auto put = [&](float* sum) TERN_INLINE_CALL { each([&](f32x16& acc, int r) TERN_INLINE_CALL { store(sum + r * 16, acc); }); };
    const int64_t chain = first - c.x;
    if (chain == 0) {
      put(sums);
    } else if (chain == 1) {
      add(sums);
      put(sums);
    } else if (chain == 2) {
      put(sums + R * 16);
    } else {
      add(sums + R * 16);
      add(sums);
      break;
    }
    clear(t);
  }
  finish(t, c);
}

// Tiles one below the other, and c moved below the last: a call for each took up to an eighth of the time. c is not copied: the copy would wait for
// what has just been written to it, piece by piece.
using TilesFn = void (*)(TileCall& c, int64_t tiles);
template <int R, int P, int CH>
void tiles(TileCall& c, int64_t count) {
  for (; count > 0; --count, move_down(c, R)) tile<R, P, CH>(c);
}
template <int R>
void tiles_in_turns(TileCall& c, int64_t count) {
  for (; count > 0; --count, move_down(c, R)) tile_in_turns<R>(c);
}

// Most rows of a tile of P panels and CH chains: as many as the registers hold.
#if defined(__AVX512F__)
constexpr int kMost[3][5] = {{0, 8, 8, 9, 6}, {0, 6, 6, 4, 3}, {0, 6, 3, 2, 1}};
#elif defined(__AVX2__)
constexpr int kMost[3][5] = {{0, 6, 3, 1, 1}, {0, 3, 1, 1, 0}, {0, 1, 0, 0, 0}};
#elif defined(TERN_NEON)
constexpr int kMost[3][5] = {{0, 6, 2, 1, 0}, {0, 3, 1, 0, 0}, {0, 1, 0, 0, 0}};
#else
constexpr int kMost[3][5] = {{0, 2, 0, 0, 0}, {0, 2, 0, 0, 0}, {0, 1, 0, 0, 0}};
#endif
constexpr int most_rows(int panels, int chains) { return kMost[chains / 2][panels]; }
// Panels of the next tile of two or more rows when `left` remain: all of them on AVX-512, fewer where registers are short.
TERN_INLINE int64_t tile_panels(int64_t left, int chains, [[maybe_unused]] int64_t rows) {
  while (most_rows(static_cast<int>(left), chains) == 0) --left;
#if defined(__AVX2__) && !defined(__AVX512F__)
  if (left > 2) left = 2;
  if (rows > 3 || chains == 2) left = 1;
#elif defined(TERN_NEON)
  if (left > 2) left = 2;
  if (rows > 2 || chains == 2) left = 1;
#endif
  return left;
}

constexpr int kMostRows = 9;
struct TileTable {
  TilesFn of[5][kMostRows + 1];  // [panels][rows]
};
template <int CH, int P, int R>
constexpr void fill_tiles(TileTable& t) {
  if constexpr (R > 0) {
    t.of[P][R] = tiles<R, P, CH>;
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
constexpr int kTurnRows = kRegisters > 0 && most_rows(1, 4) == 1 ? 6 : 0;
constexpr TilesFn kTurns[] = {nullptr, nullptr, tiles_in_turns<2>, tiles_in_turns<3>, tiles_in_turns<4>, tiles_in_turns<5>, tiles_in_turns<6>};

#if defined(__AVX2__) && !defined(__AVX512F__)
// A last panel of at most eight columns: one register a row, as the other half of a panel would be padding. Chains two at a time: a register
// a row is few sums in flight.
template <int R, int CH>
TERN_INLINE void half_tile(const TileCall& c) {
  float* to = c.y;  // [R,8]; as in finish, not read from c again
  const int64_t ldy = c.ldy, last = c.last, lda = c.lda, w_stride = c.w_stride, all = c.k;
  const auto some = [&](const float* p) TERN_INLINE_CALL { return last == 8 ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes8(last)); };
  __m256 y[R];
  unroll<(CH + 1) / 2>([&](auto turn) TERN_INLINE_CALL {
    constexpr int kFirst = 2 * turn.v, kChains = CH == 1 ? 1 : 2;
    __m256 acc[R][kChains];
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      unroll<kChains>([&](auto j) TERN_INLINE_CALL { acc[r.v][j.v] = _mm256_setzero_ps(); });
      if (turn.v == 0 && c.bias != nullptr) acc[r.v][0] = some(c.bias + r.v * c.bias_stride);
    });
    const float *w = c.w + kFirst * w_stride, *x = c.x + kFirst;
    const auto step = [&](auto j, int64_t k) TERN_INLINE_CALL {
      const __m256 b = _mm256_loadu_ps(w + j.v * w_stride);
      unroll<R>([&](auto r) TERN_INLINE_CALL { acc[r.v][j.v] = _mm256_fmadd_ps(_mm256_set1_ps(x[r.v * lda + k + j.v]), b, acc[r.v][j.v]); });
    };
    int64_t k = 0;
    for (; k + kFirst + kChains <= all; k += CH) {
      unroll<kChains>([&](auto j) TERN_INLINE_CALL { step(j, k); });
      w += CH * w_stride;
    }
    if (kChains == 2 && k + kFirst < all) step(Index<0>{}, k);
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      __m256 sum = acc[r.v][0];
      if constexpr (kChains == 2) sum = _mm256_add_ps(sum, acc[r.v][1]);
      y[r.v] = turn.v == 0 ? sum : _mm256_add_ps(y[r.v], sum);
    });
  });
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    if (c.residual != nullptr) y[r.v] = _mm256_add_ps(y[r.v], some(c.residual + r.v * ldy));
    if (c.epilogue.activation == Activation::relu) y[r.v] = activate<Activation::relu>(f32x16{y[r.v], y[r.v]}, 0, 0).lo;
    if (last == 8) _mm256_storeu_ps(to + r.v * ldy, y[r.v]);
    else _mm256_maskstore_ps(to + r.v * ldy, first_lanes8(last), y[r.v]);
  });
  if (c.epilogue.activation > Activation::relu) activate_stored(c.epilogue, to, ldy, R, last);
}
template <int R, int CH>
void half_tiles(TileCall& c, int64_t count) {
  for (; count > 0; --count, move_down(c, R)) half_tile<R, CH>(c);
}
constexpr int kHalfRows[] = {8, 6, 6};
constexpr TilesFn kHalves[3][9] = {
    {nullptr, half_tiles<1, 1>, half_tiles<2, 1>, half_tiles<3, 1>, half_tiles<4, 1>, half_tiles<5, 1>, half_tiles<6, 1>, half_tiles<7, 1>,
     half_tiles<8, 1>},
    {nullptr, half_tiles<1, 2>, half_tiles<2, 2>, half_tiles<3, 2>, half_tiles<4, 2>, half_tiles<5, 2>, half_tiles<6, 2>},
    {nullptr, half_tiles<1, 4>, half_tiles<2, 4>, half_tiles<3, 4>, half_tiles<4, 4>, half_tiles<5, 4>, half_tiles<6, 4>}};
constexpr int64_t kHalfPanel = 8;
#else
constexpr int kHalfRows[3] = {};
constexpr TilesFn kHalves[3][1] = {};
constexpr int64_t kHalfPanel = 0;
#endif

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
using RowFn = void (*)(const TileCall&);
constexpr RowFn kRows[3][kGroup + 1] = {{nullptr, row_of_group<1, 1>, row_of_group<2, 1>, row_of_group<3, 1>, row_of_group<4, 1>},
                                        {nullptr, row_of_group<1, 2>, row_of_group<2, 2>, row_of_group<3, 2>, row_of_group<4, 2>},
                                        {nullptr, row_of_group<1, 4>, row_of_group<2, 4>, row_of_group<3, 4>, row_of_group<4, 4>}};
void row_alone(const PanelRowArgs& a) { kRows[a.chains / 2][a.panels](a.tile); }

// All rows of x, split evenly among tiles of at most `most`: never one row left over.
TERN_INLINE void in_rows(TileCall& c, int64_t m, const TilesFn* tiles, int most) {
  if (m <= most) return tiles[m](c, 1);
  const int64_t count = (m + most - 1) / most, rows = m / count, longer = m % count;
  if (longer > 0) tiles[rows + 1](c, longer);
  tiles[rows](c, count - longer);
}

// All rows of x times the panels [first, first + panels), which lie beside each other, w_stride floats a step of k.
void rows_by_panels(const PanelArgs& a, int64_t first, int64_t panels, const float* w, int64_t w_stride) {
  for (int64_t p = 0; p < panels;) {
    const int64_t taken = a.m == 1 ? panels : tile_panels(panels - p, a.chains, a.m), column = (first + p) * kPanel;
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
    if (a.m == 1) return kRows[a.chains / 2][panels](c);
    if (taken == 1 && c.last <= kHalfPanel) in_rows(c, a.m, kHalves[a.chains / 2], kHalfRows[a.chains / 2]);
    else if (kTurnRows > 0 && a.chains == 4 && a.m > 2) in_rows(c, a.m, kTurns, kTurnRows);
    else in_rows(c, a.m, kTiles[a.chains / 2].of[taken], most_rows(static_cast<int>(taken), a.chains));
    p += taken;
  }
}

// Where a tile takes one panel, each panel reads all rows of x: as many at a time as stay in L2 beside the weights of a group. 512 x 512 x 512 with
// AVX2 came from 87 % of the peak to 95 (Zen 4, 1 MB of L2; twice as many 91, half 93). Not below 24 rows, of which each block reads the weights again.
constexpr int64_t kFloatsAtOnce = kRegisters > 0 && kVector > 1 ? 32768 : INT64_MAX, kLeastRows = 24;
void blocks_by_panels(const PanelArgs& a, int64_t first, int64_t panels, const float* w, int64_t w_stride) {
  const int64_t most = kFloatsAtOnce / (a.k > 0 ? a.k : 1);
  if (a.m <= most || most < kLeastRows) return rows_by_panels(a, first, panels, w, w_stride);
  const int64_t blocks = (a.m + most - 1) / most;
  PanelArgs part = a;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t from = a.m * b / blocks;
    part.m = a.m * (b + 1) / blocks - from;
    part.x = a.x + from * a.lda;
    part.y = a.y + from * a.ldy;
    if (a.bias != nullptr) part.bias = a.bias + from * a.bias_stride;
    if (a.residual != nullptr) part.residual = a.residual + from * a.ldy;
    rows_by_panels(part, first, panels, w, w_stride);
  }
}

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
      blocks_by_panels(a, first, end - first, a.w + first * kPanel * a.k, width);
    } else {
      const int64_t whole = end * kPanel > a.n ? end - 1 : end;
      blocks_by_panels(a, first, whole - first, a.w + first * kPanel, a.w_stride);
      if (whole < end) blocks_by_panels(a, whole, 1, a.tail, kPanel);
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
