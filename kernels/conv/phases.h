// A convolution as sweeps of plain windows over x, which is never spread out. An ordinary one is a single sweep. A transposed one of stride s writes
// its outputs phase by phase: o = r + s*u for r = 0 … s-1. Between the elements of x that a phase reads no others lie, so that on one axis
//   taps t with (r + t*dilation - begin) mod s == 0:   t = t0 + v * s/gcd(s, dilation),   v = 0, 1, …
//   y[r + s*u] = sum over v of w[t] x[u + v * dilation/gcd - begin'],                     begin' = (begin - r - t0*dilation) / s
// is a convolution of stride 1, taps in the same order. Kernel 2, stride 2 is four 1x1 convolutions: a quarter of the work.
// Next: conv_bind.cpp.
#pragma once
#include <vector>

#include "kernels/conv/conv_bind.h"

namespace tern {

struct Phase {
  Window window;              // over x itself; begin may be negative
  Extent3 first{0, 0, 0};     // of its outputs
  std::vector<int64_t> taps;  // which of the weights' taps, in order
};
struct Phases {
  Extent3 step{1, 1, 1};    // from one output of a phase to the next
  Extent3 spread{1, 1, 1};  // of x: not 1 where there would be too many phases
  std::vector<Phase> all;
};
Phases phases_of(const ConvProblem& p);

}  // namespace tern
