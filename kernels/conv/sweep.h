// A sweep of windows, row by row, of one oc group: how a row is cut into tiles, which taps of it lie in x, and what becomes of a tile that could not
// finish in registers. Included by core.simd.cpp only, so that the tiles are compiled once. Next: core.simd.cpp.
#pragma once
#include "kernels/conv/conv_tile.h"
#include "kernels/conv/turn.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

// The register tile: oc blocks x pixels.
#if defined(__AVX512F__)
constexpr RegisterTile kTile = {2, 14};
#elif defined(__AVX2__) || defined(TERN_NEON)
constexpr RegisterTile kTile = {1, 6};
#else
constexpr RegisterTile kTile = {1, 4};
#endif
constexpr int64_t kB = kTile.blocks, kP = kTile.pixels;

TileFn pick_tile(const ConvArgs& a, int64_t blocks, int64_t width) {
  if (a.lanewise) {
    if (a.lane_ics > 1) return grouped_fn<kP>(width);
    if (a.x_col == 16) return depthwise_fn<kP, 16>(width);
    return depthwise_fn<kP, kAnyPitch>(width);
  }
  if (blocks == kB) {
    if (a.x_col == 1) return dense_fn<kB, 1, kP, 1>(width);
    if (a.ic_step == 1 && a.x_col == 2) return dense_fn<kB, 1, kP, 2>(width);  // first layers
    if (a.ic_step == 1) return dense_fn<kB, 1, kP, kAnyPlanarPitch>(width);
    if (a.x_col == 16) return dense_fn<kB, 1, kP, 16>(width);
    if (a.x_col == 32) return dense_fn<kB, 1, kP, 32>(width);
    return dense_fn<kB, 1, kP, kAnyPitch>(width);
  }
  if (a.x_col == 16) return dense_fn<1, 1, kP, 16>(width);
  if (kB != 1 && a.x_col == 1) return dense_fn<1, 1, kP, 1>(width);
  if (kB != 1 && a.ic_step == 1 && a.x_col == 2) return dense_fn<1, 1, kP, 2>(width);
  return dense_fn<1, 1, kP, kAnyPitch>(width);
}
TileFn pick_tile_of_two_rows(const ConvArgs& a, int64_t width) {
  return a.x_col == 16 ? dense_fn<kB, 2, kP / 2, 16>(width) : dense_fn<kB, 2, kP / 2, 32>(width);
}

// How a row is cut into tiles: the first `wide` of them have narrow + 1 pixels, the others narrow.
struct Cut {
  int64_t tiles, narrow, wide;
  TileFn fns[2];  // of narrow and of narrow + 1 pixels
};
template <class F>
Cut cut_row(int64_t cols, int64_t most, F pick) {
  const int64_t tiles = (cols + most - 1) / most, narrow = cols / tiles, wide = cols % tiles;
  return {tiles, narrow, wide, {pick(narrow), wide > 0 ? pick(narrow + 1) : nullptr}};
}

// Residual, activation, scale: on a row of the tile just stored at y (blocks y_block apart, pixels y_col apart, blocked lanes).
struct Finish {
  float* y;
  int64_t y_block, y_col;
  const float* residual;                 // null: none, or added already
  int64_t blocks, width, channel, left;  // channel: index into scale and shift
};

TERN_INLINE f32x16 residual_at(const ConvPixels& at, const Finish& f, int64_t b, int64_t p) {
  const float* r = f.residual + b * at.block + p * at.col;
  if (at.blocked) return load(r);
  float lanes[16] = {};
  const int64_t n = f.left - b * 16;
  for (int64_t l = 0; l < 16 && l < n; ++l) lanes[l] = r[l * at.lane];
  return load(lanes);
}

