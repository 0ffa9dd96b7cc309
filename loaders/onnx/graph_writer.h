// From a Graph to messages: every value gets a name of its own in the whole model, constants are gathered as initializers of the outermost
// graph, where subgraphs see them too. ModelWriter is what graphs and subgraphs share, GraphWriter is one of them.
// Next: graph_writer.cpp, then write_ops.cpp, write_forms.cpp.
#pragma once
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "runtime/graph.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

struct ControlForm;  // control.h

constexpr int64_t kLowestOpset = 18;  // the first in which axes, pads and splits have today's form

struct Initializer {
  std::string name;
  Tensor tensor;
  bool transposed;  // a matrix, to be written with its axes exchanged
};

// Names that are used once in a model.
class Names {
 public:
  // `wanted`, or that with a number when it is taken.
  std::string claim(const std::string& wanted);

 private:
  std::unordered_map<std::string, int64_t> taken_;  // and how often a number was added to it
};

class ModelWriter {
 public:
  // Which constants are read as they are, so that a transposed copy would not be their only one.
  void note_uses(const Graph& graph);

  // A name for a value. Never empty.
  std::string claim(const std::string& wanted) { return values_.claim(wanted.empty() ? "value" : wanted); }
  // A name for a node: onnxruntime refuses two of one name. It may be empty.
  std::string claim_node(const std::string& wanted) { return wanted.empty() ? wanted : nodes_.claim(wanted); }
  // The initializer with these elements: the same one for the same storage, dtype and dims.
  std::string initializer(const std::string& wanted, const Tensor& tensor, bool transposed = false);
  bool read_as_it_is(const Tensor& tensor) const { return plain_.contains(tensor.raw()); }
  void require_opset(int64_t opset) { opset_ = std::max(opset_, opset); }

  void require_ml() { ml_ = true; }

  int64_t opset() const { return opset_; }
  bool needs_ml() const { return ml_; }  // operators of ai.onnx.ml
  const std::vector<Initializer>& initializers() const { return initializers_; }

 private:
  Names values_, nodes_;
  std::vector<Initializer> initializers_;
  std::map<std::tuple<const std::byte*, DType, std::string, bool>, std::string> written_;
  std::set<const std::byte*> plain_;
  int64_t opset_ = kLowestOpset;
  bool ml_ = false;
};

class GraphWriter {
 public:
  GraphWriter(ModelWriter& model, const Graph& graph, onnx_pb::GraphProto& to) : model_(model), graph_(graph), to_(to), names_(graph.values.size()) {}

  Status whole();
  // A subgraph: `captured` are the names, around it, of what it reads; it gives its first `outputs` outputs.
  Status subgraph(std::span<const std::string> captured, size_t outputs);

 private:
  struct Alias {
    ValueId from;
    std::string to;
  };

  // graph_writer.cpp
  Status body(size_t outputs);
  void name_outputs(size_t count);
  Status control_node(const Node& node, const ControlForm& form);
  std::string name_of(ValueId v);  // "" for none; makes the initializer of a constant
  onnx_pb::NodeProto& emit(const char* op, const std::string& name, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs);
  // One more node, computing something that `node` is made of; returns the name of its output.
  std::string emit_before(const Node& node, const char* op, const std::vector<std::string>& inputs);

  // write_ops.cpp
  Status node(const Node& node);
  std::vector<std::string> names_of(const std::vector<ValueId>& values);
  void write_attributes(const Node& node, onnx_pb::NodeProto& written);
  void standard(const Node& node);
  Status linear(const Node& node);
  void recurrent(const Node& node);
  void swish(const Node& node);
  void optional(const Node& node);
  std::string transposed(const Node& node, ValueId matrix);

  // write_forms.cpp
  std::string cast(const Node& node, const std::string& x, DType to);
  std::vector<std::string> inputs_of(const Node& node);  // as ONNX has their dtypes
  bool other_form(const Node& node);                     // wrote it; false: it has none
  void computed_as(const Node& node, DType dtype);
  void choose_bools(const Node& node);
  Status lookup(const Node& node);

  ModelWriter& model_;
  const Graph& graph_;
  onnx_pb::GraphProto& to_;
  std::vector<std::string> names_;  // of values; empty: none yet
  std::vector<std::string> output_names_;
  std::vector<Alias> aliases_;  // outputs that are inputs, constants, or another output too
  bool nested_ = false;
};

void write_value(const std::string& name, const TypeInfo& type, onnx_pb::ValueInfo& to);
void write_type(const TypeInfo& type, onnx_pb::Type& to);
void write_attribute(const std::string& name, const Attributes::Value& value, onnx_pb::Attribute& to);
// Everything of a tensor but raw_data: name, dtype, dims, and strings.
void write_header(const std::string& name, const Tensor& tensor, onnx_pb::Tensor& to);
// Is product `node` (a Linear) written as MatMul with the transposed matrix? Else as it is.
bool transposes_weight(const Graph& graph, const Node& node);

}  // namespace tern::onnx
