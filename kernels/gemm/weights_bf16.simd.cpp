// f32 products with weights in bf16: words of two terms (k, k+1) of a column, the upper half masked, the lower one shifted up, which costs less than
// widening each half of a vector. The order of sums is panel.h's. See weights.h. Next: weights_int8.simd.cpp.
//   one row        up to 4 panels, as the group has them: bound by the loads of its weights
//   several rows   up to 8 rows of 2 panels (AVX-512), or 4 of 1: the rows share the widening
#include "kernels/gemm/tile_ends.h"
#include "kernels/gemm/weights.h"

namespace tern::TERN_ISA {
namespace {

// Sums of sixteen that the registers hold beside the words and their halves.
#if defined(__AVX512F__)
constexpr int kSumsInRegisters = 24, kPanelsOfRows = 2, kMostRowsOfTile = 8;
#else
constexpr int kSumsInRegisters = 4, kPanelsOfRows = 1, kMostRowsOfTile = 4;
#endif
constexpr int rows_of_tile(int panels, int chains) {
  const int rows = kSumsInRegisters / (panels * chains);
  return rows < 1 ? 1 : rows < kMostRowsOfTile ? rows : kMostRowsOfTile;
}

struct Bf16Call {
  TileCall tile;  // its w is not read; w_stride: words from one pair of k to the next
  const int32_t* w;
};

template <int R, int P, int CH>
void bf16_tile(const Bf16Call& call) {
  const TileCall& c = call.tile;
  Tile<R, P, CH> t;
  start(t, c);
  const float* row[R];
  unroll<R>([&](auto r) TERN_INLINE_CALL { row[r.v] = c.x + r.v * c.lda; });
  const int32_t* w = call.w;
  const i32x16 upper = splat_i32(static_cast<int32_t>(0xffff0000));
  // Term k of every row, in chain `j`.
  const auto term = [&](auto j, int64_t k, const f32x16(&b)[P]) TERN_INLINE_CALL {
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const f32x16 a = splat(row[r.v][k]);
      unroll<P>([&](auto p) TERN_INLINE_CALL { t.acc[r.v][p.v][j.v] = fma(a, b[p.v], t.acc[r.v][p.v][j.v]); });
    });
  };
  // Terms k and k + 1, or k alone. A word is read once: loads are what a row alone waits for.
  const auto pair = [&](auto j, int64_t k, bool both) TERN_INLINE_CALL {
    f32x16 word[P], b[P];
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      word[p.v] = from_bits(load_i32(w + p.v * 16));
      keep(word[p.v]);
      b[p.v] = from_bits(bits(word[p.v]) & upper);
    });
    term(Index<j.v % CH>{}, k, b);
    w += c.w_stride;
    if (!both) return;
    unroll<P>([&](auto p) TERN_INLINE_CALL { b[p.v] = from_bits(shift_left(bits(word[p.v]), 16)); });
    term(Index<(j.v + 1) % CH>{}, k + 1, b);
  };
  constexpr int kStep = CH == 4 ? 4 : 2;  // terms after which the chains begin anew
  int64_t k = 0;
  for (; k + kStep <= c.k; k += kStep) unroll<kStep / 2>([&](auto i) TERN_INLINE_CALL { pair(Index<2 * i.v>{}, k + 2 * i.v, true); });
  if (k < c.k) pair(Index<0>{}, k, k + 1 < c.k);
  if constexpr (CH == 4) {
    if (k + 2 < c.k) pair(Index<2>{}, k + 2, false);
  }
  finish(t, c);
}

// Rows [0, rows) of a tile, at most R.
template <int R, int P, int CH>
TERN_INLINE void of_rows(const Bf16Call& c, int64_t rows) {
  if (rows == R) return bf16_tile<R, P, CH>(c);
  if constexpr (R > 1) of_rows<R - 1, P, CH>(c, rows);
}
template <int P, int CH>
void all_rows(Bf16Call c, const PanelArgs& a) {
  constexpr int kMost = rows_of_tile(P, CH);
  if constexpr (P <= kPanelsOfRows) {
    const int64_t count = (a.m + kMost - 1) / kMost, rows = a.m / count, longer = a.m % count;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t r = rows + (i < longer);
      of_rows<kMost, P, CH>(c, r);
      c.tile.x += r * a.lda;
      c.tile.y += r * a.ldy;
      if (c.tile.bias != nullptr) c.tile.bias += r * a.bias_stride;
      if (c.tile.residual != nullptr) c.tile.residual += r * a.ldy;
    }
  } else {
    bf16_tile<1, P, CH>(c);
  }
}
template <int P, int CH>
void by_panels(const Bf16Call& c, const PanelArgs& a, int64_t panels) {
  if (panels == P) return all_rows<P, CH>(c, a);
  if constexpr (P > 1) by_panels<P - 1, CH>(c, a, panels);
}

template <int CH>
void group(const PanelArgs& a, int64_t first, int64_t panels, const int32_t* w) {
  constexpr int kRow = kSumsInRegisters / CH < kGroup ? kSumsInRegisters / CH : static_cast<int>(kGroup);
  const int64_t most = a.m == 1 ? kRow : kPanelsOfRows < kRow ? kPanelsOfRows : kRow;
  for (int64_t p = 0; p < panels;) {
    const int64_t taken = panels - p < most ? panels - p : most, column = (first + p) * kPanel, columns = a.n - column;
    const Bf16Call c{
        {a.x, nullptr, a.bias == nullptr ? nullptr : a.bias + column, a.residual == nullptr ? nullptr : a.residual + column, a.y + column, a.lda,
         panels * kPanel, a.k, a.ldy, a.bias_stride, columns >= taken * kPanel ? kPanel : columns - (taken - 1) * kPanel, a.epilogue},
        w + p * kPanel};
    by_panels<kRow, CH>(c, a, taken);
    p += taken;
  }
}

void one_matrix(const PanelArgs& a, const int32_t* w) {
  const PanelGroups groups(a.n);
  for (int64_t g = a.group_begin; g < a.group_end; ++g) {
    const int64_t first = groups.first(g), panels = groups.first(g + 1) - first;
    const int32_t* at = w + first * kPanel * pairs_of(a.k);
    if (a.chains == 1) group<1>(a, first, panels, at);
    else if (a.chains == 2) group<2>(a, first, panels, at);
    else group<4>(a, first, panels, at);
  }
}

void each_matrix(const WeightsArgs& a) {
  const auto* w = static_cast<const int32_t*>(a.weights);
  if (a.batch == nullptr) return one_matrix(a.panel, w);
  for (int64_t b = 0; b < a.batches; ++b) {
    PanelArgs p = a.panel;
    p.x += a.batch[b].x;
    p.y += a.batch[b].y;
    if (p.residual != nullptr) p.residual += a.batch[b].y;
    one_matrix(p, w + a.batch[b].w / 4);
  }
}

}  // namespace

constinit const KernelRow gemm_weights_bf16 = row<WeightsArgs, each_matrix>("gemm_weights_bf16/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
