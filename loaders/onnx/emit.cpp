// Adding nodes and values to the graph in the making. See normalize/normalize.h.
#include "loaders/onnx/builder.h"

namespace tern::onnx {
namespace {

// Infer functions rely on what verify checks; while building nothing has been verified yet.
bool well_formed(const Node& node) {
  auto fits = [](size_t n, Arity a) { return static_cast<int>(n) >= a.min && (a.max < 0 || static_cast<int>(n) <= a.max); };
  if (!fits(node.inputs.size(), node.op->inputs) || !fits(node.outputs.size(), node.op->outputs)) return false;
  for (int i = 0; i < node.op->inputs.min; ++i) {
    if (node.inputs[static_cast<size_t>(i)] == kNone) return false;
  }
  for (const auto& [name, value] : node.attrs.all()) {
    bool known = false;
    for (const AttrSpec& spec : node.op->attrs) known |= name == spec.name && Attributes::kind(value) == spec.kind;
    if (!known) return false;
  }
  for (const AttrSpec& spec : node.op->attrs) {
    if (spec.required() && !node.attrs.has(spec.name)) return false;
  }
  return true;
}

}  // namespace

GraphBuilder::Names Emitter::names(const char* op) {
  const std::string owner = at_->outputs.empty() || at_->outputs[0] == kNone ? at_->name : name(at_->outputs[0]);
  return {at_->name, owner + ":" + (op == nullptr ? "c" : op) + std::to_string(serial_++)};
}

void Emitter::emit_to(const char* op, std::vector<ValueId> inputs, Attributes attrs, std::vector<ValueId> outputs) {
  add({op, at_->name, at_->version, std::move(inputs), std::move(outputs), std::move(attrs)});
}

void Emitter::add(OnnxNode node, std::vector<int32_t> subgraphs, int32_t captured) {
  const OpDef* op = find_op(node.op);
  if (op == nullptr || (op->tern_only && !node.own)) {
    missing_.add(node.op, node.name.empty() && !node.outputs.empty() && node.outputs[0] != kNone ? "@" + name(node.outputs[0]) : node.name);
    return;
  }
  // Absent optional ones at the end are the same as none; but with any number of outputs (Split), how many there are says what each is.
  while (!node.inputs.empty() && node.inputs.back() == kNone && static_cast<int>(node.inputs.size()) > op->inputs.min) node.inputs.pop_back();
  while (op->outputs.max >= 0 && !node.outputs.empty() && node.outputs.back() == kNone && static_cast<int>(node.outputs.size()) > op->outputs.min)
    node.outputs.pop_back();
  (void)settle(
      add_node({op, std::move(node.name), std::move(node.attrs), std::move(node.inputs), std::move(node.outputs), std::move(subgraphs), captured}));
}

// What can be told of the outputs now: rules ask for ranks and dtypes.
Status Emitter::settle(Node& node) {
  if (node.op->infer == nullptr || !well_formed(node)) return {};
  std::vector<InferContext::Input> in;
  for (ValueId v : node.inputs) {
    if (v != kNone && dtype(v) == DType::none) return {};
    in.push_back({type(v), v == kNone ? nullptr : contents(v), nullptr});
  }
  int64_t symbols = 0;
  InferContext c(node.read(), std::move(in), node.outputs.size(), &symbols);
  if (!infer_op(*node.op, c)) return {};
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) graph.value(node.outputs[o]).type = c.outputs[o];
  }
  return {};
}

}  // namespace tern::onnx
