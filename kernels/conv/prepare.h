// Bringing inputs into the form that the tiles read. Included by *.simd.cpp only. Next: core.simd.cpp.
#pragma once
#include "kernels/conv/halo.h"
#include "kernels/conv/turn.h"

namespace tern::TERN_ISA {
namespace {

// `lanes` channels of n pixels, from planes `channel` floats apart to lanes; the others become zeros.
TERN_INLINE void interleave(const float* x, int64_t channel, int64_t lanes, float* y, int64_t y_col, int64_t n) {
  turn(x, channel, y, y_col, lanes, n);
  if (lanes == 16) return;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = lanes; c < 16; ++c) y[i * y_col + c] = 0;
  }
}

TERN_INLINE void copy_floats(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) store(y + i, load(x + i));
  if (i < n) store_n(y + i, load_n(x + i, n - i), n - i);
}

// First index at or after which begin + i * spread >= 0, and the one from which it is >= limit.
struct Visible {
  int64_t first, last;
};
TERN_INLINE Visible visible(int64_t begin, int64_t spread, int64_t in, int64_t limit) {
  int64_t first = begin >= 0 ? 0 : (-begin + spread - 1) / spread;
  int64_t last = limit - begin <= 0 ? 0 : (limit - begin + spread - 1) / spread;
  if (last > in) last = in;
  return {first, last < first ? first : last};
}

// p.blocks blocks of a group, from `first` on.
[[maybe_unused]] void prepare(const ConvPrepare& p, int64_t image, int64_t group, int64_t first, float* dst) {
  const float* src = p.x + image * p.image + group * p.group;
  const int64_t all = (p.channels + p.lanes - 1) / p.lanes, last = first + p.blocks < all ? first + p.blocks : all, col = p.lanes,
                row = p.padded[2] * col, plane = p.padded[1] * row;
  const int64_t size = p.padded[0] * plane;
  const Visible d = visible(p.begin[0], p.spread[0], p.in[0], p.padded[0]), h = visible(p.begin[1], p.spread[1], p.in[1], p.padded[1]),
                w = visible(p.begin[2], p.spread[2], p.in[2], p.padded[2]);
  const bool dense = w.last - w.first == p.padded[2] && h.last - h.first == p.padded[1] && d.last - d.first == p.padded[0];
  // Of a single plane whose pixels stay neighbours: only what lies around x.
  const bool framed = p.lanes == 16 && p.padded[0] == 1 && d.first < d.last && h.first < h.last && p.spread[1] == 1 && p.spread[2] == 1;
  const ConvHalo frame = {
      p.begin[1] + h.first, p.padded[1] - p.begin[1] - h.last, p.begin[2] + w.first, p.padded[2] - p.begin[2] - w.last, p.padded[1], p.padded[2]};
  for (int64_t b = first; b < last; ++b) {
    float* map = dst + (b - first) * size;
    if (framed) {
      clear_halo(frame, map);
    } else if (!dense) {
      int64_t i = 0;
      for (; i + 16 <= size; i += 16) store(map + i, zero());
      for (; i < size; ++i) map[i] = 0;
    }
    const int64_t lanes = p.channels - b * p.lanes < p.lanes ? p.channels - b * p.lanes : p.lanes;
    for (int64_t z = d.first; z < d.last; ++z) {
      for (int64_t y = h.first; y < h.last; ++y) {
        float* to = map + (p.begin[0] + z * p.spread[0]) * plane + (p.begin[1] + y * p.spread[1]) * row + (p.begin[2] + w.first * p.spread[2]) * col;
        const float* from = src + z * p.step[0] + y * p.step[1] + w.first * p.step[2] + b * p.block;
        const int64_t n = w.last - w.first;
        if (p.lanes == 1 && p.step[2] == 1 && p.spread[2] == 1) {
          copy_floats(from, n, to);
        } else if (p.lanes == 1) {
          for (int64_t i = 0; i < n; ++i) to[i * p.spread[2]] = from[i * p.step[2]];
        } else if (p.blocked && lanes == 16) {
          for (int64_t i = 0; i < n; ++i) store(to + i * p.spread[2] * 16, load(from + i * p.step[2]));
        } else if (p.blocked) {
          for (int64_t i = 0; i < n; ++i) store(to + i * p.spread[2] * 16, load_n(from + i * p.step[2], lanes));
        } else {
          interleave(from, p.channel, lanes, to, p.spread[2] * 16, n);
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
