// fold_constants: computes now what does not depend on inputs, through the evaluator; and makes If nodes with a known condition disappear.
// Next: simplify.h, fuse/fuse.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

struct FoldOptions {
  int64_t budget = int64_t(64) << 20;  // bytes that all folded constants together may take
};

// Needs infer_shapes before. A node is left alone when its result would be much larger than its inputs (an Expand of a scalar).
// Errors: what an operator says of constants that it cannot take.
Status fold_constants(Graph& graph, const FoldOptions& options = {});

}  // namespace tern
