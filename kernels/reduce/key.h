// Numbers as integers in whose order they are compared: searches and sorts by them need no case for NaN. Next: arg.simd.cpp, topk.cpp.
#pragma once
#include <type_traits>

#include "kernels/choose.h"
#include "kernels/reduce/lines_device.h"

namespace tern {

// An integer that is larger the more extreme v is. Zeros of both signs are one, and so are the subnormals that the mode flushes; a NaN is above all.
template <bool kMax, class K, class T>
TERN_HD inline K key_of(T v) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr int kTop = 8 * sizeof(K) - 1;
    constexpr K kMost = static_cast<K>(~(uint64_t(1) << 63) >> (63 - kTop));
    const K u = __builtin_bit_cast(K, v + T(0)), ordered = u ^ ((K(0) - K(u < 0)) & kMost);
    const bool is_nan = (u & kMost) > __builtin_bit_cast(K, T(__builtin_inff()));  // of v != v compilers make a branch
    return choose(is_nan, kMost, kMax ? ordered : ~ordered);
  } else {
    constexpr K kFlip = T(-1) > T(0) && sizeof(T) == sizeof(K) ? static_cast<K>(uint64_t(1) << (8 * sizeof(K) - 1)) : K(0);
    const K u = static_cast<K>(v) ^ kFlip;
    return kMax ? u : ~u;
  }
}

}  // namespace tern
