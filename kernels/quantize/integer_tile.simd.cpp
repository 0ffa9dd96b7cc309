// See integer_tile.h. The sums are exact, so their order is each ISA's own.
#include "kernels/quantize/integer_tile.h"

#include "kernels/conv/turn.h"
#include "kernels/quantize/bytes.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

TERN_INLINE int32_t quad_at(const uint8_t* p) {
  int32_t quad;
  __builtin_memcpy(&quad, p, 4);
  return quad;
}

// ---- tile ----

TERN_INLINE const uint8_t* line_of(const IntegerTile& t, int64_t line) { return t.line_at == nullptr ? t.x : t.x + t.line_at[line]; }

#if defined(__AVX512F__)

// Written out, because -mavx512vnni would let the compiler use it in whatever else this file holds.
TERN_INLINE void add_products(__m512i& sum, __m512i x, __m512i w) { __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w)); }

template <int kRows, int kPanels>
void sum_rows(const IntegerTile& t) {
  constexpr int kThirds = (kRows + 2) / 3;  // a pointer for three rows: fourteen would not stay in registers
  const int64_t stride = t.x_stride;
  const uint8_t* x[kThirds];
  const int8_t* w = t.w;
  __m512i s[kRows * kPanels], v[kPanels];
  unroll<kRows * kPanels>([&](auto i) TERN_INLINE_CALL { s[i.v] = _mm512_setzero_si512(); });
  for (int64_t l = 0; l < t.lines; ++l) {
    const uint8_t* line = line_of(t, l);
    unroll<kThirds>([&](auto i) TERN_INLINE_CALL { x[i.v] = line + 3 * i.v * stride; });
    for (int64_t q = 0; q < t.quads; ++q, w += 64) {
      unroll<kPanels>([&](auto p) TERN_INLINE_CALL { v[p.v] = _mm512_loadu_si512(w + p.v * t.panel); });
      unroll<kRows>([&](auto r) TERN_INLINE_CALL {
        const __m512i quad = _mm512_set1_epi32(quad_at(x[r.v / 3] + r.v % 3 * stride));
        unroll<kPanels>([&](auto p) TERN_INLINE_CALL { add_products(s[r.v * kPanels + p.v], quad, v[p.v]); });
      });
      unroll<kThirds>([&](auto i) TERN_INLINE_CALL { x[i.v] += 4; });
    }
  }
  unroll<kRows>([&](auto r) TERN_INLINE_CALL {
    unroll<kPanels>([&](auto p) TERN_INLINE_CALL { _mm512_storeu_si512(t.sum + r.v * kSumStride + p.v * kTileColumns, s[r.v * kPanels + p.v]); });
  });
}
// The tile of t.rows rows.
template <int kRows, int kPanels>
void sum_tile(const IntegerTile& t) {
  if (t.rows == kRows) return sum_rows<kRows, kPanels>(t);
  if constexpr (kRows > 1) sum_tile<kRows - 1, kPanels>(t);
}
void tile(const IntegerTile& t) {
  if (t.panels == 4) sum_rows<1, 4>(t);
  else if (t.panels == 2) sum_tile<kTileRows, 2>(t);
  else sum_tile<kTileRows, 1>(t);
}

#elif defined(__AVX2__)

// Two sums for each of four columns: of k 0 and 1, and of k 2 and 3.
template <int kRows>
void sum_rows(const IntegerTile& t, int first, int panel) {
  const int64_t stride = t.x_stride;
  const int8_t* w = t.w + panel * t.panel;
  __m256i s[kRows * 4], quad[kRows];
  unroll<kRows * 4>([&](auto i) TERN_INLINE_CALL { s[i.v] = _mm256_setzero_si256(); });
  for (int64_t l = 0; l < t.lines; ++l) {
    const uint8_t* x = line_of(t, l) + first * stride;
    for (int64_t q = 0; q < t.quads; ++q, w += 64, x += 4) {
      unroll<kRows>([&](auto r) TERN_INLINE_CALL { quad[r.v] = _mm256_cvtepu8_epi16(_mm_set1_epi32(quad_at(x + r.v * stride))); });
      unroll<4>([&](auto c) TERN_INLINE_CALL {
        const __m256i four = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w + 16 * c.v)));
        unroll<kRows>([&](auto r) TERN_INLINE_CALL { s[r.v * 4 + c.v] = _mm256_add_epi32(s[r.v * 4 + c.v], _mm256_madd_epi16(quad[r.v], four)); });
      });
    }
  }
  unroll<kRows>([&](auto r) TERN_INLINE_CALL {
    int32_t* to = t.sum + (first + r.v) * kSumStride + panel * kTileColumns;
    unroll<2>([&](auto h) TERN_INLINE_CALL {
      const __m256i both = _mm256_hadd_epi32(s[r.v * 4 + 2 * h.v], s[r.v * 4 + 2 * h.v + 1]);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8 * h.v), _mm256_permute4x64_epi64(both, 0xd8));
    });
  });
}
void tile(const IntegerTile& t) {
  for (int p = 0; p < t.panels; ++p) {
    int r = 0;
    for (; r + 3 <= t.rows; r += 3) sum_rows<3>(t, r, p);
    for (; r < t.rows; ++r) sum_rows<1>(t, r, p);
  }
}

