// How a register tile begins and ends: sums that start at the bias or at 0; chains added, residual, activation, store. Included by *.simd.cpp only.
// Next: panel.simd.cpp, weights_bf16.simd.cpp.
#pragma once
#include "kernels/gemm/panel.h"
#include "kernels/gemm/tile.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

template <int R, int P, int CH>
TERN_INLINE void start(Tile<R, P, CH>& t, const TileCall& c) {
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL { unroll<CH>([&](auto j) TERN_INLINE_CALL { t.acc[r.v][p.v][j.v] = zero(); }); });
  });
  if (c.bias == nullptr) return;
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p)
                  TERN_INLINE_CALL { t.acc[r.v][p.v][0] = load_columns(c.bias + r.v * c.bias_stride + p.v * 16, p.v == P - 1 ? c.last : 16); });
  });
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
  const bool relu = c.epilogue.activation == Activation::relu;
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      const int64_t at = r.v * c.ldy + p.v * 16, n = p.v == P - 1 ? c.last : 16;
      f32x16 s = total(t, r.v, p.v);
      if (c.residual != nullptr) s = s + load_columns(c.residual + at, n);
      if (relu) s = activate<Activation::relu>(s, 0, 0);
      store_columns(c.y + at, s, n);
    });
  });
  if (c.epilogue.activation > Activation::relu) activate_stored(c.epilogue, c.y, c.ldy, R, (P - 1) * 16 + c.last);
}

}  // namespace
}  // namespace tern::TERN_ISA
