// If: inputs [condition, captured...]; subgraphs then, else: [captured...] -> outputs. See control.h.
#include <algorithm>

#include "kernels/control/control.h"
#include "runtime/control/control.h"
#include "runtime/evaluator.h"
#include "runtime/fold_constants.h"
#include "runtime/infer_shapes.h"
#include "runtime/plan/lowering.h"

namespace tern {
namespace {

Status verify_if(const Graph& graph, const Node& node) {
  if (node.own_inputs() != 1) {
    return invalid("has " + std::to_string(node.own_inputs()) + " inputs beside what its branches capture, expected 1");
  }
  for (size_t b = 0; b < 2; ++b) {
    const Graph& branch = graph.subgraph(node, b);
    if (branch.inputs.size() != static_cast<size_t>(node.captured)) return invalid("a branch must have the captured values as inputs, and no others");
    if (branch.outputs.size() < node.outputs.size()) return invalid("a branch has too few outputs");
  }
  return {};
}

// One bool, as far as its type is known; where the count is not, the evaluator checks and a plan is impossible.
Status check_condition(const Value& condition) {
  const TypeInfo& type = condition.type;
  if (type.dtype == DType::none) return unsupported("the dtype of the condition is not known");
  bool one = type.dtype == DType::boolean && type.kind == ValueKind::tensor;
  for (const Dim& d : type.shape.dims()) one = one && (!d.known() || d.is(1));
  return one ? Status() : Status(invalid("the condition is " + type.text() + ", it must be one bool"));
}

// Both branches are inferred, and what they give is merged.
Status infer_if(Graph& graph, Node& node) {
  if (Status s = check_condition(graph.value(node.inputs[0])); !s) return s;
  std::vector<TypeInfo> merged(node.outputs.size());
  bool impossible = false;  // the then branch cannot run with these shapes
  for (size_t b = 0; b < 2; ++b) {
    Graph& branch = graph.subgraph(node, b);
    for (size_t i = 0; i < branch.inputs.size(); ++i) pass_type(graph, node.inputs[i + 1], branch, branch.inputs[i]);
    if (Status s = infer_subgraph(graph, branch); !s) {
      // A branch for other input sizes: legal as long as it is not taken. Its shapes stay unknown, so only the evaluator runs this graph.
      if (b == 1 && impossible) return s;
      impossible = b == 0;
      continue;
    }
    for (size_t o = 0; o < merged.size(); ++o) {
      const TypeInfo& type = branch.value(branch.outputs[o]).type;
      if (b == 0 || impossible) {
        merged[o] = type;
      } else if (merged[o].dtype != type.dtype || merged[o].kind != type.kind) {
        return invalid("output " + std::to_string(o) + " has type " + merged[o].text() + " in one branch and " + type.text() + " in the other");
      } else {
        merged[o].shape = common_shape(graph, merged[o].shape, type.shape);
      }
    }
  }
  for (size_t o = 0; o < merged.size(); ++o) {
    if (node.outputs[o] != kNone) graph.value(node.outputs[o]).type = merged[o];
  }
  return {};
}

// Extents that are one number in one branch and another in the other: no dims make them the same.
bool needs_evaluator_if(const Graph& graph, const Node& node) {
  const Graph &yes = graph.subgraph(node, 0), &no = graph.subgraph(node, 1);
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const Shape &a = yes.value(yes.outputs[o]).type.shape, &b = no.value(no.outputs[o]).type.shape;
    if (node.outputs[o] == kNone || !a.ranked() || !b.ranked()) continue;
    for (int d = 0; d < std::min(a.rank(), b.rank()); ++d) {
      if (a[d].known() && b[d].known() && a[d] != b[d]) return true;
    }
  }
  return false;
}

Result<size_t> taken(const Tensor& condition) {
  if (condition.dtype() != DType::boolean || condition.count() != 1) return invalid("the condition is not one bool");
  return is_true(condition) ? 0 : 1;
}

// With a known condition the taken branch's nodes take the place of the If.
Result<bool> fold_if(Folding& folding, Node& node) {
  Graph& graph = folding.graph;
  if (!graph.is_constant(node.inputs[0])) {
    for (size_t b = 0; b < 2; ++b) folding.try_fold(graph.subgraph(node, b));
    return false;
  }
  auto b = taken(graph.value(node.inputs[0]).constant);
  if (!b) return b.error().within(describe(graph, node));
  Graph branch = std::move(graph.subgraph(node, *b));
  if (Status s = folding.fold(branch); !s) return s.error();
  folding.put_inline(std::move(branch), std::span(node.inputs).subspan(1), node.outputs);
  return true;
}

Result<std::vector<Datum>> evaluate_if(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  auto b = taken(inputs[0].tensor);
  if (!b) return b.error();
  return evaluate_graph(graph.subgraph(node, *b), inputs.subspan(1), left);
}

// A live branch: both are lowered, each ends with copies to the outputs of the If, and the step runs one.
Status lower_if(Lowering& l, size_t scope, const Node& node, std::vector<size_t>& list, bool nested) {
  const Graph& g = l.graph(scope);
  const Value& condition = g.value(node.inputs[0]);
  if (condition.type.dtype != DType::boolean || condition.type.shape.concrete().count() != 1) {
    return unsupported("the condition " + condition.name + " is not known to be one bool before the run");
  }
  Work w = l.control_work(scope, node, nested);
  w.control->places = {l.place(scope, node.inputs[0])};
  l.hold_inputs(scope, node, w.position);  // until both branches are lowered
  if (Status s = l.place_outputs(scope, node, w.position); !s) return s;
  const bool certain = l.set_certain(false);
  for (size_t b = 0; b < 2; ++b) {
    const Graph& branch = g.subgraph(node, b);
    const size_t inner = l.open_scope(branch, scope, node);
    for (size_t i = 0; i < branch.inputs.size(); ++i) l.place(inner, branch.inputs[i]) = l.place(scope, node.inputs[i + 1]);
    std::vector<size_t>& steps = w.control->lists.emplace_back().work;
    if (Status s = l.lower_nodes(inner, steps, true); !s) return s;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      const Value& to = g.value(node.outputs[o]);
      if (branch.value(branch.outputs[o]).type != to.type) return unsupported("output " + to.name + " has another shape in each branch");
      const Place from = l.place(inner, branch.outputs[o]);
      steps.push_back(l.add_copy(inner, branch.outputs[o], from, l.place(scope, node.outputs[o]), true));
      l.release(from);
    }
  }
  l.set_certain(certain);
  l.read_inputs(scope, node, l.next_position());
  list.push_back(l.add(std::move(w)));
  return {};
}

