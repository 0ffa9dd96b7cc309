// The functions of f32 on sixteen lanes that are more than a name of simd_math.h: for a CPU (*.simd.cpp) and for a device (*.cu). Next: map.h.
#pragma once
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

TERN_INLINE f32x16 sign(f32x16 x) {
  const f32x16 one = select(ne(x, zero()), copysign(splat(1.0f), x), zero());
  return select(unordered(x, x), x, one);
}
TERN_INLINE f32x16 shrink(f32x16 x, float lambda, float bias) {
  const f32x16 moved = x - copysign(splat(bias), x);
  return select(le(abs(x), splat(lambda)), zero(), moved);
}
TERN_INLINE f32x16 reciprocal(f32x16 x) { return splat(1.0f) / x; }

TERN_INLINE f32x16 larger(f32x16 a, f32x16 b) { return select(unordered(a, b), a + b, max_raw(a, b)); }
TERN_INLINE f32x16 smaller(f32x16 a, f32x16 b) { return select(unordered(a, b), a + b, min_raw(a, b)); }
TERN_INLINE f32x16 prelu(f32x16 a, f32x16 b) { return select(lt(a, zero()), a * b, a); }

}  // namespace
}  // namespace tern::TERN_ISA
