// Names become values: initializers, inputs, nodes, outputs. See builder.h.
#include "loaders/onnx/builder.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "kernels/dtype_code.h"
#include "loaders/onnx/control.h"
#include "loaders/onnx/functions.h"
#include "loaders/onnx/sort.h"
#include "loaders/onnx/text.h"

namespace tern::onnx {

Status Builder::build(onnx_pb::GraphProto& proto) {
  graph.name = proto.name();
  int64_t values = proto.initializer_size() + proto.sparse_initializer_size() + proto.input_size();
  for (const auto& n : proto.node()) values += n.output_size();
  graph.nodes.reserve(static_cast<size_t>(proto.node_size()));
  graph.values.reserve(static_cast<size_t>(values));
  if (Status s = initializers(proto); !s) return s;
  if (Status s = inputs(proto); !s) return s;
  auto order = sorted_nodes(proto);
  if (!order) return order.error();
  for (int n : *order) {
    onnx_pb::NodeProto& p = *proto.mutable_node(n);
    if (Status s = node(p); !s) return s.error().within(describe(p));
    if (!ok()) return status();
    p.Clear();
  }
  return outputs(proto);
}

Graph Builder::take() {
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.outputs) {
      if (v != kNone) graph.value(v).type = {};
    }
  }
  return std::move(graph);
}

Status Builder::initializers(onnx_pb::GraphProto& proto) {
  auto add = [&](const std::string& name, Result<Tensor> tensor) -> Status {
    const std::string where = "initializer " + quoted(name);
    if (!tensor) return tensor.error().within(where);
    if (name.empty()) return invalid("an initializer has no name");
    return define(name, constant(std::move(*tensor), name));
  };
  for (auto& t : *proto.mutable_initializer()) {
    // A function's subgraph may be there several times.
    if (Status s = add(t.name(), subgraph_ ? to_tensor(t, sources_) : take_tensor(t, sources_)); !s) return s;
    t.Clear();
  }
  for (auto& t : *proto.mutable_sparse_initializer()) {
    if (Status s = add(t.values().name(), to_dense(t, sources_)); !s) return s;
    t.Clear();
  }
  return {};
}

// The type of the input `of`. A dimension without a name (or -1, as some exporters write) is a symbol of its own: "x_dim_0" of input x, so
// that callers can bind it. Of the elements of sequences and optionals nothing is known of a dimension that is no number.
Result<TypeInfo> Builder::declared(const onnx_pb::Type& type, const DimNames& names, const std::string& of) {
  const onnx_pb::Type* inner = &type;
  const bool optional = inner->has_optional_type();
  if (optional) inner = &inner->optional_type().elem_type();
  const bool sequence = inner->has_sequence_type();
  if (sequence) inner = &inner->sequence_type().elem_type();
  const onnx_pb::Type& p = *inner;
  const ValueKind kind =
      optional ? (sequence ? ValueKind::optional_sequence : ValueKind::optional) : (sequence ? ValueKind::sequence : ValueKind::tensor);
  if (p.has_sequence_type() || p.has_optional_type()) {
    return unsupported(std::string("it is ") + (kind == ValueKind::sequence ? "a " : "an ") + tern::name(kind) +
                       " of no tensors: sequences of sequences and optionals, and optionals of optionals, are not supported");
  }
  if (p.has_map_type()) return unsupported("it is a map, which is not supported");
  if (p.has_sparse_tensor_type()) return unsupported("it is a sparse tensor, which is not supported");
  if (!p.has_tensor_type()) return invalid("it has no type");
  auto dtype = dtype_of(p.tensor_type().elem_type());
  if (!dtype) return dtype.error();
  if (!p.tensor_type().has_shape()) return TypeInfo{*dtype, {}, kind};
  std::vector<Dim> dims;
  for (const auto& d : p.tensor_type().shape().dim()) {
    if (d.has_dim_value() && d.dim_value() != -1) {
      if (d.dim_value() < 0) return invalid("dimension " + std::to_string(d.dim_value()) + " is negative");
      dims.emplace_back(d.dim_value());
    } else if (kind != ValueKind::tensor) {
      dims.push_back(graph.fresh_dim());
    } else {
      dims.push_back(names.read(d.dim_param(), of + "_dim_" + std::to_string(dims.size())));
    }
  }
  if (dims.size() > kMaxRank) return unsupported("it has " + std::to_string(dims.size()) + " dimensions, at most 8 are supported");
  std::vector<int64_t> known;
  for (const Dim& d : dims) known.push_back(d.known() ? d.value() : 1);
  const auto count = checked_count(known);
  if (!count || *count > INT64_MAX / 16) return invalid("its shape " + Shape(dims).text() + " is too large");
  return TypeInfo{*dtype, Shape(std::move(dims)), kind};
}

