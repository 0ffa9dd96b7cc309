// The pass pipelines: what happens to a graph when a model is loaded, and again when a session binds its dimensions.
//   load:     verify, infer_shapes, widen, fold_constants, simplify, move_transposes, fuse, narrow
//   session:  bind dims, then the same, so that everything computed from dimensions becomes a constant
// Next: plan/plan.h.
#pragma once
#include <map>

#include "runtime/graph.h"

namespace tern {

enum class Stage { load, infer, fold, transpose, fuse, narrow };

// Runs the pipeline up to and including `last`. budget: bytes that folded constants may take.
Status optimize(Graph& graph, int64_t budget, Stage last = Stage::narrow);
// The rest of it, of a graph that has been through it up to Stage::infer.
Status optimize_inferred(Graph& graph, int64_t budget, Stage last = Stage::narrow);

using DimValues = std::map<std::string, int64_t>;

// May the graph's inputs have these dims? Errors (usage): a name that no input has, a negative dimension, one that the model does not allow.
Status check_dims(const Graph& graph, const DimValues& dims);
// The value of a dimension when its symbols have these values; partly replaced when some are missing. Nothing: it overflows.
std::optional<Dim> substitute(const Dim& dim, const DimValues& dims);
// A copy with symbols of input shapes replaced by numbers, optimised again. Symbols that are not in `dims` stay. Errors: check_dims'.
Result<Graph> bind_dims(const Graph& graph, const DimValues& dims);  // without optimising; shapes are to be inferred again
Result<Graph> specialize(const Graph& graph, const DimValues& dims, int64_t budget);

// The values of the symbols that make the graph's inputs have these dims; of inputs that are no tensors they are not looked at.
// Errors: rank or numbers differ (invalid), naming the input.
Result<DimValues> solve_dims(const Graph& graph, std::span<const Dims> inputs);

// The name of the first value that is a sequence or an optional, which only the evaluator runs; empty when all are tensors.
std::string first_no_tensor(const Graph& graph);
// Of every value: is it made of dims and constants alone, so that binding the dims makes it a constant? As a product of two open sizes is, which
// inference has no symbol for. Of subgraphs nothing is.
std::vector<bool> settled_by_dims(const Graph& graph);
// Whether shapes of what this node gives depend on data, not on dims alone. What its subgraphs hold is not looked at. settled: of the graph's values,
// or empty, for whoever must have every size now.
bool depends_on_data(const Graph& graph, const Node& node, const std::vector<bool>& settled);
// The first reason why the shapes of this graph depend on data, as "NonZero node@3"; empty when they do not.
std::string data_dependence(const Graph& graph);
// The same for a graph whose dimensions are all bound: also the first node of which some shape is still not a number.
std::string unknown_shape(const Graph& graph);

}  // namespace tern
