// What the kernels of resize.cu read, and the arguments of nearest. nvcc includes it. Next: launch.cpp.
#pragma once
#include <cstddef>

#include "kernels/fast_div.h"
#include "kernels/resize/resize.h"

namespace tern {

class Launches;

// Nearest without extrapolation: bytes by table, axis by axis offsets.
struct NearestArgs {
  const std::byte* x;
  std::byte* y;
  int rank;
  const int64_t* offset[8];  // [n], in bytes
  int64_t n[8];
  int64_t size, begin, end;  // rows of y
  int64_t repeats;           // of each element along a row; 0: as the table says
};

namespace cuda {

constexpr int kResizeBlock = 256;  // threads, one an element of what a launch writes

template <class Div>
struct ResizeUnits {
  const float* x;  // [outer, in, inner]
  float* y;        // [outer, out, inner]
  ResizePass pass;
  Div inner, out;
  typename Div::Int units;
};
// y [outer, out, inner] becomes `value` where is[o].
template <class Div>
struct OutsideUnits {
  float* y;
  const uint8_t* is;
  float value;
  Div inner, out;
  typename Div::Int units;
};
template <class Div>
struct NearestUnits {
  NearestArgs a;
  Div n[8];
  typename Div::Int units;
};

void launch_nearest(const NearestArgs& a, Launches& to);

}  // namespace cuda
}  // namespace tern
