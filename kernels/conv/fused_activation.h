// The activation that `fuse` wrote into a FusedConv: attributes activation (the name of an ONNX operator, "" for none), alpha, beta.
// Next: conv_bind.cpp.
#pragma once
#include <optional>

#include "kernels/activation.h"
#include "runtime/base/attributes.h"

namespace tern {

struct ConvActivation {
  Activation activation;
  float alpha, beta;
};

// Nothing for an unknown name. Clip: alpha and beta are the bounds.
inline std::optional<ConvActivation> conv_activation(const Attributes& attrs) {
  struct Known {
    const char* name;
    Activation activation;
    float alpha, beta;
  };
  using enum Activation;
  constexpr float kSelu[] = {1.67326319217681884765625f, 1.05070102214813232421875f};
  constexpr Known kKnown[] = {
      {"", none, 0, 0},           {"Relu", relu, 0, 0},          {"LeakyRelu", leaky_relu, 0.01f, 0}, {"Sigmoid", sigmoid, 0, 0},
      {"Tanh", tanh, 0, 0},       {"Gelu", gelu, 0, 0},          {"Mish", mish, 0, 0},                {"HardSigmoid", hard_sigmoid, 0.2f, 0.5f},
      {"HardSwish", hard_swish, 0, 0}, {"Clip", clip, 0, 0},     {"Elu", elu, 1, 0},                  {"Celu", celu, 1, 0},
      {"Selu", selu, kSelu[0], kSelu[1]}, {"Softplus", softplus, 0, 0}, {"Softsign", softsign, 0, 0}, {"Swish", silu, 1, 0},
      {"ThresholdedRelu", thresholded_relu, 1, 0}, {"Erf", erf, 0, 0}};
  const std::string name = attrs.s("activation");
  for (const Known& k : kKnown) {
    if (name == k.name) return ConvActivation{k.activation, attrs.f("alpha", k.alpha), attrs.f("beta", k.beta)};
  }
  return std::nullopt;
}

}  // namespace tern
