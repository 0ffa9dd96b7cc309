// What a scatter makes of an element and an update, for the CPU and for a device. nvcc includes it. Next: scatter.cpp, scatter.cu.
#pragma once
#include <stdint.h>

#include <type_traits>

#include "kernels/choose.h"
#include "runtime/base/host_device.h"

namespace tern {

enum class Reduction : int32_t { none, add, mul, min, max };

// Integers wrap; NaN propagates.
template <class T>
TERN_HD inline T combine(Reduction reduction, T a, T b) {
  constexpr bool kInteger = std::is_integral_v<T>;
  switch (reduction) {
    case Reduction::add:
      if constexpr (kInteger) return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
      else return a + b;
    case Reduction::mul:
      if constexpr (kInteger) return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
      else return a * b;
    case Reduction::min: return choose((a != a) | (a < b), a, b);
    case Reduction::max: return choose((a != a) | (a > b), a, b);
    case Reduction::none: break;
  }
  return b;
}

}  // namespace tern
