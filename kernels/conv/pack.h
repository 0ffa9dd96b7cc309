// Weights in the order in which the tiles read them: constants once a model (conv_bind.cpp), others in every run (core.simd.cpp), the same bytes.
// In an unnamed namespace: each ISA has its own. Next: conv_tile.h.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/turn_four.h"

namespace tern {
namespace {

// What one (group, tile, block of input channels) reads and gives. Row (k, ic) of the pack has n lanes, of which `left` are output channels.
struct PackBlock {
  const float* from;
  const int64_t* tap;
  int64_t taps, ics, n, left;
};

[[maybe_unused]] void pack_lanes(const ConvPack& p, const PackBlock& b, int64_t first, int64_t last, float* packed) {
  for (int64_t k = 0; k < b.taps; ++k) {
    for (int64_t ic = 0; ic < b.ics; ++ic, packed += b.n) {
      const float* from = b.from + ic * p.ic + b.tap[k];
      for (int64_t l = first; l < last; ++l) packed[l] = l < b.left ? from[l * p.oc] : 0.0f;
    }
  }
}

// Where a sweep has every tap of the kernel, a block's weights of an output channel lie side by side, [ic][tap]: four of four channels are turned at once.
constexpr int64_t kMostTapsTurned = 64;
[[maybe_unused]] void pack_whole_kernels(const ConvPack& p, const PackBlock& b, float* packed) {
  int64_t row[kMostTapsTurned];
  for (int64_t k = 0; k < b.taps; ++k) row[b.tap[k]] = k * b.ics * b.n;
  const int64_t whole = (b.n < b.left ? b.n : b.left) / 4 * 4, count = b.ics * b.taps;
  for (int64_t l = 0; l < whole; l += 4) {
    const float* from = b.from + l * p.oc;
    float* to = packed + l;
    int64_t t = 0;
    auto next = [&] {
      float* const at = to + row[t];
      if (++t == b.taps) t = 0, to += b.n;
      return at;
    };
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
      const FourRows rows = turned(load_four_rows(from + i, p.oc));
      store_four(next(), rows.row[0]);
      store_four(next(), rows.row[1]);
      store_four(next(), rows.row[2]);
      store_four(next(), rows.row[3]);
    }
    for (; i < count; ++i) {
      float* const at = next();
      for (int64_t c = 0; c < 4; ++c) at[c] = from[c * p.oc + i];
    }
  }
  pack_lanes(p, b, whole, b.n, packed);
}

// Writes all p.floats(taps) floats of one sweep, whose tap k is tap[k] of the weights.
[[maybe_unused]] void pack_sweep(const ConvPack& p, const int64_t* tap, int64_t taps, float* packed) {
  const int64_t blocks = (p.ocs + kBlock - 1) / kBlock, ics = p.ics, step = ics < kBlock ? 1 : kBlock;
  const bool whole_kernels = taps == p.ic && taps <= kMostTapsTurned;
  for (int64_t g = 0; g < p.groups; ++g) {
    for (int64_t first = 0; first < blocks; first += p.tile_blocks) {
      const int64_t n = (blocks - first < p.tile_blocks ? blocks - first : p.tile_blocks) * kBlock, left = p.ocs - first * kBlock;
      const float* const group = p.w + g * p.group + first * kBlock * p.oc;
      for (int64_t ic0 = 0; ic0 < ics; ic0 += step) {
        const PackBlock b = {group + ic0 * p.ic, tap, taps, ics - ic0 < step ? ics - ic0 : step, n, left};
        if (whole_kernels) pack_whole_kernels(p, b, packed);
        else pack_lanes(p, b, 0, n, packed);
        packed += taps * b.ics * n;
      }
    }
  }
}

}  // namespace
}  // namespace tern
