// What has a plan and what has none, apart: a graph of which only the evaluator runs some nodes, as one to three graphs. Such nodes lie at the ends
// of real models (words become numbers, numbers become labels, boxes are chosen), so that what is between them can have a plan.
// Next: parts.cpp, then evaluator.h.
#pragma once
#include <optional>

#include "runtime/graph.h"

namespace tern {

// Values that cross from one part to another are outputs of the one and inputs of the other, by one name. Inputs of the whole are inputs of every
// part that reads them; every output of the whole is an output of one part. Nodes that only the evaluator runs are those with strings, sequences or
// optionals, and those whose shapes depend on data.
//   before   such nodes, and all that they come from
//   rest     everything else; it has nodes
//   after    such nodes on whose results nothing of `rest` depends, or that come from products (a convolution, a MatMul, a recurrent layer); and all
//            that comes from them
// Dimensions about which nothing is known are called length, length_2 … where they enter `rest`.
struct GraphParts {
  std::optional<Graph> before;
  Graph rest;
  std::optional<Graph> after;
};
// Nothing when the evaluator runs all of it, or none; nor when the graph has no strings and `rest` has no product. Precondition: the graph is
// verified and inferred.
std::optional<GraphParts> split_parts(const Graph& graph);

}  // namespace tern
