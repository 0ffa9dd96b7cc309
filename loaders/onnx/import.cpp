// From a parsed file to a Graph: names become indices, subgraphs are closed over what they capture, functions are inlined,
// operators this build does not have are listed. See import.h.
#include "loaders/onnx/import.h"

#include "kernels/control/control.h"

namespace tern::onnx {
namespace {

constexpr int64_t kMaxNodes = 1000000;
constexpr int kMaxCalls = 32;

std::string plain_domain(const std::string& domain) { return domain == "ai.onnx" ? std::string() : domain; }

std::string label(const onnx_pb::Node& node) {
  std::string name = node.name();
  if (name.empty() && node.output_size() > 0) name = "@" + node.output(0);
  return name + " (" + node.op_type() + ")";
}

}  // namespace

Result<Graph> Importer::run() {
  if (!model_.has_graph()) return invalid("the file holds no graph");
  if (Status s = read_opsets(); !s) return s.error();
  for (const auto& f : model_.functions()) functions_[plain_domain(f.domain()) + "::" + f.name() + "::" + f.overload()] = &f;
  Graph graph;
  graph.format = "onnx";
  graph.producer = model_.producer_name() + (model_.producer_version().empty() ? "" : " " + model_.producer_version());
  graph.opset = opsets_[""];
  Scope scope{&graph, {}, nullptr, {}};
  if (Status s = fill_graph(*model_.mutable_graph(), scope, opsets_, nullptr, true); !s) return s.error();
  if (!missing_.empty()) return missing_operators();
  return graph;
}

Status Importer::read_opsets() {
  for (const auto& id : model_.opset_import()) opsets_[plain_domain(id.domain())] = id.version();
  auto [own, absent] = opsets_.try_emplace("", 1);  // IR 1 and 2 had no opsets
  if (own->second < 1) return invalid("opset " + std::to_string(own->second) + " does not exist");
  if (own->second > kNewestOpset) {
    return unsupported("opset " + std::to_string(own->second) + " is newer than the newest that is known here, " + std::to_string(kNewestOpset));
  }
  return {};
}

Error Importer::missing_operators() const {
  std::string list;
  for (const auto& [op, m] : missing_) {
    list += (list.empty() ? "" : ", ") + op + " (" + std::to_string(m.count) + (m.count == 1 ? " node" : " nodes") + ", first " + m.first + ")";
  }
  return unsupported("operators that are not supported: " + list);
}

Result<ValueId> Importer::find(Scope& scope, const std::string& name) {
  if (auto at = scope.names.find(name); at != scope.names.end()) return at->second;
  if (scope.outer == nullptr) return invalid("reads " + name + ", which nothing produces");
  auto outer = find(*scope.outer, name);
  if (!outer) return outer;
  const ValueId v = scope.graph->add_value(name, scope.outer->graph->value(*outer).type);
  scope.names[name] = v;
  scope.captured.emplace_back(name, v);
  return v;
}

Status Importer::define(Scope& scope, const std::string& name, ValueId v) {
  if (!scope.names.emplace(name, v).second) return invalid("value " + name + " is produced twice");
  return {};
}

Status Importer::add_constants(onnx_pb::Graph& proto, Scope& scope) {
  for (auto& t : *proto.mutable_initializer()) {
    auto tensor = to_tensor(t, external_);
    if (!tensor) return tensor.error();
    std::string().swap(*t.mutable_raw_data());  // its bytes are in the tensor now
    if (Status s = define(scope, t.name(), scope.graph->add_constant(t.name(), std::move(*tensor))); !s) return s;
  }
  for (const auto& t : proto.sparse_initializer()) {
    auto tensor = to_tensor(t, external_, budget_);
    if (!tensor) return tensor.error();
    if (Status s = define(scope, t.values().name(), scope.graph->add_constant(t.values().name(), std::move(*tensor))); !s) return s;
  }
  return {};
}

Status Importer::fill_graph(onnx_pb::Graph& proto, Scope& scope, const Opsets& opsets, const Call* call, bool main) {
  Graph& graph = *scope.graph;
  graph.name = proto.name().empty() ? "main" : proto.name();
  if (Status s = add_constants(proto, scope); !s) return s;
  if (main) {
    for (const auto* list : {&proto.value_info(), &proto.output()}) {
      for (const auto& info : *list) {
        auto type = to_type(info);
        if (type) declared_[info.name()] = *type;
      }
    }
  }
  for (const auto& info : proto.input()) {
    if (scope.names.count(info.name())) continue;  // an initializer that is also an input: its value is taken
    auto type = to_type(info);
    if (!type) return type.error().within("input " + info.name());
    const ValueId v = graph.add_value(info.name(), *type);
    graph.inputs.push_back(v);
    if (Status s = define(scope, info.name(), v); !s) return s;
  }
  if (Status s = add_nodes(proto.node(), scope, opsets, call); !s) return s;
  for (const auto& info : proto.output()) {
    auto v = find(scope, info.name());
    if (!v) return invalid("output " + info.name() + " is never computed");
    graph.outputs.push_back(*v);
    graph.output_names.push_back(info.name());
  }
  return {};
}

Status Importer::add_nodes(const google::protobuf::RepeatedPtrField<onnx_pb::Node>& nodes, Scope& scope, const Opsets& opsets,
                           const Call* call) {
  auto order = topological_order(nodes);
  if (!order) return order.error();
  for (int n : *order) {
    if (++nodes_ > kMaxNodes) return invalid("more than " + std::to_string(kMaxNodes) + " nodes after inlining");
    if (Status s = add_node(nodes.Get(n), scope, opsets, call); !s) return s.error().within(label(nodes.Get(n)));
  }
  return {};
}

Status Importer::add_node(const onnx_pb::Node& proto, Scope& scope, const Opsets& opsets, const Call* call) {
  const std::string domain = plain_domain(proto.domain());
  if (auto f = functions_.find(domain + "::" + proto.op_type() + "::" + proto.overload()); f != functions_.end()) {
    return inline_function(*f->second, proto, scope, call);
  }
  auto opset = opsets.find(domain);
  Incoming node{*scope.graph, proto.op_type(), proto.name(), opset == opsets.end() ? opsets_[""] : opset->second, {}, {}, {}};
  for (const std::string& name : proto.input()) {
    if (name.empty()) {
      node.inputs.push_back(kNone);
      continue;
    }
    auto v = find(scope, name);
    if (!v) return v.error();
    node.inputs.push_back(*v);
  }
  while (!node.inputs.empty() && node.inputs.back() == kNone) node.inputs.pop_back();
  for (const std::string& name : proto.output()) {
    if (name.empty()) {
      node.outputs.push_back(kNone);
      continue;
    }
    auto declared = declared_.find(name);
    const ValueId v = scope.graph->add_value(name, declared == declared_.end() ? TypeInfo() : declared->second);
    node.outputs.push_back(v);
    if (Status s = define(scope, name, v); !s) return s;
  }
  auto miss = [&](const std::string& op) {
    Missing& m = missing_[op];
    if (m.count++ == 0) m.first = label(proto).substr(0, 80);
    return Status();
  };
  if (!domain.empty()) return miss(domain + "::" + proto.op_type());
  if (node.op == "If") return add_if(proto, scope, opsets, call, {&kIf, proto.name(), {}, node.inputs, node.outputs, {}});
  if (node.op != "Constant" && node.op != "Upsample" && node.op != "Scatter" && find_op(node.op) == nullptr) return miss(node.op);
  if (const OpDef* op = find_op(node.op); op != nullptr && op->tern_only) return miss(node.op);
  auto attrs = attributes(proto, call);
  if (!attrs) return attrs.error();
  node.attrs = std::move(*attrs);
  if (node.op == "Constant") return add_constant_node(node, proto, scope);
  if (node.inputs.empty() && find_op(node.op) != nullptr && find_op(node.op)->inputs.min > 0) return invalid("has no inputs");
  if (Status s = normalize(node); !s) return s;
  if (node.emitted) return {};
  const OpDef* op = find_op(node.op);
  if (op == nullptr) return miss(node.op);
  scope.graph->nodes.push_back({op, node.name, std::move(node.attrs), std::move(node.inputs), std::move(node.outputs), {}});
  return {};
}

// Both branches take every value that either of them captures, in one order.
Status Importer::add_if(const onnx_pb::Node& proto, Scope& scope, const Opsets& opsets, const Call* call, Node node) {
  Graph branches[2];
  Scope scopes[2];
  for (int b = 0; b < 2; ++b) {
    const char* name = b == 0 ? "then_branch" : "else_branch";
    const onnx_pb::Attribute* found = nullptr;
    for (const auto& a : proto.attribute()) {
      if (a.name() == name && a.has_g()) found = &a;
    }
    if (found == nullptr) return invalid(std::string("has no ") + name);
    onnx_pb::Graph copy = found->g();  // constants are moved out of it
    scopes[b] = {&branches[b], {}, &scope, {}};
    if (copy.input_size() != 0) return invalid(std::string(name) + " must have no inputs");
    if (Status s = fill_graph(copy, scopes[b], opsets, call, false); !s) return s.error().within(name);
  }
  if (node.inputs.size() != 1) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 1");
  std::vector<std::string> names;
  for (const Scope& s : scopes) {
    for (const auto& [name, v] : s.captured) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    auto outer = find(scope, name);
    if (!outer) return outer.error();
    node.inputs.push_back(*outer);
    for (Scope& s : scopes) {
      auto at = std::find_if(s.captured.begin(), s.captured.end(), [&](const auto& c) { return c.first == name; });
      s.graph->inputs.push_back(at != s.captured.end() ? at->second : s.graph->add_value(name));
    }
  }
  for (Graph& g : branches) {
    node.subgraphs.push_back(static_cast<int32_t>(scope.graph->subgraphs.size()));
    scope.graph->subgraphs.push_back(std::move(g));
  }
  scope.graph->nodes.push_back(std::move(node));
  return {};
}

Status Importer::add_constant_node(const Incoming& node, const onnx_pb::Node& proto, Scope& scope) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNone) return invalid("must have one output");
  Result<Tensor> t = invalid("has no value");
  const Attributes& a = node.attrs;
  if (a.tensor("value")) t = *a.tensor("value");
  else if (a.has("value_float")) t = Tensor::scalar(a.f("value_float"));
  else if (a.has("value_int")) t = Tensor::scalar(a.i("value_int"));
  else if (a.has("value_ints")) t = Tensor::ints(a.ints("value_ints"));
  else if (a.has("value_floats")) {
    const auto v = a.floats("value_floats");
    t = Tensor::of<float>({static_cast<int64_t>(v.size())}, v);
  } else if (a.has("value_string")) {
    const std::vector<std::string> v = {a.s("value_string")};
    t = Tensor::strings({}, v);
  } else if (a.has("value_strings")) {
    const auto v = a.strings("value_strings");
    t = Tensor::strings({static_cast<int64_t>(v.size())}, v);
  } else {
    for (const auto& attribute : proto.attribute()) {
      if (attribute.name() == "sparse_value" && attribute.has_sparse_tensor()) t = to_tensor(attribute.sparse_tensor(), external_, budget_);
    }
  }
  if (!t) return t.error();
  Value& value = scope.graph->value(node.outputs[0]);
  value.type = {t->dtype(), Shape(t->dims())};
  value.constant = std::move(*t);
  return {};
}