template <Activation A>
TERN_INLINE void finish_tile(const ConvArgs& a, const Finish& f) {
  for (int64_t b = 0; b < f.blocks; ++b) {
    const bool scaled = a.scale != nullptr;
    const f32x16 scale = scaled ? channels(a.scale + f.channel + b * 16, f.left - b * 16) : zero();
    const f32x16 shift = scaled ? channels(a.shift + f.channel + b * 16, f.left - b * 16) : zero();
    for (int64_t p = 0; p < f.width; ++p) {
      float* y = f.y + b * f.y_block + p * f.y_col;
      f32x16 v = load(y);
      if (f.residual != nullptr) v = v + residual_at(a.residual, f, b, p);
      v = activate<A>(v, a.activation.alpha, a.activation.beta);
      store(y, scaled ? fma(v, scale, shift) : v);
    }
  }
}

void scatter(const Finish& f, float* y, int64_t lane, int64_t block, int64_t col) {
  for (int64_t b = 0; b < f.blocks; ++b) {
    const int64_t n = f.left - b * 16 < 16 ? f.left - b * 16 : 16;
    const float* from = f.y + b * f.y_block;
    float* to = y + b * block;
    if (col == 1) {
      turn(from, 16, to, lane, f.width, n);
    } else if (lane == 1) {
      for (int64_t p = 0; p < f.width; ++p) store_n(to + p * col, load(from + p * 16), n);
    } else {
      for (int64_t l = 0; l < n; ++l) {
        for (int64_t p = 0; p < f.width; ++p) to[l * lane + p * col] = from[p * 16 + l];
      }
    }
  }
}

// Lets the tiles apply the whole epilogue in registers; false, and nothing, where they cannot.
bool finish_in_registers(const ConvArgs& a, TileCall& t) {
  const Activation act = a.activation.activation;
  const bool relu = act == Activation::relu, clips = relu || act == Activation::clip;
  if (a.scale != nullptr || (act != Activation::none && !clips) || (a.residual.data != nullptr && !a.residual.blocked)) return false;
  t.from_low = clips;
  t.low = relu ? 0.0f : a.activation.alpha;
  t.upto_high = clips && !relu;
  t.high = a.activation.beta;
  t.r_block = a.residual.block;
  t.r_row = a.residual.lo;
  t.r_col = a.residual.col;
  return true;
}

// The tiles of one image, group and oc group.
struct OcGroup {
  const float* x;  // of its image and group
  float* y;
  const float* residual;
  int64_t blocks, channel;  // oc blocks; the first channel, an index into scale and shift
  Cut one, two;             // of one row, and of two at once; two.tiles 0: never
  bool finished;            // the tiles apply the epilogue
  TileCall call;            // of the current tiles
};

// Two rows at once, where that takes fewer tiles.
bool pairs_rows(const ConvArgs& a, const ConvSweep& s, const OcGroup& g) {
  if (a.lanewise || a.ic_step != 16 || g.blocks != kB || s.rows_lo < 2 || (a.x_col != 16 && a.x_col != 32)) return false;
  return (s.cols + kP / 2 - 1) / (kP / 2) < 2 * g.one.tiles;
}

