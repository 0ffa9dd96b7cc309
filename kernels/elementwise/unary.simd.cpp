// The unary f32 kernel on sixteen lanes.
#include "kernels/elementwise/unary.h"

#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

template <class F>
TERN_INLINE void map(const UnaryArgs& a, F f) {
  const float* x = static_cast<const float*>(a.x);  // [count]
  float* y = static_cast<float*>(a.y);              // [count]
  const int64_t whole = a.count & ~int64_t(15);
  for (int64_t i = 0; i < whole; i += 16) store(y + i, f(load(x + i)));
  if (whole < a.count) store_n(y + whole, f(load_n(x + whole, a.count - whole)), a.count - whole);
}

TERN_INLINE f32x16 sign(f32x16 x) {
  const f32x16 one = select(ne(x, zero()), copysign(splat(1.0f), x), zero());
  return select(unordered(x, x), x, one);
}
TERN_INLINE f32x16 shrink(f32x16 x, float lambda, float bias) {
  const f32x16 moved = x - copysign(splat(bias), x);
  return select(le(abs(x), splat(lambda)), zero(), moved);
}

}  // namespace

void unary_f32(const UnaryArgs& a) {
  switch (a.op) {
    case Unary::activation:
      return with_activation(a.spec.activation, [&]<Activation A> {
        const float alpha = a.spec.alpha, beta = a.spec.beta;
        map(a, [=](f32x16 x) { return activate<A>(x, alpha, beta); });
      });
    case Unary::abs: return map(a, [](f32x16 x) { return abs(x); });
    case Unary::neg: return map(a, [](f32x16 x) { return neg(x); });
    case Unary::sign: return map(a, [](f32x16 x) { return sign(x); });
    case Unary::reciprocal: return map(a, [](f32x16 x) { return splat(1.0f) / x; });
    case Unary::sqrt: return map(a, [](f32x16 x) { return sqrt(x); });
    case Unary::exp: return map(a, [](f32x16 x) { return exp(x); });
    case Unary::log: return map(a, [](f32x16 x) { return log(x); });
    case Unary::floor: return map(a, [](f32x16 x) { return floor(x); });
    case Unary::ceil: return map(a, [](f32x16 x) { return ceil(x); });
    case Unary::round: return map(a, [](f32x16 x) { return round_even(x); });
    case Unary::shrink: return map(a, [&a](f32x16 x) { return shrink(x, a.spec.alpha, a.spec.beta); });
    default: return;  // portable only
  }
}

void clip_f32(const ClipArgs& a) {
  const float low = a.low != nullptr ? *static_cast<const float*>(a.low) : -kInfinity;
  const float high = a.high != nullptr ? *static_cast<const float*>(a.high) : kInfinity;
  map(UnaryArgs{a.x, a.y, a.count, Unary::activation, {}}, [=](f32x16 x) { return clip(x, low, high); });
}

}  // namespace tern::TERN_ISA
