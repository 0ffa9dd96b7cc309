// Padding that a convolution can do itself. Next: conv.cpp.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Zeros that a Pad puts around the spatial axes of f32 [N, C, spatial], [begin of each, end of each]; nothing when it does anything else.
std::optional<std::vector<int64_t>> zero_padding(const Graph& graph, const Node& pad);

}  // namespace tern
