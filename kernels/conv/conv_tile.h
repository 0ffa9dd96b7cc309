// The register tiles of a convolution: B blocks of 16 output channels times R rows of C output pixels, one fma chain each, all in
// registers. Included by *.simd.cpp only. PITCH: floats from pixel to pixel in x; kAnyPitch and, of planar x, kAnyPlanarPitch when
// only known at run time.
// On AVX-512 2 x 14 takes 28 sums + 2 weights + 1 broadcast = 31 registers; on AVX2 1 x 6 takes 12 + 2 + 1. Neither spills.
// The ic loop is not unrolled: with 8 steps gcc hoists the broadcasts and spills them. Next: core.simd.cpp.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/simd_activation.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

constexpr int kAnyPitch = 0, kAnyPlanarPitch = -1;
constexpr bool is_planar(int pitch) { return pitch == 1 || pitch == 2 || pitch == kAnyPlanarPitch; }

// Tiles of one size, side by side: where the first of those that are left reads and writes. What a tile costs besides its sums, a third of the time of
// 16 input channels when each one was called, so comes once for all of them.
struct TileCall {
  int64_t count;      // of tiles, at least 1
  const float* x;     // the first pixel's window, at channel block 0
  const float* w;     // the packed weights of this oc group
  const float* bias;  // [left], null: 0
  int64_t left;       // output channels from here to the last
  float* y;
  int64_t y_block, y_row, y_col;
  const int64_t* tap;                       // [taps] offsets into x
  int64_t run;                              // of planar x: taps that are neighbours in x
  int64_t taps, first, last;                // of them first … last are computed: others lie above or below x
  int64_t both, upto;                       // of two rows: taps before `both` are the second row's alone, those from `upto` on the first one's
  int64_t kernel_cols, from_col, upto_col;  // the first pixel of a row begins at column from_col of the taps, the last one ends before upto_col
  const float *next, *last_next;            // weights that will be needed soon; at each tap so many cache lines of them are fetched
  int64_t ahead;
  const float* residual;  // null: none
  int64_t r_block, r_row, r_col;
  bool from_low, upto_high;  // clip to low … high: here and now, where nothing comes between
  float low, high;
};

// On to the next tile, C columns further; false: there is none.
template <int C>
TERN_INLINE bool next_tile(TileCall& t, int64_t pitch) {
  if (--t.count == 0) return false;
  t.x += C * pitch;
  t.y += C * t.y_col;
  if (t.residual != nullptr) t.residual += C * t.r_col;
  return true;
}

TERN_INLINE f32x16 channels(const float* p, int64_t left) { return left >= 16 ? load(p) : load_n(p, left > 0 ? left : 0); }

// The pixels of a tile that one tap is added to.
template <int ROW, int ROWS, int COL, int COLS>
struct Pixels {};

// One tap, for the input channels from x up to `end`.
template <int C, int ROW, int ROWS, int COL, int COLS, int B, int P>
TERN_INLINE void add_tap(Pixels<ROW, ROWS, COL, COLS>, f32x16 (&acc)[B][P], const float* x, const float* end, const float* w, int64_t pitch,
                         [[maybe_unused]] int64_t row) {
  // A pointer of its own: gcc would keep how far each pixel of the second row is from the first one in a register, and has too few.
  [[maybe_unused]] const float* below = x + row;
  do {
    f32x16 weight[B];
    unroll<B>([&](auto b) TERN_INLINE_CALL { weight[b.v] = load(w + b.v * 16); });
    w += B * 16;
    unroll<ROWS>([&](auto r) TERN_INLINE_CALL {
      unroll<COLS>([&](auto c) TERN_INLINE_CALL {
        constexpr int kRow = ROW + decltype(r)::v, kCol = COL + decltype(c)::v;
        const f32x16 v = splat((kRow == 0 ? x : below)[kCol * pitch]);
        unroll<B>([&](auto b) TERN_INLINE_CALL { acc[b.v][kRow * C + kCol] = fma(v, weight[b.v], acc[b.v][kRow * C + kCol]); });
      });
    });
    if constexpr (ROW + ROWS > 1) asm("" : "+r"(++below));
    asm("" : "+r"(++x));  // of columns next to each other gcc would keep what the next step reads again, and has too few registers for that as well
  } while (x != end);
}

// f(Pixels<…>) for those of tap k, in column `col` of the taps, that are to be computed.
template <int ROW, int ROWS, int C, class F>
TERN_INLINE void with_columns(const TileCall& t, int64_t col, const F& f) {
  if (col < t.from_col) {
    if constexpr (C > 1) f(Pixels<ROW, ROWS, 1, C - 1>{});
  } else if (col >= t.upto_col) {
    if constexpr (C > 1) f(Pixels<ROW, ROWS, 0, C - 1>{});
  } else {
    f(Pixels<ROW, ROWS, 0, C>{});
  }
}
template <int R, int C, class F>
TERN_INLINE void with_pixels(const TileCall& t, int64_t k, int64_t col, const F& f) {
  if constexpr (R == 2) {
    if (k < t.both) return with_columns<1, 1, C>(t, col, f);
    if (k >= t.upto) return with_columns<0, 1, C>(t, col, f);
  }
  with_columns<0, R, C>(t, col, f);
}

