// See integer_tile.h. The sums are exact, so their order is each ISA's own.
#include "kernels/quantize/integer_tile.h"

#include "kernels/simd.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// Sixteen sums of 32 bits, and pairs of 16-bit numbers for each.
#if defined(__AVX512F__)
struct Sums {
  __m512i v;
};
TERN_INLINE Sums nothing() { return {_mm512_setzero_si512()}; }
TERN_INLINE Sums pairs_at(const int16_t* p) { return {_mm512_loadu_si512(p)}; }
TERN_INLINE Sums all(int32_t pair) { return {_mm512_set1_epi32(pair)}; }
TERN_INLINE Sums add_products(Sums s, Sums x, Sums w) { return {_mm512_add_epi32(s.v, _mm512_madd_epi16(x.v, w.v))}; }
TERN_INLINE void put(uint32_t* p, Sums s) { _mm512_storeu_si512(p, s.v); }
#elif defined(__AVX2__)
struct Sums {
  __m256i lo, hi;
};
TERN_INLINE __m256i load8(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
TERN_INLINE Sums nothing() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
TERN_INLINE Sums pairs_at(const int16_t* p) { return {load8(p), load8(p + 16)}; }
TERN_INLINE Sums all(int32_t pair) { return {_mm256_set1_epi32(pair), _mm256_set1_epi32(pair)}; }
TERN_INLINE Sums add_products(Sums s, Sums x, Sums w) {
  return {_mm256_add_epi32(s.lo, _mm256_madd_epi16(x.lo, w.lo)), _mm256_add_epi32(s.hi, _mm256_madd_epi16(x.hi, w.hi))};
}
TERN_INLINE void put(uint32_t* p, Sums s) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), s.lo);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), s.hi);
}
#else  // plain loops, which compilers turn into what the CPU has
struct Sums {
  int32_t v[16];
};
struct Pairs {
  int16_t v[32];
};
TERN_INLINE Sums nothing() { return {}; }
TERN_INLINE Pairs pairs_at(const int16_t* p) {
  Pairs w;
  for (int i = 0; i < 32; ++i) w.v[i] = p[i];
  return w;
}
TERN_INLINE Pairs all(int32_t pair) {
  Pairs w;
  for (int i = 0; i < 16; ++i) w.v[2 * i] = static_cast<int16_t>(pair), w.v[2 * i + 1] = static_cast<int16_t>(pair >> 16);
  return w;
}
TERN_INLINE Sums add_products(Sums s, Pairs x, Pairs w) {
  for (int i = 0; i < 16; ++i) {
    const int32_t both = x.v[2 * i] * w.v[2 * i] + x.v[2 * i + 1] * w.v[2 * i + 1];
    s.v[i] = static_cast<int32_t>(static_cast<uint32_t>(s.v[i]) + static_cast<uint32_t>(both));
  }
  return s;
}
TERN_INLINE void put(uint32_t* p, Sums s) {
  for (int i = 0; i < 16; ++i) p[i] = static_cast<uint32_t>(s.v[i]);
}
#endif

TERN_INLINE int32_t pair_at(const int16_t* p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, 4);
  return pair;
}

template <int kRows>
void rows_of_tile(const IntegerTile& t, int64_t first) {
  const int16_t *x = t.x + first * t.x_stride, *w = t.w;
  const int64_t stride = t.x_stride;
  Sums s[kRows];
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { s[r.v] = nothing(); });
  for (int64_t p = 0; p < t.pairs; ++p, w += 32, x += 2) {
    const auto columns = pairs_at(w);
    unroll<kRows>([&](auto r) TERN_INLINE_CALL { s[r.v] = add_products(s[r.v], all(pair_at(x + r.v * stride)), columns); });
  }
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { put(t.sum + (first + r.v) * kTileColumns, s[r.v]); });
}

void tile(const IntegerTile& t) {
#if defined(__AVX512F__)
  if (t.rows == 8) return rows_of_tile<8>(t, 0);
#endif
  int64_t r = 0;
  for (; r + 4 <= t.rows; r += 4) rows_of_tile<4>(t, r);
  for (; r < t.rows; ++r) rows_of_tile<1>(t, r);
}

void product(const void* args) { integer_product(args, tile); }

}  // namespace

constinit const KernelRow integer_product_i8 = {"integer_product/i8/" TERN_ISA_NAME, DType::i8, Isa::TERN_ISA, product};

}  // namespace tern::TERN_ISA
