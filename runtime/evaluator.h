// The evaluator: runs a graph node by node, without a plan. May allocate; takes shapes as they come. It folds constants, runs graphs
// whose shapes depend on data and those that hold sequences, and is the oracle that plans are tested against: same kernels, same bits. Next: plan/plan.h.
#pragma once
#include "kernels/evaluate.h"
#include "runtime/graph.h"

namespace tern {

// What a value is while it is evaluated: a tensor, a sequence of tensors, or nothing (an optional that is empty, an input that is absent).
// Copies share everything.
struct Datum {
  using Elements = std::vector<Tensor>;
  Tensor tensor;
  std::shared_ptr<const Elements> elements;  // of a sequence

  Datum() = default;
  Datum(Tensor t) : tensor(std::move(t)) {}                                              // NOLINT: implicit on purpose
  Datum(Elements list) : elements(std::make_shared<const Elements>(std::move(list))) {}  // NOLINT: implicit on purpose
  bool present() const { return tensor.present() || elements != nullptr; }
  // What it counts against a budget of bytes: each element of a sequence as a tensor of its own, and kElementBytes.
  static constexpr int64_t kElementBytes = 512;
  int64_t bytes() const;
};

// What is kept of each node of a graph that is evaluated again and again: the operator as it was bound, while the types of its inputs stay. It is bound
// anew so many times alone, where they change from run to run.
struct KeptNode {
  static constexpr int kTries = 2;
  std::optional<PreparedOp> op;
  int tries = 0;
};
using KeptNodes = std::vector<KeptNode>;

// inputs: one datum for each graph input. Returns the graph outputs. Errors: of the operators, naming the node; over budget:
// left.budget bytes for all values that exist at the same time, left.work operations for all nodes. `kept`: of the runs before this one, empty at the
// first; its bytes are taken from left.budget, for whoever drops it to put back.
Result<std::vector<Datum>> evaluate_graph(const Graph& graph, std::span<const Datum> inputs, EvaluateOptions& left, KeptNodes* kept = nullptr);
// The same of a graph whose inputs and outputs are tensors.
Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, const EvaluateOptions& options);
// An operator of one output that stands in no graph, as control operators compute with.
Result<std::vector<Datum>> evaluate_op(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, EvaluateOptions& left);
// One node (no control operator) on tensors; the constants among its inputs are marked.
Result<std::vector<Tensor>> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> inputs, const EvaluateOptions& left);

}  // namespace tern