// With vpdpbusd of 256 bits, which CPUs have that have no AVX-512. Written out in its VEX form, as above.
TERN_INLINE void add_products(__m256i& sum, __m256i x, __m256i w) { __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w)); }
template <int kRows>
void sum_rows_vnni(const IntegerTile& t, int first, int panel) {
  const int64_t stride = t.x_stride;
  const int8_t* w = t.w + panel * t.panel;
  __m256i s[kRows * 2], half[2];
  unroll<kRows * 2>([&](auto i) TERN_INLINE_CALL { s[i.v] = _mm256_setzero_si256(); });
  for (int64_t l = 0; l < t.lines; ++l) {
    const uint8_t* x = line_of(t, l) + first * stride;
    for (int64_t q = 0; q < t.quads; ++q, w += 64, x += 4) {
      unroll<2>([&](auto h) TERN_INLINE_CALL { half[h.v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 32 * h.v)); });
      unroll<kRows>([&](auto r) TERN_INLINE_CALL {
        const __m256i quad = _mm256_set1_epi32(quad_at(x + r.v * stride));
        unroll<2>([&](auto h) TERN_INLINE_CALL { add_products(s[r.v * 2 + h.v], quad, half[h.v]); });
      });
    }
  }
  unroll<kRows * 2>([&](auto i) TERN_INLINE_CALL {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(t.sum + (first + i.v / 2) * kSumStride + panel * kTileColumns + i.v % 2 * 8), s[i.v]);
  });
}
void tile_vnni(const IntegerTile& t) {
  for (int p = 0; p < t.panels; ++p) {
    int r = 0;
    for (; r + 6 <= t.rows; r += 6) sum_rows_vnni<6>(t, r, p);  // twelve sums, of sixteen registers
    for (; r + 3 <= t.rows; r += 3) sum_rows_vnni<3>(t, r, p);
    for (; r < t.rows; ++r) sum_rows_vnni<1>(t, r, p);
  }
}

#else  // plain loops, which compilers turn into what the CPU has

void tile(const IntegerTile& t) {
  for (int p = 0; p < t.panels; ++p) {
    for (int r = 0; r < t.rows; ++r) {
      const int8_t* w = t.w + p * t.panel;
      uint32_t s[kTileColumns] = {};
      for (int64_t l = 0; l < t.lines; ++l) {
        const uint8_t* x = line_of(t, l) + r * t.x_stride;
        for (int64_t q = 0; q < t.quads; ++q, x += 4, w += 64) {
          for (int j = 0; j < kTileColumns; ++j)
            s[j] += static_cast<uint32_t>(x[0] * w[4 * j] + x[1] * w[4 * j + 1] + x[2] * w[4 * j + 2] + x[3] * w[4 * j + 3]);
        }
      }
      for (int j = 0; j < kTileColumns; ++j) t.sum[r * kSumStride + p * kTileColumns + j] = static_cast<int32_t>(s[j]);
    }
  }
}

#endif

// ---- taps ----

