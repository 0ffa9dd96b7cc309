// GraphBuilder: one graph or subgraph in the making. build.cpp is the model around it. Next: builder.cpp, emit.cpp.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "loaders/onnx/build.h"
#include "loaders/onnx/dim_names.h"
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

struct ControlForm;  // control.h

// Operators of the file that tern does not have, in the order of their first nodes.
class Unsupported {
 public:
  void add(const std::string& domain, const std::string& op, const std::string& node);
  bool empty() const { return entries_.empty(); }
  // "these operators are not supported: StringNormalizer (2 nodes, first 'a'), com.acme.Foo (1 node, first 'b')"
  Error error() const;

 private:
  struct Entry {
    std::string op, first;
    int64_t count;
  };
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

class GraphBuilder : public Emitter {
 public:
  // `overridable`: initializers that shall be inputs.
  GraphBuilder(GraphBuilder* parent, Sources& sources, Unsupported& missing, std::span<const std::string> overridable = {})
      : parent_(parent), sources_(sources), missing_(missing), overridable_(overridable) {
    if (parent != nullptr) graph.next_symbol = parent->graph.next_symbol;
  }

  Status build(onnx_pb::GraphProto& proto);
  Graph graph;

  // Emitter
  ValueId emit(const OnnxNode& node, const char* op, std::vector<ValueId> inputs, Attributes attrs) override;
  void emit_to(const OnnxNode& node, const char* op, std::vector<ValueId> inputs, Attributes attrs, std::vector<ValueId> outputs) override;
  ValueId value(const OnnxNode& node, const char* op) override;
  ValueId constant(const OnnxNode& node, Tensor tensor) override;
  TypeInfo type(ValueId v) const override { return v == kNone ? TypeInfo{} : types_[static_cast<size_t>(v)]; }
  const Tensor* contents(ValueId v) const override { return graph.is_constant(v) ? &graph.value(v).constant : nullptr; }

 private:
  struct Capture {
    std::string name;
    ValueId outer;  // in the parent
  };

  // builder.cpp: names, and what a graph is made of
  Status initializers(onnx_pb::GraphProto& proto);
  Status inputs(const onnx_pb::GraphProto& proto);
  Status outputs(const onnx_pb::GraphProto& proto);
  Status node(onnx_pb::NodeProto& proto);
  Status constant_node(onnx_pb::NodeProto& proto);
  Status attributes(onnx_pb::NodeProto& proto, Attributes& attrs);
  Status control_node(onnx_pb::NodeProto& proto, OnnxNode node, const ControlForm& form);
  Status define(const std::string& name, ValueId v);
  ValueId find(const std::string& name);  // here, or captured from around; kNone when nothing defines it
  ValueId capture(const std::string& name, ValueId outer);
  GraphBuilder& outermost();
  Status captures_fit();
  Result<TypeInfo> input_of_body(const onnx_pb::Type& type, size_t k) const;
  Result<TypeInfo> declared(const onnx_pb::Type& type, const DimNames& names, const std::string& of);

  // emit.cpp: nodes of the graph, with the types that rules ask for
  ValueId add_value(std::string name, TypeInfo type);
  void add_node(OnnxNode node, std::vector<int32_t> subgraphs = {}, int32_t captured = 0);
  void infer(const Node& node);

  GraphBuilder* parent_;
  Sources& sources_;
  Unsupported& missing_;
  std::span<const std::string> overridable_;
  std::unordered_map<std::string, ValueId> names_;
  std::vector<Capture> captures_;
  std::vector<TypeInfo> input_types_;  // of a subgraph: what its node says of them
  std::vector<TypeInfo> types_;        // of every value, as far as known while building
  int64_t serial_ = 0;
  static constexpr int64_t kMostCaptures = 1 << 16;
  int64_t captured_ = 0;  // of the outermost graph: how often its subgraphs, at all depths, capture a value
};

}  // namespace tern::onnx