// What the node gives the body; of what the file declares only the dtype is taken, where that is not known. Inference compares it.
Result<TypeInfo> Builder::input_of_body(const onnx_pb::Type& p, size_t k) const {
  TypeInfo type = k < input_types_.size() ? input_types_[k] : TypeInfo();
  if (type.dtype != DType::none || !p.has_tensor_type()) return type;
  auto dtype = dtype_of(p.tensor_type().elem_type());
  if (!dtype) return dtype.error();
  type.dtype = *dtype;
  return type;
}

Status Builder::inputs(const onnx_pb::GraphProto& proto) {
  auto is_initializer = [&](const std::string& name) { return graph.is_constant(defined(name)); };
  DimNames dim_names;
  for (const auto& p : proto.input()) {
    if (!p.type().has_tensor_type() || is_initializer(p.name())) continue;
    for (const auto& d : p.type().tensor_type().shape().dim()) {
      if (!d.has_dim_value()) dim_names.note(d.dim_param());
    }
  }
  for (const auto& p : proto.input()) {
    const std::string where = "input " + quoted(p.name());
    if (p.name().empty()) return invalid("an input has no name");
    if (is_initializer(p.name()) && subgraph_) return invalid(where + " of a subgraph is an initializer too");
    if (is_initializer(p.name())) {  // the default of an input: a constant, unless the caller asked for the input
      graph.overridable.push_back(p.name());
      if (std::find(overridable_.begin(), overridable_.end(), p.name()) == overridable_.end()) continue;
      const ValueId v = defined(p.name());
      graph.value(v).initial = std::exchange(graph.value(v).constant, {});
      graph.inputs.push_back(v);
      continue;
    }
    auto type = !subgraph_ || input_types_.empty() ? declared(p.type(), dim_names, p.name()) : input_of_body(p.type(), graph.inputs.size());
    if (!type) return type.error().within(where);
    const ValueId v = graph.add_value(p.name(), std::move(*type));
    if (Status s = define(p.name(), v); !s) return s;
    graph.inputs.push_back(v);
  }
  return {};
}

Status Builder::outputs(const onnx_pb::GraphProto& proto) {
  for (const auto& p : proto.output()) {
    const std::string where = "output " + quoted(p.name());
    auto v = find(p.name());
    if (!v) return v.error();
    if (*v == kNone) return invalid(where + " is defined by nothing");
    graph.outputs.push_back(*v);
    graph.output_names.push_back(p.name());
    // What the file says of its type is for people only. A dimension's name may stand where inference has none.
    graph.output_dim_names.emplace_back();
    for (const auto& d : p.type().tensor_type().shape().dim()) graph.output_dim_names.back().push_back(d.dim_param());
  }
  return {};
}

