// Products of x and weights that are both rounded to bytes, four terms at a time, for recurrent layers (rnn/rnn.h): as bf16_pairs.simd.cpp, with sums of
// integers, which are scaled at the end. See weights.h, term_tiles.h. Next: kernels/rnn/terms.h.
#include "kernels/gemm/int8_quads.h"

#include "kernels/gemm/term_tiles.h"

namespace tern::TERN_ISA {
namespace {

struct QuadsProduct {
  int8_t* x;  // rows x_stride apart
  int64_t x_stride;
  const float* scales;  // of columns
  const int32_t* begins;
  float factors[kMostRows];

  void set_row(const float* from, int64_t k, int64_t r) { factors[r] = to_bytes(from, k, x + r * x_stride); }

  template <int R, int P>
  void tile(const TermTile& t) const {
    const TileCall& c = t.call;
    f32x16 sums[R][P];
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      const f32x16 begin = begin_quads(begins + t.column + p.v * 16);
      unroll<R>([&](auto r) TERN_INLINE_CALL { sums[r.v][p.v] = begin; });
    });
    const int32_t* w = t.w;
    for (int64_t k = 0; k < c.k; ++k, w += c.w_stride) {
      i32x16 quads[P];
      unroll<P>([&](auto p) TERN_INLINE_CALL { quads[p.v] = load_i32(w + p.v * 16); });
      unroll<R>([&](auto r) TERN_INLINE_CALL {
        const Quad quad = quad_at(x + r.v * x_stride, k);
        unroll<P>([&](auto p) TERN_INLINE_CALL { add_quad(sums[r.v][p.v], quad, quads[p.v]); });
      });
    }
    Tile<R, P, 1> y;
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      unroll<P>([&](auto p) TERN_INLINE_CALL {
        const int64_t n = p.v == P - 1 ? c.last : 16;
        const f32x16 start = c.bias == nullptr ? zero() : load_columns(c.bias + r.v * c.bias_stride + p.v * 16, n);
        y.acc[r.v][p.v][0] = fma(to_float(bits(sums[r.v][p.v])) * load(scales + t.column + p.v * 16), splat(factors[r.v]), start);
      });
    });
    finish(y, c);
  }
};

}  // namespace

void int8_quads_gemm(const PanelArgs& a, const void* weights, int8_t* bytes) {
  const auto* scales = static_cast<const float*>(weights);
  const auto* begins = reinterpret_cast<const int32_t*>(scales + padded_columns(a.n));
  multiply_terms(a, begins + padded_columns(a.n), quads_of(a.k), QuadsProduct{bytes, quads_row(a.k), scales, begins, {}});
}

}  // namespace tern::TERN_ISA
