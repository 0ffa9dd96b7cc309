// Text and numbers apart: a graph that works on strings, as one to three graphs. What only the evaluator runs lies at the ends of real models
// (words become numbers, numbers become labels), so that what is between them can have a plan. Next: text_parts.cpp, then evaluator.h.
#pragma once
#include <optional>

#include "runtime/graph.h"

namespace tern {

// Values that cross from one part to another are outputs of the one and inputs of the other, by one name. Inputs of the whole are inputs of every
// part that reads them; every output of the whole is an output of one part.
//   before   nodes with strings, or whose shapes depend on data, and all that they come from
//   rest     everything else; it has nodes
//   after    nodes with strings on whose results nothing of `rest` depends: the last ones
// Dimensions about which nothing is known are called length, length_2 … where they enter `rest`.
struct GraphParts {
  std::optional<Graph> before;
  Graph rest;
  std::optional<Graph> after;
};
// Nothing when no value is a string, or only strings are. Precondition: the graph is verified and inferred.
std::optional<GraphParts> split_at_text(const Graph& graph);

}  // namespace tern