OcGroup oc_group_of(const ConvArgs& a, const ConvSweep& s, const float* x, const float* packed, int64_t image, int64_t group, int64_t oc_group) {
  const int64_t all_blocks = (a.ocs + 15) / 16, first = oc_group * kB, left_blocks = all_blocks - first;
  OcGroup g{};
  g.x = x + s.x;
  g.blocks = left_blocks < kB ? left_blocks : kB;
  g.channel = group * a.ocs + first * 16;
  g.y = a.y.data + image * a.y.image + group * a.y.group + first * a.y.block + s.y;
  if (a.residual.data != nullptr)
    g.residual = a.residual.data + image * a.residual.image + group * a.residual.group + first * a.residual.block + s.residual;
  g.one = cut_row(s.cols, kP, [&](int64_t width) { return pick_tile(a, g.blocks, width); });
  if (pairs_rows(a, s, g)) g.two = cut_row(s.cols, kP / 2, [&](int64_t width) { return pick_tile_of_two_rows(a, width); });
  TileCall& t = g.call;
  const int64_t per_block = 16 * s.taps * (a.lanewise ? a.lane_ics : a.ics);
  t.w = packed + s.w + group * s.w_group + first * per_block;
  t.bias = a.bias == nullptr ? nullptr : a.bias + g.channel;
  t.left = a.ocs - first * 16;
  t.tap = a.tap + s.first_tap;
  t.taps = s.taps;
  t.run = s.run;
  t.kernel_cols = s.edges.kernel_cols;
  t.y_block = a.y.blocked ? a.y.block : kP * 16;
  t.y_row = a.y.blocked ? a.y.lo : kP / 2 * 16;
  t.y_col = a.y.blocked ? a.y.col : 16;
  g.finished = finish_in_registers(a, t);
  if (a.lanewise || left_blocks <= kB || s.taps == 0) return g;
  // The next oc group's weights are fetched while this one's tiles run, an equal share at each tap of each tile.
  const int64_t pairs = g.two.tiles == 0 ? 0 : s.rows_lo / 2, singles = s.rows_lo - 2 * pairs, lines = kB * 16;
  const int64_t all = s.rows_hi * (pairs * g.two.tiles + singles * g.one.tiles), tiles = all < s.stripe ? all : s.stripe;
  if (tiles < 4) return g;  // nothing to hide them behind
  t.next = t.w + kB * per_block;
  t.ahead = (lines + tiles - 1) / tiles;
  t.last_next = t.next + (left_blocks < 2 * kB ? left_blocks - kB : kB) * per_block;
  return g;
}

// The taps [first, last) that lie in x for this row of windows.
struct TapRange {
  int64_t first, last;
};
TapRange taps_of_row(const ConvSweep& s, int64_t lo) {
  const ConvEdges& e = s.edges;
  if (e.kernel_rows == 0) return {0, s.taps};
  const int64_t at = lo * e.stride - e.begin;
  int64_t first = 0, last = e.kernel_rows;
  while (first < last && at + first * e.dilation < 0) ++first;
  while (last > first && at + (last - 1) * e.dilation >= e.in) --last;
  return {first * e.kernel_cols, last * e.kernel_cols};
}
void set_taps(const TapRange& row, TileCall& t) { t.first = row.first, t.last = row.last; }
// Of two rows, the second one further down. False: their taps do not join.
bool set_taps(const TapRange& row, const TapRange& below, TileCall& t) {
  t.first = below.first, t.last = row.last, t.both = row.first, t.upto = below.last;
  return below.first <= row.first && row.first < below.last && below.last <= row.last;
}

// The same tiles of block after block, whose lanes of x are those of y.
void run_blocks(const ConvArgs& a, OcGroup& g, TileFn fn) {
  TileCall& t = g.call;
  const int64_t count = t.count, w_block = 16 * t.taps * a.lane_ics;
  const float *x = t.x, *residual = t.residual;
  float* y = t.y;
  for (int64_t b = 0; b < g.blocks; ++b) {
    fn(a, t);
    t.count = count;
    t.x = x += a.x_block;
    t.y = y += t.y_block;
    if (residual != nullptr) t.residual = residual += t.r_block;
    t.w += w_block;
    if (t.bias != nullptr) t.bias += 16;
    t.left -= 16;
  }
  t.w -= g.blocks * w_block;
  if (t.bias != nullptr) t.bias -= g.blocks * 16;
  t.left += g.blocks * 16;
}