Status Importer::inline_function(const onnx_pb::Function& function, const onnx_pb::Node& proto, Scope& scope, const Call* caller) {
  int depth = 0;
  for (const Call* c = caller; c != nullptr; c = c->caller) {
    if (c->function == &function) return invalid("function " + function.name() + " calls itself");
    if (++depth > kMaxCalls) return invalid("functions nested more than " + std::to_string(kMaxCalls) + " deep");
  }
  Call call{&function, caller, {}};
  for (const auto& a : function.attribute_proto()) call.attributes[a.name()] = &a;  // defaults
  for (const auto& a : proto.attribute()) {
    const onnx_pb::Attribute* actual = &a;
    if (!a.ref_attr_name().empty()) {
      auto at = caller == nullptr ? call.attributes.end() : caller->attributes.find(a.ref_attr_name());
      if (caller == nullptr || at == caller->attributes.end()) continue;
      actual = at->second;
    }
    call.attributes[a.name()] = actual;
  }
  Opsets opsets;
  for (const auto& id : function.opset_import()) opsets[plain_domain(id.domain())] = id.version();
  if (opsets.empty()) opsets = opsets_;

  Scope inner{scope.graph, {}, nullptr, {}};
  for (int i = 0; i < function.input_size(); ++i) {
    if (i >= proto.input_size() || proto.input(i).empty()) continue;  // absent: reading it gives an absent input
    auto v = find(scope, proto.input(i));
    if (!v) return v.error();
    inner.names[function.input(i)] = *v;
  }
  // Nodes that read an absent input of the function get an absent input themselves.
  google::protobuf::RepeatedPtrField<onnx_pb::Node> nodes = function.node();
  std::set<std::string> absent;
  for (const std::string& name : function.input()) {
    if (!inner.names.count(name)) absent.insert(name);
  }
  for (auto& n : nodes) {
    for (auto& name : *n.mutable_input()) {
      if (absent.count(name)) name.clear();
    }
    n.set_name(proto.name() + "/" + n.name());
  }
  const auto declared = std::move(declared_);  // names inside a function are its own
  declared_.clear();
  if (Status s = add_nodes(nodes, inner, opsets, &call); !s) return s.error().within("function " + function.name());
  declared_ = declared;
  for (int o = 0; o < function.output_size() && o < proto.output_size(); ++o) {
    if (proto.output(o).empty()) continue;
    auto v = find(inner, function.output(o));
    if (!v) return v.error();
    if (Status s = define(scope, proto.output(o), *v); !s) return s;
  }
  return {};
}

