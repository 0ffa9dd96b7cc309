// What children say of their module: transformer layers, chains, and classes of the user's own. See parts.h. Next: suggest.cpp.
#include <algorithm>
#include <initializer_list>
#include <map>

#include "loaders/torch/suggest/parts.h"

namespace tern::torch {
namespace {

bool is(const Part& part, std::string_view child, std::string_view cls) {
  const Part* c = part.child(child);
  return c != nullptr && c->cls == cls;
}

bool only_children(const Part& part, std::initializer_list<std::string_view> names) {
  return part.tensors.empty() && std::all_of(part.children.begin(), part.children.end(), [&](const auto& c) {
           return std::find(names.begin(), names.end(), c->name) != names.end() ||
                  (c->cls == "?" && (c->name.starts_with("dropout") || c->name == "activation"));
         });
}

int64_t size(const Part& part, std::string_view child, std::string_view tensor, size_t axis) {
  const Part* c = part.child(child);
  const StoredTensor* t = c == nullptr ? nullptr : c->tensor(tensor);
  return t == nullptr || axis >= t->sizes.size() ? 0 : t->sizes[axis];
}

void decide(Part& part, std::string cls, std::string args, bool whole) {
  part.cls = std::move(cls);
  part.args = std::move(args);
  part.layer = true;
  part.whole = whole;
}

bool transformer_layer(Part& p) {
  const bool decoder = is(p, "multihead_attn", "MultiheadAttention") && is(p, "norm3", "LayerNorm");
  for (const char* norm : {"norm1", "norm2"}) {
    if (!is(p, norm, "LayerNorm") && !is(p, norm, "RMSNorm")) return false;
  }
  if (!is(p, "self_attn", "MultiheadAttention") || !is(p, "linear1", "Linear") || !is(p, "linear2", "Linear")) return false;
  if (!only_children(p, {"self_attn", "multihead_attn", "linear1", "linear2", "norm1", "norm2", "norm3"}) || (!decoder && p.children.size() > 9))
    return false;
  const int64_t model = size(p, "linear1", "weight", 1);
  const bool bias = p.child("linear1")->tensor("bias") != nullptr;
  decide(p, decoder ? "TransformerDecoderLayer" : "TransformerEncoderLayer",
         "d_model=" + std::to_string(model) + ", nhead=?, dim_feedforward=" + std::to_string(size(p, "linear1", "weight", 0)) +
             ", activation=?, batch_first=?, norm_first=?" + (bias ? "" : ", bias=False"),
         true);
  return true;
}

bool transformer(Part& p) {
  if (is(p, "encoder", "TransformerEncoder") && is(p, "decoder", "TransformerDecoder") && only_children(p, {"encoder", "decoder"})) {
    decide(p, "Transformer", "", false);
    return true;
  }
  Part* layers = p.child("layers");
  if (layers == nullptr || layers->children.empty() || !only_children(p, {"layers", "norm"})) return false;
  for (const char* kind : {"Encoder", "Decoder"}) {
    const std::string cls = std::string("Transformer") + kind;
    if (!std::all_of(layers->children.begin(), layers->children.end(), [&](const auto& c) { return c->cls == cls + "Layer"; })) continue;
    layers->cls = "ModuleList";
    decide(p, cls, "", false);
    return true;
  }
  return false;
}

// Numbered children are a chain; numbers that have no weights are modules without them.
bool chain(Part& p) {
  constexpr int kMostHoles = 1000;
  if (p.children.empty() || !p.tensors.empty()) return false;
  for (const auto& c : p.children) {
    if (c->name.empty() || c->name.size() > 6 || !std::all_of(c->name.begin(), c->name.end(), [](char d) { return d >= '0' && d <= '9'; }))
      return false;
  }
  const int last = std::stoi(p.children.back()->name);
  if (last - static_cast<int>(p.children.size()) < kMostHoles) {
    std::vector<std::unique_ptr<Part>> filled;
    for (auto& c : p.children) {
      while (static_cast<int>(filled.size()) < std::stoi(c->name)) {
        filled.push_back(std::make_unique<Part>());
        filled.back()->name = std::to_string(filled.size() - 1);
        decide(*filled.back(), "?", "", false);
      }
      filled.push_back(std::move(c));
    }
    p.children = std::move(filled);
  }
  decide(p, "Sequential", "", false);
  return true;
}

// Classes of the user's own: parts with the same children are of one class, also when some lack one or two (a ResNet's downsample).
class Classes {
 public:
  std::string of(const Part& part, int depth) {
    std::map<std::string, std::string> mine;
    for (const auto& c : part.children) mine.emplace(c->name, c->cls);
    for (const auto& [name, t] : part.tensors) mine.emplace(name, "");
    for (Known& known : known_) {
      if (known.depth != depth || !same(known.members, mine)) continue;
      if (mine.size() > known.members.size()) known.members = mine;
      return known.cls;
    }
    std::string cls = depth == 0 ? "Net" : camel(part.name) + "Block";
    const int again = ++used_[cls];
    if (again > 1) cls += std::to_string(again);
    if (known_.size() < kMostCompared) known_.push_back({depth, cls, std::move(mine)});
    return cls;
  }

 private:
  static constexpr size_t kMostCompared = 100;
  struct Known {
    int depth;
    std::string cls;
    std::map<std::string, std::string> members;
  };

  static bool same(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
    const auto &few = a.size() < b.size() ? a : b, &many = a.size() < b.size() ? b : a;
    if (few.size() < many.size() && (few.size() < 2 || many.size() - few.size() > 2)) return false;
    return std::all_of(few.begin(), few.end(), [&](const auto& member) {
      auto other = many.find(member.first);
      return other != many.end() && other->second == member.second;
    });
  }
  static std::string camel(const std::string& name) {  // "self_attn": SelfAttn; a number: nothing
    std::string s;
    bool upper = true;
    for (char c : name) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
      if (letter || (digit && !s.empty())) s += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = !letter && !digit;
    }
    return s;
  }
  std::vector<Known> known_;
  std::map<std::string, int> used_;
};

void name_all(Part& p, Classes& classes, int depth) {  // at most kMaxModuleDepth deep
  for (const auto& child : p.children) name_all(*child, classes, depth + 1);
  if (p.layer) return;
  if (p.children.empty() && p.tensors.empty()) {
    decide(p, "?", "", false);
  } else if (!transformer_layer(p) && !transformer(p) && !chain(p)) {
    p.cls = classes.of(p, depth);
  }
}

}  // namespace

void name_containers(Part& root) {
  Classes classes;
  name_all(root, classes, 0);
}

}  // namespace tern::torch
