// See sequences.h.
#include "runtime/control/sequences.h"

#include "kernels/dtype_code.h"
#include "kernels/sequence/sequence.h"
#include "runtime/base/checked.h"
#include "runtime/infer_shapes.h"
#include "runtime/verify.h"

namespace tern {

Result<TypeInfo> input_type(const Graph& graph, const Node& node, size_t i, ValueKind kind) {
  const TypeInfo& type = graph.value(node.inputs[i]).type;
  const std::string where = "input " + std::to_string(i);
  if (type.dtype == DType::none) return unsupported("the dtype of " + where + " is not known");
  if (type.kind != kind) return invalid(where + " has type " + type.text() + ", it must be a " + name(kind));
  return type;
}

TypeInfo element_type(Graph& graph, const TypeInfo& sequence) {
  TypeInfo type{sequence.dtype, sequence.shape};
  for (Dim& d : type.shape.dims()) {
    if (made_up(d)) d = graph.fresh_dim();
  }
  return type;
}

TypeInfo sequence_of(TypeInfo element) {
  element.kind = ValueKind::sequence;
  return element;
}

void set_output(Graph& graph, const Node& node, size_t o, TypeInfo type) {
  if (node.outputs[o] == kNone) return;
  Value& value = graph.value(node.outputs[o]);
  value.type = std::move(type);
  value.ints.reset();
}

Result<const Datum::Elements*> elements_of(std::span<const Datum> inputs, size_t i) {
  if (inputs[i].elements == nullptr) return invalid("input " + std::to_string(i) + " is no sequence");
  return inputs[i].elements.get();
}

Status spend(EvaluateOptions& left, size_t elements, int64_t copied) {
  constexpr int64_t kElementWork = 512;  // a count of references, a pointer, sometimes an allocation
  const int64_t work = checked_add(kElementWork * static_cast<int64_t>(elements), checked_mul(copied, 16).value_or(INT64_MAX)).value_or(INT64_MAX);
  if (work > left.work) return unsupported("takes " + std::to_string(work) + " operations, more than the budget of " + std::to_string(left.work));
  left.work -= work;
  return {};
}

Status fits(const EvaluateOptions& left, int64_t bytes) {
  if (bytes <= left.budget) return {};
  return unsupported("needs " + std::to_string(bytes) + " bytes, more than the budget of " + std::to_string(left.budget));
}

Result<std::vector<Datum>> give(Datum::Elements list, EvaluateOptions& left) {
  if (Status s = spend(left, list.size()); !s) return s.error();
  Datum sequence(std::move(list));
  if (Status s = fits(left, sequence.bytes()); !s) return s.error();
  return std::vector<Datum>{std::move(sequence)};
}

const std::vector<ValueId>* known_elements(const Folding& folding, ValueId v) {
  const auto at = folding.elements.find(v);
  return at == folding.elements.end() ? nullptr : &at->second;
}

void set_elements(Folding& folding, const Node& node, std::vector<ValueId> elements) {
  const auto cost = static_cast<int64_t>(32 * elements.size());  // a chain of insertions writes down each length
  if (elements.size() > kMostElements || cost > folding.left.work) return;
  folding.left.work -= cost;
  folding.elements[node.outputs[0]] = std::move(elements);
}

bool pay_for(Folding& folding, size_t nodes, int64_t bytes) {
  const int64_t cost = checked_add(static_cast<int64_t>(8192 * nodes), checked_mul(bytes, 16).value_or(INT64_MAX)).value_or(INT64_MAX);
  if (cost > folding.left.work) return false;
  folding.left.work -= cost;
  return true;
}

Result<bool> replace(Folding& folding, const Node& node, ValueId by) {
  folding.forward[node.outputs[0]] = by;
  return true;
}

Status add_node(Folding& folding, Node node) {
  if (Status s = verify_node(node); !s) return s;
  if (Status s = infer_shapes(folding.graph, node); !s) return s;
  folding.kept.push_back(std::move(node));
  return {};
}

Status construct(Folding& folding, const std::string& name, std::vector<ValueId> elements, ValueId sequence) {
  Node node;
  node.op = elements.empty() ? &kSequenceEmpty : &kSequenceConstruct;
  node.name = name;
  if (elements.empty()) node.attrs.set("dtype", int64_t{code_of(folding.graph.value(sequence).type.dtype)});
  node.inputs = elements;
  node.outputs = {sequence};
  set_elements(folding, node, std::move(elements));
  return add_node(folding, std::move(node));
}

}  // namespace tern
