// Names, nodes, branches and outputs as messages. See graph_writer.h.
#include "loaders/onnx/graph_writer.h"

#include <algorithm>

#include "kernels/dtype_code.h"
#include "loaders/onnx/control.h"
#include "loaders/onnx/tensors.h"

namespace tern::onnx {

// Subgraphs nest as deep as the loader let them.
void ModelWriter::note_uses(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (graph.is_constant(node.inputs[i]) && !(i == 1 && transposes_weight(graph, node))) plain_.insert(graph.value(node.inputs[i]).constant.raw());
    }
  }
  for (const Graph& g : graph.subgraphs) note_uses(g);
}

std::string Names::claim(const std::string& wanted) {
  if (taken_.emplace(wanted, 0).second) return wanted;
  int64_t& copies = taken_.at(wanted);
  for (;;) {
    std::string name = wanted + "_" + std::to_string(++copies);
    if (taken_.emplace(name, 0).second) return name;
  }
}

std::string ModelWriter::initializer(const std::string& wanted, const Tensor& tensor, bool transposed) {
  std::string& name = written_[{tensor.raw(), tensor.dtype(), to_string(tensor.dims()), transposed}];
  if (name.empty()) {
    name = claim(wanted);
    initializers_.push_back({name, tensor, transposed});
  }
  return name;
}

Status GraphWriter::whole() {
  for (ValueId v : graph_.inputs) {
    const Value& value = graph_.value(v);
    names_[static_cast<size_t>(v)] = model_.claim(value.name);
    write_value(name_of(v), value.type, *to_.add_input());
  }
  return body(graph_.outputs.size());
}

Status GraphWriter::subgraph(std::span<const std::string> captured, size_t outputs) {
  const size_t own = graph_.inputs.size() - captured.size();
  for (size_t i = 0; i < own; ++i) {
    const Value& value = graph_.value(graph_.inputs[i]);
    names_[static_cast<size_t>(graph_.inputs[i])] = model_.claim(value.name);
    const bool scalar = value.type.shape.ranked() && value.type.shape.rank() == 0;  // onnxruntime wants to know it of counters
    write_value(name_of(graph_.inputs[i]), scalar ? value.type : TypeInfo{value.type.dtype, {}, value.type.kind}, *to_.add_input());
  }
  for (size_t i = 0; i < captured.size(); ++i) names_[static_cast<size_t>(graph_.inputs[own + i])] = captured[i];
  nested_ = true;
  return body(outputs);
}

Status GraphWriter::body(size_t outputs) {
  to_.set_name(graph_.name.empty() ? "graph" : graph_.name);
  name_outputs(outputs);
  for (const Node& node : graph_.nodes) {
    for (ValueId v : node.outputs) {
      if (v != kNone && names_[static_cast<size_t>(v)].empty()) names_[static_cast<size_t>(v)] = model_.claim(graph_.value(v).name);
    }
  }
  for (const Node& n : graph_.nodes) {
    if (Status s = node(n); !s) return s.error().within(describe(graph_, n));
  }
  for (const Alias& alias : aliases_) emit("Identity", "", {name_of(alias.from)}, {alias.to});
  for (size_t o = 0; o < outputs; ++o) {
    const TypeInfo& type = graph_.value(graph_.outputs[o]).type;
    write_value(output_names_[o], nested_ ? TypeInfo{type.dtype, {}, type.kind} : type,
                *to_.add_output());  // in a subgraph shapes may change, or not fit while it does not run
  }
  return {};
}

// Outputs keep the names that callers know. An output is computed by a node of its own graph under a name of its own, so that what is an
// input, a constant or another output too passes through an Identity. Only the outermost graph may give an input as it is.
void GraphWriter::name_outputs(size_t count) {
  for (size_t o = 0; o < count; ++o) {
    const ValueId v = graph_.outputs[o];
    const std::string& wanted = o < graph_.output_names.size() ? graph_.output_names[o] : graph_.value(v).name;
    std::string& name = names_[static_cast<size_t>(v)];
    const bool again = std::find(output_names_.begin(), output_names_.end(), wanted) != output_names_.end();
    if (name.empty() && !graph_.is_constant(v)) {
      name = model_.claim(wanted);
      output_names_.push_back(name);
    } else if (name == wanted && !again && !nested_) {
      output_names_.push_back(name);
    } else {
      output_names_.push_back(model_.claim(wanted));
      aliases_.push_back({v, output_names_.back()});
    }
  }
}

