// Products with weights of 8 bits: a few rows of x become integers of 16 bits, weights are widened to 16 bits in registers, and pairs of products are
// added in i32 (vpdpwssd, vpmaddwd, smull). The sums are exact, so their order is each ISA's own; what comes before and after is in f32, in weights.h's
// order. The rows of avx512 need VNNI.
#include "kernels/gemm/integer_scale.h"
#include "kernels/gemm/tile_ends.h"
#include "kernels/gemm/weights.h"

namespace tern::TERN_ISA {
namespace {

// Weights of sixteen columns, two terms of each, and one row's two elements of x beside them.
#if defined(__AVX512F__)
struct Pairs {
  __m512i v;
};
TERN_INLINE Pairs widened(const int8_t* w) { return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)))}; }
// Written out, as in kernels/quantize: -mavx512vnni would let the compiler use it elsewhere.
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum.v) : "v"(w.v), "v"(_mm512_set1_epi32(pair)));
}
TERN_INLINE void store_i16(int16_t* p, i32x16 a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(a.v)); }
#elif defined(__AVX2__)
struct Pairs {
  __m256i lo, hi;
};
TERN_INLINE Pairs widened(const int8_t* w) {
  const auto* from = reinterpret_cast<const __m128i*>(w);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(from)), _mm256_cvtepi8_epi16(_mm_loadu_si128(from + 1))};
}
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  const __m256i both = _mm256_set1_epi32(pair);
  sum.lo = _mm256_add_epi32(sum.lo, _mm256_madd_epi16(w.lo, both));
  sum.hi = _mm256_add_epi32(sum.hi, _mm256_madd_epi16(w.hi, both));
}
TERN_INLINE void store_i16(int16_t* p, i32x16 a) {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(a.lo, a.hi), 0xd8);  // within halves: put the quarters in order
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), packed);
}
#elif defined(TERN_NEON)
struct Pairs {
  int16x8_t v[4];
};
TERN_INLINE Pairs widened(const int8_t* w) {
  return each<Pairs>([=](int q) { return vmovl_s8(vld1_s8(w + 8 * q)); });
}
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) {
  const int16_t pair[4] = {x[0], x[1], x[0], x[1]};
  const int16x4_t both = vld1_s16(pair);
  for (int q = 0; q < 4; ++q) {
    const int32x4_t products = vpaddq_s32(vmull_s16(vget_low_s16(w.v[q]), both), vmull_s16(vget_high_s16(w.v[q]), both));
    sum.v[q] = vaddq_s32(sum.v[q], products);
  }
}
TERN_INLINE void store_i16(int16_t* p, i32x16 a) {
  for (int q = 0; q < 4; ++q) vst1_s16(p + 4 * q, vmovn_s32(a.v[q]));
}
#else
struct Pairs {
  Ints first, second;
};
TERN_INLINE Pairs widened(const int8_t* w) {
  Pairs p;
  for (int i = 0; i < 16; ++i) p.first[i] = w[2 * i], p.second[i] = w[2 * i + 1];
  return p;
}
TERN_INLINE void add_products(i32x16& sum, Pairs w, const int16_t* x) { sum.v += w.first * int32_t(x[0]) + w.second * int32_t(x[1]); }
TERN_INLINE void store_i16(int16_t* p, i32x16 a) {
  for (int i = 0; i < 16; ++i) p[i] = static_cast<int16_t>(a.v[i]);
}
#endif

// A row as integers below 2^bits, zeros behind them; returns what they are to be multiplied with.
float to_integers(const float* x, int64_t k, int bits, int16_t* to) {
  const IntegerScale scale = integer_scale(x, k, bits);
  for (int64_t i = 0; i < k; i += 16) store_i16(to + i, scaled_integers(x + i, k - i, scale.up, 32767.0f));
  return scale.factor;
}

struct Int8Tile {
  const int16_t* rows;  // row_stride apart
  const int8_t* w;
  const float *scales, *factors;  // of columns, of rows
  TileCall call;                  // its x and w are not read; w_stride: bytes from one pair of k to the next, k: pairs
  int64_t row_stride;
};

