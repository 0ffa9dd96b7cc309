// verify: what a legal graph is. Runs after load, and after every pass in tests and debug builds. Next: infer_shapes.h.
#pragma once
#include "runtime/graph.h"

namespace tern {

// Indices in range; every value produced once, before it is read, and of at most kMaxRank dimensions; constants produced by nobody;
// arities, required inputs and outputs, and attributes as the operator's schema says; subgraphs closed, with as many inputs as their node captures.
// Errors: invalid, naming the node.
Status verify(const Graph& graph);
// What can be said of a node alone: how many inputs and outputs, which must be there, which attributes of which kinds.
Status verify_node(const Node& node);

}  // namespace tern