Status Builder::attributes(onnx_pb::NodeProto& proto, Attributes& attrs) {
  // The numbers of AttributeProto.AttributeType.
  enum { kFloat = 1, kInt, kString, kTensor, kGraph, kFloats, kInts, kStrings, kTensors, kGraphs, kSparse, kSparses, kType };
  for (auto& a : *proto.mutable_attribute()) {
    int type = a.type();
    if (type == 0) {  // files of the first version do not say
      type = a.has_f()          ? kFloat
             : a.has_i()        ? kInt
             : a.has_s()        ? kString
             : a.has_t()        ? kTensor
             : a.has_g()        ? kGraph
             : a.floats_size()  ? kFloats
             : a.ints_size()    ? kInts
             : a.strings_size() ? kStrings
                                : 0;
    }
    const std::string where = "attribute " + quoted(a.name());
    if (attrs.has(a.name())) return invalid(where + " is given twice");
    switch (type) {
      case 0: break;  // empty
      case kFloat: attrs.set(a.name(), a.f()); break;
      case kInt: attrs.set(a.name(), a.i()); break;
      case kString: attrs.set(a.name(), a.s()); break;
      case kFloats: attrs.set(a.name(), std::vector<float>(a.floats().begin(), a.floats().end())); break;
      case kInts: attrs.set(a.name(), std::vector<int64_t>(a.ints().begin(), a.ints().end())); break;
      case kStrings: attrs.set(a.name(), std::vector<std::string>(a.strings().begin(), a.strings().end())); break;
      case kTensor:
      case kSparse: {
        auto t = type == kTensor ? to_tensor(a.t(), sources_) : to_dense(a.sparse_tensor(), sources_);
        if (!t) return t.error().within(where);
        attrs.set(a.name(), std::move(*t));
        break;
      }
      case kGraph:
        if (!a.has_g() || control_form(proto.op_type()) == nullptr) return unsupported(where + " is a graph, which only a control operator may have");
        break;
      case kType: {  // of an Optional: what an empty one would hold
        auto t = declared(a.tp(), DimNames(), a.name());
        if (!t) return t.error().within(where);
        attrs.set("dtype", int64_t{code_of(t->dtype)});
        attrs.set("sequence", int64_t{t->kind == ValueKind::sequence});
        break;
      }
      default: return unsupported(where + " has a kind that is not supported");
    }
  }
  return {};
}

// The newest Constant has one of eight attributes; all are a tensor.
Status Builder::constant_node(onnx_pb::NodeProto& proto) {
  Attributes attrs;
  if (Status s = attributes(proto, attrs); !s) return s;
  Tensor tensor;
  for (const auto& [name, value] : attrs.all()) {
    if (!name.starts_with("value") && name != "sparse_value") return unsupported("attribute " + quoted(name) + " is not supported");
    if (tensor.present()) return invalid("it has more than one value");
    if (const auto* t = std::get_if<Tensor>(&value)) tensor = *t;
    if (const auto* i = std::get_if<int64_t>(&value)) tensor = Tensor::scalar(*i);
    if (const auto* f = std::get_if<float>(&value)) tensor = Tensor::scalar(*f);
    if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) tensor = Tensor::ints(*list);
    if (const auto* list = std::get_if<std::vector<float>>(&value)) tensor = Tensor::of<float>({static_cast<int64_t>(list->size())}, *list);
    auto texts = [&](const Dims& dims, std::span<const std::string> list) {
      if (auto t = Tensor::strings(dims, list)) tensor = std::move(*t);
    };
    if (const auto* s = std::get_if<std::string>(&value)) texts({}, {s, 1});
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) texts({static_cast<int64_t>(list->size())}, *list);
  }
  if (!tensor.present()) {
    // An empty list without its kind: value_ints and value_floats both are empty 1-D tensors.
    for (const auto& a : proto.attribute()) {
      if (a.name() == "value_ints") tensor = Tensor::ints({});
      if (a.name() == "value_floats") tensor = Tensor::of<float>({0}, {});
    }
  }
  if (!tensor.present()) return invalid("it has no value");
  if (proto.output_size() != 1 || proto.output(0).empty()) return invalid("it must have one output");
  normalize_elements(tensor.dtype(), tensor.mutable_raw(), tensor.count());
  return define(proto.output(0), constant(std::move(tensor), proto.output(0)));
}