// Bytes as lanes of 32 bits, and products of their lower halves: no sum of two taps overflows on the way.
#if defined(__AVX512F__)
struct Lanes {
  __m512i v;
};
TERN_INLINE Lanes no_lanes() { return {_mm512_setzero_si512()}; }
TERN_INLINE Lanes widened(const uint8_t* p) { return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))}; }
TERN_INLINE Lanes lanes_at(const int8_t* p) { return {_mm512_loadu_si512(p)}; }
TERN_INLINE void add_tap(Lanes& s, Lanes x, Lanes w) { __asm__("vpdpwssd %2, %1, %0" : "+v"(s.v) : "v"(x.v), "v"(w.v)); }
TERN_INLINE void put(int32_t* p, Lanes s) { _mm512_storeu_si512(p, s.v); }
#elif defined(__AVX2__)
struct Lanes {
  __m256i lo, hi;
};
TERN_INLINE __m128i eight_at(const uint8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
TERN_INLINE __m256i half_at(const int8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
TERN_INLINE Lanes no_lanes() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
TERN_INLINE Lanes widened(const uint8_t* p) { return {_mm256_cvtepu8_epi32(eight_at(p)), _mm256_cvtepu8_epi32(eight_at(p + 8))}; }
TERN_INLINE Lanes lanes_at(const int8_t* p) { return {half_at(p), half_at(p + 32)}; }
TERN_INLINE void add_tap(Lanes& s, Lanes x, Lanes w) {
  s.lo = _mm256_add_epi32(s.lo, _mm256_madd_epi16(x.lo, w.lo));
  s.hi = _mm256_add_epi32(s.hi, _mm256_madd_epi16(x.hi, w.hi));
}
TERN_INLINE void put(int32_t* p, Lanes s) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), s.lo);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), s.hi);
}
#else
struct Lanes {
  int32_t v[16];
};
TERN_INLINE Lanes no_lanes() { return {}; }
TERN_INLINE Lanes widened(const uint8_t* p) {
  Lanes x;
  for (int i = 0; i < 16; ++i) x.v[i] = p[i];
  return x;
}
TERN_INLINE Lanes lanes_at(const int8_t* p) {
  Lanes w;
  __builtin_memcpy(w.v, p, sizeof w.v);
  return w;
}
TERN_INLINE void add_tap(Lanes& s, Lanes x, Lanes w) {
  for (int i = 0; i < 16; ++i) s.v[i] = static_cast<int32_t>(static_cast<uint32_t>(s.v[i]) + static_cast<uint32_t>(x.v[i] * w.v[i]));
}
TERN_INLINE void put(int32_t* p, Lanes s) { __builtin_memcpy(p, s.v, sizeof s.v); }
#endif

template <int kRows>
TERN_INLINE void sum_taps(const IntegerTaps& t, int first) {
  Lanes s[kRows];
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { s[r.v] = no_lanes(); });
  for (int64_t i = 0; i < t.taps; ++i) {
    const Lanes w = lanes_at(t.w + 64 * i);
    unroll<kRows>([&](auto r) TERN_INLINE_CALL { add_tap(s[r.v], widened(t.x[first + r.v] + t.offset[i]), w); });
  }
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { put(t.sum + (first + r.v) * kSumStride, s[r.v]); });
}
void taps(const IntegerTaps& t) {
  int r = 0;
  for (; r + 4 <= t.rows; r += 4) sum_taps<4>(t, r);
  for (; r < t.rows; ++r) sum_taps<1>(t, r);
}

// ---- groups, lines ----

#if defined(__AVX512F__)
// Two pixels, `first` and its neighbour.
TERN_INLINE __m256i two_pixels(const IntegerGroups& g, __mmask16 channels, int64_t first) {
  const auto pixel = [&](int64_t i) TERN_INLINE_CALL {
    if (i < 0 || i >= g.width) return _mm_set1_epi8(static_cast<char>(g.zero));
    return _mm_xor_si128(_mm_maskz_loadu_epi8(channels, g.x + i * g.pixel), _mm_set1_epi8(static_cast<char>(g.flip)));
  };
  return _mm256_inserti128_si256(_mm256_castsi128_si256(pixel(first)), pixel(first + 1), 1);
}
void groups(const IntegerGroups& g) {
  if (g.x == nullptr) {
    for (int64_t i = 0; i < g.groups; ++i) _mm512_storeu_si512(g.to + 64 * i, _mm512_set1_epi8(static_cast<char>(g.zero)));
    return;
  }
  // Four channels of four pixels beside each other, and then these turned.
  const __m512i fours = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i turned = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const auto channels = static_cast<__mmask16>((1u << g.channels) - 1);
  __m256i two = two_pixels(g, channels, -g.begin);
  for (int64_t i = 0; i < g.groups; ++i) {
    const __m256i next = two_pixels(g, channels, 2 * (i + 1) - g.begin);
    const __m512i four = _mm512_inserti64x4(_mm512_castsi256_si512(two), next, 1);
    _mm512_storeu_si512(g.to + 64 * i, _mm512_shuffle_epi8(_mm512_permutexvar_epi32(fours, four), turned));
    two = next;
  }
}

