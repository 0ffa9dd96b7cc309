// Scan: inputs [states..., scan inputs..., captured...]; body: [states..., slices..., captured...] -> [states..., slices of scan
// outputs...]. It runs once for each element that the scan inputs have along their axes. See iteration.h.
#include "kernels/control/control.h"
#include "runtime/control/iteration.h"
#include "runtime/evaluator.h"
#include "runtime/fold_constants.h"
#include "runtime/infer_shapes.h"
#include "runtime/plan/lowering.h"

namespace tern {
namespace {

std::vector<Iteration::Scanned> scanned(const Node& node, size_t count, const char* axes, const char* directions) {
  std::vector<Iteration::Scanned> all(count);
  const std::vector<int64_t> axis = node.read().ints(axes), direction = node.read().ints(directions);
  for (size_t k = 0; k < count; ++k) {
    if (k < axis.size()) all[k].axis = axis[k];
    if (k < direction.size()) all[k].reverse = direction[k] != 0;
  }
  return all;
}

Iteration iteration_of_scan(const Graph& graph, const Node& node) {
  const auto scans = static_cast<size_t>(node.read().i("num_scan_inputs"));
  Iteration it;
  it.body = &graph.subgraph(node);
  it.carried = node.own_inputs() - scans;
  it.in = scanned(node, scans, "scan_input_axes", "scan_input_directions");
  it.out = scanned(node, node.outputs.size() - std::min(node.outputs.size(), it.carried), "scan_output_axes", "scan_output_directions");
  return it;
}

Status verify_scan(const Graph& graph, const Node& node) {
  const int64_t scans = node.read().i("num_scan_inputs");
  if (scans < 1 || scans > static_cast<int64_t>(node.own_inputs())) {
    return invalid("num_scan_inputs is " + std::to_string(scans) + ", and it has " + std::to_string(node.own_inputs()) + " inputs");
  }
  const Iteration it = iteration_of_scan(graph, node);
  auto fits = [&](const char* attribute, size_t count) -> Status {
    const std::vector<int64_t> list = node.read().ints(attribute);
    if (list.empty() || list.size() == count) return {};
    return invalid(std::string(attribute) + " has " + std::to_string(list.size()) + " elements, expected " + std::to_string(count));
  };
  for (const char* attribute : {"scan_input_axes", "scan_input_directions"}) {
    if (Status s = fits(attribute, it.in.size()); !s) return s;
  }
  for (const char* attribute : {"scan_output_axes", "scan_output_directions"}) {
    if (Status s = fits(attribute, it.out.size()); !s) return s;
  }
  return verify_iteration(node, it);
}

Error lengths_differ(const std::string& a, const std::string& b) {
  return invalid("its scan inputs have " + a + " and " + b + " slices along their axes");
}

// As many as each scan input has slices: a number when one of them tells it.
Result<std::optional<Dim>> trips_of(const Graph& graph, const Node& node, const Iteration& it) {
  std::optional<Dim> trips;
  for (size_t k = 0; k < it.in.size(); ++k) {
    const Shape& shape = graph.value(node.inputs[it.carried + k]).type.shape;
    const auto axis = shape.ranked() ? normalize_axis(it.in[k].axis, shape.rank()) : std::nullopt;
    if (!axis) continue;  // inference refuses one that is out of range
    const Dim& d = shape[*axis];
    if (trips && trips->known() && d.known() && !(*trips == d)) return lengths_differ(trips->text(), d.text());
    if (!trips || d.known()) trips = d;
  }
  return trips;
}

Status infer_scan(Graph& graph, Node& node) {
  const Iteration it = iteration_of_scan(graph, node);
  auto trips = trips_of(graph, node, it);
  return trips ? infer_iteration(graph, node, it, *trips) : Status(trips.error());
}

bool needs_evaluator_scan(const Graph& graph, const Node& node) { return changes_shapes(graph, node, iteration_of_scan(graph, node)); }

Result<bool> fold_scan(Folding& folding, Node& node) {
  Iteration it = iteration_of_scan(folding.graph, node);
  capture_invariants(folding, node, it);
  folding.sink_constants(node);
  folding.try_fold(folding.graph.subgraph(node));
  auto trips = trips_of(folding.graph, node, it);
  if (trips && *trips && (*trips)->is(0) && fold_no_iteration(folding, node, it)) return true;
  return folding.evaluate(node);
}

Result<std::vector<Datum>> evaluate_scan(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  const Iteration it = iteration_of_scan(graph, node);
  std::optional<int64_t> trips;
  for (size_t k = 0; k < it.in.size(); ++k) {
    const Tensor& whole = inputs[it.carried + k].tensor;
    if (!whole.present()) return invalid("scan input " + std::to_string(k) + " is no tensor");
    const Dims& dims = whole.dims();
    const auto axis = normalize_axis(it.in[k].axis, dims.rank);
    if (!axis) return invalid("scan input " + std::to_string(k) + " has no axis " + std::to_string(it.in[k].axis));
    if (trips && *trips != dims[*axis]) return lengths_differ(std::to_string(*trips), std::to_string(dims[*axis]));
    trips = dims[*axis];
  }
  return evaluate_iteration(graph, node, inputs, left, it, *trips, true);
}

Status lower_scan(Lowering& l, size_t scope, const Node& node, std::vector<size_t>& list, bool nested) {
  const Graph& graph = l.graph(scope);
  const Iteration it = iteration_of_scan(graph, node);
  auto trips = trips_of(graph, node, it);
  if (!trips) return trips.error();
  if (needs_evaluator_scan(graph, node)) return unsupported("a state changes its shape while it runs: run the model with evaluate()");
  if (!*trips || !(*trips)->known()) return unsupported("how often it runs is not known before the run");
  return lower_iteration(l, scope, node, list, nested, it, (*trips)->value(), kNone);
}

}  // namespace

constinit const ControlDef kScanControl = {.op = &kScan,
                                           .subgraphs = 1,
                                           .verify = verify_scan,
                                           .infer = infer_scan,
                                           .needs_evaluator = needs_evaluator_scan,
                                           .fold = fold_scan,
                                           .evaluate = evaluate_scan,
                                           .lower = lower_scan,
                                           .bind = bind_iteration};

}  // namespace tern
