// Optionals: Optional, OptionalGetElement, OptionalHasElement. See kernels/sequence/sequence.h, sequences.h.
#include "kernels/dtype_code.h"
#include "kernels/sequence/sequence.h"
#include "runtime/control/sequences.h"

namespace tern {
namespace {

bool is_optional(const TypeInfo& type) { return type.kind == ValueKind::optional || type.kind == ValueKind::optional_sequence; }
ValueKind held(ValueKind kind) {
  return kind == ValueKind::optional ? ValueKind::tensor : kind == ValueKind::optional_sequence ? ValueKind::sequence : kind;
}

// ---- Optional ----

Status infer_optional(Graph& graph, Node& node) {
  TypeInfo type;
  if (has_input(node, 0)) {
    type = graph.value(node.inputs[0]).type;
    if (type.dtype == DType::none) return unsupported("the dtype of its input is not known");
  } else {
    type.dtype = dtype_from_code(node.read().i("dtype"));
    if (type.dtype == DType::none) return invalid("it has neither an input nor a type");
    if (node.read().i("sequence") != 0) type.kind = ValueKind::sequence;
  }
  if (is_optional(type)) return invalid("an optional of an optional cannot be");
  type.kind = type.kind == ValueKind::sequence ? ValueKind::optional_sequence : ValueKind::optional;
  set_output(graph, node, 0, std::move(type));
  return {};
}

Result<bool> fold_optional(Folding& folding, Node& node) {
  set_elements(folding, node, has_input(node, 0) ? node.inputs : std::vector<ValueId>());
  return false;
}

Result<std::vector<Datum>> evaluate_optional(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions&) {
  return std::vector<Datum>{inputs.empty() ? Datum() : inputs[0]};
}

// ---- OptionalGetElement ----

Status infer_get(Graph& graph, Node& node) {
  TypeInfo type = graph.value(node.inputs[0]).type;
  if (type.dtype == DType::none) return unsupported("the dtype of its input is not known");
  type.kind = held(type.kind);
  set_output(graph, node, 0, std::move(type));
  return {};
}

Result<bool> fold_get(Folding& folding, Node& node) {
  if (!is_optional(folding.graph.value(node.inputs[0]).type)) return replace(folding, node, node.inputs[0]);
  const auto* known = known_elements(folding, node.inputs[0]);
  if (known == nullptr || known->empty()) return false;  // an error, but only when it runs
  return replace(folding, node, known->front());
}

Result<std::vector<Datum>> evaluate_get(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions&) {
  if (!inputs[0].present()) return invalid("the optional is empty: there is no element to get");
  return std::vector<Datum>{inputs[0]};
}

// ---- OptionalHasElement ----

Status infer_has(Graph& graph, Node& node) {
  if (has_input(node, 0) && graph.value(node.inputs[0]).type.dtype == DType::none) return unsupported("the dtype of its input is not known");
  set_output(graph, node, 0, {DType::boolean, Shape(std::vector<Dim>())});
  return {};
}

Result<bool> fold_has(Folding& folding, Node& node) {
  bool has = false;
  if (has_input(node, 0) && is_optional(folding.graph.value(node.inputs[0]).type)) {
    const auto* known = known_elements(folding, node.inputs[0]);
    if (known == nullptr) return false;
    has = !known->empty();
  } else {
    has = has_input(node, 0);
  }
  const std::string name = folding.graph.value(node.outputs[0]).name;
  return replace(folding, node, folding.graph.add_constant(name, Tensor::scalar(has)));
}

Result<std::vector<Datum>> evaluate_has(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions&) {
  return std::vector<Datum>{Tensor::scalar(!inputs.empty() && inputs[0].present())};
}

}  // namespace

constinit const ControlDef kOptionalControl = {.op = &kOptional, .infer = infer_optional, .fold = fold_optional, .evaluate = evaluate_optional};
constinit const ControlDef kOptionalGetElementControl = {.op = &kOptionalGetElement, .infer = infer_get, .fold = fold_get, .evaluate = evaluate_get};
constinit const ControlDef kOptionalHasElementControl = {.op = &kOptionalHasElement, .infer = infer_has, .fold = fold_has, .evaluate = evaluate_has};

}  // namespace tern
