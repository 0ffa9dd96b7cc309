// The arguments of RotaryEmbedding, and how a pair is turned, for the CPU and for a device. nvcc includes it. Next: rotary.cpp, rotary.cu.
#pragma once
#include <stdint.h>

#include "kernels/elementwise/portable.h"
#include "tern/element.h"

namespace tern {

class Launches;

struct RotaryArgs {
  const void *x, *cos, *sin;
  void* y;
  const int64_t* positions;           // [B, S]; null: the caches are [B, S, R/2]
  int64_t S, heads, D, half, cached;  // half: R/2; cached: positions of the caches
  uint32_t* fault;                    // of positions
  int64_t batch, head, place;         // strides of x and y, in elements
  bool interleaved;
  int64_t begin, end;  // of B * S
};

// Pair i of one head: x and y at the head, cos and sin at its position.
template <class T>
TERN_HD inline void turn(bool interleaved, int64_t half, const T* x, T* y, const T* cos, const T* sin, int64_t i) {
  const int64_t apart = interleaved ? 1 : half, at = interleaved ? 2 * i : i;
  const double c = widen(cos[i]), s = widen(sin[i]), x1 = widen(x[at]), x2 = widen(x[at + apart]);
  y[at] = narrow<T>(c * x1 - s * x2);
  y[at + apart] = narrow<T>(s * x1 + c * x2);
}

namespace cuda {
constexpr int kRotaryBlock = 128;  // threads: a pair of one head each, or a feature that is copied
template <DType kType>
void launch_rotary(const RotaryArgs& a, Launches& to);
}  // namespace cuda
}  // namespace tern