// A tap alone, all of it in x: nothing comes between a block of channels and the next. The loop over several taps has more to remember than there are
// registers; gcc keeps some of that in a vector register, and what comes back from there waits behind all fma before it, a fifth of the time of one tap.
// Returns where the weights fetched ahead end.
template <int R, int C, int B, int P>
TERN_INLINE const float* add_single_tap(const ConvArgs& a, const TileCall& t, f32x16 (&acc)[B][P], int64_t pitch) {
  const float *x = t.x + t.tap[0], *w = t.w, *next = t.next;
  const int64_t ahead = t.ahead, row = a.x_lo, step = a.ic_step, gap = a.x_block - step;
  for (int64_t left = a.ics; left > 0; left -= step, x += gap) {
    const int64_t n = left < step ? left : step;
    add_tap<C>(Pixels<0, R, 0, C>{}, acc, x, x + n, w, pitch, row);
    x += n;
    w += n * B * 16;
    for (int64_t i = 0; i < ahead; ++i, next += 16) __builtin_prefetch(next, 0, 2);
  }
  return next;
}

// + residual, clip, store. The other activations and the scale are applied afterwards (core.simd.cpp).
template <int B, int R, int C>
TERN_INLINE void store_tile(f32x16 (&acc)[B][R * C], const TileCall& t) {
  auto each = [&](auto f) TERN_INLINE_CALL {
    unroll<B>([&](auto b) TERN_INLINE_CALL {
      unroll<R>([&](auto r) TERN_INLINE_CALL {
        unroll<C>([&](auto c) TERN_INLINE_CALL { f(acc[b.v][decltype(r)::v * C + decltype(c)::v], b.v, r.v, c.v); });
      });
    });
  };
  if (t.residual != nullptr)
    each([&](f32x16& v, int b, int r, int c) TERN_INLINE_CALL { v = v + load(t.residual + b * t.r_block + r * t.r_row + c * t.r_col); });
  if (t.from_low) each([&](f32x16& v, int, int, int) TERN_INLINE_CALL { v = at_least(t.low, v); });
  if (t.upto_high) each([&](f32x16& v, int, int, int) TERN_INLINE_CALL { v = at_most(t.high, v); });
  each([&](f32x16& v, int b, int r, int c) TERN_INLINE_CALL { store(t.y + b * t.y_block + r * t.y_row + c * t.y_col, v); });
}

// What is added last is fetched first: it was written long ago.
template <int B, int R, int C>
TERN_INLINE void fetch_residual(const TileCall& t) {
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t r = 0; r < R; ++r) {
      for (int64_t c = 0; c < C; ++c) __builtin_prefetch(t.residual + b * t.r_block + r * t.r_row + c * t.r_col);
    }
  }
}

template <int B, int P>
TERN_INLINE void start_sums(f32x16 (&acc)[B][P], const TileCall& t) {
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    const f32x16 start = t.bias == nullptr ? zero() : channels(t.bias + b.v * 16, t.left - b.v * 16);
    unroll<P>([&](auto p) TERN_INLINE_CALL { acc[b.v][p.v] = start; });
  });
}

// A tile of several taps, or of one that not all pixels have. Not inlined: what the loop over tiles has to remember would be in its registers.
// Returns where the weights fetched ahead end.
template <int B, int R, int C, int PITCH>
[[gnu::noinline]] const float* tile_of_taps(const ConvArgs& a, const TileCall& t) {
  f32x16 acc[B][R * C];
  start_sums(acc, t);
  constexpr bool kPlanar = is_planar(PITCH);  // a channel at a time, and no columns are left out
  const int64_t pitch = PITCH <= 0 ? a.x_col : PITCH, step = kPlanar ? 1 : a.ic_step, row = a.x_lo;
  const int64_t run = kPlanar ? t.run : 1;
  const float *w = t.w, *next = t.next;
  const float* block = t.x;
  for (int64_t ic = 0; ic < a.ics; ic += step, block += a.x_block) {
    const int64_t n = kPlanar ? 1 : a.ics - ic < step ? a.ics - ic : step;
    w += t.first * n * B * 16;
    for (int64_t k = t.first, col = 0; k < t.last; k += run) {
      const float* const x = block + t.tap[k];
      if constexpr (kPlanar) {
        add_tap<C>(Pixels<0, 1, 0, C>{}, acc, x, x + run, w, pitch, row);
      } else {
        with_pixels<R, C>(t, k, col, [&](auto pixels) TERN_INLINE_CALL { add_tap<C>(pixels, acc, x, x + n, w, pitch, row); });
        if (++col == t.kernel_cols) col = 0;
      }
      w += n * run * B * 16;
      for (int64_t i = 0; i < t.ahead; ++i, next += 16) __builtin_prefetch(next, 0, 2);
    }
    w += (t.taps - t.last) * n * B * 16;
  }
  store_tile<B, R, C>(acc, t);
  return next;
}

