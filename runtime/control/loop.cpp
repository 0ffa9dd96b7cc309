// Loop: inputs [trips, condition, carried..., captured...]; body: [iteration number, condition, carried..., captured...] ->
// [condition, carried..., slices of scan outputs...]. Both trips and condition are always there: the loader writes what a file leaves out.
// See iteration.h.
#include "kernels/control/control.h"
#include "runtime/control/iteration.h"
#include "runtime/evaluator.h"
#include "runtime/fold_constants.h"
#include "runtime/infer_shapes.h"
#include "runtime/plan/lowering.h"

namespace tern {
namespace {

Iteration iteration_of_loop(const Graph& graph, const Node& node) {
  Iteration it;
  it.body = &graph.subgraph(node);
  it.counters = 2;
  it.conditions = 1;
  it.carried = node.own_inputs() - 2;
  it.out.resize(node.outputs.size() - std::min(node.outputs.size(), it.carried));
  return it;
}

Status verify_loop(const Graph& graph, const Node& node) {
  if (node.own_inputs() < 2) return invalid("has no trip count or no condition");
  return verify_iteration(node, iteration_of_loop(graph, node));
}

// One element of this dtype, as far as its type is known; where the count is not, the evaluator checks and a plan is impossible.
Status check_one(const Value& value, DType dtype, const char* what) {
  const TypeInfo& type = value.type;
  if (type.dtype == DType::none) return unsupported(std::string("the dtype of its ") + what + " is not known");
  bool one = type.dtype == dtype;
  for (const Dim& d : type.shape.dims()) one = one && (!d.known() || d.is(1));
  return one ? Status()
             : Status(invalid(std::string("its ") + what + " is " + name(type.dtype) + type.shape.text() + ", it must be one " + name(dtype)));
}

// What the body says of going on: always, never, or it depends. While the body runs the condition that it gets is true.
enum class Goes { on, no_further, as_computed };
Goes goes(const Graph& body) {
  const ValueId next = body.outputs[0];
  if (next == body.inputs[1]) return Goes::on;
  const Tensor& known = body.value(next).constant;
  if (!known.present() || known.dtype() != DType::boolean || known.count() != 1) return Goes::as_computed;
  return is_true(known) ? Goes::on : Goes::no_further;
}

std::optional<bool> known_condition(const Graph& graph, const Node& node) {
  const Tensor& c = graph.value(node.inputs[1]).constant;
  if (!c.present() || c.dtype() != DType::boolean || c.count() != 1) return std::nullopt;
  return is_true(c);
}

// The most iterations there can be, perhaps in symbols of dimensions; nothing when it depends on data.
std::optional<Dim> most_trips(const Graph& graph, const Node& node) {
  const Value& trips = graph.value(node.inputs[0]);
  std::optional<Dim> most;
  if (trips.constant.present()) {
    const auto known = as_ints(trips.constant.view());
    if (known && known->size() == 1) most = Dim(std::max<int64_t>((*known)[0], 0));
  } else if (trips.ints && trips.ints->size() == 1) {
    most = (*trips.ints)[0];
    if (most->known() && most->value() < 0) most = Dim(0);
  }
  if (known_condition(graph, node) == false) return Dim(0);
  if (most && goes(*iteration_of_loop(graph, node).body) == Goes::no_further && !most->is(0))
    return most->known() ? std::optional(Dim(1)) : std::nullopt;
  return most;
}

// How many iterations there are, when nothing else can end them.
std::optional<Dim> exact_trips(const Graph& graph, const Node& node) {
  auto most = most_trips(graph, node);
  if (!most || most->is(0)) return most;
  if (known_condition(graph, node) != true || goes(*iteration_of_loop(graph, node).body) == Goes::as_computed) return std::nullopt;
  if (most->known()) return most;
  // Sizes are not negative, differences of sizes may be.
  bool positive = most->constant() >= 0;
  for (const auto& [symbol, coefficient] : most->terms()) positive = positive && coefficient > 0;
  return positive ? most : std::nullopt;
}

Status infer_loop(Graph& graph, Node& node) {
  if (Status s = check_one(graph.value(node.inputs[0]), DType::i64, "trip count"); !s) return s;
  if (Status s = check_one(graph.value(node.inputs[1]), DType::boolean, "condition"); !s) return s;
  const Iteration it = iteration_of_loop(graph, node);
  if (Status s = infer_iteration(graph, node, it, exact_trips(graph, node)); !s) return s;
  const Value& next = it.body->value(it.body->outputs[0]);
  if (next.type.dtype == DType::none) return {};  // a body that never runs
  return check_one(next, DType::boolean, "body's condition");
}

bool needs_evaluator_loop(const Graph& graph, const Node& node) {
  const auto most = most_trips(graph, node);
  if (!most) return true;
  const Iteration it = iteration_of_loop(graph, node);
  const bool live = known_condition(graph, node) != true || goes(*it.body) == Goes::as_computed;
  constexpr int64_t kWhile = int64_t(1) << 32;  // a trip count that only stands for no limit
  if (most->is(INT64_MAX) || (live && most->known() && most->value() >= kWhile)) return true;
  const bool gathers =
      std::any_of(node.outputs.begin() + static_cast<std::ptrdiff_t>(it.carried), node.outputs.end(), [](ValueId v) { return v != kNone; });
  return (live && gathers && !most->is(0)) || changes_shapes(graph, node, it);
}

// In the body the condition is true: it would not run else.
void settle_condition(Graph& body) {
  const ValueId in = body.inputs[1];
  if (use_counts(body)[static_cast<size_t>(in)] == 0) return;
  const ValueId yes = body.add_constant(body.value(in).name + ":true", Tensor::scalar(true));
  for (Node& node : body.nodes) std::replace(node.inputs.begin(), node.inputs.end(), in, yes);
  std::replace(body.outputs.begin(), body.outputs.end(), in, yes);
}

Result<bool> fold_loop(Folding& folding, Node& node) {
  settle_condition(folding.graph.subgraph(node));
  Iteration it = iteration_of_loop(folding.graph, node);
  capture_invariants(folding, node, it);
  folding.sink_constants(node);
  folding.try_fold(folding.graph.subgraph(node));
  if (const auto most = most_trips(folding.graph, node); most && most->is(0) && fold_no_iteration(folding, node, it)) return true;
  return folding.evaluate(node);
}

Result<std::vector<Datum>> evaluate_loop(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  if (inputs[0].tensor.dtype() != DType::i64 || inputs[0].tensor.count() != 1) return invalid("its trip count is not one i64");
  if (inputs[1].tensor.dtype() != DType::boolean || inputs[1].tensor.count() != 1) return invalid("its condition is not one bool");
  return evaluate_iteration(graph, node, inputs, left, iteration_of_loop(graph, node), *inputs[0].tensor.data<int64_t>(), is_true(inputs[1].tensor));
}

Status lower_loop(Lowering& l, size_t scope, const Node& node, std::vector<size_t>& list, bool nested) {
  const Graph& graph = l.graph(scope);
  if (needs_evaluator_loop(graph, node)) {
    return unsupported("how often it runs, or what shapes it has then, is not known before the run: run the model with evaluate()");
  }
  const auto most = most_trips(graph, node);
  if (!most->known()) return unsupported("its trip count " + most->text() + " is not known before the run");
  return lower_iteration(l, scope, node, list, nested, iteration_of_loop(graph, node), most->value(),
                         known_condition(graph, node) == true ? kNone : node.inputs[1]);
}

}  // namespace

constinit const ControlDef kLoopControl = {.op = &kLoop,
                                           .subgraphs = 1,
                                           .verify = verify_loop,
                                           .infer = infer_loop,
                                           .needs_evaluator = needs_evaluator_loop,
                                           .fold = fold_loop,
                                           .evaluate = evaluate_loop,
                                           .lower = lower_loop,
                                           .bind = bind_iteration};

}  // namespace tern
