// The register tiles of a convolution: B blocks of 16 output channels times P output pixels, one fma chain each, all in registers.
// Included by *.simd.cpp only. PITCH: floats from pixel to pixel in x, 0 when only known at run time.
// On AVX-512 2 x 14 takes 28 sums + 2 weights + 1 broadcast = 31 registers; on AVX2 1 x 6 takes 12 + 2 + 1. Neither spills.
// The ic loop is not unrolled: with 8 steps gcc hoists the broadcasts and spills them. Next: core.simd.cpp.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/simd_activation.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// One tile: where it reads and writes.
struct TileCall {
  const float* x;     // the first pixel's window, at channel block 0
  const float* w;     // the packed weights of this oc group
  const float* bias;  // [left], null: 0
  int64_t left;       // output channels from here to the last
  float* y;
  int64_t y_block, y_col;
  const int64_t* tap;               // [taps] offsets into x
  int64_t taps, first, last;        // of them first … last are computed: a row of windows may have others above or below x
  int64_t kernel_cols, from, upto;  // the first pixel begins at column `from` of the taps, the last one ends before column `upto`
  const float* next;                // weights that will be needed soon; at each tap so many cache lines of them are fetched
  int64_t ahead;
  const float* residual;  // null: none
  int64_t r_block, r_col;
  bool clip;  // to low … high: here and now, where nothing comes between
  float low, high;
};

TERN_INLINE f32x16 channels(const float* p, int64_t left) { return left >= 16 ? load(p) : load_n(p, left > 0 ? left : 0); }

// One tap of pixels FIRST … LAST-1, for the input channels from x up to `end`. Returns the weights of the next tap.
template <int FIRST, int LAST, int B, int P>
TERN_INLINE const float* add_tap(f32x16 (&acc)[B][P], const float* x, const float* end, const float* w, int64_t pitch) {
  do {
    f32x16 weight[B];
    unroll<B>([&](auto b) TERN_INLINE_CALL { weight[b.v] = load(w + b.v * 16); });
    w += B * 16;
    unroll<LAST - FIRST>([&](auto p) TERN_INLINE_CALL {
      const f32x16 v = splat(x[(FIRST + p.v) * pitch]);
      unroll<B>([&](auto b) TERN_INLINE_CALL { acc[b.v][FIRST + p.v] = fma(v, weight[b.v], acc[b.v][FIRST + p.v]); });
    });
  } while (++x != end);
  return w;
}

// + residual, clip, store. The other activations and the scale are applied afterwards (core.simd.cpp).
template <int B, int P>
TERN_INLINE void store_tile(f32x16 (&acc)[B][P], const TileCall& t) {
  if (t.residual != nullptr) {
    unroll<B>([&](auto b) TERN_INLINE_CALL {
      const float* r = t.residual + b.v * t.r_block;
      unroll<P>([&](auto p) TERN_INLINE_CALL { acc[b.v][p.v] = acc[b.v][p.v] + load(r + p.v * t.r_col); });
    });
  }
  if (t.clip) {
    unroll<B>([&](auto b) TERN_INLINE_CALL { unroll<P>([&](auto p) TERN_INLINE_CALL { acc[b.v][p.v] = clip(acc[b.v][p.v], t.low, t.high); }); });
  }
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    float* y = t.y + b.v * t.y_block;
    unroll<P>([&](auto p) TERN_INLINE_CALL { store(y + p.v * t.y_col, acc[b.v][p.v]); });
  });
}

template <int B, int P, int PITCH>
void dense_tile(const ConvArgs& a, const TileCall& t) {
  f32x16 acc[B][P];
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    const f32x16 start = t.bias == nullptr ? zero() : channels(t.bias + b.v * 16, t.left - b.v * 16);
    unroll<P>([&](auto p) TERN_INLINE_CALL { acc[b.v][p.v] = start; });
  });
  constexpr bool kEdges = P > 1 && PITCH != 1;
  const int64_t pitch = PITCH == 0 ? a.x_col : PITCH, step = a.ic_step;
  const float *w = t.w, *next = t.next;
  const float* block = t.x;
  for (int64_t ic = 0; ic < a.ics; ic += step, block += a.x_block) {
    const int64_t n = a.ics - ic < step ? a.ics - ic : step;
    w += t.first * n * B * 16;
    for (int64_t k = t.first, col = 0; k < t.last; ++k) {
      const float* const x = block + t.tap[k];
      if constexpr (kEdges) {
        if (col < t.from) w = add_tap<1, P>(acc, x, x + n, w, pitch);
        else if (col >= t.upto) w = add_tap<0, P - 1>(acc, x, x + n, w, pitch);
        else w = add_tap<0, P>(acc, x, x + n, w, pitch);
        if (++col == t.kernel_cols) col = 0;
      } else {
        w = add_tap<0, P>(acc, x, x + n, w, pitch);
      }
      for (int64_t i = 0; i < t.ahead; ++i, next += 16) __builtin_prefetch(next, 0, 2);
    }
    w += (t.taps - t.last) * n * B * 16;
  }
  store_tile<B, P>(acc, t);
}

// Depthwise: the lanes of x are the lanes of y.
template <int P, int PITCH>
void depthwise_tile(const ConvArgs& a, const TileCall& t) {
  f32x16 acc[1][P];
  const f32x16 start = t.bias == nullptr ? zero() : channels(t.bias, t.left);
  unroll<P>([&](auto p) TERN_INLINE_CALL { acc[0][p.v] = start; });
  const int64_t pitch = PITCH == 0 ? a.x_col : PITCH;
  for (int64_t k = t.first; k < t.last; ++k) {
    const float* x = t.x + t.tap[k];
    const f32x16 weight = load(t.w + k * 16);
    unroll<P>([&](auto p) TERN_INLINE_CALL { acc[0][p.v] = fma(load(x + p.v * pitch), weight, acc[0][p.v]); });
  }
  store_tile<1, P>(acc, t);
}

using TileFn = void (*)(const ConvArgs&, const TileCall&);

// The tile of run-time width p in [1, P].
template <int B, int P, int PITCH>
TERN_INLINE TileFn dense_fn(int64_t p) {
  if constexpr (P == 1) {
    return dense_tile<B, 1, PITCH>;
  } else {
    return p == P ? dense_tile<B, P, PITCH> : dense_fn<B, P - 1, PITCH>(p);
  }
}
template <int P, int PITCH>
TERN_INLINE TileFn depthwise_fn(int64_t p) {
  if constexpr (P == 1) {
    return depthwise_tile<1, PITCH>;
  } else {
    return p == P ? depthwise_tile<P, PITCH> : depthwise_fn<P - 1, PITCH>(p);
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
