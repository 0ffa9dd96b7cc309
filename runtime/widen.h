// widen: what a graph computes in f16 or bf16, it computes in f32. Every operator with f32 rows that takes such elements takes and gives f32
// instead, with Casts where it meets what stays narrow: inputs, outputs, constants (which folding converts), and operators that ask for the
// element itself: comparisons, rounding to whole numbers, casts, indices. What such an operator reads has been rounded.
//
// Numerics   between widened operators nothing is rounded: an output is rounded once, where the graph gives it. So it is nearer to the exact result
//            than one rounded after every node, has the bits of the same graph in f32 with the same weights, and an overflow is one of f32. A Cast
//            that the file has rounds as it says.
// Next: fuse/fuse.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Needs infer_shapes before; leaves the types of new values filled. Subgraphs included. Does nothing to a graph without such elements.
Status widen(Graph& graph);

}  // namespace tern
