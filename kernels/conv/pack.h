// Weights in the order in which the tiles read them: constants once a model (conv_bind.cpp), others in every run (core.simd.cpp), the same bytes.
// In an unnamed namespace: each ISA has its own. Next: conv_tile.h.
#pragma once
#include "kernels/conv/conv.h"

namespace tern {
namespace {

// Writes all p.floats(taps) floats of one sweep, whose tap k is tap[k] of the weights.
[[maybe_unused]] void pack_sweep(const ConvPack& p, const int64_t* tap, int64_t taps, float* packed) {
  const int64_t blocks = (p.ocs + kBlock - 1) / kBlock, ics = p.ics, step = ics < kBlock ? 1 : kBlock;
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t first = 0; first < blocks; first += p.tile_blocks) {
      const int64_t n = (blocks - first < p.tile_blocks ? blocks - first : p.tile_blocks) * kBlock, left = p.ocs - first * kBlock;
      const float* const group = p.w + g * p.group + first * kBlock * p.oc;
      for (int64_t ic0 = 0; ic0 < ics; ic0 += step) {
        const int64_t end = ic0 + step < ics ? ic0 + step : ics;
        for (int64_t k = 0; k < taps; ++k) {
          for (int64_t ic = ic0; ic < end; ++ic, packed += n) {
            const float* from = group + ic * p.ic + tap[k];
            for (int64_t l = 0; l < n; ++l) packed[l] = l < left ? from[l * p.oc] : 0.0f;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern
