// Builder: one graph or subgraph of a file in the making. build.cpp is the model around it. Next: builder.cpp, emit.cpp.
#pragma once
#include <string>
#include <vector>

#include "loaders/onnx/build.h"
#include "loaders/onnx/dim_names.h"
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

struct ControlForm;  // control.h

class Builder : public Emitter {
 public:
  // `overridable`: initializers that shall be inputs.
  Builder(Builder* around, Sources& sources, MissingOperators& missing, std::span<const std::string> overridable = {})
      : Emitter(around, missing), subgraph_(around != nullptr), sources_(sources), overridable_(overridable) {}

  Status build(onnx_pb::GraphProto& proto);
  // What was built, without the types that rules were told: inference begins anew, with all that it knows.
  Graph take();

 private:
  Status initializers(onnx_pb::GraphProto& proto);
  Status inputs(const onnx_pb::GraphProto& proto);
  Status outputs(const onnx_pb::GraphProto& proto);
  Status node(onnx_pb::NodeProto& proto);
  Status constant_node(onnx_pb::NodeProto& proto);
  Status attributes(onnx_pb::NodeProto& proto, Attributes& attrs);
  Status control_node(onnx_pb::NodeProto& proto, OnnxNode node, const ControlForm& form);
  Result<TypeInfo> input_of_body(const onnx_pb::Type& type, size_t k) const;
  Result<TypeInfo> declared(const onnx_pb::Type& type, const DimNames& names, const std::string& of);

  const bool subgraph_;
  Sources& sources_;
  std::span<const std::string> overridable_;
  std::vector<TypeInfo> input_types_;  // of a subgraph: what its node says of them
};

}  // namespace tern::onnx
