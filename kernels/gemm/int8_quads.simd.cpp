// Products of x and weights that are both rounded to bytes, four terms at a time, for recurrent layers (rnn/rnn.h): as bf16_pairs.simd.cpp, with sums of
// integers, which are scaled at the end. See weights.h. Next: kernels/rnn/terms.h.
#include "kernels/gemm/int8_quads.h"

#include "kernels/gemm/tile_ends.h"
#include "kernels/gemm/weights.h"

namespace tern::TERN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kMostRows = 6, kPanelsOfRow = 4, kPanelsOfRows = 4;
#else
constexpr int kMostRows = 4, kPanelsOfRow = 2, kPanelsOfRows = 1;
#endif
static_assert(kMostRows <= kTermRows);

struct QuadsTile {
  const int8_t* x;  // rows x_stride apart
  const char* w;
  const float *scales, *factors;  // of columns, of rows
  const int32_t* begins;
  TileCall call;  // its x and w are not read; w_stride: bytes from one quad of k to the next, k: quads
  int64_t x_stride;
};

template <int R, int P>
void quads_tile(const QuadsTile& t) {
  const TileCall& c = t.call;
  f32x16 sums[R][P];
  unroll<P>([&](auto p) TERN_INLINE_CALL {
    const f32x16 begin = begin_quads(t.begins + p.v * 16);
    unroll<R>([&](auto r) TERN_INLINE_CALL { sums[r.v][p.v] = begin; });
  });
  const char* w = t.w;
  for (int64_t k = 0; k < c.k; ++k, w += c.w_stride) {
    i32x16 quads[P];
    unroll<P>([&](auto p) TERN_INLINE_CALL { quads[p.v] = load_i32(reinterpret_cast<const int32_t*>(w + p.v * 64)); });
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const Quad x = quad_at(t.x + r.v * t.x_stride, k);
      unroll<P>([&](auto p) TERN_INLINE_CALL { add_quad(sums[r.v][p.v], x, quads[p.v]); });
    });
  }
  Tile<R, P, 1> y;
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      const int64_t n = p.v == P - 1 ? c.last : 16;
      const f32x16 start = c.bias == nullptr ? zero() : load_columns(c.bias + r.v * c.bias_stride + p.v * 16, n);
      y.acc[r.v][p.v][0] = fma(to_float(bits(sums[r.v][p.v])) * load(t.scales + p.v * 16), splat(t.factors[r.v]), start);
    });
  });
  finish(y, c);
}

template <int R, int P>
TERN_INLINE void of_panels(const QuadsTile& t, int64_t panels) {
  if (panels == P) return quads_tile<R, P>(t);
  if constexpr (P > 1) of_panels<R, P - 1>(t, panels);
}
template <int R>
TERN_INLINE void of_rows(const QuadsTile& t, int64_t rows, int64_t panels) {
  if (rows == R) return of_panels < R, R == 1 ? kPanelsOfRow : kPanelsOfRows > (t, panels);
  if constexpr (R > 1) of_rows<R - 1>(t, rows, panels);
}

}  // namespace

void int8_quads_gemm(const PanelArgs& a, const void* weights, int8_t* bytes) {
  const PanelGroups groups(a.n);
  const auto* scales = static_cast<const float*>(weights);
  const auto* begins = reinterpret_cast<const int32_t*>(scales + padded_columns(a.n));
  const auto* w = reinterpret_cast<const char*>(begins + padded_columns(a.n));
  const int64_t stride = quads_row(a.k), count = (a.m + kMostRows - 1) / kMostRows;
  float factors[kMostRows];
  for (int64_t i = 0, row = 0, rows = 0; i < count; ++i, row += rows) {
    rows = a.m / count + (i < a.m % count);
    for (int64_t r = 0; r < rows; ++r) factors[r] = to_bytes(a.x + (row + r) * a.lda, a.k, bytes + r * stride);
    const int64_t most = rows == 1 ? kPanelsOfRow : kPanelsOfRows;
    for (int64_t g = a.group_begin; g < a.group_end; ++g) {
      const int64_t first = groups.first(g), panels = groups.first(g + 1) - first;
      for (int64_t p = 0, taken = 0; p < panels; p += taken) {
        taken = panels - p < most ? panels - p : most;
        const int64_t column = (first + p) * kPanel, columns = a.n - column,
                      last = columns >= taken * kPanel ? kPanel : columns - (taken - 1) * kPanel;
        const float* bias = a.bias == nullptr ? nullptr : a.bias + row * a.bias_stride + column;
        const TileCall c{nullptr, nullptr,       bias, nullptr,   a.y + row * a.ldy + column, 0, panels * 64, quads_of(a.k),
                         a.ldy,   a.bias_stride, last, a.epilogue};
        of_rows<kMostRows>({bytes, w + (first * quads_of(a.k) + p) * 64, scales + column, factors, begins + column, c, stride}, rows, taken);
      }
    }
  }
}

}  // namespace tern::TERN_ISA
