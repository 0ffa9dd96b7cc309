// Which tensor of the checkpoint a variable of the graph is, and which two a table is that the restoring function fills. Three ways, in this order: the objects that functions capture, and what the checkpoint calls
// these; what the function that restores the model assigns; the variable's own name. Next: binding.cpp.
#pragma once
#include "loaders/tensorflow/bundle/bundle.h"
#include "loaders/tensorflow/graph/program.h"
#include "loaders/tensorflow/run/index.h"

namespace tern::tensorflow {

// The variables of a SavedModel, whose checkpoint is opened when the first one is needed.
class SavedVariables : public Variables {
 public:
  // All must outlive this. `folder`: empty when the model came from memory.
  SavedVariables(const tensorflow_pb::MetaGraph& meta, const Index& graph, Functions& functions, std::string folder, const FileOptions& how)
      : meta_(meta), graph_(graph), functions_(functions), folder_(std::move(folder)), how_(how) {}

  Result<int32_t> find(const tensorflow_pb::NodeDef& node) override;
  Result<Tensor> read(int32_t index) override;
  Result<Rows> table(const tensorflow_pb::NodeDef& node) override;

 private:
  Status open();
  void bind_captured();
  void bind_restored();
  void bind_assigned(const Index& within, const FileNode* call);
  std::vector<std::string> checkpoint_keys() const;  // by object

  struct Stored {
    std::string key;
    std::string part;  // of a partitioned variable: which, as RestoreV2 spells it ("4 6 0,2:-"); empty: the whole
  };
  struct Variable {
    tensorflow_pb::NodeDef node;
    Stored stored;
  };
  const tensorflow_pb::MetaGraph& meta_;
  const Index& graph_;
  Functions& functions_;
  std::string folder_;
  FileOptions how_;
  std::optional<Bundle> bundle_;
  std::unordered_map<std::string, Stored> stored_as_;                          // by node of the graph
  std::unordered_map<std::string, std::pair<std::string, std::string>> rows_;  // of tables, by node: what their keys and values are called
  std::vector<Variable> variables_;
  std::unordered_map<std::string, int32_t> known_;  // by the bytes of the node
};

}  // namespace tern::tensorflow
