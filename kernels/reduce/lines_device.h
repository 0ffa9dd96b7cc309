// What works on lines along one axis, ArgMax, CumSum and TopK: their arguments, for the CPU and for the kernels of lines.cu. nvcc includes it. Next: lines.h.
#pragma once
#include <stdint.h>

#include "runtime/base/half.h"
#include "runtime/base/host_device.h"

namespace tern {

class Launches;

// A tensor seen as [outer, n, inner] along one axis.
struct Lines {
  int64_t n, inner;    // elements of a line, and the distance between them
  int64_t begin, end;  // lines of this part, out of outer * inner
  TERN_HD int64_t first(int64_t line) const { return line / inner * n * inner + line % inner; }
};

struct ArgArgs {
  const void* x;
  int64_t* y;
  Lines lines;
  bool last;
};
struct CumulateArgs {
  const void* x;
  void* y;
  Lines lines;
  bool exclusive, reverse;
};
struct TopKArgs {
  const void* x;
  void* values;
  int64_t* indices;  // either may be null
  void* heap;        // workspace [k] of 8 bytes, or 16 if wide; null on a device
  Lines lines;
  int64_t k;
  bool largest, wide;
};

// A number of any dtype as something that compares.
template <class T>
TERN_HD inline auto comparable(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return to_f32(v);
  else return v;
}

// Whether v at i takes the place of `best` as the extreme element, where i is after best's; the first NaN counts as extreme.
template <class T>
TERN_HD inline bool arg_takes(bool max, bool last, T v, T best) {
  const bool better = (max ? v > best : v < best) | (last & (v == best)) | ((v != v) & ((best == best) | last));
  return better & ((best == best) | (v != v));
}

// The order of TopK: v at i before w at j. NaN counts as the largest; equal elements keep their order.
template <class T>
TERN_HD inline bool top_before(bool largest, T vi, int64_t i, T wj, int64_t j) {
  const T v = largest ? vi : wj, w = largest ? wj : vi;
  const bool v_first = v > w || (v != v && w == w), w_first = w > v || (w != w && v == v);
  return v_first != w_first ? v_first : i < j;
}

namespace cuda {

constexpr int kLinesBlock = 128;       // threads
constexpr int kTopKTile = 128;         // elements that a block compares its own with at a time
constexpr int64_t kTopKSelected = 64;  // lines at least so many times as long as k pick one after another instead of ranking all

struct ArgLaunch {
  ArgArgs a;
  bool max;
};
struct CumulateLaunch {
  CumulateArgs a;
  bool product;
};
struct TopKLaunch {
  TopKArgs a;
  int64_t chunks;  // blocks of a line
};

template <DType kType, bool kMax>
void launch_arg(const ArgArgs& a, Launches& to);
template <DType kType, bool kProduct>
void launch_cumulate(const CumulateArgs& a, Launches& to);
template <DType kType>
void launch_topk(const TopKArgs& a, Launches& to);

}  // namespace cuda
}  // namespace tern
