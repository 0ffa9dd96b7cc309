// Integer division that cannot trap: x/0 is 0, INT_MIN/-1 is INT_MIN. Next: arithmetic.cpp, mod.cpp.
#pragma once
#include "kernels/choose.h"
#include "kernels/elementwise/portable.h"

namespace tern {

template <class T>
TERN_HD inline T int_div(T a, T b) {
  const bool none = b == 0;
  bool minus = false;
  if constexpr (std::is_signed_v<T>) minus = b == -1;
  T q;  // Floats have vectors for it: a quotient of n bits is further than 2^-n of itself from the whole number beside it, so truncating is exact.
  const T divisor = choose(none | minus, T(1), b);
  if constexpr (sizeof(T) <= 2) q = static_cast<T>(static_cast<int32_t>(static_cast<float>(a) / static_cast<float>(divisor)));
  else if constexpr (std::is_same_v<T, int32_t>) q = static_cast<T>(static_cast<double>(a) / static_cast<double>(divisor));
  else q = static_cast<T>(a / divisor);
  return choose(none, T(0), choose(minus, wrap_neg(a), q));
}

}  // namespace tern
