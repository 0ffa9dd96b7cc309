// LSTM, GRU, RNN and their cells. See layers.h.
#include "loaders/torch/nn/layers.h"

namespace tern::torch {

std::span<const Layer> recurrent_layers() { return {}; }

}  // namespace tern::torch
