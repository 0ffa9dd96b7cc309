// See crc32c.h.
#include "loaders/tensorflow/bundle/crc32c.h"

#include <array>
#include <cstring>

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

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc) {
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
