// The place that an index names, and two numbers combined, for the CPU and for a device. Plain C: nvcc includes it. Next: index.h.
#pragma once
#include <stdint.h>

#include "runtime/base/host_device.h"

namespace tern {

// -n..n-1 to 0..n-1, anything outside to the nearest end, and then `fault` becomes 1. No branch on the index. Precondition: n > 0.
TERN_HD static inline int64_t place_index(int64_t i, int64_t n, uint32_t& fault) {
  const int64_t at = i + (i >> 63 & n);
  fault |= static_cast<uint32_t>(static_cast<uint64_t>(at) >= static_cast<uint64_t>(n));
  const int64_t low = at & ~(at >> 63), over = (n - 1 - low) >> 63;  // in bits: a choice may become a branch on the index
  return ((n - 1) & over) | (low & ~over);
}

}  // namespace tern
