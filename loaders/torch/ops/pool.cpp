// See operator.h.
#include "loaders/torch/ops/operator.h"

namespace tern::torch {

std::span<const Operator> pool_operators() { return {}; }

}  // namespace tern::torch
