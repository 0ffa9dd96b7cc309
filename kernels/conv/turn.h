// Planes of channels become lanes of pixels, and back: rows that become columns. Included by *.simd.cpp only. Next: prepare.h.
#pragma once
#include "kernels/simd.h"
#include "kernels/turn_four.h"

namespace tern::TERN_ISA {
namespace {

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
