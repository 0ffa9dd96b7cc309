// weightless: a graph for those who tell of a model (its layers, their shapes and numbers of parameters), without the contents of its large weights.
// Whoever executes it holds them; so what folding has replaced is nobody's any more, and goes while the rest of the weights is folded.
// Next: weightless.cpp, then seal_weights.h.
#pragma once
#include <vector>

#include "runtime/graph.h"

namespace tern {

// Large constants become values that have a type and that no node gives. Subgraphs included.
void drop_weights(Graph& graph);

// By value: whether it is a constant, dropped ones among them.
std::vector<bool> constants_and_dropped(const Graph& graph);

}  // namespace tern
