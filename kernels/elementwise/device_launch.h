// Launching along a broadcast nest: host code. Next: launch.cpp.
#pragma once
#include <algorithm>
#include <span>

#include "kernels/elementwise/device.h"
#include "kernels/launch.h"

namespace tern::cuda {

constexpr int64_t kMostElements = kFastDivMost / 2;  // of a chunk

// A part of a nest that 32 bits can index: the axes that it crosses, innermost first, and where it begins, in elements of y and of each operand.
struct Chunk {
  int axes = 0;
  int64_t extent[kMaxAxes], stride[kMaxOperands][kMaxAxes];
  int64_t at = 0, from[kMaxOperands] = {};
};
// Calls f(chunk) for all of them, each of at most `most` elements. Precondition: the nest is whole, as a device's is.
template <class F>
void for_chunks(const RowNest& nest, F f, int64_t most = kMostElements) {
  Chunk all;
  for (all.axes = 1; all.axes <= nest.outer; ++all.axes) {
    const int axis = nest.outer - all.axes;
    all.extent[all.axes] = nest.extent[axis];
    for (int i = 0; i < kMaxOperands; ++i) all.stride[i][all.axes] = nest.stride[i][axis];
  }
  all.extent[0] = nest.inner;
  for (int i = 0; i < kMaxOperands; ++i) all.stride[i][0] = nest.step[i];
  int whole = 0;  // axes that a chunk crosses whole, and their elements
  int64_t elements = 1;
  while (whole < all.axes && all.extent[whole] <= most / elements) elements *= all.extent[whole++];
  if (whole == all.axes) return f(all);
  Chunk part = all;
  part.axes = whole + 1;
  const int64_t per = most / elements, total = nest.end;
  for (int64_t at = 0; at < total;) {
    int64_t rest = at / elements;
    const int64_t index = rest % all.extent[whole];
    part.at = at;
    for (int i = 0; i < kMaxOperands; ++i) part.from[i] = index * all.stride[i][whole];
    part.extent[whole] = std::min(per, all.extent[whole] - index);
    rest /= all.extent[whole];
    for (int axis = whole + 1; axis < all.axes; ++axis, rest /= all.extent[axis - 1]) {
      for (int i = 0; i < kMaxOperands; ++i) part.from[i] += rest % all.extent[axis] * all.stride[i][axis];
    }
    f(part);
    at += part.extent[whole] * elements;
  }
}
DeviceNest device_nest(const Chunk& chunk, bool wide);
// Whether items of kWide elements fit: rows of whole ones (or one row), and operands that move are aligned wherever such an item begins.
struct OperandAt {
  const void* at;  // where it begins in this chunk
  size_t bytes;    // of an element
};
bool can_be_wide(const Chunk& chunk, std::span<const OperandAt> operands, OperandAt y);

inline bool is_aligned(const void* p, size_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }
// Element i of those at p.
inline const void* element(const void* p, int64_t i, size_t bytes) { return static_cast<const std::byte*>(p) + i * static_cast<int64_t>(bytes); }
inline void* element(void* p, int64_t i, size_t bytes) { return static_cast<std::byte*>(p) + i * static_cast<int64_t>(bytes); }

}  // namespace tern::cuda
