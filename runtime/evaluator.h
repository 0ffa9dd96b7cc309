// The evaluator: runs a graph node by node, without a plan. May allocate; takes shapes as they come. It folds constants, runs graphs
// whose shapes depend on data, and is the oracle that plans are tested against: same kernels, same bits. Next: plan/plan.h.
#pragma once
#include "kernels/evaluate.h"
#include "runtime/graph.h"

namespace tern {

// inputs: one tensor for each graph input. Returns the graph outputs. Errors: of the operators, naming the node; over budget:
// options.budget bytes for all tensors that exist at the same time, options.work operations for all nodes.
Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, const EvaluateOptions& options);
// The same for a subgraph, which spends of what is `left` to the graph around it.
Result<std::vector<Tensor>> evaluate_subgraph(const Graph& graph, std::span<const Tensor> inputs, EvaluateOptions& left);
// One node (no control operator) on tensors; the constants among its inputs are marked.
Result<std::vector<Tensor>> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> inputs, EvaluateOptions options);

}  // namespace tern