// kCount outputs, from number `at` on.
template <int kPixels, int kCount>
TERN_INLINE void sum_groups(const IntegerLines& l, int64_t at) {
  __m512i s[kCount * kPixels];
  unroll<kCount * kPixels>([&](auto i) TERN_INLINE_CALL { s[i.v] = _mm512_setzero_si512(); });
  const uint8_t* ring = l.ring + (l.group + at * l.next) * 64;
  const int8_t* w = l.w;
  int64_t line = l.first;
  for (int64_t i = 0; i < l.taps; ++i) {
    for (int64_t part = 0; part < l.parts; ++part, w += kPixels * l.quads * 64) {
      const uint8_t* x = ring + line * l.line;
      for (int64_t q = 0; q < l.quads; ++q, x += 128) {
        __m512i taps[kPixels];
        unroll<kPixels>([&](auto p) TERN_INLINE_CALL { taps[p.v] = _mm512_loadu_si512(w + (p.v * l.quads + q) * 64); });
        unroll<kCount>([&](auto c) TERN_INLINE_CALL {
          const __m512i group = _mm512_loadu_si512(x + c.v * l.next * 64);
          unroll<kPixels>([&](auto p) TERN_INLINE_CALL { add_products(s[c.v * kPixels + p.v], group, taps[p.v]); });
        });
      }
    }
    line += l.step;
    if (line >= l.lines) line -= l.lines;
  }
  unroll<kCount * kPixels>([&](auto i) TERN_INLINE_CALL { _mm512_storeu_si512(l.sum + (at * kPixels + i.v) * kSumStride, s[i.v]); });
}
template <int kPixels>
void sum_lines(const IntegerLines& l) {
  constexpr int kAtOnce = 8 / kPixels;
  int64_t at = 0;
  for (; at + kAtOnce <= l.count; at += kAtOnce) sum_groups<kPixels, kAtOnce>(l, at);
  for (; at < l.count; ++at) sum_groups<kPixels, 1>(l, at);
}
void lines(const IntegerLines& l) {
  if (l.pairs) sum_lines<2>(l);
  else sum_lines<1>(l);
}
#endif

// ---- finish ----

