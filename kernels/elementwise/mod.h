// What Mod computes of two elements, on a CPU and on a device. Next: mod.cpp.
#pragma once
#include "kernels/elementwise/int_div.h"
#include "kernels/portable_math.h"

namespace tern::functions {

// The remainder of a / b, exact, by long division of the mantissas: as many steps as the farthest exponents need, whatever a and b are.
TERN_HD inline double remainder(double a, double b) {
  constexpr int kStep = 11, kSteps = 186;
  constexpr uint64_t kOne = uint64_t(1) << 52, kMagnitude = ~uint64_t(0) >> 1, kInfinity = uint64_t(0x7ff) << 52;
  const uint64_t ua = __builtin_bit_cast(uint64_t, a) & kMagnitude, ub = __builtin_bit_cast(uint64_t, b) & kMagnitude;
  // |a| = ma 2^ea in units that are the same for both; a subnormal has the exponent of the smallest normal number
  const int64_t na = ua >= kOne, nb = ub >= kOne;
  const int64_t ea = static_cast<int64_t>(ua >> 52) + 1 - na, eb = static_cast<int64_t>(ub >> 52) + 1 - nb;
  const uint64_t ma = (ua & (kOne - 1)) | (static_cast<uint64_t>(na) << 52);
  uint64_t mb = (ub & (kOne - 1)) | (static_cast<uint64_t>(nb) << 52);
  mb += mb == 0;
  const int64_t distance = ea - eb, below = distance >> 63;  // below: all ones if a has the smaller exponent
  mb <<= below & 1;                                          // a normal b is above ma then: the remainder is a
  const int64_t e = eb + (distance & below);                 // of the remainder
  int64_t left = distance & ~below;
  uint64_t r = ma % mb;
  for (int i = 0; i < kSteps; ++i) {
    const int64_t by = left + ((kStep - left) & ((kStep - left) >> 63));  // min(left, kStep)
    r = (r << by) % mb;
    left -= by;
  }
  // r 2^(e - 1075) as a double, by integers: flush-to-zero has no say
  const uint64_t bits = __builtin_bit_cast(uint64_t, static_cast<double>(static_cast<int64_t>(r)));
  const int64_t field = static_cast<int64_t>(bits >> 52) + e - 1075;
  const uint64_t normal = (bits & (kOne - 1)) | (static_cast<uint64_t>(field) << 52), subnormal = r << ((e - 1) & 63);
  const uint64_t is_normal = uint64_t(0) - uint64_t((field >= 1) & (r != 0)), is_subnormal = uint64_t(0) - uint64_t((field < 1) & (r != 0));
  const uint64_t sign = __builtin_bit_cast(uint64_t, a) & ~kMagnitude;
  const double y = __builtin_bit_cast(double, sign | (normal & is_normal) | (subnormal & is_subnormal));
  const bool undefined = (ua >= kInfinity) | (ub > kInfinity) | (ub == 0);
  return portable::select(undefined, (a * b) / (a * b), portable::select(ub == kInfinity, a, y));
}

// The same of what is no double (24 bits at most, the smallest 2^-149), in arithmetic of doubles, which has vectors: ten quotients below 2^29, the
// nearest whole numbers of them, whose products with b are exact, and so is what is left of a. Where one was rounded up, b is added.
TERN_HD inline double remainder_of_floats(double a, double b) {
  const double divisor = portable::abs(b);
  double r = portable::abs(a);
  for (int step = 9; step >= 0; --step) {
    const double by = divisor * __builtin_bit_cast(double, static_cast<uint64_t>(1023 + 29 * step) << 52);
    const double whole = (r / by + 0x1p52) - 0x1p52;
    r -= whole * by;
    r += portable::select(r < 0, by, 0);
  }
  const uint64_t sign = __builtin_bit_cast(uint64_t, a) & (uint64_t(1) << 63);
  r = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, portable::abs(r)) | sign);
  const bool undefined = !(portable::abs(a) < __builtin_inf()) | (b == 0) | (b != b);
  return portable::select(undefined, (a * b) / (a * b), portable::select(divisor == __builtin_inf(), a, r));
}
template <class T>
TERN_HD double remainder_of(double a, double b) {
  if constexpr (std::is_same_v<T, double>) return remainder(a, b);
  else return remainder_of_floats(a, b);
}
// Python's: with the sign of the divisor; r is a remainder with that of the dividend.
TERN_HD inline double with_sign_of(double b, double r) {
  const double zero = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, b) & (uint64_t(1) << 63));
  return portable::select((r != 0) & ((r < 0) != (b < 0)), r + b, portable::select(r == 0, zero, r));
}

// With the sign of the dividend.
struct Fmod {
  template <class T>
  TERN_HD T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) return narrow<T>(remainder_of<T>(widen(a), widen(b)));
    else return choose(b == 0, T(0), wrap_sub(a, wrap_mul(int_div(a, b), b)));
  }
};
// With the sign of the divisor.
struct Mod {
  template <class T>
  TERN_HD T operator()(T a, T b) const {
    if constexpr (kIsFloat<T>) {
      return narrow<T>(with_sign_of(widen(b), remainder_of<T>(widen(a), widen(b))));
    } else {
      const T r = wrap_sub(a, wrap_mul(int_div(a, b), b));
      return choose(b == 0, T(0), choose((r != 0) & ((r < 0) != (b < 0)), wrap_add(r, b), r));
    }
  }
};

}  // namespace tern::functions
