// What an operator is asked about a node (kernels/layouts.h). Next: assign_layouts.cpp.
#pragma once
#include "kernels/layouts.h"
#include "runtime/graph.h"

namespace tern {

// Of which nothing is known to come in other layouts. To be used at once: it refers to the graph and the node.
LayoutQuery layout_query(const Graph& graph, const Node& node);

}  // namespace tern
