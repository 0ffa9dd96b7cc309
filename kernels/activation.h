// The activations: what an elementwise operator of that name computes and what Gemm, Conv and the recurrent operators apply to
// their results before storing them. One definition (simd_activation.h), so fused and stand-alone results have the same bits.
// Plain C, so that *.simd.cpp may include it. From names and attributes: activation_attributes.h. Next: simd_activation.h.
#pragma once
#include <stdint.h>

namespace tern {

enum class Activation : uint8_t {
  none,              // x
  relu,              // max(x, 0); NaN passes
  leaky_relu,        // x < 0 ? alpha x : x
  thresholded_relu,  // x > alpha ? x : 0
  sigmoid,           // 1 / (1 + e^-x)
  tanh,
  gelu,          // x/2 (1 + erf(x / sqrt 2))
  gelu_tanh,     // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  silu,          // x sigmoid(alpha x)
  mish,          // x tanh(ln(1 + e^x))
  hard_sigmoid,  // clip(alpha x + beta, 0, 1)
  hard_swish,    // x clip(x/6 + 1/2, 0, 1)
  clip,          // min(max(x, alpha), beta); NaN passes
  elu,           // x < 0 ? alpha (e^x - 1) : x
  celu,          // x < 0 ? alpha (e^(x/alpha) - 1) : x
  selu,          // beta (x < 0 ? alpha (e^x - 1) : x)
  softplus,      // ln(1 + e^x)
  softsign,      // x / (1 + |x|)
  erf,
  affine,       // alpha x + beta
  scaled_tanh,  // alpha tanh(beta x)
  round_f16,    // clip(x rounded to f16, alpha, beta); on the CPU only
  round_bf16,   // the same of bf16
};

// An activation with its parameters: a member of the args of a kernel that applies one.
struct ActivationSpec {
  Activation activation = Activation::none;
  float alpha = 0, beta = 0;
};

}  // namespace tern
