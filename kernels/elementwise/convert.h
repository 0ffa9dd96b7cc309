// One element to another dtype. Floats round to nearest even, once; integers wrap; anything but zero is true.
// Float to integer truncates. Out of range ONNX leaves it open; here as NumPy, PyTorch and onnxruntime give it on x86, on every
// machine: 8 and 16 bits keep the low ones of the i32 (-1 is 255 as u8, 300 is 44); a NaN and what i32 (or i64) cannot hold become
// its lowest value; u32 and u64 take what is below 2^31 (2^63) so too, and the rest as that much above. Next: cast.cpp.
#pragma once
#include <cstdint>
#include <type_traits>

#include "kernels/choose.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"

namespace tern {

template <class To, class From>
TERN_HD inline To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, bool>) {
    return widen(x) != 0;
  } else if constexpr (kIsFloat<To>) {
    if constexpr (std::is_same_v<To, float> && std::is_integral_v<From>) return static_cast<float>(x);  // i64: once, not through double
    else return narrow<To>(static_cast<double>(widen(x)));
  } else if constexpr (kIsFloat<From>) {
    using Wide = std::conditional_t<sizeof(To) <= 4, int32_t, int64_t>;
    using F = std::conditional_t<std::is_same_v<From, double>, double, float>;  // in which all of it is exact
    constexpr int kBits = 8 * static_cast<int>(sizeof(Wide));
    constexpr F kHalf = kBits == 32 ? F(0x1p31) : F(0x1p63);
    const F v = static_cast<F>(widen(x));
    const bool top = std::is_unsigned_v<To> && sizeof(To) == sizeof(Wide) && v >= kHalf;
    const F in = v - choose(top, kHalf, F(0));
    const Wide t = static_cast<Wide>(choose((in > -kHalf) & (in < kHalf), in, -kHalf));  // -kHalf converts to the lowest
    return static_cast<To>(static_cast<std::make_unsigned_t<Wide>>(t) ^ (std::make_unsigned_t<Wide>(top) << (kBits - 1)));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace tern
