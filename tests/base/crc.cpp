// Checksums: known values, by products and by tables. Code: runtime/base/crc.cpp.
#include "runtime/base/crc.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace tern::in_crc {
namespace {

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

std::vector<std::byte> counted(size_t n) {
  std::vector<std::byte> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = static_cast<std::byte>(i * 7 % 251);
  return v;
}

}  // namespace

TEST_CASE("crc32c: the values of RFC 3720 B.4, whole and in pieces") {
  std::string up, down;
  for (int i = 0; i < 32; ++i) up += static_cast<char>(i), down += static_cast<char>(31 - i);
  for (const auto crc : {crc32c, crc32c_by_tables}) {
    CHECK(crc(bytes(std::string(32, '\0')), 0) == 0x8a9136aau);
    CHECK(crc(bytes(std::string(32, '\xff')), 0) == 0x62a8ab43u);
    CHECK(crc(bytes(up), 0) == 0x46dd794eu);
    CHECK(crc(bytes(down), 0) == 0x113fdb5cu);
    CHECK(crc(bytes("123456789"), 0) == 0xe3069283u);
    CHECK(crc({}, 0) == 0);
    for (size_t cut = 0; cut <= 32; ++cut) CHECK(crc(bytes(up).subspan(cut), crc(bytes(up).first(cut), 0)) == 0x46dd794eu);
  }
}

TEST_CASE("crc32: the check value of ZIP's polynomial, and what zlib gives for 5000 bytes and a part of them") {
  const auto all = counted(5000);  // python3: zlib.crc32(bytes(i * 7 % 251 for i in range(5000)))
  for (const auto crc : {crc32, crc32_by_tables}) {
    CHECK(crc(bytes("123456789"), 0) == 0xcbf43926u);
    CHECK(crc(all, 0) == 0x5ab2073bu);
    CHECK(crc(std::span(all).subspan(3, 3000), 0) == 0xe7c47febu);
  }
}

TEST_CASE("crc: products and tables agree, for every length up to three blocks of the widest, wherever bytes lie and whatever came before") {
  const auto all = counted(900);
  int wrong = 0;
  for (size_t n = 0; n <= 800; ++n) {
    for (size_t from : {0, 1, 7, 64}) {
      for (uint32_t before : {0u, 1u, 0x89abcdefu, ~0u}) {
        const auto part = std::span(all).subspan(from, n);
        wrong += crc32(part, before) != crc32_by_tables(part, before);
        wrong += crc32c(part, before) != crc32c_by_tables(part, before);
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace tern::in_crc
