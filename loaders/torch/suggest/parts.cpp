// See parts.h.
#include "loaders/torch/suggest/parts.h"

#include <algorithm>
#include <unordered_map>

#include "loaders/torch/module/module.h"

namespace tern::torch {
namespace {

constexpr size_t kMostParts = size_t(1) << 20;

bool is_number(std::string_view s) {
  return !s.empty() && s.size() < 9 && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class Tree {
 public:
  // The part of that path, made when it is not there; null: too deep, or too many.
  Part* at(std::string_view path) {
    Part* part = root.get();
    int depth = 1;
    while (!path.empty()) {
      const size_t dot = path.find('.');
      const std::string name(path.substr(0, dot));
      path.remove_prefix(std::min(dot == path.npos ? path.size() : dot + 1, path.size()));
      Part*& child = children_[part][name];
      if (child == nullptr) {
        if (++depth > kMaxModuleDepth || ++count_ > kMostParts) return nullptr;
        part->children.push_back(std::make_unique<Part>());
        child = part->children.back().get();
        child->name = name;
        children_.try_emplace(child);
      } else {
        ++depth;
      }
      part = child;
    }
    return part;
  }
  std::unique_ptr<Part> root = std::make_unique<Part>();

 private:
  std::unordered_map<const Part*, std::unordered_map<std::string, Part*>> children_;
  size_t count_ = 0;
};

void drop(Part& part, std::string_view suffix_of_weight) {
  std::erase_if(part.tensors, [&](const auto& t) { return t.first == "weight" + std::string(suffix_of_weight); });
}

// weight_g and weight_v, weight_orig, parametrizations.weight.original…: the weight that they make has the shape of one of them.
void join_split_weights(Part& part) {
  auto joined = [&](const StoredTensor* t, const char* how) {
    part.tensors.insert(part.tensors.begin(), {"weight", t});
    part.note(how);
  };
  if (part.tensor("weight_g") != nullptr && part.tensor("weight_v") != nullptr) {
    joined(part.tensor("weight_v"), "weight_norm is folded");
    for (const char* suffix : {"_g", "_v"}) drop(part, suffix);
  } else if (part.tensor("weight_orig") != nullptr) {
    joined(part.tensor("weight_orig"), "spectral_norm is folded");
    for (const char* suffix : {"_orig", "_u", "_v"}) drop(part, suffix);
  }
  const Part* lists = part.child("parametrizations");
  if (lists == nullptr) return;
  for (const auto& list : lists->children) {
    const StoredTensor* t = list->tensor("original1") != nullptr ? list->tensor("original1") : list->tensor("original");
    if (t == nullptr) continue;
    part.tensors.insert(part.tensors.begin(), {list->name, t});
    part.note(list->tensor("original1") != nullptr ? "weight_norm is folded" : "its parametrization is folded");
  }
  std::erase_if(part.children, [](const auto& c) { return c->name == "parametrizations"; });
}

void arrange(Part& part) {  // at most kMaxModuleDepth deep
  const bool numbered = std::all_of(part.children.begin(), part.children.end(), [](const auto& c) { return is_number(c->name); });
  if (numbered) {
    std::stable_sort(part.children.begin(), part.children.end(),
                     [](const auto& a, const auto& b) { return std::stoi(a->name) < std::stoi(b->name); });
  }
  for (const auto& child : part.children) arrange(*child);
  join_split_weights(part);
}

}  // namespace

Part* Part::child(std::string_view child_name) const {
  for (const auto& c : children) {
    if (c->name == child_name) return c.get();
  }
  return nullptr;
}

const StoredTensor* Part::tensor(std::string_view tensor_name) const {
  for (const auto& [own, t] : tensors) {
    if (own == tensor_name) return t;
  }
  return nullptr;
}

Result<std::unique_ptr<Part>> parts_of(const StateDict& weights) {
  Tree tree;
  const Error deep = invalid("its names nest more than " + std::to_string(kMaxModuleDepth) + " deep, or are too many for modules");
  for (const auto& [path, version] : weights.modules) {
    if (tree.at(path) == nullptr) return deep;
  }
  for (const StateDict::Entry& e : weights.entries) {
    const size_t dot = e.name.rfind('.');
    Part* part = tree.at(std::string_view(e.name).substr(0, dot == e.name.npos ? 0 : dot));
    if (part == nullptr) return deep;
    part->tensors.emplace_back(e.name.substr(dot == e.name.npos ? 0 : dot + 1), &e.tensor);
  }
  arrange(*tree.root);
  return std::move(tree.root);
}

}  // namespace tern::torch
