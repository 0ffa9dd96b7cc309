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
  auto sixteen = [&](const uint8_t* pa, const uint8_t* pb, uint8_t* to) __attribute__((always_inline)) {
    const f32x16 va = real(a, pa), vb = real(b, pb);
    store_bytes(to, quantized_lanes(kProduct ? va * vb : va + vb, y.scale, range));
  };
  int64_t i = p.begin;
  for (; i + 16 <= p.end; i += 16) sixteen(p.a + i, p.b + i, p.y + i);
  if (i == p.end) return;
  uint8_t last[3][16] = {};
  for (int64_t k = 0; k < p.end - i; ++k) last[0][k] = p.a[i + k], last[1][k] = p.b[i + k];
  sixteen(last[0], last[1], last[2]);
  for (int64_t k = 0; k < p.end - i; ++k) p.y[i + k] = last[2][k];
}
void pair(const QuantizedPair& p) {
  if (p.product) map_pair<true>(p);
  else map_pair<false>(p);
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
  T most[kCount];
  for (int c = 0; c < kCount; ++c) most[c] = static_cast<T>(a.is_signed ? -128 : 0);
  for (int64_t i = 0; i < a.kernel[0]; ++i) {
    const int64_t row = h + i * a.dilation[0];
    if (row < 0 || row >= a.in[0]) continue;
    for (int64_t j = 0; j < a.kernel[1]; ++j) {
      const int64_t column = v + j * a.dilation[1];
      if (column < 0 || column >= a.in[1]) continue;
      const T* x = image + (row * a.in[1] + column) * a.channels;
      for (int c = 0; c < kCount; ++c) most[c] = x[c] > most[c] ? x[c] : most[c];
    }
  }
  for (int c = 0; c < kCount; ++c) y[c] = most[c];
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
constinit const KernelRow lookup_i8 = row<Lookup8Args, lookup>("lookup/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);
constinit const KernelRow max_pool_last_i8 = row<MaxPoolLastArgs, max_pool>("max_pool_last/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
