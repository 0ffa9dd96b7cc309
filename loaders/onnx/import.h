// From a parsed file to a Graph. Next: normalize/normalize.h.
#pragma once
#include <set>

#include "loaders/onnx/external.h"
#include "loaders/onnx/normalize/normalize.h"
#include "loaders/onnx/tensor.h"
#include "tern/tern.h"

namespace tern::onnx {

using Opsets = std::map<std::string, int64_t>;

// Names of one graph, a branch of an If, or an inlined function.
struct Scope {
  Graph* graph = nullptr;
  std::map<std::string, ValueId, std::less<>> names;
  Scope* outer = nullptr;                                     // a branch reads names of the graph around it:
  std::vector<std::pair<std::string, ValueId>> captured;      // those it has read, as inputs of its own
};

// What a call of a model-local function substitutes.
struct Call {
  const onnx_pb::Function* function = nullptr;
  const Call* caller = nullptr;
  std::map<std::string, const onnx_pb::Attribute*, std::less<>> attributes;
};

class Importer {
 public:
  Importer(onnx_pb::Model& model, const std::string& directory, const LoadOptions& options)
      : model_(model), external_(directory), budget_(options.budget) {}
  Result<Graph> run();

 private:
  Status read_opsets();
  Status fill_graph(onnx_pb::Graph& proto, Scope& scope, const Opsets& opsets, const Call* call, bool main);
  Status add_constants(onnx_pb::Graph& proto, Scope& scope);
  Status add_nodes(const google::protobuf::RepeatedPtrField<onnx_pb::Node>& nodes, Scope& scope, const Opsets& opsets, const Call* call);
  Status add_node(const onnx_pb::Node& proto, Scope& scope, const Opsets& opsets, const Call* call);
  Status add_if(const onnx_pb::Node& proto, Scope& scope, const Opsets& opsets, const Call* call, Node node);
  Status add_constant_node(const Incoming& node, const onnx_pb::Node& proto, Scope& scope);
  Status inline_function(const onnx_pb::Function& function, const onnx_pb::Node& proto, Scope& scope, const Call* call);
  Result<Attributes> attributes(const onnx_pb::Node& proto, const Call* call);
  Result<ValueId> find(Scope& scope, const std::string& name);
  Status define(Scope& scope, const std::string& name, ValueId v);
  Error missing_operators() const;

  onnx_pb::Model& model_;
  ExternalData external_;
  int64_t budget_;
  Opsets opsets_;
  std::map<std::string, const onnx_pb::Function*> functions_;  // "domain::name::overload"
  struct Missing {
    int64_t count = 0;
    std::string first;
  };
  std::map<std::string, Missing> missing_;  // operators that this build does not have
  std::map<std::string, TypeInfo> declared_;
  int64_t nodes_ = 0;
};

// Orders nodes so that every name is produced before it is read; stable. Errors: a cycle, naming a node.
Result<std::vector<int>> topological_order(const google::protobuf::RepeatedPtrField<onnx_pb::Node>& nodes);

// The dtype and shape that a file declares. Unnamed dims become symbols "NAME_dim_I".
Result<TypeInfo> to_type(const onnx_pb::ValueInfo& info);

}  // namespace tern::onnx