template <class T>
TERN_INLINE void store_first(T* to, const T* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

void add_terms(const IntegerFinish& f) {
  for (int64_t r = 0; r < f.rows; ++r) {
    int32_t* s = f.sum + r * kSumStride;
    const auto term = static_cast<uint32_t>(f.term[r]);
    for (int64_t j = 0; j < f.count; j += kTileColumns) {
      for (int i = 0; i < kTileColumns; ++i)
        s[j + i] = static_cast<int32_t>(static_cast<uint32_t>(s[j + i]) + static_cast<uint32_t>(f.zero[j + i]) * term);
    }
  }
}

void finish_floats(const IntegerFinish& f) {
  for (int64_t j = 0; j < f.count; j += kTileColumns) {
    const i32x16 offset = load_i32(f.offset + j);
    const f32x16 multiplier = load(f.multiplier + j), low = splat(f.low), high = splat(f.high);
    const int64_t n = f.count - j < kTileColumns ? f.count - j : kTileColumns;
    const f32x16 bias = f.bias != nullptr ? load_n(f.bias + j, n) : splat(-0.0f);  // adding -0 changes nothing
    const int32_t* s = f.sum + j;
    float* y = static_cast<float*>(f.y) + j;
    const float* residual = f.residual + (f.residual != nullptr ? j : 0);
    for (int64_t r = 0; r < f.rows; ++r, s += kSumStride, y += f.y_stride) {
      f32x16 v = to_float(load_i32(s) + offset) * multiplier + bias;
      if (f.residual != nullptr) v = v + load_n(residual + r * f.y_stride, n);
      store_n(y, min_raw(high, max_raw(low, v)), n);  // NaN passes
    }
  }
}

void finish(const IntegerFinish& f) {
  if (f.term != nullptr) add_terms(f);
  if (f.y_float) return finish_floats(f);
  const QuantizedRange range = quantized_range(splat_i32(f.y_zero), f.y_signed ? -128.0f : 0.0f, f.y_signed ? 127.0f : 255.0f);
  for (int64_t j = 0; j < f.count; j += kTileColumns) {
    const i32x16 offset = load_i32(f.offset + j);
    const int32_t* s = f.sum + j;
    const bool whole = f.count - j >= kTileColumns;
    if (f.multiplier == nullptr) {
      int32_t *y = static_cast<int32_t*>(f.y) + j, last[kTileColumns];
      for (int64_t r = 0; r < f.rows; ++r, s += kSumStride, y += f.y_stride) {
        store_i32(whole ? y : last, load_i32(s) + offset);
        if (!whole) store_first(y, last, f.count - j);
      }
      continue;
    }
    const f32x16 multiplier = load(f.multiplier + j);
    uint8_t *y = static_cast<uint8_t*>(f.y) + j, last[kTileColumns];
    for (int64_t r = 0; r < f.rows; ++r, s += kSumStride, y += f.y_stride) {
      store_bytes(whole ? y : last, rounded_lanes(to_float(load_i32(s) + offset) * multiplier, range));
      if (!whole) store_first(y, last, f.count - j);
    }
  }
}

void columns(const IntegerColumns& c) {
  const auto zero = static_cast<uint32_t>(c.x_zero);
  const int8_t* w = c.w;
  for (int64_t j = 0; j < c.count; j += kTileColumns, w += c.panel) {
    int32_t sums[kTileColumns];
    __builtin_memcpy(sums, w, sizeof sums);
    const int64_t n = c.count - j < kTileColumns ? c.count - j : kTileColumns;
    int32_t bias[kTileColumns] = {};
    if (c.bias != nullptr) __builtin_memcpy(bias, c.bias + j, static_cast<size_t>(n) * sizeof(int32_t));
    for (int i = 0; i < kTileColumns; ++i)
      c.offset[j + i] = static_cast<int32_t>(static_cast<uint32_t>(bias[i]) - zero * static_cast<uint32_t>(sums[i]));
    if (c.multiplier == nullptr) continue;
    const f32x16 w_scale = c.w_scale_varies ? load_n(c.w_scale + j, n) : splat(*c.w_scale);
    store(c.multiplier + j, splat(c.x_scale) * w_scale / splat(c.y_scale));
  }
}

// ---- bytes ----

void flip(const uint8_t* from, uint8_t* to, int64_t n, uint8_t bits) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(from[i] ^ bits);
}

int32_t sum_bytes(const uint8_t* x, int64_t n) {
  int64_t i = 0;
  uint32_t sum = 0;
#if defined(__AVX512F__)
  __m512i sums = _mm512_setzero_si512();
  for (; i < n; i += 64) {
    const __mmask64 bytes = ~uint64_t(0) >> (n - i < 64 ? 64 - (n - i) : 0);
    sums = _mm512_add_epi64(sums, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(bytes, x + i), _mm512_setzero_si512()));
  }
  sum = static_cast<uint32_t>(_mm512_reduce_add_epi64(sums));
#elif defined(__AVX2__)
  __m256i sums = _mm256_setzero_si256();
  for (; i + 32 <= n; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
  }
  uint64_t parts[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts), sums);
  sum = static_cast<uint32_t>(parts[0] + parts[1] + parts[2] + parts[3]);
#endif
  for (; i < n; ++i) sum += x[i];
  return static_cast<int32_t>(sum);
}

TERN_INLINE void copy_run(const uint8_t* from, uint8_t* to, int64_t n) {
  int64_t i = 0;
  do __builtin_memcpy(to + i, from + i, 16);
  while ((i += 16) < n);
}
void windows(const IntegerWindows& w) {
  int64_t d = w.at[0], h = w.at[1], v = w.at[2];
  for (int64_t r = 0; r < w.count; ++r) {
    const uint8_t* from = w.image + d * w.step[0] + h * w.step[1] + v * w.step[2];
    uint8_t* to = w.to + r * w.row;
    for (int64_t i = 0; i < w.kernel[0]; ++i) {
      for (int64_t j = 0; j < w.kernel[1]; ++j) {
        const uint8_t* line = from + i * w.tap[0] + j * w.tap[1];
        for (int64_t l = 0; l < w.kernel[2]; ++l, to += w.run, line += w.tap[2]) copy_run(line, to, w.run);
      }
    }
    if (++v == w.out[2]) v = 0, ++h;
    if (h == w.out[1]) h = 0, ++d;
  }
}

