// See suggest.h: the text of what leaves.cpp and containers.cpp found out.
#include "loaders/torch/suggest/suggest.h"

#include <algorithm>

#include "loaders/torch/nn/layers.h"
#include "loaders/torch/state_dict/renaming.h"
#include "loaders/torch/suggest/parts.h"

namespace tern::torch {
namespace {

constexpr size_t kMostLine = 400;  // bytes of names in one comment
constexpr size_t kMostClasses = 1000;

// What a ? is for, by the word before it.
struct Meaning {
  const char *word, *text;
};
constexpr Meaning kMeanings[] = {
    {"?()", "a module without weights: ReLU(), GELU(), Dropout(p=0.1), MaxPool2d(kernel_size=2, stride=2), Flatten(start_dim=1, end_dim=-1), …"},
    {"stride=?", "of a convolution: 1 unless the model gives another. Add dilation= and groups= where the model has them"},
    {"padding=?", "of a convolution: 0 unless the model gives another; half of an odd kernel_size keeps the size"},
    {"output_padding=?", "of a transposed convolution: 0 unless the model gives another"},
    {"num_heads=?", "how many heads the attention has"},
    {"nhead=?", "how many heads the attention has"},
    {"batch_first=?", "True when axis 0 of the input is the batch, False (torch's default) when axis 1 is"},
    {"activation=?", "relu (torch's default) or gelu"},
    {"norm_first=?", "False (torch's default), or True when the layer normalises before attention and feed-forward"},
    {"nonlinearity=?", "'tanh' (torch's default) or 'relu'"},
    {"GroupNorm(?", "how many groups the channels are split into"},
};
constexpr const char* kForward = "the body of the class's own forward, as in Python. The type of an input may be written: x: f32[batch, 3, 224, 224]";

// One line, whatever names hold.
std::string printable(std::string_view name) {
  std::string s(name);
  for (char& c : s) {
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '_';
  }
  return s;
}

std::string with_sizes(const std::string& name, const StoredTensor& t) {
  std::string s = name + " [";
  for (size_t i = 0; i < t.sizes.size(); ++i) s += (i > 0 ? ", " : "") + std::to_string(t.sizes[i]);
  return s + "]";
}

// A forward to be written, and what it can use.
std::string skeleton(const std::string& cls, const std::vector<std::string>& modules, const std::vector<std::string>& own) {
  std::string s = "\nclass " + cls + ":\n    def forward(self, x):\n";
  for (const auto& [what, names] : {std::pair("modules", &modules), std::pair("parameters", &own)}) {
    std::string list;
    for (const std::string& name : *names) {
      if (list.size() < kMostLine) list += (list.empty() ? "self." : ", self.") + printable(name);
    }
    if (!list.empty()) s += std::string("        # ") + what + ": " + list + "\n";
  }
  return s + "        ?\n";
}

class Draft {
 public:
  std::string text(const Part& root, const std::string& name, const std::string& prefix) {
    collect(root);
    const std::string tree = show(root, "");
    std::string s = "# A first draft from the names and shapes of " + printable(name) + ". Complete every ? and give the file as the architecture.\n";
    if (!prefix.empty()) s += "# The prefix " + prefix + " of all names is left out here, and taken off when the weights are loaded.\n";
    for (const Meaning& m : kMeanings) {
      if (tree.find(m.word) != tree.npos && (m.word[0] == '?' || tree.find(std::string(" ") + m.word) != tree.npos))
        s += "#   " + std::string(m.word) + "  " + m.text + "\n";
    }
    if (!forwards_.empty()) s += "#   ?  " + std::string(kForward) + "\n";
    return s + tree + "\n" + forwards_;
  }

