// The unary kernel: y[i] = f(x[i]); the choice of f is made once a run, outside of the loop. See elementwise.h. Next: unary.simd.cpp.
#pragma once
#include <stdint.h>

#include "kernels/activation.h"

namespace tern {

enum class Unary : uint8_t {
  activation,  // UnaryArgs::spec says which
  abs, neg, sign, reciprocal, sqrt, exp, log, floor, ceil, round,
  shrink,  // |x| <= alpha ? 0 : x -+ beta
  sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh,  // portable only
  bit_not, logical_not,
};

struct UnaryArgs {
  const void* x;
  void* y;
  int64_t count;
  Unary op;
  ActivationSpec spec;
};
namespace scalar { void unary_f32(const UnaryArgs&); }
namespace avx2 { void unary_f32(const UnaryArgs&); }
namespace avx512 { void unary_f32(const UnaryArgs&); }

// y = min(max(x, *low), *high), the bounds read at every run; null for none.
struct ClipArgs {
  const void* x;
  void* y;
  int64_t count;
  const void *low, *high;
};
namespace scalar { void clip_f32(const ClipArgs&); }
namespace avx2 { void clip_f32(const ClipArgs&); }
namespace avx512 { void clip_f32(const ClipArgs&); }

}  // namespace tern