template <int B, int R, int C, int PITCH>
void dense_tiles(const ConvArgs& a, TileCall& t) {
  const int64_t pitch = PITCH <= 0 ? a.x_col : PITCH;
  const bool single = t.taps == 1 && t.first < t.last && t.from_col == 0 && t.upto_col == 1;
  do {
    if (t.residual != nullptr) fetch_residual<B, R, C>(t);
    if (!is_planar(PITCH) && single) {
      f32x16 acc[B][R * C];
      start_sums(acc, t);
      t.next = add_single_tap<R, C>(a, t, acc, pitch);
      store_tile<B, R, C>(acc, t);
    } else {
      t.next = tile_of_taps<B, R, C, PITCH>(a, t);
    }
    if (t.next >= t.last_next) t.ahead = 0;
  } while (next_tile<C>(t, pitch));
}

// Depthwise: the lanes of x are the lanes of y.
template <int P, int PITCH>
void depthwise_tiles(const ConvArgs& a, TileCall& t) {
  const int64_t pitch = PITCH == kAnyPitch ? a.x_col : PITCH;
  do {
    f32x16 acc[1][P];
    start_sums(acc, t);
    for (int64_t k = t.first; k < t.last; ++k) {
      const float* x = t.x + t.tap[k];
      const f32x16 weight = load(t.w + k * 16);
      unroll<P>([&](auto p) TERN_INLINE_CALL { acc[0][p.v] = fma(load(x + p.v * pitch), weight, acc[0][p.v]); });
    }
    store_tile<1, 1, P>(acc, t);
  } while (next_tile<P>(t, pitch));
}

// Lane l of the result is lane lane[l] of v, in its own group of 2, 4 or 8.
TERN_INLINE f32x16 within_groups(f32x16 v, const int32_t* lane) {
#if defined(__AVX512F__)
  return {_mm512_permutexvar_ps(load_i32(lane).v, v.v)};
#elif defined(__AVX2__)
  const i32x16 from = load_i32(lane);  // the lowest three bits count: halves keep to themselves
  return {_mm256_permutevar8x32_ps(v.lo, from.lo), _mm256_permutevar8x32_ps(v.hi, from.hi)};
#else
  float from[16], to[16];
  store(from, v);
  for (int l = 0; l < 16; ++l) to[l] = from[lane[l]];
  return load(to);
#endif
}

// Few channels a group: as depthwise, but a lane reads all lanes of its group, one after another.
template <int P>
void grouped_tiles(const ConvArgs& a, TileCall& t) {
  do {
    f32x16 acc[1][P];
    start_sums(acc, t);
    const float* w = t.w;
    for (int64_t ic = 0; ic < a.lane_ics; ++ic, w += t.taps * 16) {
      int32_t lane[16];
      for (int64_t l = 0; l < 16; ++l) lane[l] = static_cast<int32_t>((l & -a.lane_ics) + ic);
      for (int64_t k = t.first; k < t.last; ++k) {
        const float* x = t.x + t.tap[k];
        const f32x16 weight = load(w + k * 16);
        unroll<P>([&](auto p) TERN_INLINE_CALL { acc[0][p.v] = fma(within_groups(load(x + p.v * a.x_col), lane), weight, acc[0][p.v]); });
      }
    }
    store_tile<1, 1, P>(acc, t);
  } while (next_tile<P>(t, a.x_col));
}

using TileFn = void (*)(const ConvArgs&, TileCall&);

// The tile of run-time width c in [1, C].
template <int B, int R, int C, int PITCH>
TERN_INLINE TileFn dense_fn(int64_t c) {
  if constexpr (C == 1) {
    return dense_tiles<B, R, 1, PITCH>;
  } else {
    return c == C ? dense_tiles<B, R, C, PITCH> : dense_fn<B, R, C - 1, PITCH>(c);
  }
}
template <int P>
TERN_INLINE TileFn grouped_fn(int64_t p) {
  if constexpr (P == 1) {
    return grouped_tiles<1>;
  } else {
    return p == P ? grouped_tiles<P> : grouped_fn<P - 1>(p);
  }
}
template <int P, int PITCH>
TERN_INLINE TileFn depthwise_fn(int64_t p) {
  if constexpr (P == 1) {
    return depthwise_tiles<1, PITCH>;
  } else {
    return p == P ? depthwise_tiles<P, PITCH> : depthwise_fn<P - 1, PITCH>(p);
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
