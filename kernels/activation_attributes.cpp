// See activation_attributes.h.
#include "kernels/activation_attributes.h"

#include <limits>

namespace tern {
namespace {

struct Entry {
  const char* name;
  ActivationSpec epilogue;
};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Entry kEntries[] = {
    {"", {Activation::none, 0, 0}},
    {"None", {Activation::none, 0, 0}},
    {"Affine", {Activation::affine, 1, 0}},
    {"Celu", {Activation::celu, 1, 0}},
    {"Clip", {Activation::clip, -kInfinity, kInfinity}},
    {"Elu", {Activation::elu, 1, 0}},
    {"Erf", {Activation::erf, 0, 0}},
    {"Gelu", {Activation::gelu, 0, 0}},
    {"HardSigmoid", {Activation::hard_sigmoid, 0.2f, 0.5f}},
    {"HardSwish", {Activation::hard_swish, 0, 0}},
    {"LeakyRelu", {Activation::leaky_relu, 0.01f, 0}},
    {"Mish", {Activation::mish, 0, 0}},
    {"Relu", {Activation::relu, 0, 0}},
    {"RoundBF16", {Activation::round_bf16, -kInfinity, kInfinity}},
    {"RoundF16", {Activation::round_f16, -kInfinity, kInfinity}},
    {"ScaledTanh", {Activation::scaled_tanh, 1, 1}},
    {"Selu", {Activation::selu, 1.67326319217681884765625f, 1.05070102214813232421875f}},
    {"Sigmoid", {Activation::sigmoid, 0, 0}},
    {"Silu", {Activation::silu, 1, 0}},
    {"Softplus", {Activation::softplus, 0, 0}},
    {"Softsign", {Activation::softsign, 0, 0}},
    {"Swish", {Activation::silu, 1, 0}},
    {"Tanh", {Activation::tanh, 0, 0}},
    {"ThresholdedRelu", {Activation::thresholded_relu, 1, 0}},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<ActivationSpec> parse_activation(std::string_view name) {
  for (const Entry& e : kEntries) {
    if (same_letters(name, e.name)) return e.epilogue;
  }
  return std::nullopt;
}

std::optional<ActivationSpec> fused_activation(const AttrReader& attrs, const std::string& prefix) {
  const std::string activation = prefix + "activation", alpha = prefix + "alpha", beta = prefix + "beta";
  if (!attrs.lists(activation)) return ActivationSpec{};
  std::optional<ActivationSpec> e = parse_activation(attrs.s(activation));
  if (!e || e->activation == Activation::none) return e;
  if (attrs.has(alpha)) e->alpha = attrs.f(alpha);
  if (attrs.has(beta)) e->beta = attrs.f(beta);
  return e;
}

}  // namespace tern
