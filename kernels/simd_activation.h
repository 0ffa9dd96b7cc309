// activate<A>(x, alpha, beta): the activations of activation.h on sixteen lanes, errors as of simd_math.h.
// A kernel that applies one hoists the choice out of its loops:
//   with_activation(a.epilogue.activation, [&]<Activation A> { tile<A>(a); });
// Next: elementwise/activations.simd.cpp.
#pragma once
#include "kernels/activation.h"
#include "kernels/simd_math.h"
#include "kernels/simd_round.h"

namespace tern::TERN_ISA {
namespace {

// -inf would meet a factor of zero below; the most negative number gives the limit, -0.
TERN_INLINE f32x16 above_minus_inf(f32x16 x) { return at_least(-kLargest, x); }

// Absolute error <= 1e-6 (largest near x = 4.8, 2 ULP there); no relative accuracy in the negative tail.
TERN_INLINE f32x16 gelu(f32x16 x) {
  const f32x16 h = above_minus_inf(x) * splat(0.5f);
  return h * (splat(1.0f) + erf(x * splat(0.70710678118654752f)));  // no fma: it would lose the sign of -0
}
// Absolute error <= 6e-7 for |x| < 6. (1 + tanh u) / 2 is sigmoid(2u).
TERN_INLINE f32x16 gelu_tanh(f32x16 x) {
  const f32x16 u2 = x * fma(x * x, splat(0.071354816272600253f), splat(1.5957691216057308f));
  return above_minus_inf(x) * sigmoid(u2);
}
// With n = e^2x + 2 e^x: tanh(ln(1 + e^x)) = n / (n + 2).
TERN_INLINE f32x16 mish(f32x16 x) {
  const f32x16 e = exp_in_range(at_least(-88.0f, at_most(20.0f, x)));
  const f32x16 n = e * (e + splat(2.0f));
  return above_minus_inf(x) * (n / (n + splat(2.0f)));
}
TERN_INLINE f32x16 clip(f32x16 x, float low, float high) { return at_most(high, at_least(low, x)); }
TERN_INLINE f32x16 softsign(f32x16 x) {
  const f32x16 finite = clip(x, -kLargest, kLargest);
  return finite / (splat(1.0f) + abs(finite));
}

template <Activation A>
TERN_INLINE f32x16 activate(f32x16 x, [[maybe_unused]] float alpha, [[maybe_unused]] float beta) {
  using enum Activation;
  if constexpr (A == none) return x;
  else if constexpr (A == relu) return at_least(0.0f, x);
  else if constexpr (A == leaky_relu) return select(lt(x, zero()), x * splat(alpha), x);
  else if constexpr (A == thresholded_relu) return select(le(x, splat(alpha)), zero(), x);
  else if constexpr (A == sigmoid) return TERN_ISA::sigmoid(x);
  else if constexpr (A == tanh) return TERN_ISA::tanh(x);
  else if constexpr (A == gelu) return TERN_ISA::gelu(x);
  else if constexpr (A == gelu_tanh) return TERN_ISA::gelu_tanh(x);
  else if constexpr (A == silu) return above_minus_inf(x) * TERN_ISA::sigmoid(x * splat(alpha));
  else if constexpr (A == mish) return TERN_ISA::mish(x);
  else if constexpr (A == hard_sigmoid) return TERN_ISA::clip(fma(x, splat(alpha), splat(beta)), 0.0f, 1.0f);
  else if constexpr (A == hard_swish) return above_minus_inf(x) * TERN_ISA::clip(fma(x, splat(1.0f / 6.0f), splat(0.5f)), 0.0f, 1.0f);
  else if constexpr (A == clip) return TERN_ISA::clip(x, alpha, beta);
  else if constexpr (A == elu) return select(lt(x, zero()), splat(alpha) * expm1_nonpositive(at_most(0.0f, x)), x);
  else if constexpr (A == celu) return select(lt(x, zero()), splat(alpha) * expm1(x / splat(alpha)), x);
  else if constexpr (A == selu) return splat(beta) * select(lt(x, zero()), splat(alpha) * expm1_nonpositive(at_most(0.0f, x)), x);
  else if constexpr (A == softplus) return TERN_ISA::softplus(x);
  else if constexpr (A == softsign) return TERN_ISA::softsign(x);
  else if constexpr (A == erf) return TERN_ISA::erf(x);
  else if constexpr (A == affine) return fma(x, splat(alpha), splat(beta));
  else if constexpr (A == round_f16) return TERN_ISA::clip(TERN_ISA::round_f16(x), alpha, beta);
  else if constexpr (A == round_bf16) return TERN_ISA::clip(TERN_ISA::round_bf16(x), alpha, beta);
  else return splat(alpha) * TERN_ISA::tanh(x * splat(beta));
}

// f.operator()<A>() for the A that is known only at run time.
template <class F>
TERN_INLINE void with_activation(Activation a, F f) {
  using enum Activation;
  switch (a) {
    case none: return f.template operator()<none>();
    case relu: return f.template operator()<relu>();
    case leaky_relu: return f.template operator()<leaky_relu>();
    case thresholded_relu: return f.template operator()<thresholded_relu>();
    case sigmoid: return f.template operator()<sigmoid>();
    case tanh: return f.template operator()<tanh>();
    case gelu: return f.template operator()<gelu>();
    case gelu_tanh: return f.template operator()<gelu_tanh>();
    case silu: return f.template operator()<silu>();
    case mish: return f.template operator()<mish>();
    case hard_sigmoid: return f.template operator()<hard_sigmoid>();
    case hard_swish: return f.template operator()<hard_swish>();
    case clip: return f.template operator()<clip>();
    case elu: return f.template operator()<elu>();
    case celu: return f.template operator()<celu>();
    case selu: return f.template operator()<selu>();
    case softplus: return f.template operator()<softplus>();
    case softsign: return f.template operator()<softsign>();
    case erf: return f.template operator()<erf>();
    case affine: return f.template operator()<affine>();
    case scaled_tanh: return f.template operator()<scaled_tanh>();
#if defined(__CUDACC__)  // no plan of a device has them
    case round_f16:
    case round_bf16: return;
#else
    case round_f16: return f.template operator()<round_f16>();
    case round_bf16: return f.template operator()<round_bf16>();
#endif
  }
}

// The same, for one vector at a time: a predictable jump. Not for inner loops.
#if defined(__CUDACC__)
TERN_INLINE
#else
[[maybe_unused]]
#endif
f32x16 activate(const ActivationSpec& e, f32x16 x) {
  f32x16 y = x;
  with_activation(e.activation, [&]<Activation A> { y = activate<A>(x, e.alpha, e.beta); });
  return y;
}

}  // namespace
}  // namespace tern::TERN_ISA
