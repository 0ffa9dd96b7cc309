// The activations of f32 as operators, one row each: what fused ones compute (simd_activation.h); and Clip. Next: activations.cpp.
#include "kernels/elementwise/map.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

template <Activation A>
constexpr KernelRow activation_row(const char* name) {
  return unary_row<[](f32x16 x, float alpha, float beta) { return activate<A>(x, alpha, beta); }>(name);
}

void clip_all(const ClipArgs& a) {
  const float low = a.low != nullptr ? *static_cast<const float*>(a.low) : -kInfinity;
  const float high = a.high != nullptr ? *static_cast<const float*>(a.high) : kInfinity;
  map(a.x, a.y, a.count, [=](f32x16 x) { return clip(x, low, high); });
}

}  // namespace

constinit const KernelRow celu_f32 = activation_row<Activation::celu>("celu/f32/" TERN_ISA_NAME);
constinit const KernelRow elu_f32 = activation_row<Activation::elu>("elu/f32/" TERN_ISA_NAME);
constinit const KernelRow erf_f32 = activation_row<Activation::erf>("erf/f32/" TERN_ISA_NAME);
constinit const KernelRow gelu_f32 = activation_row<Activation::gelu>("gelu/f32/" TERN_ISA_NAME);
constinit const KernelRow gelu_tanh_f32 = activation_row<Activation::gelu_tanh>("gelu_tanh/f32/" TERN_ISA_NAME);
constinit const KernelRow hard_sigmoid_f32 = activation_row<Activation::hard_sigmoid>("hard_sigmoid/f32/" TERN_ISA_NAME);
constinit const KernelRow hard_swish_f32 = activation_row<Activation::hard_swish>("hard_swish/f32/" TERN_ISA_NAME);
constinit const KernelRow leaky_relu_f32 = activation_row<Activation::leaky_relu>("leaky_relu/f32/" TERN_ISA_NAME);
constinit const KernelRow mish_f32 = activation_row<Activation::mish>("mish/f32/" TERN_ISA_NAME);
constinit const KernelRow relu_f32 = activation_row<Activation::relu>("relu/f32/" TERN_ISA_NAME);
constinit const KernelRow round_bf16_f32 = activation_row<Activation::round_bf16>("round_bf16/f32/" TERN_ISA_NAME);
constinit const KernelRow round_f16_f32 = activation_row<Activation::round_f16>("round_f16/f32/" TERN_ISA_NAME);
constinit const KernelRow selu_f32 = activation_row<Activation::selu>("selu/f32/" TERN_ISA_NAME);
constinit const KernelRow sigmoid_f32 = activation_row<Activation::sigmoid>("sigmoid/f32/" TERN_ISA_NAME);
constinit const KernelRow softplus_f32 = activation_row<Activation::softplus>("softplus/f32/" TERN_ISA_NAME);
constinit const KernelRow softsign_f32 = activation_row<Activation::softsign>("softsign/f32/" TERN_ISA_NAME);
constinit const KernelRow swish_f32 = activation_row<Activation::silu>("swish/f32/" TERN_ISA_NAME);
constinit const KernelRow tanh_f32 = activation_row<Activation::tanh>("tanh/f32/" TERN_ISA_NAME);
constinit const KernelRow thresholded_relu_f32 = activation_row<Activation::thresholded_relu>("thresholded_relu/f32/" TERN_ISA_NAME);
constinit const KernelRow clip_f32 = row<ClipArgs, clip_all>("clip/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