struct IfArgs {
  const uint8_t* condition;  // the byte of one bool
  const Step* steps[2];
  int64_t counts[2];
};

void run_if(const IfArgs& a) {
  const int b = *a.condition != 0 ? 0 : 1;
  for (int64_t i = 0; i < a.counts[b]; ++i) a.steps[b][i].run(a.steps[b][i].args);
}

constinit const KernelRow kIfRow = row<IfArgs, run_if>("if/any/scalar", DType::none, Isa::scalar);

Result<Binding> bind(const Program& program, const Work& w) {
  const std::vector<TensorView> places = w.control->place_views();
  BindContext c({.attrs = w.node->read(), .inputs = places});
  IfArgs& a = c.args<IfArgs>();
  c.set(a.condition, c.input<const uint8_t>(0));
  for (size_t b = 0; b < 2; ++b) {
    a.counts[b] = program.step_count(w.control->lists[b].work);
    c.set(a.steps[b], c.table<Step>(a.counts[b], [](Step*) {}));
  }
  c.run(kIfRow);
  return std::move(c).finish();
}

}  // namespace

constinit const ControlDef kIfControl = {.op = &kIf,
                                         .subgraphs = 2,
                                         .verify = verify_if,
                                         .infer = infer_if,
                                         .needs_evaluator = needs_evaluator_if,
                                         .fold = fold_if,
                                         .evaluate = evaluate_if,
                                         .lower = lower_if,
                                         .bind = bind};

}  // namespace tern
