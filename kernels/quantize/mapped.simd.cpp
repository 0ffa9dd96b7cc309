// See mapped.h.
#include "kernels/quantize/mapped.h"

#include "kernels/pool/windows.h"
#include "kernels/quantize/bytes.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

int32_t zero_point(const uint8_t* p, bool is_signed) { return is_signed ? static_cast<int8_t>(*p) : *p; }

struct Side {
  f32x16 scale;
  i32x16 zero;
  bool is_signed;
};
TERN_INLINE Side side(const float* scale, const uint8_t* zero, bool is_signed) {
  return {splat(*scale), splat_i32(zero_point(zero, is_signed)), is_signed};
}
TERN_INLINE ByteScale scale_of(const float* scale, const uint8_t* zero, bool is_signed) {
  return byte_scale(splat(*scale), splat_i32(zero_point(zero, is_signed)), is_signed);
}
TERN_INLINE f32x16 real(const Side& s, const uint8_t* p) { return to_float(load_bytes(p, s.is_signed) - s.zero) * s.scale; }

template <bool kProduct>
void map_pair(const QuantizedPair& p) {
  const Side a = side(p.a_scale, p.a_zero, p.a_signed), b = side(p.b_scale, p.b_zero, p.b_signed);
  const ByteScale y = scale_of(p.y_scale, p.y_zero, p.y_signed);
  auto sixteen = [&](const uint8_t* pa, f32x16 vb, uint8_t* to) __attribute__((always_inline)) {
    const f32x16 va = real(a, pa);
    store_bytes(to, quantized_lanes(kProduct ? va * vb : va + vb, y));
  };
  // n elements; step 1, or 0 where pb is sixteen times the same.
  auto row = [&](const uint8_t* pa, const uint8_t* pb, int64_t step, uint8_t* to, int64_t n) __attribute__((always_inline)) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) sixteen(pa + i, real(b, pb + i * step), to + i);
    if (i == n) return;
    uint8_t last[3][16] = {};
    for (int64_t k = 0; k < n - i; ++k) last[0][k] = pa[i + k], last[1][k] = pb[i * step + k];
    sixteen(last[0], real(b, last[1]), last[2]);
    for (int64_t k = 0; k < n - i; ++k) to[i + k] = last[2][k];
  };
  if (p.columns == 0) return row(p.a + p.begin, p.b + p.begin, 1, p.y + p.begin, p.end - p.begin);
  for (int64_t r = p.begin; r < p.end; ++r) {
    const int64_t at = r * p.columns, of = r / p.repeat;
    uint8_t same[16];
    for (uint8_t& v : same) v = p.b[p.single ? of : 0];
    row(p.a + at, p.single ? same : p.b + of * p.columns, !p.single, p.y + at, p.columns);
  }
}
void pair(const QuantizedPair& p) {
  if (p.product) map_pair<true>(p);
  else map_pair<false>(p);
}

// n lanes, `step` apart, beside each other, and back.
TERN_INLINE void collect(const uint8_t* from, int64_t step, int64_t n, uint8_t* to) {
  for (int64_t k = 0; k < n; ++k) to[k] = from[k * step];
}
TERN_INLINE void spread(const uint8_t* from, uint8_t* to, int64_t step, int64_t n) {
  for (int64_t k = 0; k < n; ++k) to[k * step] = from[k];
}
TERN_INLINE int64_t at_most_16(int64_t n) { return n < 16 ? n : 16; }

