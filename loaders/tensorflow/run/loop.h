// A While, taken apart: what its body leaves alone, what it carries, and how often it runs, where that can be told from its condition. Next: loop.cpp.
#pragma once
#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {

// The functions of a While. Loop variable i is argument i of both, and what the body returns at i.
struct LoopFunctions {
  const Index *condition, *body;
  // Arguments that an edge depends on.
  static std::vector<int32_t> arguments(Builder& b, Runner& runner, const Index& graph, Edge from);
  bool invariant(size_t i) const { return body->behind(body->returns()[i]) == Edge{-1 - static_cast<int32_t>(i), 0}; }
};

// How often a loop runs.
struct Trips {
  bool counted = false;          // at most `most` times
  bool exact = false;            // and just that often
  Int most;                      // of the graph around
  std::vector<size_t> counters;  // variables that are 0, 1, 2 … in the iterations
};
// `live`: variables that the loop has. Errors go to the builder around.
Trips trips_of(Builder& b, const Site& site, const LoopFunctions& f, const Values& initial, const std::vector<bool>& live);

}  // namespace tern::tensorflow
