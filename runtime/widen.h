// widen: what a graph computes in f16 or bf16, it computes in f32. Every operator with f32 rows that takes such elements takes and gives f32 instead,
// between Casts: its inputs are widened, its outputs rounded. What moves, compares or rounds elements stays as it is.
//
// Numerics   every operator of the file rounds what it gives once, as its definition and the frameworks have it; within it nothing is rounded.
// Next: fuse/fuse.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Needs infer_shapes before; leaves the types of new values filled. Subgraphs included. Does nothing to a graph without such elements.
Status widen(Graph& graph);

}  // namespace tern