// kBlocks of sixteen channels; kCollect: one, whose lanes are collected. In the order of GlobalAveragePool's sums (pool/pool.h).
template <int kBlocks, bool kCollect>
void mean_of(const QuantizedMeanArgs& a, int64_t n, int64_t channel) {
  const Side x = side(a.ends.x_scale, a.ends.x_zero, a.ends.x_signed);
  const ByteScale y = scale_of(a.ends.y_scale, a.ends.y_zero, a.ends.y_signed);
  const int64_t pixels = a.rows * a.columns, count = at_most_16(a.channels - channel), step = a.last ? 1 : pixels, pixel = a.last ? a.channels : 1;
  const uint8_t* from = a.ends.x + n * pixels * a.channels + channel * step;
  uint8_t lanes[16] = {};
  f32x16 total[kBlocks], sum[kBlocks];
  for (f32x16& t : total) t = zero();
  for (int64_t r = 0; r < a.rows; ++r) {
    for (f32x16& s : sum) s = zero();
    for (int64_t i = r * a.columns; i < (r + 1) * a.columns; ++i) {
      if (kCollect) collect(from + i * pixel, step, count, lanes);
      for (int b = 0; b < kBlocks; ++b) sum[b] = sum[b] + real(x, kCollect ? lanes : from + i * pixel + 16 * b);
    }
    for (int b = 0; b < kBlocks; ++b) total[b] = total[b] + sum[b];
  }
  uint8_t* to = a.ends.y + n * a.channels + channel;
  for (int b = 0; b < kBlocks; ++b) store_bytes(kCollect ? lanes : to + 16 * b, quantized_lanes(total[b] / splat(static_cast<float>(pixels)), y));
  if (kCollect) spread(lanes, to, 1, count);
}
void mean(const QuantizedMeanArgs& a) {
  const int64_t blocks = (a.channels + 15) / 16;
  for (int64_t i = a.begin; i < a.end;) {
    const int64_t n = i / blocks, channel = i % blocks * 16, left = a.last ? a.channels - channel : 0;
    if (left >= 64 && i + 4 <= a.end) {
      mean_of<4, false>(a, n, channel);
      i += 4;
      continue;
    }
    if (left >= 16) mean_of<1, false>(a, n, channel);
    else mean_of<1, true>(a, n, channel);
    ++i;
  }
}

// The window of AveragePool, of the channels that begin at x and y, in its order of sums (pool/pool.h).
template <int kBlocks, bool kCollect>
TERN_INLINE void average_of(const QuantizedAverageArgs& a, const Side& in, const ByteScale& out, const pool::Taps<int64_t> (&taps)[3],
                            const uint8_t* x, uint8_t* y, int64_t count) {
  const int64_t pixel = a.x_channel == 1 ? a.channels : 1;
  uint8_t lanes[16] = {};
  f32x16 sum[kBlocks];
  for (f32x16& s : sum) s = zero();
  pool::each_place(a.window, taps[0], taps[1], taps[2], [&](int64_t place) TERN_INLINE_CALL {
    if (kCollect) collect(x + place * pixel, a.x_channel, count, lanes);
    for (int b = 0; b < kBlocks; ++b) sum[b] = sum[b] + real(in, kCollect ? lanes : x + place * pixel + 16 * b);
  });
  const f32x16 divisor = splat(static_cast<float>(pool::taps_of_mean(a.include_pad, taps[0], taps[1], taps[2])));
  for (int b = 0; b < kBlocks; ++b) {
    const i32x16 v = quantized_lanes(sum[b] / divisor, out);
    if (!kCollect && a.y_channel == 1) {
      store_bytes(y + 16 * b, v);
    } else {
      store_bytes(lanes, v);
      spread(lanes, y + 16 * b * a.y_channel, a.y_channel, kCollect ? count : 16);
    }
  }
}
void average(const QuantizedAverageArgs& a) {
  const PoolWindow<int64_t>& w = a.window;
  const Side in = side(a.ends.x_scale, a.ends.x_zero, a.ends.x_signed);
  const ByteScale out = scale_of(a.ends.y_scale, a.ends.y_zero, a.ends.y_signed);
  const int64_t rows = w.out[0] * w.out[1], in_pixels = w.in[0] * w.in[1] * w.in[2], pixel = a.y_channel == 1 ? a.channels : 1;
  for (int64_t row = a.begin; row < a.end; ++row) {
    const int64_t n = row / rows, at = row % rows;
    const uint8_t* x = a.ends.x + n * in_pixels * a.channels;
    uint8_t* y = a.ends.y + n * rows * w.out[2] * a.channels + at * w.out[2] * pixel;
    pool::Taps<int64_t> taps[3] = {pool::taps(w, 0, at / w.out[1]), pool::taps(w, 1, at % w.out[1]), {}};
    for (int64_t v = 0; v < w.out[2]; ++v, y += pixel) {
      taps[2] = pool::taps(w, 2, v);
      int64_t c = 0;
      for (; a.x_channel == 1 && c + 64 <= a.channels; c += 64) average_of<4, false>(a, in, out, taps, x + c, y + c * a.y_channel, 64);
      for (; a.x_channel == 1 && c + 16 <= a.channels; c += 16) average_of<1, false>(a, in, out, taps, x + c, y + c * a.y_channel, 16);
      for (; c < a.channels; c += 16) average_of<1, true>(a, in, out, taps, x + c * a.x_channel, y + c * a.y_channel, at_most_16(a.channels - c));
    }
  }
}

