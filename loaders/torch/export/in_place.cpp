// Operators in place: the new value takes the tensor's names; when it was a view, the tensor that it is a view of is made anew with it,
// and so are the other views of that. See usage.h.
#include <algorithm>

#include "loaders/torch/export/run.h"
#include "loaders/torch/export/schema.h"
#include "loaders/torch/ops/operator.h"

namespace tern::torch {
namespace {

// A real program has few views of a tensor that it changes.
constexpr size_t kMostWork = 1'000'000;  // names looked through
constexpr int kMostDepth = 100;          // of views of views

}  // namespace

void Runner::set_tensor(Frame& f, const Usage::Name& name, const IValue& value) {
  const std::vector<uint32_t>& sharing = f.usage.sharing(name);
  work_ += sharing.size();
  if (work_ > kMostWork) b_.fail(unsupported("too many views of tensors that are changed in place"));
  for (uint32_t id : sharing) {
    const Usage::Name& n = f.usage.name(id);
    if (b_.ok() && n.tensor == name.tensor && n.made <= static_cast<int64_t>(f.now)) set(f, n.text, value, true);
  }
}

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
  const std::string_view made = json_.size(outputs) > 0 ? text_of(json_, tagged(json_, json_.item(outputs, 0)).value, "name") : std::string_view();
  if (f.scope.contains(made)) b_.fail(invalid("'" + std::string(made.substr(0, 100)) + "' is made twice"));
  set_tensor(f, *name, IValue::tensor(b_.cast(result.is_tensor() ? result.id() : before.id(), b_.dtype(before.id()))));
  const auto now = static_cast<int64_t>(f.now);
  bool others = false;
  for (uint32_t id : f.usage.sharing(*name)) {
    const Usage::Name& n = f.usage.name(id);
    if (n.tensor == name->tensor && n.made < 0 && !f.outermost) b_.fail(unsupported(op + " changes what a graph inside the program was given"));
    if (n.tensor == name->tensor && n.made < 0 && lifted_.has(n.text)) lifted_.changed(n.text);
    others |= n.tensor != name->tensor && n.made < now && n.last_read > now;
  }
  if (others) change_whole(f, *name);
}

// What the tensor is a view of gets its elements; other views are forgotten, and made anew when they are read.
void Runner::change_whole(Frame& f, const Usage::Name& changed) {
  std::vector<uint32_t> done = {changed.tensor};
  for (const Usage::Name* view = &f.usage.name(changed.tensor); b_.ok() && view->of != done.back(); view = &f.usage.name(done.back())) {
    if (done.size() > static_cast<size_t>(kMostDepth)) b_.fail(unsupported("too many views of views of a tensor that is changed in place"));
    const Usage::Name& of = f.usage.name(view->of);
    set_tensor(f, of, IValue::tensor(put_back(f, *view, of)));
    done.push_back(of.tensor);
  }
  for (uint32_t id : f.usage.sharing(changed)) {
    const Usage::Name& n = f.usage.name(id);
    if (n.made >= 0 && n.made < static_cast<int64_t>(f.now) && std::find(done.begin(), done.end(), n.tensor) == done.end()) f.scope.erase(n.text);
  }
}

// Makes a forgotten view again, from what it is a view of; false when the name is none.
bool Runner::renew(Frame& f, std::string_view name) {
  const Usage::Name* n = f.usage.find(name);
  if (!b_.ok() || n == nullptr || n == &f.usage.name(n->of) || n->made < 0 || n->made >= static_cast<int64_t>(f.now)) return false;
  if (f.depth >= kMostDepth) {
    b_.fail(unsupported("too many views of views of a tensor that is changed in place"));
    return false;
  }
  ++f.depth;
  if (const Usage::Name& first = f.usage.name(n->tensor); n != &first) {  // another name of the tensor
    set(f, name, named(f, first.text), true);
  } else {
    const Json::Id node = json_.item(f.nodes, static_cast<size_t>(n->made));
    bind(f, json_.get(node, "outputs"), call_node(f, node, operator_of(json_, node)), true);
  }
  --f.depth;
  return f.scope.contains(name);
}

// `of` with the elements of the view in it.
ValueId Runner::put_back(Frame& f, const Usage::Name& view, const Usage::Name& of) {
  const Json::Id node = json_.item(f.nodes, static_cast<size_t>(view.made));
  const std::string op = operator_of(json_, node);
  const Operator* row = find_operator(op);
  if (row == nullptr || row->put_back == nullptr) {
    return b_.fail(unsupported("a change in place of what " + op + " shows, while the whole is still read, is not supported"));
  }
  const IValue whole = named(f, of.text), part = named(f, view.text);
  const Given given = arguments(f, node, op);
  Arguments a(b_, *row);
  if (Status s = a.bind(given.positional, given.named); b_.ok() && !s) b_.fail(s.error().within(op));
  return b_.ok() ? row->put_back(b_, a, whole.id(), part.id()) : kNone;
}

}  // namespace tern::torch