std::string GraphWriter::name_of(ValueId v) {
  if (v == kNone) return {};
  if (graph_.is_constant(v)) return model_.initializer(graph_.value(v).name, graph_.value(v).constant);
  return names_[static_cast<size_t>(v)];
}

onnx_pb::NodeProto& GraphWriter::emit(const char* op, const std::string& name, const std::vector<std::string>& inputs,
                                      const std::vector<std::string>& outputs) {
  onnx_pb::NodeProto& node = *to_.add_node();
  node.set_op_type(op);
  if (!name.empty()) node.set_name(model_.claim_node(name));
  for (const std::string& s : inputs) node.add_input(s);
  for (const std::string& s : outputs) node.add_output(s);
  return node;
}

std::string GraphWriter::emit_before(const Node& node, const char* op, const std::vector<std::string>& inputs) {
  const std::string y = model_.claim(name_of(node.outputs[0]) + ":" + op);
  emit(op, node.name, inputs, {y});
  return y;
}

Status GraphWriter::control_node(const Node& node, const ControlForm& form) {
  const size_t own = node.own_inputs();
  std::vector<std::string> inputs = names_of(node.inputs);
  const std::vector<std::string> captured(inputs.begin() + static_cast<std::ptrdiff_t>(own), inputs.end());
  inputs.resize(own);
  onnx_pb::NodeProto& written = emit(form.op, node.name, inputs, names_of(node.outputs));
  write_attributes(node, written);
  for (size_t b = 0; b < form.subgraphs.size(); ++b) {
    onnx_pb::Attribute& attribute = *written.add_attribute();
    attribute.set_name(form.subgraphs[b]);
    attribute.set_type(5);  // a graph
    GraphWriter writer(model_, graph_.subgraph(node, b), *attribute.mutable_g());
    if (Status s = writer.subgraph(captured, form.conditions + node.outputs.size()); !s) return s;
  }
  return {};
}

void write_value(const std::string& name, const TypeInfo& type, onnx_pb::ValueInfo& to) {
  to.set_name(name);
  write_type(type, *to.mutable_type());
}

void write_type(const TypeInfo& type, onnx_pb::Type& to) {
  onnx_pb::Type* inner = &to;
  if (type.kind == ValueKind::optional || type.kind == ValueKind::optional_sequence) inner = inner->mutable_optional_type()->mutable_elem_type();
  if (type.kind == ValueKind::sequence || type.kind == ValueKind::optional_sequence) inner = inner->mutable_sequence_type()->mutable_elem_type();
  onnx_pb::TensorType& tensor = *inner->mutable_tensor_type();
  tensor.set_elem_type(code_of(type.dtype));
  if (!type.shape.ranked()) return;
  onnx_pb::ShapeProto& shape = *tensor.mutable_shape();
  for (const Dim& d : type.shape.dims()) {
    onnx_pb::Dimension& dim = *shape.add_dim();
    const std::string text = d.text();
    if (d.known()) dim.set_dim_value(d.value());
    else if (text.find('?') == std::string::npos) dim.set_dim_param(text);  // else: nothing is known of it
  }
}

void write_header(const std::string& name, const Tensor& tensor, onnx_pb::Tensor& to) {
  for (int64_t n : tensor.dims().span()) to.add_dims(n);
  to.set_data_type(code_of(tensor.dtype()));
  if (!name.empty()) to.set_name(name);
  if (tensor.dtype() != DType::string) return;
  for (const StringRef& s : tensor.span<StringRef>()) to.add_string_data(s.data, static_cast<size_t>(s.size));
}

void write_attribute(const std::string& name, const Attributes::Value& value, onnx_pb::Attribute& to) {
  constexpr int32_t kTypes[] = {2, 1, 3, 7, 6, 8, 4};  // AttributeProto.AttributeType of each AttrKind
  to.set_name(name);
  to.set_type(kTypes[value.index()]);
  if (const auto* i = std::get_if<int64_t>(&value)) to.set_i(*i);
  if (const auto* f = std::get_if<float>(&value)) to.set_f(*f);
  if (const auto* s = std::get_if<std::string>(&value)) to.set_s(*s);
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) to.mutable_ints()->Add(list->begin(), list->end());
  if (const auto* list = std::get_if<std::vector<float>>(&value)) to.mutable_floats()->Add(list->begin(), list->end());
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) to.mutable_strings()->Add(list->begin(), list->end());
  if (const auto* t = std::get_if<Tensor>(&value)) {
    write_header("", *t, *to.mutable_t());
    if (t->dtype() != DType::string && t->count() > 0) to.mutable_t()->set_raw_data(t->raw(), t->bytes());
  }
}

}  // namespace tern::onnx
