// Parts: the modules that the names of weights (and torch's `_metadata`) tell of, as a tree. Next: leaves.cpp, containers.cpp.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loaders/weights/tensors.h"

namespace tern::torch {

struct Part {
  std::string name;                                                  // "conv1"; empty for the root
  std::vector<std::pair<std::string, const StoredTensor*>> tensors;  // own ones: "weight"
  std::vector<std::unique_ptr<Part>> children;
  // What it seems to be.
  std::string cls;      // empty: not decided
  std::string args;     // "16, 32, kernel_size=(3, 3), stride=?"
  std::string comment;  // what each ? is for, and what else it may be
  bool layer = false;   // a class of torch.nn that needs no forward
  bool whole = false;   // its children follow from its arguments

  Part* child(std::string_view child_name) const;
  const StoredTensor* tensor(std::string_view tensor_name) const;
  void note(const std::string& text) { comment += (comment.empty() ? "" : "; ") + text; }
};

// Children in the order of the names (numbers in their own); weights that weight_norm and the like split are there as one.
// Errors: more than kMaxModuleDepth deep (invalid).
Result<std::unique_ptr<Part>> parts_of(const StateDict& weights);

// ---- leaves.cpp: modules with weights and no modules in them. Preorder, because one tells of the next.
void name_leaves(Part& root);
// ---- containers.cpp: everything else, children first.
void name_containers(Part& root);

}  // namespace tern::torch
