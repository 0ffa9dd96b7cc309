// See operator.h.
#include "loaders/torch/ops/operator.h"

namespace tern::torch {

std::span<const Operator> reduce_operators() { return {}; }

}  // namespace tern::torch