// One row takes even and odd pairs in sums of their own, for the latency of an instruction.
template <int R, int P>
void int8_tile(const Int8Tile& t) {
  constexpr int kTurns = R == 1 ? 2 : 1;
  const TileCall& c = t.call;
  i32x16 sum[kTurns][R][P];
  unroll<kTurns>([&](auto i) TERN_INLINE_CALL {
    unroll<R>([&](auto r) TERN_INLINE_CALL { unroll<P>([&](auto p) TERN_INLINE_CALL { sum[i.v][r.v][p.v] = splat_i32(0); }); });
  });
  const int8_t* w = t.w;
  const int16_t* x = t.rows;
  const auto pair = [&](auto i) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      const Pairs wide = widened(w + p.v * 32);
      unroll<R>([&](auto r) TERN_INLINE_CALL { add_products(sum[i.v][r.v][p.v], wide, x + r.v * t.row_stride); });
    });
    w += c.w_stride;
    x += 2;
  };
  int64_t k = 0;
  for (; k + kTurns <= c.k; k += kTurns) unroll<kTurns>(pair);
  if (k < c.k) pair(Index<0>{});
  Tile<R, P, 1> y;
  unroll<R>([&](auto r) TERN_INLINE_CALL {
    unroll<P>([&](auto p) TERN_INLINE_CALL {
      const int64_t n = p.v == P - 1 ? c.last : 16;
      i32x16 s = sum[0][r.v][p.v];
      if constexpr (kTurns == 2) s = s + sum[1][r.v][p.v];
      const f32x16 start = c.bias == nullptr ? zero() : load_columns(c.bias + r.v * c.bias_stride + p.v * 16, n);
      y.acc[r.v][p.v][0] = fma(to_float(s) * load(t.scales + p.v * 16), splat(t.factors[r.v]), start);
    });
  });
  finish(y, c);
}

#if defined(__AVX512F__)
constexpr int kPanelsOfRow = 4, kPanelsOfRows = 2;
#else
constexpr int kPanelsOfRow = 2, kPanelsOfRows = 1;
#endif
template <int R, int P>
TERN_INLINE void of_panels(const Int8Tile& t, int64_t panels) {
  if (panels == P) return int8_tile<R, P>(t);
  if constexpr (P > 1) of_panels<R, P - 1>(t, panels);
}
template <int R>
TERN_INLINE void of_rows(const Int8Tile& t, int64_t rows, int64_t panels) {
  if (rows == R) return of_panels < R, R == 1 ? kPanelsOfRow : kPanelsOfRows > (t, panels);
  if constexpr (R > 1) of_rows<R - 1>(t, rows, panels);
}

// `rows` rows of x, at most kInt8Rows, times all panels of the groups.
void some_rows(const PanelArgs& a, const float* scales, const int8_t* w, int16_t* integers, int64_t first_row, int64_t rows) {
  float factors[kInt8Rows];
  const int64_t stride = int8_row(a.k);
  for (int64_t r = 0; r < rows; ++r) factors[r] = to_integers(a.x + (first_row + r) * a.lda, a.k, int8_bits(a.k), integers + r * stride);
  const PanelGroups groups(a.n);
  const int64_t most = rows == 1 ? kPanelsOfRow : kPanelsOfRows;
  for (int64_t g = a.group_begin; g < a.group_end; ++g) {
    const int64_t first = groups.first(g), panels = groups.first(g + 1) - first;
    const int8_t* at = w + first * kPanel * 2 * pairs_of(a.k);
    for (int64_t p = 0; p < panels;) {
      const int64_t taken = panels - p < most ? panels - p : most, column = (first + p) * kPanel, columns = a.n - column;
      const TileCall c{nullptr,
                       nullptr,
                       a.bias == nullptr ? nullptr : a.bias + first_row * a.bias_stride + column,
                       a.residual == nullptr ? nullptr : a.residual + first_row * a.ldy + column,
                       a.y + first_row * a.ldy + column,
                       0,
                       panels * kPanel * 2,
                       pairs_of(a.k),
                       a.ldy,
                       a.bias_stride,
                       columns >= taken * kPanel ? kPanel : columns - (taken - 1) * kPanel,
                       a.epilogue};
      of_rows<kInt8Rows>({integers, at + p * 32, scales + column, factors, c, stride}, rows, taken);
      p += taken;
    }
  }
}

void one_matrix(const PanelArgs& a, const char* weights, int16_t* integers) {
  const auto* scales = reinterpret_cast<const float*>(weights);
  const auto* w = reinterpret_cast<const int8_t*>(scales + padded_columns(a.n));
  for (int64_t r = 0; r < a.m; r += kInt8Rows) some_rows(a, scales, w, integers, r, a.m - r < kInt8Rows ? a.m - r : kInt8Rows);
}

void each_matrix(const WeightsArgs& a) {
  const auto* weights = static_cast<const char*>(a.weights);
  if (a.batch == nullptr) return one_matrix(a.panel, weights, a.rows);
  for (int64_t b = 0; b < a.batches; ++b) {
    PanelArgs p = a.panel;
    p.x += a.batch[b].x;
    p.y += a.batch[b].y;
    if (p.residual != nullptr) p.residual += a.batch[b].y;
    one_matrix(p, weights + a.batch[b].w, a.rows);
  }
}

}  // namespace

constinit const KernelRow gemm_weights_int8 = row<WeightsArgs, each_matrix>("gemm_weights_int8/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
