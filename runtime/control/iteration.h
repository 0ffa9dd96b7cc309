// Iteration: what Loop and Scan have in common, a body that runs again and again and carries values from one iteration to the next.
//   node     inputs [counters, initial values of carried..., scan inputs..., captured...]   outputs [carried..., scan outputs...]
//   body     inputs [counters, carried..., slices of scan inputs..., captured...]           outputs [conditions, carried..., slices...]
// So input k of the node is input k of the body, and output k of the node is output conditions + k of the body.
// A carried value keeps its dtype and its rank; where it changes its dims, only the evaluator runs the graph.
// Next: iteration.cpp, rolled_loop.cpp (how a plan runs one).
#pragma once
#include "runtime/control/control.h"

namespace tern {

struct Iteration {
  // A scan input is read, a scan output written, slice by slice along one of its axes, from its end when reversed.
  struct Scanned {
    int64_t axis = 0;
    bool reverse = false;
  };
  const Graph* body = nullptr;
  size_t counters = 0, conditions = 0;  // Loop: [iteration number, condition], [condition]; Scan: none
  size_t carried = 0;
  std::vector<Scanned> in, out;

  size_t first_scanned() const { return counters + carried; }
  size_t first_captured() const { return counters + carried + in.size(); }
};

// Counts of inputs and outputs. Preconditions of everything below.
Status verify_iteration(const Node& node, const Iteration& it);

// Types of the body and of the node's outputs; `trips`: how many iterations, nothing when it is not known.
// The body is inferred with the types of the initial values, and again with fresh dims for what has other ones after an iteration.
Status infer_iteration(Graph& graph, Node& node, const Iteration& it, const std::optional<Dim>& trips);
// Does some carried value change its shape? After inference.
bool changes_shapes(const Graph& graph, const Node& node, const Iteration& it);

// A carried value that the body gives back as it is becomes a captured one. Changes `it` as the node.
void capture_invariants(Folding& folding, Node& node, Iteration& it);
// For a node that runs no iteration: true when its outputs are known.
bool fold_no_iteration(Folding& folding, const Node& node, const Iteration& it);

// Runs up to `trips` iterations while the condition is true.
Result<std::vector<Datum>> evaluate_iteration(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left,
                                              const Iteration& it, int64_t trips, bool condition);

// The plan of at most `trips` iterations. `condition`: the value of the graph that allows the first one, kNone when nothing but `trips`
// ends it.
Status lower_iteration(Lowering& lowering, size_t scope, const Node& node, std::vector<size_t>& list, bool nested, const Iteration& it, int64_t trips,
                       ValueId condition);
Result<Binding> bind_iteration(const Program& program, const Work& work);

}  // namespace tern
