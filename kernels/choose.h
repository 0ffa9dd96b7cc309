// choose(c, yes, no): one of two numbers without a branch, for kernels in plain C++. simd.h has select for vectors.
#pragma once
#include <stdint.h>

#include "runtime/base/host_device.h"

namespace tern {
namespace detail {

template <int kBytes>
struct BitsOf;
template <>
struct BitsOf<1> {
  using Type = uint8_t;
};
template <>
struct BitsOf<2> {
  using Type = uint16_t;
};
template <>
struct BitsOf<4> {
  using Type = uint32_t;
};
template <>
struct BitsOf<8> {
  using Type = uint64_t;
};

}  // namespace detail

// In bits: of `c ? yes : no` a compiler may make a branch on the data.
template <class T>
TERN_HD inline T choose(bool c, T yes, T no) {
  using Bits = typename detail::BitsOf<sizeof(T)>::Type;
  const Bits a = __builtin_bit_cast(Bits, yes), b = __builtin_bit_cast(Bits, no);
  const Bits mask = static_cast<Bits>(Bits(0) - static_cast<Bits>(c));
  return __builtin_bit_cast(T, static_cast<Bits>(b ^ ((a ^ b) & mask)));
}

}  // namespace tern
