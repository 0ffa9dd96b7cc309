// The activations, and Clip. See device.h, device.cuh. Next: trigonometry.cu.
#include <limits>

#include "kernels/elementwise/device.cuh"
#include "kernels/simd_activation.h"

namespace tern::cuda {
namespace {

template <Activation A>
TERN_INLINE void activation(const UnaryLaunch& a) {
  unary_lanes(a, [](f32x16 x, float alpha, float beta) { return activate<A>(x, alpha, beta); });
}

template <class T>
constexpr T kLowest = std::numeric_limits<T>::lowest();
template <class T>
constexpr T kHighest = std::numeric_limits<T>::max();
template <class T>
TERN_INLINE auto bound(const void* p, decltype(widen(T())) otherwise) {
  return p != nullptr ? widen(*static_cast<const T*>(p)) : otherwise;
}
TERN_INLINE void clip_lanes(const ClipLaunch& a) {
  const float low = a.of.low != nullptr ? *static_cast<const float*>(a.of.low) : -kInfinity;
  const float high = a.of.high != nullptr ? *static_cast<const float*>(a.of.high) : kInfinity;
  on_lanes(a.of.x, a.of.y, a.of.count, a.wide, [=](f32x16 x) { return flushed(clip(x, low, high)); });
}
TERN_INLINE void clip_elements(const ClipLaunch& a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= a.of.count) return;
  with_type(a.dtype, OtherFloats(), [&]<class T>() {
    const double low = bound<T>(a.of.low, -__builtin_inf()), high = bound<T>(a.of.high, __builtin_inf());
    element<T>(a.of.y, i) = narrow<T>(portable::clamp(widen(element<T>(a.of.x, i)), low, high));
  });
  with_type(a.dtype, Ints(), [&]<class T>() {
    const T low = bound<T>(a.of.low, kLowest<T>), high = bound<T>(a.of.high, kHighest<T>);
    T v = element<T>(a.of.x, i);
    v = v < low ? low : v;
    element<T>(a.of.y, i) = v > high ? high : v;
  });
}

}  // namespace

extern "C" {
__global__ void celu_f32(const UnaryLaunch a) { activation<Activation::celu>(a); }
__global__ void celu_any(const UnaryLaunch a) { unary_any<functions::celu>(a); }
__global__ void elu_f32(const UnaryLaunch a) { activation<Activation::elu>(a); }
__global__ void elu_any(const UnaryLaunch a) { unary_any<functions::elu>(a); }
__global__ void erf_f32(const UnaryLaunch a) { activation<Activation::erf>(a); }
__global__ void erf_any(const UnaryLaunch a) { unary_any<portable::erf>(a); }
__global__ void gelu_f32(const UnaryLaunch a) { activation<Activation::gelu>(a); }
__global__ void gelu_any(const UnaryLaunch a) { unary_any<functions::gelu>(a); }
__global__ void gelu_tanh_f32(const UnaryLaunch a) { activation<Activation::gelu_tanh>(a); }
__global__ void gelu_tanh_any(const UnaryLaunch a) { unary_any<functions::gelu_tanh>(a); }
__global__ void hard_sigmoid_f32(const UnaryLaunch a) { activation<Activation::hard_sigmoid>(a); }
__global__ void hard_sigmoid_any(const UnaryLaunch a) { unary_any<functions::hard_sigmoid>(a); }
__global__ void hard_swish_f32(const UnaryLaunch a) { activation<Activation::hard_swish>(a); }
__global__ void hard_swish_any(const UnaryLaunch a) { unary_any<functions::hard_swish>(a); }
__global__ void leaky_relu_f32(const UnaryLaunch a) { activation<Activation::leaky_relu>(a); }
__global__ void leaky_relu_any(const UnaryLaunch a) { unary_any<functions::leaky_relu>(a); }
__global__ void mish_f32(const UnaryLaunch a) { activation<Activation::mish>(a); }
__global__ void mish_any(const UnaryLaunch a) { unary_any<functions::mish>(a); }
__global__ void relu_f32(const UnaryLaunch a) {
  unary_lanes(a, [](f32x16 x) { return flushed(activate<Activation::relu>(x, 0, 0)); });
}
__global__ void relu_any(const UnaryLaunch a) { unary_any<functions::Relu{}, SignedInts>(a); }
__global__ void selu_f32(const UnaryLaunch a) { activation<Activation::selu>(a); }
__global__ void selu_any(const UnaryLaunch a) { unary_any<functions::selu>(a); }
__global__ void sigmoid_f32(const UnaryLaunch a) { activation<Activation::sigmoid>(a); }
__global__ void sigmoid_any(const UnaryLaunch a) { unary_any<portable::sigmoid>(a); }
__global__ void softplus_f32(const UnaryLaunch a) { activation<Activation::softplus>(a); }
__global__ void softplus_any(const UnaryLaunch a) { unary_any<portable::softplus>(a); }
__global__ void softsign_f32(const UnaryLaunch a) { activation<Activation::softsign>(a); }
__global__ void softsign_any(const UnaryLaunch a) { unary_any<functions::softsign>(a); }
__global__ void swish_f32(const UnaryLaunch a) { activation<Activation::silu>(a); }
__global__ void swish_any(const UnaryLaunch a) { unary_any<functions::swish>(a); }
__global__ void tanh_f32(const UnaryLaunch a) { activation<Activation::tanh>(a); }
__global__ void tanh_any(const UnaryLaunch a) { unary_any<portable::tanh>(a); }
__global__ void thresholded_relu_f32(const UnaryLaunch a) { activation<Activation::thresholded_relu>(a); }
__global__ void thresholded_relu_any(const UnaryLaunch a) { unary_any<functions::thresholded_relu>(a); }
__global__ void clip_f32(const ClipLaunch a) { clip_lanes(a); }
__global__ void clip_any(const ClipLaunch a) { clip_elements(a); }
}

}  // namespace tern::cuda
