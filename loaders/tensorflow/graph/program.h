// Program: what one file gives to all the graphs that are made of it: contents of tensors, variables, tables, and how much of it was run so far.
// Next: builder.h.
#pragma once
#include <map>
#include <optional>
#include <utility>

#include "loaders/tensorflow/graph/tensors.h"
#include "loaders/tensorflow/graph/value.h"
#include "runtime/missing_operators.h"

namespace tern::tensorflow_pb {
class NodeDef;
}

namespace tern::tensorflow {

// Where the variables of a graph have their contents.
class Variables {
 public:
  virtual ~Variables() = default;
  // The variable of a node that makes its handle (VarHandleOp) or itself (VariableV2). Errors: there is none.
  virtual Result<int32_t> find(const tensorflow_pb::NodeDef& node) = 0;
  // What it holds. Errors: those of its file, and its name.
  virtual Result<Tensor> read(int32_t index) = 0;
  // The keys and the values of the table that a node makes (MutableHashTableV2). Nothing: the file holds none of it.
  using Rows = std::optional<std::pair<Tensor, Tensor>>;
  virtual Result<Rows> table(const tensorflow_pb::NodeDef&) { return Rows(); }
};

struct Program {
  Program(Source source, int64_t budget, Variables* all = nullptr) : contents{std::move(source), budget}, variables(all) {}

  Contents contents;
  Variables* variables;  // null: the file has no place for them
  std::map<std::string, std::shared_ptr<LookupTable>> tables;
  Status tables_filled;  // what went wrong while they were
  std::string folder;    // that has a folder "assets"; empty: none
  MissingOperators missing;
  // Bounds on what calls unfold to, far above what exporters write.
  static constexpr int64_t kMostNodes = int64_t(1) << 16;
  static constexpr int kMostDepth = 64;  // of calls, branches and loops inside one another
  int64_t nodes = 0;                     // that were run
  int64_t captures = 0;                  // names of what graphs inside read
};

}  // namespace tern::tensorflow
