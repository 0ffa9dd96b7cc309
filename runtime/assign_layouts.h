// assign_layouts: which values lie channel-blocked (NCHW16c), with how wide a zero halo. Runs once a session, when every shape is a number.
//   A convolution (or a transposed one), or a pool of 16 channels or more, writes a blocked value when some reader wants one; the halo is as wide as
//   the padding of its readers. Where a reader and a value disagree a Reorder node is inserted, once a value and direction.
//   A Transpose beside a convolution becomes part of it where it can (conv_ends.h), one beside a Reorder part of that (channels_last).
//   What is computed element by element between such values (sums, products with a number a channel, norms, activations) becomes MapBlocks;
//   joining them along the channels, and cutting channels from them, ConcatBlocks. What is joined at a whole block has the halo of
//   the result, and is computed there (plan/join_in_place.cpp). What was joined before, to be joined with more, is joined as it is.
//   A convolution of one tap and the depthwise one that alone reads it become one node where what is between is large (expand_depthwise.h).
//   Everything else (graph inputs and outputs, other operators, views, subgraphs) stays plain. Results keep their bits.
//   What an operator takes and gives it says itself (kernels/layouts.h).
// Next: conv_ends.h, expand_depthwise.h, kernels/layouts.h, kernels/conv/conv.h, kernels/conv/map_blocks.h, plan/plan.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void assign_layouts(Graph& graph);

}  // namespace tern
