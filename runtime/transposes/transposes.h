// move_transposes: Transposes go where they cost least, and most go altogether.
// A network that keeps its channels last is, for a catalog that wants them first, a Conv between two Transposes, and another such pair around
// everything else that needs it. What lies between two pairs (activations, sums, concatenations, padding …) can be computed in either order of the
// axes, and then the pairs cancel. So Transposes are taken for what they are, another order of the same value's axes:
//   groups    which axes of which values are one, through operators that do not care for their order (rules.h): a component of the graph
//   choose    an order for each such node, so that values which are produced in one order and wanted in another have few elements in all.
//             From the orders that the graph was written in no step is to a worse place: the elements that Transposes move never become more,
//             weighed as choose.h says
//   rewrite   nodes in their new order, and Transposes where orders still differ; extents of 1 move for nothing (Squeeze, Unsqueeze)
// Results keep their bits: an operator that sums in the order in which elements lie stays as it was written (Rule::keeps_bits).
// Linear in the graph. Runs before fuse, which then sees Conv, BatchNormalization and activation in a row.
// Next: rules.h, groups.h, choose.h, rewrite.cpp; what remains beside a convolution: conv_ends.h.
#pragma once
#include "runtime/fold_constants.h"

namespace tern {

// Needs infer_shapes and fold_constants before; leaves the types of new values filled. Subgraphs included. `left`: what constants in another order
// may take.
void move_transposes(Graph& graph, FoldBudget& left);

}  // namespace tern
