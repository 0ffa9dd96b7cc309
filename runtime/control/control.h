// Control operators: those without a kernel, because they run subgraphs, or take or give sequences and optionals. What one is stands in one file:
// how it is verified, inferred, folded, evaluated and planned.
// Passes ask the table of control.cpp and name no operator. Their schemas are in kernels/control and kernels/sequence, where the catalog finds them.
// To add one: its OpDef there and its line in kernels/catalog.cpp, a file here that ends in a ControlDef, declared below, and a line in control.cpp.
// One with subgraphs: a row in loaders/onnx/control.cpp too.
// You are here: beside stop 3 of the tour. Next: if.cpp.
#pragma once
#include "runtime/graph.h"

namespace tern {

struct Datum;            // evaluator.h
struct EvaluateOptions;  // kernels/evaluate.h
struct Folding;          // fold_constants.h
class Lowering;          // plan/lowering.h
struct Program;          // plan/program.h
struct Work;

struct ControlDef {
  const OpDef* op;
  size_t subgraphs = 0;
  // Null: nothing. What the node and its subgraphs must agree on: counts. Called when all of them exist; each subgraph is verified after it.
  Status (*verify)(const Graph& graph, const Node& node) = nullptr;
  // Types of the subgraphs' values and of the outputs, as infer_shapes says.
  Status (*infer)(Graph& graph, Node& node);
  // Null: never. Whether only the evaluator can run it, because shapes or the number of iterations depend on data; after inference.
  bool (*needs_evaluator)(const Graph& graph, const Node& node) = nullptr;
  // True: the node is to go, what it stood for is in `folding`.
  Result<bool> (*fold)(Folding& folding, Node& node);
  // inputs: one datum for each input of the node; `left` is what is spent.
  Result<std::vector<Datum>> (*evaluate)(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left);
  // Null, as bind then is: only the evaluator runs it.
  // Appends to `list` the work that the node is, its subgraphs included. Errors (unsupported): only the evaluator can run it.
  Status (*lower)(Lowering& lowering, size_t scope, const Node& node, std::vector<size_t>& list, bool nested) = nullptr;
  // The step of that work. Its first tables are the lists of nested steps, in the order of Work::lists, those without any left out;
  // its inputs and outputs are what Work::places says.
  Result<Binding> (*bind)(const Program& program, const Work& work) = nullptr;
};

// Null: it is an operator like any other.
const ControlDef* find_control(const OpDef* op);

// What the evaluator spends on one iteration of a body, of the budget of work, beside what its operators count: it allocates.
inline int64_t iteration_work(const Graph& body) { return (1 + node_count(body)) * (int64_t(1) << 15); }

extern const ControlDef kIfControl, kLoopControl, kScanControl;
extern const ControlDef kSequenceConstructControl, kSequenceEmptyControl, kSequenceInsertControl, kSequenceEraseControl, kSequenceAtControl;
extern const ControlDef kSequenceLengthControl, kSplitToSequenceControl, kConcatFromSequenceControl, kSequenceMapControl;
extern const ControlDef kOptionalControl, kOptionalGetElementControl, kOptionalHasElementControl;

}  // namespace tern
