// fold_constants: computes now what does not depend on inputs, through the evaluator; and lets control operators disappear of which it is known what
// they will do.
// Next: simplify.h, fuse/fuse.h.
#pragma once
#include <unordered_map>

#include "runtime/graph.h"

namespace tern {

// What folding may still spend. Passes that fold several times share one.
struct FoldBudget {
  int64_t bytes = int64_t(64) << 20;  // of all folded constants together, but for views and what is computed where it lies
  int64_t work = int64_t(256) << 20;  // operations as work_of() counts them
  int64_t largest = INT64_MAX;        // bytes of one node's results
  bool keep_quantized = false;        // DequantizeLinear stays: fuse_integer_products looks for it
};
// A pass infers the shapes that it tells, but folds no node twice: what simplify joins, and what stands in for a control operator, may let more be
// folded. Who folds until nothing changes stops after so many times.
constexpr int kFoldRounds = 3;
// Half of LoadOptions::budget (a session folds again) and twice the bytes of the graph's constants; 4 operations for each byte of
// the budget and 16 for each byte of constants.
FoldBudget fold_budget(const Graph& graph, int64_t bytes);
constexpr int64_t kFoldedPerBudget = 4;  // a byte of constants counts as so many of the budget
int64_t bytes_of_constants(const Graph& graph);

// Needs infer_shapes before; shapes that were unknown are inferred again as soon as folding has told what they hang on, so that a long chain of
// Shape, Expand, Pad and Reshape resolves in one pass. A node is left alone when its result would be much larger than its inputs (an Expand of a scalar),
// or when the budget does not last. Kernels are those of the best ISA: the bits are the same.
// Errors: what an operator says of constants that it cannot take.
Status fold_constants(Graph& graph, FoldBudget& budget);

// One graph while it is folded, as control operators see it.
struct Folding {
  Graph& graph;
  FoldBudget& left;
  std::vector<Node> kept = {};                                      // its nodes that stay, up to the one that is being folded
  std::unordered_map<ValueId, ValueId> forward = {};                // outputs of nodes that went: what is read instead
  std::unordered_map<ValueId, std::vector<ValueId>> elements = {};  // of sequences and optionals of which that is known: what they hold

  const Isa isa = best_isa();

  Status fold(Graph& subgraph);
  // A subgraph that may never run: one that cannot be folded stays as it was, and is an error only when it runs.
  void try_fold(Graph& subgraph) {
    Graph folded = subgraph;
    if (fold(folded).ok()) subgraph = std::move(folded);
  }
  // Captured constants move into the subgraphs of a node, where they can be folded.
  void sink_constants(Node& node);
  // Runs a control operator whose inputs are all constants. True when its outputs are constants now; false when that would take too much.
  Result<bool> evaluate(const Node& node);
  // The nodes of `subgraph` take the place of a node: `inputs` are what its inputs are, and its outputs are read for `outputs` (kNone: nobody does).
  void put_inline(Graph subgraph, std::span<const ValueId> inputs, std::span<const ValueId> outputs);
};

}  // namespace tern
