// See crc32c.h.
#include "loaders/tensorflow/bundle/crc32c.h"

#include <array>
#include <cstring>

#include "runtime/base/cpu_features.h"
#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace tern::tensorflow {
namespace {

// Row k: what a byte does that k more bytes follow.
constexpr auto kRows = [] {
  std::array<std::array<uint32_t, 256>, 8> rows{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ (c & 1 ? 0x82f63b78u : 0u);
    rows[0][i] = c;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t i = 0; i < 256; ++i) rows[k][i] = (rows[k - 1][i] >> 8) ^ rows[0][rows[k - 1][i] & 255];
  }
  return rows;
}();

#ifdef __x86_64__
// The instruction takes this very polynomial. Three cycles for eight bytes, each of which waits for the one before: as fast as memory is.
__attribute__((target("sse4.2"))) uint32_t by_instruction(const std::byte* p, size_t n, uint32_t c) {
  uint64_t wide = c;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  c = static_cast<uint32_t>(wide);
  for (; n > 0; ++p, --n) c = _mm_crc32_u8(c, static_cast<uint8_t>(*p));
  return c;
}
#endif

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc) {
#ifdef __x86_64__
  static const bool has_instruction = best_isa() != Isa::scalar;  // every CPU with AVX2 has SSE 4.2
  if (has_instruction) return ~by_instruction(bytes.data(), bytes.size(), ~crc);
#endif
  return crc32c_by_tables(bytes, crc);
}

uint32_t crc32c_by_tables(std::span<const std::byte> bytes, uint32_t crc) {
  const std::byte* p = bytes.data();
  size_t n = bytes.size();
  uint32_t c = ~crc;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= c;
    c = 0;
    for (size_t k = 0; k < 8; ++k) c ^= kRows[7 - k][word >> (8 * k) & 255];
  }
  for (; n > 0; ++p, --n) c = (c >> 8) ^ kRows[0][(c ^ static_cast<uint32_t>(*p)) & 255];
  return ~c;
}

}  // namespace tern::tensorflow
