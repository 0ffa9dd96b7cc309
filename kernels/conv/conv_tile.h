// The register tiles of a convolution: B blocks of 16 output channels times P output pixels, one fma chain each, all in registers.
// Included by *.simd.cpp only. PITCH: floats from pixel to pixel in x, 0 when only known at run time.
// On AVX-512 2 x 14 takes 28 sums + 2 weights + 1 broadcast = 31 registers; on AVX2 1 x 6 takes 12 + 2 + 1. Neither spills.
// The ic loop is not unrolled: with 8 steps gcc hoists the broadcasts and spills them. Next: core.simd.cpp.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/simd_activation.h"

#define TERN_INLINE_CALL __attribute__((always_inline))

namespace tern::TERN_ISA {
namespace {

template <int I>
struct Index {
  static constexpr int v = I;
};
template <int N, int I = 0, class F>
TERN_INLINE void unroll(const F& f) {
  if constexpr (I < N) {
    f(Index<I>{});
    unroll<N, I + 1>(f);
  }
}

// One tile: where it reads and writes.
struct TileCall {
  const float* x;     // the first pixel's window, at channel block 0
  const float* w;     // the packed weights of this oc group
  const float* bias;  // [left], null: 0
  int64_t left;       // output channels from here to the last
  float* y;
  int64_t y_block, y_col;
  bool relu;  // here and now: nothing comes between
};

TERN_INLINE f32x16 channels(const float* p, int64_t left) { return left >= 16 ? load(p) : load_n(p, left > 0 ? left : 0); }

template <int B, int P, int PITCH>
void dense_tile(const ConvArgs& a, const TileCall& t) {
  f32x16 acc[B][P];
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    const f32x16 start = t.bias == nullptr ? zero() : channels(t.bias + b.v * 16, t.left - b.v * 16);
    unroll<P>([&](auto p) TERN_INLINE_CALL { acc[b.v][p.v] = start; });
  });
  const int64_t pitch = PITCH == 0 ? a.x_col : PITCH, taps = a.taps, step = a.ic_step;
  const int64_t* const tap = a.tap;
  const float* w = t.w;
  const float* block = t.x;
  for (int64_t ic = 0; ic < a.ics; ic += step, block += a.x_block) {
    const int64_t n = a.ics - ic < step ? a.ics - ic : step;
    for (int64_t k = 0; k < taps; ++k) {
      const float* x = block + tap[k];
      const float* const end = x + n;
      do {
        f32x16 weight[B];
        unroll<B>([&](auto b) TERN_INLINE_CALL { weight[b.v] = load(w + b.v * 16); });
        w += B * 16;
        unroll<P>([&](auto p) TERN_INLINE_CALL {
          const f32x16 v = splat(x[p.v * pitch]);
          unroll<B>([&](auto b) TERN_INLINE_CALL { acc[b.v][p.v] = fma(v, weight[b.v], acc[b.v][p.v]); });
        });
      } while (++x != end);
    }
  }
  if (t.relu) {
    unroll<B>([&](auto b)
                  TERN_INLINE_CALL { unroll<P>([&](auto p) TERN_INLINE_CALL { acc[b.v][p.v] = activate<Activation::relu>(acc[b.v][p.v], 0, 0); }); });
  }
  unroll<B>([&](auto b) TERN_INLINE_CALL {
    float* y = t.y + b.v * t.y_block;
    unroll<P>([&](auto p) TERN_INLINE_CALL { store(y + p.v * t.y_col, acc[b.v][p.v]); });
  });
}

// Depthwise: the lanes of x are the lanes of y.
template <int P, int PITCH>
void depthwise_tile(const ConvArgs& a, const TileCall& t) {
  f32x16 acc[P];
  const f32x16 start = t.bias == nullptr ? zero() : channels(t.bias, t.left);
  unroll<P>([&](auto p) TERN_INLINE_CALL { acc[p.v] = start; });
  const int64_t pitch = PITCH == 0 ? a.x_col : PITCH, taps = a.taps;
  const float* w = t.w;
  for (int64_t k = 0; k < taps; ++k, w += 16) {
    const float* x = t.x + a.tap[k];
    const f32x16 weight = load(w);
    unroll<P>([&](auto p) TERN_INLINE_CALL { acc[p.v] = fma(load(x + p.v * pitch), weight, acc[p.v]); });
  }
  if (t.relu) {
    unroll<P>([&](auto p) TERN_INLINE_CALL { acc[p.v] = activate<Activation::relu>(acc[p.v], 0, 0); });
  }
  unroll<P>([&](auto p) TERN_INLINE_CALL { store(t.y + p.v * t.y_col, acc[p.v]); });
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