Result<Attributes> Importer::attributes(const onnx_pb::Node& proto, const Call* call) {
  Attributes out;
  for (const auto& given : proto.attribute()) {
    const onnx_pb::Attribute* a = &given;
    if (!given.ref_attr_name().empty()) {
      if (call == nullptr) return invalid("attribute " + given.name() + " refers to a function's attribute outside of a function");
      auto at = call->attributes.find(given.ref_attr_name());
      if (at == call->attributes.end()) continue;
      a = at->second;
    }
    int type = a->type();
    if (type == 0) {  // IR 1 had no type: what is there tells
      type = a->has_f() ? 1 : a->has_i() ? 2 : a->has_s() ? 3 : a->has_t() ? 4 : a->floats_size() ? 6 : a->ints_size() ? 7 : a->strings_size() ? 8 : 7;
    }
    switch (type) {
      case 1: out.set(given.name(), a->f()); break;
      case 2: out.set(given.name(), static_cast<int64_t>(a->i())); break;
      case 3: out.set(given.name(), a->s()); break;
      case 4: {
        auto t = to_tensor(a->t(), external_);
        if (!t) return t.error().within("attribute " + given.name());
        out.set(given.name(), std::move(*t));
        break;
      }
      case 6: out.set(given.name(), std::vector<float>(a->floats().begin(), a->floats().end())); break;
      case 7: out.set(given.name(), std::vector<int64_t>(a->ints().begin(), a->ints().end())); break;
      case 8: out.set(given.name(), std::vector<std::string>(a->strings().begin(), a->strings().end())); break;
      case 11: break;  // Constant's sparse_value, read where it is used
      default: return unsupported("attribute " + given.name() + " has a type that is not supported");
    }
  }
  return out;
}

}  // namespace tern::onnx
