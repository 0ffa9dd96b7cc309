// See operator.h.
#include "loaders/torch/ops/operator.h"

namespace tern::torch {

std::span<const Operator> create_operators() { return {}; }

}  // namespace tern::torch
