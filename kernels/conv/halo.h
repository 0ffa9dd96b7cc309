// The zeros around a blocked map: whoever writes a value writes its halo, too. Included by *.simd.cpp only. Next: conv_tile.h.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

[[maybe_unused]] void clear(float* p, int64_t floats) {
  for (int64_t i = 0; i < floats; i += 16) store(p + i, zero());
}

// map: [height][width][16], halo included.
[[maybe_unused]] void clear_halo(const ConvHalo& h, float* map) {
  const int64_t pitch = h.width * 16, last = h.height - h.bottom;
  clear(map, h.top * pitch);
  clear(map + last * pitch, h.bottom * pitch);
  for (int64_t r = h.top; r < last && h.left + h.right != 0; ++r) {
    clear(map + r * pitch, h.left * 16);
    clear(map + (r + 1) * pitch - h.right * 16, h.right * 16);
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
