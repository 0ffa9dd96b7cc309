// Adding nodes and values to the graph in the making. See builder.h.
#include "loaders/onnx/builder.h"
#include "loaders/onnx/text.h"

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

void Unsupported::add(const std::string& domain, const std::string& op, const std::string& node) {
  const std::string name = domain.empty() ? op : domain + "." + op;
  auto [it, fresh] = index_.emplace(name, entries_.size());
  if (fresh) entries_.push_back({name, node, 0});
  ++entries_[it->second].count;
}

Error Unsupported::error() const {
  constexpr size_t kMost = 256;  // a real model has a handful
  std::string s = entries_.size() == 1 ? "this operator is not supported: " : "these operators are not supported: ";
  for (size_t i = 0; i < entries_.size() && i < kMost; ++i) {
    const std::string op = quoted(entries_[i].op);
    s += (i > 0 ? ", " : "") + op.substr(1, op.size() - 2) + " (" + std::to_string(entries_[i].count) +
         (entries_[i].count == 1 ? " node, first " : " nodes, first ") + quoted(entries_[i].first) + ")";
  }
  if (entries_.size() > kMost) s += " and " + std::to_string(entries_.size() - kMost) + " more";
  return unsupported(s);
}

ValueId GraphBuilder::add_value(std::string name, TypeInfo type) {
  types_.push_back(type);
  return graph.add_value(std::move(name), std::move(type));
}

ValueId GraphBuilder::constant(const OnnxNode& node, Tensor tensor) {
  const std::string owner = node.outputs.empty() || node.outputs[0] == kNone ? node.name : graph.value(node.outputs[0]).name;
  const ValueId v = graph.add_constant(owner + ":c" + std::to_string(serial_++), std::move(tensor));
  types_.push_back(graph.value(v).type);
  return v;
}

ValueId GraphBuilder::emit(const OnnxNode& node, const char* op, std::vector<ValueId> inputs, Attributes attrs) {
  const ValueId y = value(node, op);
  emit_to(node, op, std::move(inputs), std::move(attrs), {y});
  return y;
}

ValueId GraphBuilder::value(const OnnxNode& node, const char* op) {
  const std::string owner = node.outputs.empty() || node.outputs[0] == kNone ? node.name : graph.value(node.outputs[0]).name;
  return add_value(owner + ":" + op + std::to_string(serial_++), {});
}

void GraphBuilder::emit_to(const OnnxNode& node, const char* op, std::vector<ValueId> inputs, Attributes attrs, std::vector<ValueId> outputs) {
  add_node({op, node.name, node.version, std::move(inputs), std::move(outputs), std::move(attrs)});
}

void GraphBuilder::add_node(OnnxNode node, std::vector<int32_t> subgraphs, int32_t captured) {
  const OpDef* op = find_op(node.op);
  if (op == nullptr || op->tern_only) {
    missing_.add("", node.op,
                 node.name.empty() && !node.outputs.empty() && node.outputs[0] != kNone ? "@" + graph.value(node.outputs[0]).name : node.name);
    return;
  }
  // Absent optional ones at the end are the same as none; but with any number of outputs (Split), how many there are says what each is.
  while (!node.inputs.empty() && node.inputs.back() == kNone && static_cast<int>(node.inputs.size()) > op->inputs.min) node.inputs.pop_back();
  while (op->outputs.max >= 0 && !node.outputs.empty() && node.outputs.back() == kNone && static_cast<int>(node.outputs.size()) > op->outputs.min)
    node.outputs.pop_back();
  graph.nodes.push_back(
      {op, std::move(node.name), std::move(node.attrs), std::move(node.inputs), std::move(node.outputs), std::move(subgraphs), captured});
  infer(graph.nodes.back());
}

// What can be told of the outputs now: rules ask for ranks and dtypes. Errors are infer_shapes' to report.
void GraphBuilder::infer(const Node& node) {
  if (node.op->infer == nullptr || !well_formed(node)) return;
  std::vector<InferContext::Input> in;
  for (ValueId v : node.inputs) {
    if (v != kNone && type(v).dtype == DType::none) return;
    in.push_back({type(v), v == kNone ? nullptr : contents(v), nullptr});
  }
  int64_t symbols = 0;
  InferContext c(node.read(), std::move(in), node.outputs.size(), &symbols);
  if (!infer_op(*node.op, c)) return;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) types_[static_cast<size_t>(node.outputs[o])] = c.outputs[o];
  }
}

}  // namespace tern::onnx