// g.call.count tiles, of which the first one's pixel lies at y; of more than one only where nothing is left to do behind them.
void run_tiles(const ConvArgs& a, OcGroup& g, int64_t rows, int64_t width, TileFn fn, float* y, const float* residual) {
  alignas(64) float buffer[kB * kP * 16];
  TileCall& t = g.call;
  float* const to = a.y.blocked ? y : buffer;
  t.y = to;
  t.residual = g.finished ? residual : nullptr;
  if (a.lanewise) run_blocks(a, g, fn);
  else fn(a, t);
  for (int64_t r = 0; r < rows && !(g.finished && a.y.blocked); ++r) {
    const Finish f{to + r * t.y_row, t.y_block, t.y_col,   residual == nullptr ? nullptr : residual + r * a.residual.lo,
                   g.blocks,         width,     g.channel, t.left};
    if (!g.finished) {
      with_activation(a.activation.activation, [&]<Activation A>() { finish_tile<A>(a, f); });
    }
    if (!a.y.blocked) scatter(f, y + r * a.y.lo, a.y.lane, a.y.block, a.y.col);
  }
}

// Where the first window of a row reads, and its pixel lies.
struct RowAt {
  const float* x;
  float* y;
  const float* residual;
};
RowAt row_at(const ConvArgs& a, const ConvSweep& s, const OcGroup& g, int64_t row) {
  const int64_t hi = s.rows_hi == 1 ? 0 : row / s.rows_lo, lo = row - hi * s.rows_lo;
  return {g.x + hi * a.x_hi + lo * a.x_lo, g.y + hi * a.y.hi + lo * a.y.lo,
          g.residual == nullptr ? nullptr : g.residual + hi * a.residual.hi + lo * a.residual.lo};
}

// Tiles [tile, last) of one row, or of two: those of one width together, but for the first and the last one where these have taps outside x.
void run_row(const ConvArgs& a, const ConvSweep& s, OcGroup& g, const RowAt& at, int64_t rows, int64_t tile, int64_t last) {
  TileCall& t = g.call;
  const Cut& cut = rows == 2 ? g.two : g.one;
  const bool together = g.finished && a.y.blocked;
  int64_t col = tile * cut.narrow + (tile < cut.wide ? tile : cut.wide);
  while (tile < last) {
    const int64_t broad = tile < cut.wide, width = cut.narrow + broad;
    int64_t end = broad && cut.wide < last ? cut.wide : last;
    if (!together || (tile == 0 && s.edges.left != 0)) end = tile + 1;
    else if (end == cut.tiles && end > tile + 1 && s.edges.right != 0) --end;
    t.count = end - tile;
    t.x = at.x + col * a.x_col;
    const float* residual = at.residual == nullptr ? nullptr : at.residual + col * a.residual.col;
    t.from_col = tile == 0 ? s.edges.left : 0;
    t.upto_col = t.kernel_cols - (end == cut.tiles ? s.edges.right : 0);
    run_tiles(a, g, rows, width, cut.fns[broad], at.y + col * a.y.col, residual);
    col += (end - tile) * width;
    tile = end;
  }
}

// Units [i, end) of one oc group, from (row, tile) on; returns how many there were.
int64_t run_oc_group(const ConvArgs& a, const ConvSweep& s, OcGroup& g, int64_t row, int64_t tile, int64_t units) {
  int64_t done = 0;
  for (const int64_t rows = s.rows_hi * s.rows_lo; done < units && row < rows; tile = 0) {
    const int64_t left = units - done, lo = s.rows_hi == 1 ? row : row % s.rows_lo;
    const TapRange taps = taps_of_row(s, lo);
    const bool two = g.two.tiles != 0 && tile == 0 && left >= 2 * s.tiles && lo + 1 < s.rows_lo;
    if (two && set_taps(taps, taps_of_row(s, lo + 1), g.call)) {
      run_row(a, s, g, row_at(a, s, g, row), 2, 0, g.two.tiles);
      done += 2 * s.tiles;
      row += 2;
    } else {
      set_taps(taps, g.call);
      const int64_t last = s.tiles - tile < left ? s.tiles : tile + left;
      run_row(a, s, g, row_at(a, s, g, row), 1, tile, last);
      done += last - tile;
      ++row;
    }
  }
  return done;
}

}  // namespace
}  // namespace tern::TERN_ISA
