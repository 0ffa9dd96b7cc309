// See checksums.h.
#include "loaders/hdf5/checksums.h"

#include <algorithm>
#include <bit>

namespace tern::hdf5 {
namespace {

// The little-endian word of up to four bytes at `at`; bytes beyond the end are 0.
uint32_t word(std::span<const std::byte> b, size_t at) {
  uint32_t w = 0;
  for (size_t i = std::min(at + 4, b.size()); i-- > at;) w = w << 8 | static_cast<uint8_t>(b[i]);
  return w;
}

}  // namespace

uint32_t lookup3(std::span<const std::byte> bytes) {
  uint32_t a = 0xdeadbeef + static_cast<uint32_t>(bytes.size()), b = a, c = a;
  size_t at = 0;
  for (; bytes.size() - at > 12; at += 12) {
    a += word(bytes, at);
    b += word(bytes, at + 4);
    c += word(bytes, at + 8);
    a = (a - c) ^ std::rotl(c, 4), c += b;
    b = (b - a) ^ std::rotl(a, 6), a += c;
    c = (c - b) ^ std::rotl(b, 8), b += a;
    a = (a - c) ^ std::rotl(c, 16), c += b;
    b = (b - a) ^ std::rotl(a, 19), a += c;
    c = (c - b) ^ std::rotl(b, 4), b += a;
  }
  if (at == bytes.size()) return c;
  a += word(bytes, at);
  b += word(bytes, at + 4);
  c += word(bytes, at + 8);
  c = (c ^ b) - std::rotl(b, 14);
  a = (a ^ c) - std::rotl(c, 11);
  b = (b ^ a) - std::rotl(a, 25);
  c = (c ^ b) - std::rotl(b, 16);
  a = (a ^ c) - std::rotl(c, 4);
  b = (b ^ a) - std::rotl(a, 14);
  return (c ^ b) - std::rotl(b, 24);
}

uint32_t fletcher32(std::span<const std::byte> bytes) {
  // With the carry added at the low end, which is modulo 65535 where 65535 stands for 0, as in HDF5: only zeros sum up to 0.
  const auto add = [](uint32_t sum, uint32_t more) { return ((sum + more) & 0xffff) + ((sum + more) >> 16); };
  uint32_t first = 0, second = 0;
  for (size_t at = 0; at < bytes.size(); at += 2) {
    const uint32_t low = at + 1 < bytes.size() ? static_cast<uint8_t>(bytes[at + 1]) : 0;
    first = add(first, static_cast<uint32_t>(bytes[at]) << 8 | low);
    second = add(second, first);
  }
  return second << 16 | first;
}

}  // namespace tern::hdf5
