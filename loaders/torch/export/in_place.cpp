// Operators in place. What they change is the builder's business, whoever reads a name asks it; here is what a program says beside that.
// See graph/in_place.cpp.
#include "loaders/torch/export/run.h"
#include "loaders/torch/export/schema.h"
#include "loaders/torch/ops/operator.h"

namespace tern::torch {

void Runner::change_in_place(Frame& f, const std::string& op) {
  const Json::Id node = json_.item(f.nodes, f.now), inputs = json_.get(node, "inputs"), outputs = json_.get(node, "outputs");
  const Tagged self = tagged(json_, json_.size(inputs) > 0 ? json_.get(json_.item(inputs, 0), "arg") : Json::kNothing);
  const Usage::Name* name = self.tag == "as_tensor" ? f.usage.find(text_of(json_, self.value, "name")) : nullptr;
  const IValue before = name != nullptr ? named(f, name->text) : IValue();
  if (!before.is_tensor()) {
    b_.fail(invalid(op + " changes no tensor"));
    return;
  }
  const IValue result = call_node(f, node, find_operator(op) != nullptr ? op : functional_form(op));
  if (!b_.ok()) return;
  const ValueId now = b_.cast(result.is_tensor() ? result.id() : before.id(), b_.dtype(before.id()));
  if (b_.is_view_of(now, before.id()) && now != before.id())
    b_.fail(unsupported(op + " changes in place how a tensor is looked at, which is not supported"));
  b_.change(before.id(), now);
  const std::string_view made = json_.size(outputs) > 0 ? text_of(json_, tagged(json_, json_.item(outputs, 0)).value, "name") : std::string_view();
  if (!made.empty()) set(f, made, IValue::tensor(now));
  const Usage::Name& first = f.usage.name(name->tensor);
  if (first.made >= 0) return;
  if (!f.outermost) b_.fail(unsupported(op + " changes what a graph inside the program was given"));
  if (lifted_.has(first.text)) lifted_.changed(first.text);
}

}  // namespace tern::torch
