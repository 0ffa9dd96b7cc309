// How a register tile begins and ends: sums that start at the bias or at 0; chains added, residual, activation, store. Included by *.simd.cpp only.
// Next: panel.simd.cpp, weights_bf16.simd.cpp.
#pragma once
#include "kernels/gemm/panel.h"
#include "kernels/gemm/tile.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

template <int R, int P, int CH>
TERN_INLINE void clear(Tile<R, P, CH>& t) {
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL { unroll<CH>([&](auto j) TERN_INLINE_CALL { t.acc[r.v][p.v][j.v] = zero(); }); });
  });
}
template <int R, int P, int CH>
TERN_INLINE void start(Tile<R, P, CH>& t, const TileCall& c) {
  clear(t);
  if (c.bias == nullptr) return;
  const float* bias = c.bias;  // [R,P*16]
  const int64_t stride = c.bias_stride;
  const auto first = [&](auto r, auto p, int64_t n) TERN_INLINE_CALL { t.acc[r.v][p.v][0] = load_columns(bias + r.v * stride + p.v * 16, n); };
  unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P - 1>([&](auto p) TERN_INLINE_CALL { first(r, p, 16); }); });
  if (c.last == 16) unroll<R>([&](auto r) TERN_INLINE_CALL { first(r, Index<P - 1>{}, 16); });
  else unroll<R>([&](auto r) TERN_INLINE_CALL { first(r, Index<P - 1>{}, c.last); });
}

// The activations other than relu, on results that were just stored: once here and not in every tile, to keep the code small.
[[gnu::noinline]] void activate_stored(const ActivationSpec& e, float* y, int64_t ldy, int64_t rows, int64_t columns) {
  with_activation(e.activation, [&]<Activation A> {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; c += 16) {
        const int64_t n = columns - c < 16 ? columns - c : 16;
        float* at = y + r * ldy + c;
        store_columns(at, activate<A>(load_columns(at, n), e.alpha, e.beta), n);
      }
    }
  });
}

// Sums the chains, adds the residual, stores; then the activation.
template <int R, int P, int CH>
TERN_INLINE void finish(const Tile<R, P, CH>& t, const TileCall& c) {
  Tile<R, P, 1> y;
  // Not read from c at each use: compilers take it that a vector's store may have changed them.
  float* to = c.y;  // [R,P*16]
  const int64_t ldy = c.ldy, last = c.last;
  const auto each = [&](auto f) TERN_INLINE_CALL {
    unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P>([&](auto p) TERN_INLINE_CALL { f(y.acc[r.v][p.v][0], r, p); }); });
  };
  each([&](f32x16& s, auto r, auto p) TERN_INLINE_CALL { s = total(t, r.v, p.v); });
  const auto rest = [&](auto n) TERN_INLINE_CALL {
    const auto columns = [&](int p) TERN_INLINE_CALL -> int64_t { return p == P - 1 ? n() : 16; };
    if (c.residual != nullptr)
      each([&](f32x16& s, auto r, auto p) TERN_INLINE_CALL { s = s + load_columns(c.residual + r.v * ldy + p.v * 16, columns(p.v)); });
    if (c.epilogue.activation == Activation::relu) each([&](f32x16& s, auto, auto) TERN_INLINE_CALL { s = activate<Activation::relu>(s, 0, 0); });
    each([&](f32x16& s, auto r, auto p) TERN_INLINE_CALL { store_columns(to + r.v * ldy + p.v * 16, s, columns(p.v)); });
  };
  if (last == 16) rest([] { return int64_t{16}; });
  else rest([&] { return last; });
  if (c.epilogue.activation > Activation::relu) activate_stored(c.epilogue, to, ldy, R, (P - 1) * 16 + last);
}

}  // namespace
}  // namespace tern::TERN_ISA