 private:
  std::string show(const Part& p, const std::string& indent) {  // at most kMaxModuleDepth deep
    const std::string comment = p.comment.empty() ? "" : "  # " + p.comment;
    if (p.children.empty() || p.whole) return p.cls + "(" + p.args + ")" + comment;
    const std::string inner = indent + "  ";
    std::vector<std::string> texts;
    for (const auto& child : p.children) texts.push_back(show(*child, inner));
    std::string s = p.cls + "(" + comment + "\n";
    for (size_t i = 0; i < texts.size();) {
      size_t end = i + 1;
      while (p.layer && p.children[i]->cls != "?" && p.children[i]->children.size() > 1 && end < texts.size() && texts[end] == texts[i]) ++end;
      if (end < i + 3) end = i + 1;
      s += inner + "(" + printable(p.children[i]->name) + (end > i + 1 ? "-" + printable(p.children[end - 1]->name) : "") + "): ";
      s += (end > i + 1 ? std::to_string(end - i) + " x " : "") + texts[i] + "\n";
      i = end;
    }
    return s + indent + ")";
  }

  // Classes of the user's own, each by the part that has most members; inner ones first.
  void collect(const Part& root) {
    std::vector<const Part*> order;
    auto visit = [&](auto& self, const Part& p) -> void {  // at most kMaxModuleDepth deep
      for (const auto& child : p.children) self(self, *child);
      if (p.layer || p.cls == "ModuleList" || p.cls.empty()) return;
      auto same = std::find_if(order.begin(), order.end(), [&](const Part* other) { return other->cls == p.cls; });
      if (same == order.end()) order.push_back(&p);
      else if ((*same)->children.size() + (*same)->tensors.size() < p.children.size() + p.tensors.size()) *same = &p;
    };
    visit(visit, root);
    for (const Part* p : order) {
      std::vector<std::string> modules, own;
      for (const auto& c : p->children) modules.push_back(c->name);
      for (const auto& [name, t] : p->tensors) own.push_back(with_sizes(name, *t));
      forwards_ += skeleton(p->cls, modules, own);
    }
  }

  std::string forwards_;
};

}  // namespace

Result<std::string> suggest_architecture(const StateDict& weights, const std::string& name) {
  if (weights.entries.empty()) return invalid("it holds no weights to suggest an architecture from");
  std::vector<std::string_view> names;
  for (const StateDict::Entry& e : weights.entries) names.push_back(e.name);
  const std::string prefix = wrapper_prefix(names);
  StateDict inner;
  auto without = [&](const std::string& path) { return prefix.empty() || path.starts_with(prefix) ? path.substr(prefix.size()) : std::string(); };
  for (const StateDict::Entry& e : weights.entries) inner.entries.push_back({without(e.name), e.tensor});
  for (const auto& [path, version] : weights.modules) inner.modules.emplace_back(without(path), version);
  auto root = parts_of(inner);
  if (!root) return root.error();
  name_leaves(**root);
  name_containers(**root);
  return Draft().text(**root, name, prefix);
}

std::string suggest_architecture(const Module& root, const std::string& name) {
  std::string forwards;
  std::vector<std::string> classes;
  auto visit = [&](auto& self, const Module& m) -> void {  // at most kMaxModuleDepth deep
    if (find_layer(m) != nullptr) {
      for (const auto& [child_name, child] : m.children) self(self, *child);
      return;
    }
    if (std::find(classes.begin(), classes.end(), m.cls) != classes.end() || classes.size() >= kMostClasses) return;
    classes.push_back(m.cls);
    for (const auto& [child_name, child] : m.children) self(self, *child);
    if (!m.source.empty()) {
      forwards += "\n" + m.source + (m.source.ends_with('\n') ? "" : "\n");
      return;
    }
    std::vector<std::string> modules, own;
    for (const auto& [child_name, child] : m.children) modules.push_back(child_name);
    for (const Module::Own& o : m.tensors) {
      if (o.tensor) own.push_back(with_sizes(o.name, *o.tensor));
    }
    forwards += skeleton(m.cls, modules, own);
  };
  visit(visit, root);
  std::string s = "# The module tree of " + printable(name);
  if (classes.empty()) s += ". It needs no architecture: all of its classes are torch.nn's.\n";
  else s += ". Only forwards are needed from here: write each ? as in the class's own Python, and give the file as the architecture.\n";
  return s + print(root) + "\n" + forwards;
}

}  // namespace tern::torch
