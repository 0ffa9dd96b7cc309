// simplify: drops nodes whose results nobody reads, nodes that change nothing, and computes equal expressions once.
// Next: fuse/fuse.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

void remove_no_ops(Graph& graph);      // Identity, Dropout without a mask, Reshape/Squeeze/… to the same shape
void merge_equal_nodes(Graph& graph);  // common subexpressions: same operator, attributes and inputs
void remove_dead_nodes(Graph& graph);  // also compacts the values
void simplify(Graph& graph);           // all of them, subgraphs included

}  // namespace tern
