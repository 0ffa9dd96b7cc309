// Products of x and weights that are both rounded to bf16, pairs of terms at a time, for recurrent layers (rnn/rnn.h). See weights.h, term_tiles.h.
// Next: int8_quads.simd.cpp.
#include "kernels/gemm/bf16_pairs.h"

#include "kernels/gemm/term_tiles.h"

namespace tern::TERN_ISA {
namespace {

struct PairsProduct {
  int32_t* x;  // rows x_stride apart
  int64_t x_stride;

  void set_row(const float* from, int64_t k, int64_t r) const { to_pairs(from, k, x + r * x_stride); }

  template <int R, int P>
  void tile(const TermTile& t) const {
    Tile<R, P, 1> sums;
    start(sums, t.call);
    const int32_t* w = t.w;
    for (int64_t k = 0; k < t.call.k; ++k, w += t.call.w_stride) {
      i32x16 words[P];
      unroll<P>([&](auto p) TERN_INLINE_CALL { words[p.v] = load_i32(w + p.v * 16); });
      unroll<R>([&](auto r) TERN_INLINE_CALL {
        const i32x16 pair = splat_i32(x[r.v * x_stride + k]);
        unroll<P>([&](auto p) TERN_INLINE_CALL { add_pair(sums.acc[r.v][p.v][0], pair, words[p.v]); });
      });
    }
    finish(sums, t.call);
  }
};

}  // namespace

void bf16_pairs_gemm(const PanelArgs& a, const void* weights, int32_t* pairs) {
  multiply_terms(a, static_cast<const int32_t*>(weights), pairs_of(a.k), PairsProduct{pairs, pairs_row(a.k)});
}

}  // namespace tern::TERN_ISA
