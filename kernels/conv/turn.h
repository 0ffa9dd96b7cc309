// Planes of channels become lanes of pixels, and back: rows that become columns. Included by *.simd.cpp only. Next: prepare.h.
#pragma once
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

typedef float Four __attribute__((vector_size(16)));
TERN_INLINE Four load_four(const float* p) {
  Four v;
  __builtin_memcpy(&v, p, 16);
  return v;
}
TERN_INLINE void store_four(float* p, Four v) { __builtin_memcpy(p, &v, 16); }

// Four rows of four: y[c * y_step + r] = x[r * x_step + c]. Written out: gcc keeps loops over so little, and what they hold in memory.
TERN_INLINE void turn_four(const float* x, int64_t x_step, float* y, int64_t y_step) {
  const Four a = load_four(x), b = load_four(x + x_step), c = load_four(x + 2 * x_step), d = load_four(x + 3 * x_step);
  const Four ac = __builtin_shufflevector(a, c, 0, 4, 1, 5), ac2 = __builtin_shufflevector(a, c, 2, 6, 3, 7);
  const Four bd = __builtin_shufflevector(b, d, 0, 4, 1, 5), bd2 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
  store_four(y, __builtin_shufflevector(ac, bd, 0, 4, 1, 5));
  store_four(y + y_step, __builtin_shufflevector(ac, bd, 2, 6, 3, 7));
  store_four(y + 2 * y_step, __builtin_shufflevector(ac2, bd2, 0, 4, 1, 5));
  store_four(y + 3 * y_step, __builtin_shufflevector(ac2, bd2, 2, 6, 3, 7));
}

// Any number of rows and columns, a cache line of sixteen of them at once: planes may lie a power of two apart. The last four overlap those before.
[[maybe_unused]] void turn(const float* x, int64_t x_step, float* y, int64_t y_step, int64_t rows, int64_t cols) {
  if (rows < 4 || cols < 4) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) y[c * y_step + r] = x[r * x_step + c];
    }
    return;
  }
  for (int64_t r0 = 0; r0 < rows; r0 += 16) {
    for (int64_t c0 = 0; c0 < cols; c0 += 16) {
      for (int64_t i = r0; i < rows && i < r0 + 16; i += 4) {
        const int64_t r = i < rows - 4 ? i : rows - 4;
        for (int64_t j = c0; j < cols && j < c0 + 16; j += 4) {
          const int64_t c = j < cols - 4 ? j : cols - 4;
          turn_four(x + r * x_step + c, x_step, y + c * y_step + r, y_step);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
