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
  const T q = static_cast<T>(a / choose(none | minus, T(1), b));
  return choose(none, T(0), choose(minus, wrap_neg(a), q));
}

}  // namespace tern
