// Binding of the recurrent operators: from dims and attributes to args, packed weights and workspace. Next: bind.cpp.
#pragma once
#include <array>

#include "kernels/op.h"
#include "kernels/rnn/rnn.h"

namespace tern {

// f, g, h of each direction, from the attributes activations, activation_alpha and activation_beta. Errors: an unknown name, or
// not as many names as the operator has.
using RnnActivations = std::array<std::array<ActivationSpec, 3>, 2>;
Result<RnnActivations> rnn_activations(const AttrReader& attrs, Cell cell);

Status bind_recurrent(BindContext& c, Cell cell);

}  // namespace tern
