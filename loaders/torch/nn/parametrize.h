// Weights that torch.nn.utils splits into what was trained: weight_norm and spectral_norm, as hooks leave them (weight_g, weight_v;
// weight_orig, weight_u, weight_v) and as parametrizations do (parametrizations.weight.original0 …), and orthogonal. Folded when the
// graph is made, with the values of eval mode. Next: weights.cpp.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/tensor.h"

namespace tern::torch {

struct Parametrized {
  enum class Kind { weight_norm, spectral_norm, orthogonal } kind;
  std::vector<std::string> names;  // weight_norm: g, v. spectral_norm: weight, u, v (or the weight alone: a vector). orthogonal: weight, perhaps base
};

// How a state_dict holds the weight `name` ("conv.weight"), when it is split; nothing when it is not. `has` says which names there are.
std::optional<Parametrized> parametrized(std::string_view name, const std::function<bool(const std::string&)>& has);

// "conv.parametrizations.weight.original0" of "conv.weight_g", original1 of weight_v: the names of weight_norm before and since it became a
// parametrization. Empty for other names.
std::string parametrized_name(std::string_view name);

// The weight of eval mode, from the dense tensors of these names. `dim` is the hint of spectral_norm (1 for transposed convolutions):
// shapes decide where they can. Errors: shapes that do not fit (invalid), dtypes other than f32 and f64 (unsupported).
Result<Tensor> fold(Parametrized::Kind kind, const std::vector<Tensor>& parts, int dim);

}  // namespace tern::torch
