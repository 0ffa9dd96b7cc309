// See mapped.h.
#include "kernels/quantize/mapped.h"

#include "kernels/quantize/bytes.h"

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
TERN_INLINE QuantizedRange range_of(const Side& s) { return quantized_range(s.zero, s.is_signed ? -128.0f : 0.0f, s.is_signed ? 127.0f : 255.0f); }
TERN_INLINE f32x16 real(const Side& s, const uint8_t* p) { return to_float(load_bytes(p, s.is_signed) - s.zero) * s.scale; }

template <bool kProduct>
void map_pair(const QuantizedPair& p) {
  const Side a = side(p.a_scale, p.a_zero, p.a_signed), b = side(p.b_scale, p.b_zero, p.b_signed), y = side(p.y_scale, p.y_zero, p.y_signed);
  const QuantizedRange range = range_of(y);
  auto sixteen = [&](const uint8_t* pa, f32x16 vb, uint8_t* to) __attribute__((always_inline)) {
    const f32x16 va = real(a, pa);
    store_bytes(to, quantized_lanes(kProduct ? va * vb : va + vb, y.scale, range));
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

// Sixteen channels from `channel` on of pixel `at` of image n, where they do not lie beside each other, or are fewer.
TERN_INLINE void collect(const QuantizedMeanArgs& a, int64_t n, int64_t channel, int64_t at, uint8_t* to) {
  const int64_t pixels = a.rows * a.columns, count = a.channels - channel < 16 ? a.channels - channel : 16;
  const uint8_t* from = a.x + (a.last ? (n * pixels + at) * a.channels + channel : (n * a.channels + channel) * pixels + at);
  for (int64_t k = 0; k < count; ++k) to[k] = from[k * (a.last ? 1 : pixels)];
}
// kBlocks of sixteen channels; kCollect: one, whose lanes are collected. In the order of GlobalAveragePool's sums (pool/pool.h).
template <int kBlocks, bool kCollect>
void mean_of(const QuantizedMeanArgs& a, int64_t n, int64_t channel) {
  const Side x = side(a.x_scale, a.x_zero, a.x_signed), y = side(a.y_scale, a.y_zero, a.y_signed);
  const QuantizedRange range = range_of(y);
  const int64_t pixels = a.rows * a.columns;
  const uint8_t* from = a.x + n * pixels * a.channels + channel;
  uint8_t lanes[16] = {};
  f32x16 total[kBlocks], sum[kBlocks];
  for (f32x16& t : total) t = zero();
  for (int64_t r = 0; r < a.rows; ++r) {
    for (f32x16& s : sum) s = zero();
    for (int64_t i = r * a.columns; i < (r + 1) * a.columns; ++i) {
      if (kCollect) collect(a, n, channel, i, lanes);
      for (int b = 0; b < kBlocks; ++b) sum[b] = sum[b] + real(x, kCollect ? lanes : from + i * a.channels + 16 * b);
    }
    for (int b = 0; b < kBlocks; ++b) total[b] = total[b] + sum[b];
  }
  uint8_t* to = a.y + n * a.channels + channel;
  for (int b = 0; b < kBlocks; ++b) {
    const i32x16 v = quantized_lanes(total[b] / splat(static_cast<float>(pixels)), y.scale, range);
    store_bytes(kCollect ? lanes : to + 16 * b, v);
  }
  const int64_t count = a.channels - channel < 16 ? a.channels - channel : 16;
  for (int64_t k = 0; kCollect && k < count; ++k) to[k] = lanes[k];
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

// The window of one pixel at h, v, of kCount channels.
template <int kCount, class T>
TERN_INLINE void highest(const MaxPoolLastArgs& a, const T* image, int64_t h, int64_t v, T* y) {
  typedef T Channels __attribute__((vector_size(kCount)));  // of an array of sixteen gcc 12 makes bytes
  Channels most, x;
  __builtin_memset(&most, a.is_signed ? 0x80 : 0, kCount);
  for (int64_t i = 0; i < a.kernel[0]; ++i) {
    const int64_t row = h + i * a.dilation[0];
    if (row < 0 || row >= a.in[0]) continue;
    for (int64_t j = 0; j < a.kernel[1]; ++j) {
      const int64_t column = v + j * a.dilation[1];
      if (column < 0 || column >= a.in[1]) continue;
      __builtin_memcpy(&x, image + (row * a.in[1] + column) * a.channels, kCount);
      most = x > most ? x : most;
    }
  }
  __builtin_memcpy(y, &most, kCount);
}
template <class T>
void pool(const MaxPoolLastArgs& a) {
  for (int64_t row = a.begin; row < a.end; ++row) {
    const T* image = reinterpret_cast<const T*>(a.x) + row / a.out[0] * a.in[0] * a.in[1] * a.channels;
    T* y = reinterpret_cast<T*>(a.y) + row * a.out[1] * a.channels;
    const int64_t h = row % a.out[0] * a.stride[0] - a.pad[0];
    for (int64_t v = 0; v < a.out[1]; ++v, y += a.channels) {
      const int64_t at = v * a.stride[1] - a.pad[1];
      int64_t c = 0;
      for (; c + 64 <= a.channels; c += 64) highest<64>(a, image + c, h, at, y + c);
      for (; c + 16 <= a.channels; c += 16) highest<16>(a, image + c, h, at, y + c);
      for (; c < a.channels; ++c) highest<1>(a, image + c, h, at, y + c);
    }
  }
}
void max_pool(const MaxPoolLastArgs& a) {
  if (a.is_signed) pool<int8_t>(a);
  else pool<uint8_t>(a);
}

}  // namespace

constinit const KernelRow quantized_pair_i8 = row<QuantizedPair, pair>("quantized_pair/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow quantized_mean_i8 = row<QuantizedMeanArgs, mean>("quantized_mean/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow lookup_i8 = row<Lookup8Args, lookup>("lookup/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow max_pool_last_i8 = row<MaxPoolLastArgs, max_pool>("max_pool_last/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
