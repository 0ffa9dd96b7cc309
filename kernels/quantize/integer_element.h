// What a CPU and a device share of the integer products: where their operands are, and one sum brought back to 8 bits.
// Next: integer.cpp, integer.cu.
#pragma once
#include <stdint.h>

#include <type_traits>

#include "kernels/choose.h"

namespace tern {

// Where one matrix of a batch begins: elements of x and y, the number of the matrix of w, and the first of its rows' and columns'
// scales and zero points.
struct IntegerBatch {
  int64_t x, w, y, row, column;
};
// A scale or zero point: null for 1 and 0; element `first + i * step` belongs to row or column i.
struct PerIndex {
  const void* data = nullptr;
  int64_t step = 0;
};

TERN_HD inline int32_t zero_at(const PerIndex& p, bool is_signed, int64_t i) {
  if (p.data == nullptr) return 0;
  return is_signed ? static_cast<const int8_t*>(p.data)[i * p.step] : static_cast<const uint8_t*>(p.data)[i * p.step];
}
template <class Q>
TERN_HD inline Q requantized(uint32_t sum, float scale, int32_t zero) {
  // Clamped before it is rounded, so that adding 1.5 * 2^23 rounds to even; a comparison with NaN fails, so that NaN becomes the lowest.
  constexpr int32_t kLow = std::is_signed_v<Q> ? -128 : 0, kHigh = kLow + 255;
  const float low = static_cast<float>(kLow - zero), high = static_cast<float>(kHigh - zero);
  const float v = static_cast<float>(static_cast<int32_t>(sum)) * scale, floored = choose(v > low, v, low),
              bounded = choose(floored < high, floored, high);
  return static_cast<Q>(static_cast<int32_t>((bounded + 0x1.8p23f) - 0x1.8p23f) + zero);
}

}  // namespace tern