Status Builder::node(onnx_pb::NodeProto& proto) {
  const std::string domain = canonical_domain(proto.domain());
  if (domain.empty()) {
    if (proto.version() == 0) return invalid("the model imports no opset of the standard operators");
    if (proto.version() < 0) return invalid("opset " + std::to_string(proto.version()) + " does not exist");
  }
  const Rule foreign = domain == "com.microsoft" ? microsoft_rule(proto.op_type()) : domain == "ai.onnx.ml" ? ml_rule(proto.op_type()) : nullptr;
  const bool known = (domain.empty() && proto.version() <= kNewestOpset) || foreign != nullptr;
  if (known && domain.empty() && proto.op_type() == "Constant") return constant_node(proto);
  OnnxNode node{proto.op_type(), proto.name(), proto.version(), {}, {}, {}};
  for (const auto& name : proto.input()) {
    auto v = name.empty() ? Result<ValueId>(kNone) : find(name);
    if (!v) return v.error();
    if (*v == kNone && !name.empty()) return invalid("it reads " + quoted(name) + ", which nothing defines");
    node.inputs.push_back(*v);
  }
  for (const auto& name : proto.output()) {
    node.outputs.push_back(name.empty() ? kNone : graph.add_value(name));
    if (name.empty()) continue;
    if (Status s = define(name, node.outputs.back()); !s) return s;
  }
  if (!known) {
    const std::string first = proto.name().empty() && proto.output_size() > 0 ? "@" + proto.output(0) : proto.name();
    missing_.add((domain.empty() ? "opset " + std::to_string(proto.version()) : domain) + "." + proto.op_type(), first);
    return {};
  }
  be_at(node);
  if (foreign != nullptr) {
    if (Status s = attributes(proto, node.attrs); !s) return s;
    if (Status s = foreign(node, *this); !s) return s;
    add(std::move(node));
    return {};
  }
  if (const ControlForm* form = control_form(proto.op_type())) return control_node(proto, std::move(node), *form);
  if (find_op(proto.op_type()) != nullptr || proto.op_type() == "Upsample" || proto.op_type() == "Scatter") {
    if (Status s = attributes(proto, node.attrs); !s) return s;
    if (Status s = normalize(node, *this); !s) return s;
  }
  add(std::move(node));
  return {};
}

// All subgraphs are built, and then take the union of what they capture.
Status Builder::control_node(onnx_pb::NodeProto& proto, OnnxNode node, const ControlForm& form) {
  if (Status s = attributes(proto, node.attrs); !s) return s;
  be_at(node);
  if (form.normalize != nullptr) {
    if (Status s = form.normalize(node, *this); !s) return s;
  }
  std::deque<Builder> bodies;
  for (const char* attribute : form.subgraphs) {
    onnx_pb::GraphProto* body = nullptr;
    for (auto& a : *proto.mutable_attribute()) {
      if (a.name() == attribute && a.has_g()) body = a.mutable_g();
    }
    if (body == nullptr) return invalid(std::string("it has no ") + attribute);
    Builder& b = bodies.emplace_back(this, sources_, missing_);
    if (form.repeats) b.input_types_ = body_inputs(node, *this);
    if (Status s = b.build(*body); !s) return s.error().within(attribute);
    graph.next_symbol = b.graph.next_symbol;
    if (b.graph.outputs.size() < form.conditions + node.outputs.size()) {
      return invalid(std::string(attribute) + " has " + std::to_string(b.graph.outputs.size()) + " outputs, the node " +
                     std::to_string(node.outputs.size()));
    }
  }
  if (form.repeats) {
    const Graph& body = bodies[0].graph;
    std::vector<TypeInfo> types;
    for (size_t o = form.conditions; o < body.outputs.size(); ++o) types.push_back(bodies[0].type(body.outputs[o]));
    node.outputs.resize(types.size(), kNone);
    types = node_outputs(node, *this, types);
    for (size_t o = 0; o < types.size(); ++o) {
      if (node.outputs[o] != kNone) graph.value(node.outputs[o]).type = std::move(types[o]);
    }
  }
  std::vector<tern::GraphBuilder*> closed;
  for (Builder& b : bodies) closed.push_back(&b);
  auto captured = close(closed);
  if (!captured) return captured.error();
  std::vector<int32_t> subgraphs;
  for (Builder& b : bodies) {
    subgraphs.push_back(static_cast<int32_t>(graph.subgraphs.size()));
    graph.subgraphs.push_back(scans_batches(node) ? scan_of_one_sample(node, b.take(), captured->size()) : b.take());
  }
  node.inputs.insert(node.inputs.end(), captured->begin(), captured->end());
  add(std::move(node), std::move(subgraphs), static_cast<int32_t>(captured->size()));
  return {};
}

}  // namespace tern::onnx
