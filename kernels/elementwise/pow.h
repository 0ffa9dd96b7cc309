// Pow: y = a ^ b of two dtypes that may differ, y of the dtype of a. Floats through double (portable_math.h), rounded once;
// integers with integer exponents exactly, wrapping; with float exponents through double, then as convert.h.
// A constant exponent of 2 or 3 is a product: the portable kernel gives the same bits for it. See elementwise.h.
// Next: binary_wide.simd.cpp (floats of one dtype, on a CPU), pow.cpp (others), pow.cu and launch_where.cpp (a device's).
#pragma once
#include "kernels/elementwise/device.h"

namespace tern {

// b >= 0: by squaring, wrapping, through all the bits that b may have; b < 0: 1/a^-b truncated, which is 0 except for a = 1 and -1
// (and 0 for a = 0).
template <class T>
TERN_HD inline T int_pow(T a, int64_t b, int bits) {
  uint64_t r = 1, square = static_cast<uint64_t>(a), e = static_cast<uint64_t>(b);
  for (int i = 0; i < bits; ++i, e >>= 1, square *= square) r *= ((square - 1) & (uint64_t(0) - (e & 1))) + 1;
  const uint64_t parity = uint64_t(1) - ((static_cast<uint64_t>(b) & 1) << 1);  // (-1)^b
  const uint64_t minus_one = uint64_t(std::is_signed_v<T> & (a == static_cast<T>(-1)));
  const uint64_t inverse = uint64_t(a == 1) | (parity & (uint64_t(0) - minus_one));
  const uint64_t negative = uint64_t(0) - uint64_t(b < 0);
  return static_cast<T>((inverse & negative) | (r & ~negative));
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

namespace cuda {

using FloatsAndSignedInts = Types<float, double, f16, bf16, int8_t, int16_t, int32_t, int64_t>;
struct PowLaunch {
  BinaryLaunch binary;
  DType exponent;
};
void launch_pow(const Kernel&, DType dtype, const PowArgs& args, Launches& to);  // the kernel goes by both dtypes
constexpr auto kPow = plain_rows<PowArgs, launch_pow, "elementwise/pow", "pow", "pow">(FloatsAndSignedInts());

}  // namespace cuda
}  // namespace tern