void turn_some(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t n, uint8_t* to, int64_t to_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < n; ++j) to[j * to_stride + r] = from[r * from_stride + j];
  }
}
#if defined(__AVX2__)
// Three rows or fewer, which become the whole of `to`: sixteen columns to four times four bytes, and those without the bytes that are no row's.
// Returns the columns that are done; the rest are less than 18: what is stored goes beyond them.
TERN_INLINE int64_t turn_few(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t n, uint8_t* to) {
  int8_t order[16];
  for (int i = 0; i < 16; ++i) order[i] = static_cast<int8_t>(i < 4 * rows ? i / rows * 4 + i % rows : -1);
  const __m128i dense = _mm_loadu_si128(reinterpret_cast<const __m128i*>(order));
  const auto row = [&](int64_t i, int64_t j) TERN_INLINE_CALL {
    return i < rows ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * from_stride + j)) : _mm_setzero_si128();
  };
  int64_t j = 0;
  for (; j + 18 <= n; j += 16) {
    const __m128i a = row(0, j), b = row(1, j), c = row(2, j), none = _mm_setzero_si128();
    const __m128i ab[2] = {_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)}, cd[2] = {_mm_unpacklo_epi8(c, none), _mm_unpackhi_epi8(c, none)};
    unroll<4>([&](auto i) TERN_INLINE_CALL {
      const __m128i four = i.v % 2 == 0 ? _mm_unpacklo_epi16(ab[i.v / 2], cd[i.v / 2]) : _mm_unpackhi_epi16(ab[i.v / 2], cd[i.v / 2]);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (j + 4 * i.v) * rows), _mm_shuffle_epi8(four, dense));
    });
  }
  return j;
}
// Four rounds of interleaving row i with row i + 8.
TERN_INLINE void turn_16(const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride) {
  __m128i a[16], b[16];
  unroll<16>([&](auto i) TERN_INLINE_CALL { a[i.v] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i.v * from_stride)); });
  auto round = [](const __m128i* in, __m128i* out) TERN_INLINE_CALL {
    unroll<8>([&](auto i) TERN_INLINE_CALL {
      out[2 * i.v] = _mm_unpacklo_epi8(in[i.v], in[i.v + 8]);
      out[2 * i.v + 1] = _mm_unpackhi_epi8(in[i.v], in[i.v + 8]);
    });
  };
  round(a, b);
  round(b, a);
  round(a, b);
  round(b, a);
  unroll<16>([&](auto i) TERN_INLINE_CALL { _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i.v * to_stride), a[i.v]); });
}
// Blocks of 16 by 16; the last of a row and of a column overlap the ones before them.
void turn(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t n, uint8_t* to, int64_t to_stride) {
  if (rows < 4 && to_stride == rows) {
    const int64_t done = turn_few(from, from_stride, rows, n, to);
    return turn_some(from + done, from_stride, rows, n - done, to + done * rows, rows);
  }
  if (rows < 16 || n < 16) return turn_some(from, from_stride, rows, n, to, to_stride);
  for (int64_t r = 0; r < rows; r += 16) {
    const int64_t row = r + 16 <= rows ? r : rows - 16;
    for (int64_t j = 0; j < n; j += 16) {
      const int64_t column = j + 16 <= n ? j : n - 16;
      turn_16(from + row * from_stride + column, from_stride, to + column * to_stride + row, to_stride);
    }
  }
}
#else
void turn(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t n, uint8_t* to, int64_t to_stride) {
  turn_some(from, from_stride, rows, n, to, to_stride);
}
#endif

#if defined(__AVX512F__)
constexpr IntegerKernels kKernels = {tile, nullptr, taps, groups, lines, finish, columns, flip, sum_bytes, windows, turn, turn};
#elif defined(__AVX2__)
constexpr IntegerKernels kKernels = {tile, tile_vnni, taps, nullptr, nullptr, finish, columns, flip, sum_bytes, windows, turn, turn};
#else
constexpr IntegerKernels kKernels = {tile, nullptr, taps, nullptr, nullptr, finish, columns, flip, sum_bytes, windows, turn, turn};
#endif
void product(const void* args) { integer_product(args, kKernels); }

}  // namespace

constinit const KernelRow integer_product_i8 = {"integer_product/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA, product};

}  // namespace tern::TERN_ISA
