// A module tree as PyTorch prints it. See module.h.
#include "loaders/torch/module.h"

namespace tern::torch {

std::string print(const Module& module) {
  auto show = [](auto& self, const Module& m, const std::string& indent) -> std::string {  // at most kMaxModuleDepth deep
    if (m.children.empty()) return m.cls + "()";
    std::string s = m.cls + "(\n";
    for (const auto& [name, child] : m.children) s += indent + "  (" + name + "): " + self(self, *child, indent + "  ") + "\n";
    return s + indent + ")";
  };
  return show(show, module, "");
}

}  // namespace tern::torch
