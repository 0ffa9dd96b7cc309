// See subnormals.h.
#include "runtime/base/subnormals.h"

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tern {
namespace {

// Twice a pattern is it without its sign. One less, that of zero is the largest of all, and only those of subnormals are below what the smallest normal
// number has. As signed numbers, which every vector unit compares: less 2^31 (2^63) both. Without branches, in two vectors at a time.
template <class Bits>
[[gnu::always_inline]] inline bool any_below_normal(std::span<const std::byte> elements) {
  typedef Bits Vector __attribute__((vector_size(32)));
  constexpr Bits kLowest = Bits(1) << (8 * sizeof(Bits) - 1);
  constexpr Bits kNormal = (Bits(2) << (sizeof(Bits) == 4 ? 23 : 52)) - 1;
  using Signed = std::make_signed_t<Bits>;
  typedef Signed SignedVector __attribute__((vector_size(32)));
  constexpr auto kBound = static_cast<Signed>(kNormal + kLowest);
  SignedVector marks[2] = {};
  const std::byte* p = elements.data();
  size_t n = elements.size();
  for (; n >= 2 * sizeof(Vector); p += 2 * sizeof(Vector), n -= 2 * sizeof(Vector)) {
    Vector first, second;
    std::memcpy(&first, p, sizeof first);
    std::memcpy(&second, p + sizeof first, sizeof second);
    marks[0] |= reinterpret_cast<SignedVector>(first + first + (kLowest - 1)) < kBound;
    marks[1] |= reinterpret_cast<SignedVector>(second + second + (kLowest - 1)) < kBound;
  }
  bool any = false;
  for (; n >= sizeof(Bits); p += sizeof(Bits), n -= sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, p, sizeof bits);
    any |= static_cast<Bits>(bits + bits - 1) < kNormal;
  }
  marks[0] |= marks[1];
  for (size_t i = 0; i < sizeof(Vector) / sizeof(Bits); ++i) any |= marks[0][i] != 0;
  return any;
}

#ifdef __x86_64__
[[gnu::target("avx2")]] bool avx2_f32(std::span<const std::byte> elements) { return any_below_normal<uint32_t>(elements); }
[[gnu::target("avx2")]] bool avx2_f64(std::span<const std::byte> elements) { return any_below_normal<uint64_t>(elements); }
#endif

}  // namespace

bool any_subnormal(DType dtype, std::span<const std::byte> elements) {
#ifdef __x86_64__
  static const bool avx2 = __builtin_cpu_supports("avx2");
  if (avx2 && dtype == DType::f32) return avx2_f32(elements);
  if (avx2 && dtype == DType::f64) return avx2_f64(elements);
#endif
  if (dtype == DType::f32) return any_below_normal<uint32_t>(elements);
  if (dtype == DType::f64) return any_below_normal<uint64_t>(elements);
  return false;
}

}  // namespace tern
