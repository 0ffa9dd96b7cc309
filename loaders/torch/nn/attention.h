// What the Transformer's layers share with MultiheadAttention. Next: attention.cpp.
#pragma once
#include "loaders/torch/nn/layers.h"

namespace tern::torch {

// An input of the model whose type nobody told is what this attention, at this path, reads: [batch, steps, embed], or with the steps first.
void tell_sequence(Network& network, const Module& attention, const std::string& path, const IValue& value);

}  // namespace tern::torch
