// expand_depthwise: a convolution of one tap whose blocked result only a depthwise convolution reads becomes one node with it, where the map between
// them is large, and better gone through band by band (kernels/conv/expand_depthwise.h). The last part of assign_layouts. Results keep their bits.
// Next: kernels/conv/expand_depthwise.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Tuned on Sapphire Rapids, 2 MB of second cache: smaller maps gain or lose up to 3 %, those of 112 and 56 columns gain 10 to 24.
constexpr int64_t kLeastExpanded = 384 << 10;  // bytes of the map between, of one image

// Tests join smaller ones.
void join_expand_depthwise(Graph& graph, int64_t least_bytes = kLeastExpanded);

}  // namespace tern
