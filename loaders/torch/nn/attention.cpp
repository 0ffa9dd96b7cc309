// MultiheadAttention. See layers.h.
#include "loaders/torch/nn/layers.h"

namespace tern::torch {

std::span<const Layer> attention_layers() { return {}; }

}  // namespace tern::torch
