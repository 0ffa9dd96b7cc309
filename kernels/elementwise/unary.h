// The unary kernels: y[i] = f(x[i]), one function f a row. See elementwise.h.
// Next: unary.simd.cpp (f32 on every ISA), unary_rows.h (the other dtypes), unary_functions.h, unary.cpp (operators), device.h (on a device).
#pragma once
#include <stdint.h>

#include "kernels/rows.h"
#include "runtime/base/host_device.h"

namespace tern {

struct UnaryArgs {
  const void* x;
  void* y;
  int64_t count;
  float alpha, beta;  // of functions that have parameters
};
// kF(x), or kF(x, alpha, beta) of a function with parameters.
template <auto kF, class X>
TERN_HD constexpr auto apply(X x, [[maybe_unused]] float alpha, [[maybe_unused]] float beta) {
  if constexpr (requires { kF(x, alpha, beta); }) return kF(x, alpha, beta);
  else return kF(x);
}

TERN_EACH_ISA(extern const KernelRow abs_f32, acos_f32, asin_f32, atan_f32, ceil_f32, exp_f32, floor_f32, log_f32, neg_f32, reciprocal_f32, round_f32,
              shrink_f32, sign_f32,
              sqrt_f32;)  // unary.simd.cpp
TERN_EACH_ISA(extern const KernelRow celu_f32, elu_f32, erf_f32, gelu_f32, gelu_tanh_f32, hard_sigmoid_f32, hard_swish_f32, leaky_relu_f32, mish_f32,
              relu_f32, selu_f32, sigmoid_f32, softplus_f32, softsign_f32, swish_f32, tanh_f32, thresholded_relu_f32, clip_f32, round_bf16_f32,
              round_f16_f32;)  // activations.simd.cpp
TERN_EACH_ISA(extern const Rows<3> abs_wide, acos_wide, asin_wide, atan_wide, ceil_wide, clip_wide, celu_wide, elu_wide, erf_wide, exp_wide,
              floor_wide, gelu_wide, gelu_tanh_wide, hard_sigmoid_wide, hard_swish_wide, leaky_relu_wide, log_wide, mish_wide, neg_wide,
              reciprocal_wide, relu_wide, round_wide, selu_wide, shrink_wide, sigmoid_wide, sign_wide, softplus_wide, softsign_wide, sqrt_wide,
              swish_wide, tanh_wide, thresholded_relu_wide;
              extern const Rows<4> acosh_any, asinh_any, atanh_any, cos_any, cosh_any, cube_any, is_inf_any, is_nan_any, sin_any, sinh_any,
              tan_any;)  // unary_wide.simd.cpp

// y[i] = x[i] as another dtype; rows go by the dtype of the result.
struct CastArgs {
  const void* x;
  void* y;
  int64_t count;
  DType from;
  char* text;  // [count, bytes of the longest number] when y is text
};
TERN_EACH_ISA(extern const Rows<13> cast_any;)  // cast.simd.cpp

// y = min(max(x, *low), *high), the bounds read at every run; null for none.
struct ClipArgs {
  const void* x;
  void* y;
  int64_t count;
  const void *low, *high;
};

}  // namespace tern