void lookup(const Lookup8Args& a) {
  const uint8_t* __restrict x = a.x;  // bytes may lie anywhere, also on the arguments
  const uint8_t* __restrict table = a.table;
  uint8_t* y = a.y;
  int64_t i = a.begin;
  const int64_t end = a.end;
#if defined(__AVX512F__)
  // The table in four registers: two pick by seven bits each, the eighth chooses between them. Written out as vpdpbusd is: -mavx512vbmi would let the
  // compiler use it elsewhere.
  const auto quarter = [&](int64_t q) __attribute__((always_inline)) { return _mm512_loadu_si512(table + 64 * q); };
  const __m512i t0 = quarter(0), t1 = quarter(1), t2 = quarter(2), t3 = quarter(3);
  for (; i + 64 <= end; i += 64) {
    const __m512i at = _mm512_loadu_si512(x + i);
    __m512i low = at, high = at;
    __asm__("vpermi2b %2, %1, %0" : "+v"(low) : "v"(t0), "v"(t1));
    __asm__("vpermi2b %2, %1, %0" : "+v"(high) : "v"(t2), "v"(t3));
    _mm512_storeu_si512(y + i, _mm512_mask_blend_epi8(_mm512_movepi8_mask(at), low, high));
  }
#endif
  for (; i < end; ++i) y[i] = table[x[i]];
}

// One pixel, of kCount channels.
template <int kCount, class T>
TERN_INLINE void highest(const MaxPoolLastArgs& a, const pool::Taps<int64_t> (&taps)[3], const T* image, T* y) {
  typedef T Channels __attribute__((vector_size(kCount)));  // of an array of sixteen gcc 12 makes bytes
  Channels most, x;
  __builtin_memset(&most, a.is_signed ? 0x80 : 0, kCount);
  pool::each_place(a.window, taps[0], taps[1], taps[2], [&](int64_t place) TERN_INLINE_CALL {
    __builtin_memcpy(&x, image + place * a.channels, kCount);
    most = x > most ? x : most;
  });
  __builtin_memcpy(y, &most, kCount);
}
template <class T>
void maxima(const MaxPoolLastArgs& a) {
  const PoolWindow<int64_t>& w = a.window;
  for (int64_t row = a.begin; row < a.end; ++row) {
    const T* image = reinterpret_cast<const T*>(a.x) + row / w.out[1] * w.in[1] * w.in[2] * a.channels;
    T* y = reinterpret_cast<T*>(a.y) + row * w.out[2] * a.channels;
    pool::Taps<int64_t> taps[3] = {pool::taps<int64_t>(w, 0, 0), pool::taps(w, 1, row % w.out[1]), {}};
    for (int64_t v = 0; v < w.out[2]; ++v, y += a.channels) {
      taps[2] = pool::taps(w, 2, v);
      int64_t c = 0;
      for (; c + 64 <= a.channels; c += 64) highest<64>(a, taps, image + c, y + c);
      for (; c + 16 <= a.channels; c += 16) highest<16>(a, taps, image + c, y + c);
      for (; c < a.channels; ++c) highest<1>(a, taps, image + c, y + c);
    }
  }
}
void max_pool(const MaxPoolLastArgs& a) {
  if (a.is_signed) maxima<int8_t>(a);
  else maxima<uint8_t>(a);
}

}  // namespace

constinit const KernelRow quantized_pair_i8 = row<QuantizedPair, pair>("quantized_pair/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow quantized_average_i8 = row<QuantizedAverageArgs, average>("quantized_average/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow quantized_mean_i8 = row<QuantizedMeanArgs, mean>("quantized_mean/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow lookup_i8 = row<Lookup8Args, lookup>("lookup/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow max_pool_last_i8 = row<MaxPoolLastArgs, max_pool>("max_pool_last/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
