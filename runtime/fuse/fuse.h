// fuse: turns exported spellings back into single nodes: product + bias + activation, conv + batch norm + activation + residual,
// LayerNorm, GELU, softmax attention. Each pattern is one file here and one line in fuse.cpp. Next: runtime/optimize.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Needs infer_shapes and fold_constants before; leaves the types of new values filled. Subgraphs included.
Status fuse(Graph& graph);
// Before it, and before weights that are quantised are folded: products of bytes. Subgraphs included.
void fuse_integers(Graph& graph);

}  // namespace tern
