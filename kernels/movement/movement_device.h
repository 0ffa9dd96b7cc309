// Pad (other than constant), Trilu and ReverseSequence on a device: what the kernels of movement.cu read; a thread moves one unit of y.
// Plain C: nvcc includes it. Next: launch.cpp.
#pragma once
#include <cstddef>

#include "kernels/fast_div.h"

namespace tern {

class Launches;

// y[i] = x[fold(i)] along each axis: `before` elements come first, then the `kept` ones of x, then what y has left. Strides in bytes of x; x is at
// the first element that no pad crops.
struct PadAxis {
  int64_t n, before, kept, stride;
};
struct PadArgs {
  enum class Mode : int32_t { reflect, edge, wrap };
  const std::byte* x;
  std::byte* y;
  PadAxis axes[8];
  int32_t rank;
  Mode mode;
  int64_t size;  // bytes of an element
};
// Rows of one matrix; [begin, end) over all rows of all matrices.
struct TriluArgs {
  const std::byte* x;
  std::byte* y;
  int64_t rows, cols, size, begin, end, k;
  bool upper;
};
// x [first, second, run] where first and second are batch and time, in either order.
struct ReverseArgs {
  const std::byte* x;
  const int64_t* lens;
  std::byte* y;
  int64_t batch, time, run;  // bytes
  bool time_first;
  uint32_t* fault;
};

namespace cuda {

constexpr int kMoveBlock = 256;  // threads

template <class Div>
struct PadUnits {
  PadArgs a;
  Div n[8];
  typename Div::Int units;
};
template <class Div>
struct TriluUnits {
  TriluArgs a;
  Div rows, cols;
  typename Div::Int units;
};
template <class Div>
struct ReverseUnits {
  ReverseArgs a;
  Div run, second;  // in units; extents
  typename Div::Int units;
};

void launch_pad(const PadArgs& a, Launches& to);
void launch_trilu(const TriluArgs& a, Launches& to);
void launch_reverse(const ReverseArgs& a, Launches& to);

}  // namespace cuda
}  // namespace tern
