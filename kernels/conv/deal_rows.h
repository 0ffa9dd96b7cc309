// The kernels' side of dealt_rows.h. Included by *.simd.cpp only. Next: pool/plain.simd.cpp, depthwise.simd.cpp.
#pragma once
#include "kernels/conv/dealt_rows.h"
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

// Elements j of a run: x[j * kStride + offset] where that is inside the row, `padding` elsewhere.
template <int kStride, class T, class W, class Widen>
TERN_INLINE void deal_run(const T* x, W* __restrict run, const DealtRows& d, int64_t offset, W padding, Widen widen) {
  const int64_t stride = kStride == 0 ? d.stride : kStride;
  auto places_below = [&](int64_t element) {  // of the run, whose elements of x lie before `element`
    const int64_t n = element <= offset ? 0 : (element - offset + stride - 1) / stride;
    return n < d.run ? n : d.run;
  };
  const int64_t first = places_below(0), last = places_below(d.in);
  for (int64_t j = 0; j < first; ++j) run[j] = padding;
  for (int64_t j = first; j < last; ++j) run[j] = widen(x[j * stride + offset]);
  for (int64_t j = last; j < d.run; ++j) run[j] = padding;
}
template <class T, class W, class Widen>
[[gnu::noinline]] void deal_row(const T* x, W* row, const DealtRows& d, W padding, Widen widen) {
  for (int64_t r = 0; r < d.runs; ++r) {
    if (d.stride == 1) deal_run<1>(x, row + r * d.run, d, r - d.begin, padding, widen);
    else if (d.stride == 2) deal_run<2>(x, row + r * d.run, d, r - d.begin, padding, widen);
    else deal_run<0>(x, row + r * d.run, d, r - d.begin, padding, widen);
  }
}

// Nothing is held: before another map.
TERN_INLINE void forget_rows(const DealtRows& d) {
  for (int64_t i = 0; i < d.slots[0] * d.slots[1]; ++i) d.held[i] = -1;
}

// Row `number` of the map x, which is row z, h, as windows read it. It stays while other rows have other slots.
template <class T, class W, class Widen>
TERN_INLINE const W* dealt_row(const DealtRows& d, const T* x, int64_t number, int64_t z, int64_t h, W padding, Widen widen) {
  const int64_t slot = (z & (d.slots[0] - 1)) * d.slots[1] + (h & (d.slots[1] - 1));
  W* row = static_cast<W*>(d.rows) + slot * d.runs * d.run;
  if (d.held[slot] != number) {
    deal_row(x + number * d.in, row, d, padding, widen);
    d.held[slot] = number;
  }
  return row;
}

// Adds the taps of a row to the list at `taps`; returns how many there are.
template <class W>
TERN_INLINE int64_t list_taps(const DealtRows& d, const W* row, const void** taps) {
  for (int64_t k = 0; k < d.kernel; ++k) taps[k] = row + d.offsets[k];
  return d.kernel;
}

}  // namespace
}  // namespace tern::TERN_ISA
