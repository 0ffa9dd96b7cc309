// How every product on a device ends: the start or the end that is beta bias, and the activation. Included by *.cu only. Next: gemm.cu, tensor.cu.
#pragma once
#include "kernels/gemm/launch.h"
#include "kernels/simd_activation.h"

namespace tern::cuda {
namespace {

TERN_INLINE float start_of(const ProductArgs& a, int64_t row, int64_t column) {
  if (a.bias == nullptr) return 0;
  const float c = a.bias[row * a.bias_row + column * a.bias_column];
  return a.beta == 1 ? c : a.beta * c;
}

// The activations that are not applied in registers: on what this thread has just stored, to keep the code small.
TERN_INLINE bool activates_later(const ProductArgs& a) { return a.epilogue.activation > Activation::relu; }
TERN_INLINE void activate_stored(const ProductArgs& a, float* y) { *y = activate(a.epilogue, f32x16{*y}).v; }
TERN_INLINE float relu(float v) { return activate<Activation::relu>(f32x16{v}, 0, 0).v; }

}  // namespace
}  // namespace tern::cuda
