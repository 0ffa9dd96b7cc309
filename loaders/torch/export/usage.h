// What of a program's graph is needed, and which of its names are one tensor. Operators in place (relu_) change a tensor for everybody who
// reads it later, under another name or through a view, so a change is needed when anything that shares the elements is read.
// Next: program.cpp.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loaders/json/json.h"

namespace tern::torch {

// "aten.relu.default" of "aten.relu_.default"; empty for operators that are not in place.
std::string functional_form(std::string_view op);
// Operators that only check: asserts, ranges of sizes.
bool is_check(std::string_view op);
// "aten.relu.default" of "torch.ops.aten.relu.default", "operator.add" of "_operator.add".
std::string operator_of(const Json& json, Json::Id node);

class Usage {
 public:
  // `outputs`: what is needed of the graph, as arguments (unions).
  Usage(const Json& json, Json::Id graph, const std::vector<Json::Id>& outputs);

  // Is a tensor changed in place?
  bool changes() const { return changes_; }
  // Is a result of the node read, or a change that it makes seen?
  bool needed(size_t node) const { return needed_[node]; }

  struct Name {
    std::string_view text;
    int64_t made = -1;          // by which node; -1: an input
    int64_t last_read = -1;     // by which needed node; INT64_MAX: an output
    uint32_t elements, tensor;  // names with the same number share them: that of the first such name
  };
  const Name* find(std::string_view text) const;
  const Name& name(uint32_t id) const { return names_[id]; }

 private:
  uint32_t intern(std::string_view text, int64_t made);
  void define(const Json& json, Json::Id node, int64_t index);

  std::vector<Name> names_;
  std::unordered_map<std::string_view, uint32_t> by_text_;
  std::vector<bool> needed_;
  bool changes_ = false;
};

}  // namespace tern::torch
