// What may help when weights do not fit their tree: said after torch's own words. Next: bind.cpp.
#pragma once
#include <string>
#include <vector>

#include "loaders/torch/nn/layers.h"
#include "loaders/weights/tensors.h"

namespace tern::torch {

struct Problems {
  std::vector<std::string> missing, unexpected;
  struct Size {
    std::string name;
    std::vector<int64_t> file, tree;
  };
  std::vector<Size> sizes;
  std::vector<std::string> others;  // a sentence each: sizes, and values that are no tensors, in the tree's order
};

// "torch.Size([5, 3])"
std::string size_text(const std::vector<int64_t>& sizes);
// Some short sentences, each with "; " before it; empty when nothing is likely. `weights` have the tree's names as far as they match.
std::string hints(const Problems& problems, const StateDict& weights, const std::vector<Expected>& expected);

}  // namespace tern::torch
