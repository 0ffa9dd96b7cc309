// One element to another dtype. Floats round to nearest even, once; float to integer truncates and saturates, NaN gives 0;
// integers wrap; anything but zero is true. Next: cast.cpp.
#pragma once
#include <limits>

#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"

namespace tern {

template <class To, class From>
inline To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, bool>) {
    return widen(x) != 0;
  } else if constexpr (kIsFloat<To>) {
    if constexpr (std::is_same_v<To, float> && std::is_integral_v<From>) return static_cast<float>(x);  // i64: once, not through double
    else return narrow<To>(static_cast<double>(widen(x)));
  } else if constexpr (kIsFloat<From>) {
    const double v = widen(x);
    // The bounds as doubles: the lowest is exact; above the largest (rounded up to 2^n for 64 bits) saturates.
    constexpr double kLow = static_cast<double>(std::numeric_limits<To>::lowest()), kHigh = static_cast<double>(std::numeric_limits<To>::max());
    const bool low = v <= kLow, high = v >= kHigh, inside = (v > kLow) & (v < kHigh);
    const double in = portable::select(inside, v, 0);
    uint64_t t;
    if constexpr (std::is_same_v<To, uint64_t>) {  // the language's conversion branches on the top bit
      const bool top = in >= 0x1p63;
      t = static_cast<uint64_t>(static_cast<int64_t>(in - portable::select(top, 0x1p63, 0))) ^ (uint64_t(top) << 63);
    } else {
      t = static_cast<uint64_t>(static_cast<int64_t>(in));
    }
    const uint64_t is_low = uint64_t(0) - uint64_t(low), is_high = uint64_t(0) - uint64_t(high);
    t |= static_cast<uint64_t>(std::numeric_limits<To>::lowest()) & is_low;  // t is 0 outside
    return static_cast<To>(t | (static_cast<uint64_t>(std::numeric_limits<To>::max()) & is_high));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace tern
