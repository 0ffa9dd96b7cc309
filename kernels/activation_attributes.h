// Activations as files name them: from an operator name and attributes to an ActivationSpec (activation.h). Next: elementwise/activations.cpp.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "kernels/activation.h"
#include "runtime/base/attributes.h"

namespace tern {

// The activation of an ONNX operator name ("Relu", "LeakyRelu", "Gelu" …, also "Affine" and "ScaledTanh" of the recurrent
// operators, "" and "None" for none) in any case of letters, with the defaults of that operator. Nothing for an unknown name.
std::optional<ActivationSpec> parse_activation(std::string_view name);

// What `fuse` wrote into a fused node: the attributes activation, alpha and beta as they stand, `prefix` before their names; `none` without them.
std::optional<ActivationSpec> fused_activation(const AttrReader& attrs, const std::string& prefix = "");

}  // namespace tern
