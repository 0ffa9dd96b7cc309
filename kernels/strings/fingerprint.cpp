// See fingerprint.h. Names of variables are those of the papers; numbers without one are the published constants.
#include "kernels/strings/fingerprint.h"

#include <bit>
#include <utility>

namespace tern {
namespace {

constexpr uint64_t k0 = 0xc3a5c85c97cb3127, k1 = 0xb492b66fbe98f273, k2 = 0x9ae16a3b2f90404f;

uint64_t byte(const char* p) { return static_cast<unsigned char>(*p); }
uint64_t word(const char* p, int bytes = 8) {  // little-endian
  uint64_t v = 0;
  for (int i = 0; i < bytes; ++i) v |= byte(p + i) << (8 * i);
  return v;
}
uint64_t shift_mix(uint64_t v) { return v ^ (v >> 47); }

uint64_t mix(uint64_t u, uint64_t v, uint64_t mul) {
  const uint64_t a = shift_mix((u ^ v) * mul);
  return shift_mix((v ^ a) * mul) * mul;
}

uint64_t farm_to_16(const char* s, uint64_t n) {
  const uint64_t mul = k2 + n * 2;
  if (n >= 8) {
    const uint64_t a = word(s) + k2, b = word(s + n - 8);
    return mix(std::rotr(b, 37) * mul + a, (std::rotr(a, 25) + b) * mul, mul);
  }
  if (n >= 4) return mix(n + (word(s, 4) << 3), word(s + n - 4, 4), mul);
  if (n == 0) return k2;
  const uint64_t y = byte(s) + (byte(s + n / 2) << 8), z = n + (byte(s + n - 1) << 2);
  return shift_mix(y * k2 ^ z * k0) * k2;
}

uint64_t farm_to_32(const char* s, uint64_t n) {
  const uint64_t mul = k2 + n * 2;
  const uint64_t a = word(s) * k1, b = word(s + 8), c = word(s + n - 8) * mul, d = word(s + n - 16) * k2;
  return mix(std::rotr(a + b, 43) + std::rotr(c, 30) + d, a + std::rotr(b + k2, 18) + c, mul);
}

uint64_t farm_to_64(const char* s, uint64_t n) {
  const uint64_t mul = k2 + n * 2;
  const uint64_t a = word(s) * k2, b = word(s + 8), c = word(s + n - 8) * mul, d = word(s + n - 16) * k2;
  const uint64_t y = std::rotr(a + b, 43) + std::rotr(c, 30) + d;
  const uint64_t z = mix(y, a + std::rotr(b + k2, 18) + c, mul);
  const uint64_t e = word(s + 16) * mul, f = word(s + 24), g = (y + word(s + n - 32)) * mul, h = (z + word(s + n - 24)) * mul;
  return mix(std::rotr(e + f, 43) + std::rotr(g, 30) + h, e + std::rotr(f + a, 18) + g, mul);
}

struct Pair {
  uint64_t first = 0, second = 0;
};
// 32 bytes into two words.
Pair weak(const char* s, uint64_t a, uint64_t b) {
  const uint64_t w = word(s), x = word(s + 8), y = word(s + 16), z = word(s + 24);
  a += w;
  b = std::rotr(b + a + z, 21);
  const uint64_t c = a;
  a += x + y;
  b += std::rotr(a, 44);
  return {a + z, b + c};
}

// The state of what is longer than 64 bytes, which a block of 64 stirs.
struct Stir {
  uint64_t x, y, z;
  Pair v, w;
  void block(const char* s, uint64_t mul, uint64_t nine) {
    x = std::rotr(x + y + v.first + word(s + 8), 37) * mul;
    y = std::rotr(y + v.second + word(s + 48), 42) * mul;
    x ^= w.second * nine;
    y += v.first * nine + word(s + 40);
    z = std::rotr(z + w.first, 33) * mul;
    v = weak(s, v.second * mul, x + w.first);
    w = weak(s + 32, z + w.second, y + word(s + 16));
    std::swap(z, x);
  }
};

}  // namespace

uint64_t farm_hash(std::string_view text) {
  const char* s = text.data();
  const uint64_t n = text.size();
  if (n <= 16) return farm_to_16(s, n);
  if (n <= 32) return farm_to_32(s, n);
  if (n <= 64) return farm_to_64(s, n);
  constexpr uint64_t kSeed = 81;
  Stir t{kSeed * k2 + word(s), kSeed * k1 + 113, 0, {}, {}};
  t.z = shift_mix(t.y * k2 + 113) * k2;
  const uint64_t rest = (n - 1) & 63, blocks = (n - 1) / 64;
  for (uint64_t i = 0; i < blocks; ++i) t.block(s + 64 * i, k1, 1);
  const uint64_t mul = k1 + ((t.z & 0xff) << 1);
  t.w.first += rest;
  t.v.first += t.w.first;
  t.w.first += t.v.first;
  t.block(s + n - 64, mul, 9);  // the last 64 bytes, some of them again
  return mix(mix(t.v.first, t.w.first, mul) + shift_mix(t.y) * k0 + t.z, mix(t.v.second, t.w.second, mul) + t.x, mul);
}

uint64_t murmur_hash(std::string_view s) {
  constexpr uint64_t m = 0xc6a4a7935bd1e995;
  uint64_t h = 0xDECAFCAFFE ^ (s.size() * m);
  for (; s.size() >= 8; s.remove_prefix(8)) h = (h ^ shift_mix(word(s.data()) * m) * m) * m;
  if (!s.empty()) h = (h ^ word(s.data(), static_cast<int>(s.size()))) * m;
  return shift_mix(shift_mix(h) * m);
}

uint64_t sip_hash(uint64_t key0, uint64_t key1, std::string_view s) {
  uint64_t v0 = key0 ^ 0x736f6d6570736575, v1 = key1 ^ 0x646f72616e646f6d, v2 = key0 ^ 0x6c7967656e657261, v3 = key1 ^ 0x7465646279746573;
  auto rounds = [&](int n) {
    for (int i = 0; i < n; ++i) {
      v0 += v1, v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1, v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  };
  auto compress = [&](uint64_t m) {
    v3 ^= m;
    rounds(2);
    v0 ^= m;
  };
  size_t at = 0;
  for (; at + 8 <= s.size(); at += 8) compress(word(s.data() + at));
  compress(word(s.data() + at, static_cast<int>(s.size() - at)) | static_cast<uint64_t>(s.size()) << 56);
  v2 ^= 0xff;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace tern
