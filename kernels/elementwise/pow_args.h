// What Pow computes of two integers, and the arguments of its kernels, on a CPU and on a device. Next: pow.simd.cpp.
#pragma once
#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/portable.h"

namespace tern {

// a^b of whole numbers: for b >= 0 r, which is that modulo 2^64; b < 0: 1/a^-b truncated, which is 0 except for a = 1 and -1 (and 0 for a = 0).
template <class T>
TERN_HD inline T signed_power(T a, int64_t b, uint64_t r) {
  const uint64_t parity = uint64_t(1) - ((static_cast<uint64_t>(b) & 1) << 1);  // (-1)^b
  const uint64_t minus_one = uint64_t(std::is_signed_v<T> & (a == static_cast<T>(-1)));
  const uint64_t inverse = uint64_t(a == 1) | (parity & (uint64_t(0) - minus_one));
  const uint64_t negative = uint64_t(0) - uint64_t(b < 0);
  return static_cast<T>((inverse & negative) | (r & ~negative));
}
// By squaring, wrapping, through all 64 bits of b.
template <class T>
TERN_HD inline T int_pow(T a, int64_t b) {
  uint64_t r = 1, square = static_cast<uint64_t>(a), e = static_cast<uint64_t>(b);
  for (int i = 0; i < 64; ++i, e >>= 1, square *= square) r *= ((square - 1) & (uint64_t(0) - (e & 1))) + 1;
  return signed_power(a, b, r);
}

// An exponent of 64 bits without a sign; above the largest: the largest.
TERN_HD inline int64_t whole_exponent(uint64_t b) {
  const auto e = static_cast<int64_t>(b);
  return (e | (e >> 63)) & INT64_MAX;
}

struct PowArgs {
  BinaryArgs binary;
  DType exponent;
};
TERN_EACH_ISA(extern const Rows<4> pow_floats, pow_ints;)  // pow.simd.cpp: bases, and exponents of any dtype; of integers

}  // namespace tern
