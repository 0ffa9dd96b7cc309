// See crc.h. A CRC is the remainder of the bytes, read as a polynomial over bits, by the polynomial P of the kind. The words here have their bits
// reflected: the top one is the coefficient of x^0.
#include "runtime/base/crc.h"

#include <array>
#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace tern {
namespace {

constexpr uint32_t kZip = 0xedb88320u, kCastagnoli = 0x82f63b78u;

constexpr uint32_t times_x(uint32_t c, uint32_t p) { return (c >> 1) ^ (c & 1 ? p : 0u); }

// Row k: what a byte does that k more bytes follow.
using Rows = std::array<std::array<uint32_t, 256>, 8>;
template <uint32_t P>
constexpr Rows kRows = [] {
  Rows rows{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = times_x(c, P);
    rows[0][i] = c;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t i = 0; i < 256; ++i) rows[k][i] = (rows[k - 1][i] >> 8) ^ rows[0][rows[k - 1][i] & 255];
  }
  return rows;
}();

// The remainder of c and n more bytes.
template <uint32_t P>
uint32_t by_tables(const std::byte* p, size_t n, uint32_t c) {
  const Rows& rows = kRows<P>;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= c;
    c = 0;
    for (size_t k = 0; k < 8; ++k) c ^= rows[7 - k][word >> (8 * k) & 255];
  }
  for (; n > 0; ++p, --n) c = (c >> 8) ^ rows[0][(c ^ static_cast<uint32_t>(*p)) & 255];
  return c;
}

#ifdef __x86_64__
constexpr size_t kLanes = 4, kLane = 16, kBlock = kLanes * kLane;

// x^n mod P, for a product of reflected words, which comes out one bit too low.
template <uint32_t P>
constexpr int64_t power(int n) {
  uint32_t c = 0x80000000u;
  for (; n > 0; --n) c = times_x(c, P);
  return static_cast<int64_t>(uint64_t(c) << 1);
}

// By what the two halves of a word are multiplied to fold it over so many bytes.
struct Powers {
  int64_t high, low;
};
template <uint32_t P>
constexpr Powers over(size_t bytes) {
  const int bits = static_cast<int>(8 * bytes);
  return {power<P>(bits - 32), power<P>(bits + 32)};
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i load(const std::byte* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// 16 bytes that leave the same remainder as `lane` followed by as many bits as `by` is made for, the last 128 of them `next`.
__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i lane, __m128i by, __m128i next) {
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(lane, by, 0x00), _mm_clmulepi64_si128(lane, by, 0x11)), next);
}

// Four lanes, each folded over the three others: a product takes four cycles, and one may begin in each. Precondition: n >= kBlock.
template <uint32_t P>
__attribute__((target("pclmul,sse4.1"))) uint32_t by_products(const std::byte* p, size_t n, uint32_t c) {
  constexpr Powers kOverBlock = over<P>(kBlock), kOverLane = over<P>(kLane);
  const __m128i over_block = _mm_set_epi64x(kOverBlock.high, kOverBlock.low);
  const __m128i over_lane = _mm_set_epi64x(kOverLane.high, kOverLane.low);
  __m128i lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = load(p + i * kLane);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(c)));
  for (p += kBlock, n -= kBlock; n >= kBlock; p += kBlock, n -= kBlock) {
    for (size_t i = 0; i < kLanes; ++i) lanes[i] = fold(lanes[i], over_block, load(p + i * kLane));
  }
  for (size_t i = 1; i < kLanes; ++i) lanes[i] = fold(lanes[i - 1], over_lane, lanes[i]);
  std::byte all[kLane];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(all), lanes[kLanes - 1]);
  return by_tables<P>(p, n, by_tables<P>(all, kLane, 0));
}

// The same of vectors of four such words. What the lanes hold at the end leaves the remainder of all that they have read.
// Precondition: n >= kWideBlock.
constexpr size_t kWide = 64, kWideBlock = kLanes * kWide;
template <uint32_t P>
__attribute__((target("avx512f,vpclmulqdq,pclmul,sse4.1"))) uint32_t by_wide_products(const std::byte* p, size_t n, uint32_t c) {
  constexpr Powers kOverBlock = over<P>(kWideBlock);
  constexpr int kXorOfThree = 0x96;
  const __m512i over_block = _mm512_maskz_broadcast_i32x4(0xffff, _mm_set_epi64x(kOverBlock.high, kOverBlock.low));  // gcc 12 warns of the plain one
  __m512i lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = _mm512_loadu_si512(p + i * kWide);
  lanes[0] = _mm512_xor_si512(lanes[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(c))));
  for (p += kWideBlock, n -= kWideBlock; n >= kWideBlock; p += kWideBlock, n -= kWideBlock) {
    for (size_t i = 0; i < kLanes; ++i) {
      const __m512i low = _mm512_clmulepi64_epi128(lanes[i], over_block, 0x00), high = _mm512_clmulepi64_epi128(lanes[i], over_block, 0x11);
      lanes[i] = _mm512_ternarylogic_epi64(low, high, _mm512_loadu_si512(p + i * kWide), kXorOfThree);
    }
  }
  std::byte all[kWideBlock];
  for (size_t i = 0; i < kLanes; ++i) _mm512_storeu_si512(all + i * kWide, lanes[i]);
  c = by_products<P>(all, kWideBlock, 0);
  return n >= kBlock ? by_products<P>(p, n, c) : by_tables<P>(p, n, c);
}
#endif

template <uint32_t P>
uint32_t crc(std::span<const std::byte> bytes, uint32_t before) {
#ifdef __x86_64__
  static const bool products = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  static const bool wide = products && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
  if (wide && bytes.size() >= kWideBlock) return ~by_wide_products<P>(bytes.data(), bytes.size(), ~before);
  if (products && bytes.size() >= kBlock) return ~by_products<P>(bytes.data(), bytes.size(), ~before);
#endif
  return ~by_tables<P>(bytes.data(), bytes.size(), ~before);
}

}  // namespace

uint32_t crc32(std::span<const std::byte> bytes, uint32_t before) { return crc<kZip>(bytes, before); }
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before) { return crc<kCastagnoli>(bytes, before); }
uint32_t crc32_by_tables(std::span<const std::byte> bytes, uint32_t before) { return ~by_tables<kZip>(bytes.data(), bytes.size(), ~before); }
uint32_t crc32c_by_tables(std::span<const std::byte> bytes, uint32_t before) { return ~by_tables<kCastagnoli>(bytes.data(), bytes.size(), ~before); }

}  // namespace tern
