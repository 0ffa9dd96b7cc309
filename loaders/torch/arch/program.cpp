// See program.h. Next: interpret.cpp.
#include "loaders/torch/arch/program.h"

#include <algorithm>

#include "loaders/torch/arch/interpret.h"

namespace tern::torch {

const Function* Program::find(const Module& module) const {
  auto own = functions.find(module.cls);
  if (own == functions.end() && module.cls == root_) own = functions.find("");
  return own == functions.end() ? nullptr : own->second.get();
}

const Function* Program::forward_of(const Module& module, const std::string& path) const {
  const bool torchs = module.extends.empty() && find_layer(module) != nullptr;
  if (path.empty() && !functions.contains(module.cls)) {  // a `def forward` outside of any class
    if (auto own = functions.find(""); own != functions.end()) return own->second.get();
  }
  if (torchs && (!module.qualified.empty() || !functions.contains(module.cls))) return nullptr;
  return find(module);
}

const std::vector<Parameter>& Program::parameters(const Function& function) const { return function.parameters; }

std::vector<std::string> Program::names_of_self(const Module& module, const Function& function) const {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  auto add = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (seen.insert(name).second) out.push_back(name);
    }
  };
  add(function.names_of_self);
  for (const std::string& cls : ancestors(module.cls)) {
    if (auto scope = scopes.find(cls); scope != scopes.end()) add(scope->second->names_of_self);
    if (auto forward = functions.find(cls); forward != functions.end()) add(forward->second->names_of_self);
  }
  return out;
}

// Depth first from the left, each class after all that extend it: Python's order but for knots that Python refuses.
std::vector<std::string> Program::ancestors(const std::string& cls) const {
  constexpr size_t kMost = 64;
  std::vector<std::string> out, waiting = {cls};
  for (size_t steps = 0; !waiting.empty() && steps < kMost; ++steps) {
    const std::string next = std::move(waiting.back());
    waiting.pop_back();
    std::erase(out, next);
    out.push_back(next);
    auto of = bases.find(next);
    if (of == bases.end()) continue;
    for (size_t i = of->second.size(); i-- > 0;) {
      if (of->second[i] != next) waiting.push_back(of->second[i]);  // class Linear(nn.Linear)
    }
  }
  return out;
}

Program::Method Program::method(const std::string& cls, std::string_view name) const {
  for (const std::string& at : ancestors(cls)) {
    auto scope = scopes.find(at);
    if (scope == scopes.end()) continue;
    if (auto known = scope->second->methods.find(name); known != scope->second->methods.end()) return {known->second.get(), scope->second.get()};
  }
  return {};
}

const IValue* Program::constant(const std::string& cls, std::string_view name) const {
  for (const std::string& at : ancestors(cls)) {
    auto scope = scopes.find(at);
    if (scope == scopes.end()) continue;
    if (auto known = scope->second->attributes.find(name); known != scope->second->attributes.end()) return &known->second;
  }
  return nullptr;
}

void Program::tell_layers(Module& root) const {
  std::set<const Module*> seen;                      // repeated blocks are one module
  auto visit = [&](auto& self, Module& m) -> void {  // at most kMaxModuleDepth deep
    if (!seen.insert(&m).second) return;
    constexpr std::string_view kParametrized = "Parametrized";
    if (m.child("parametrizations") != nullptr && m.cls.starts_with(kParametrized) && scopes.contains(m.cls.substr(kParametrized.size())))
      m.cls.erase(0, kParametrized.size());
    const bool torchs = !m.qualified.empty() && find_layer(m) != nullptr;
    if (!torchs && scopes.contains(m.cls)) {
      for (const std::string& cls : ancestors(m.cls)) {
        if (cls != m.cls && scopes.contains(cls)) continue;
        Module layer;
        layer.cls = cls;
        const bool itself = cls == m.cls && std::find(bases.at(cls).begin(), bases.at(cls).end(), cls) == bases.at(cls).end();
        if (itself || find_layer(layer) == nullptr) continue;
        m.extends = cls;
        break;
      }
    }
    for (auto& [name, child] : m.children) self(self, *child);
  };
  visit(visit, root);
}

IValue Program::run(const Function& function, Network& network, const Module& module, const std::string& path, const IValues& positional,
                    const std::vector<std::pair<std::string, IValue>>& named) const {
  if (!network.builder.ok()) return {};
  network.builder.changes = true;
  return Interpreter(*this, network, module, path, 0).run(function, function.scope.get(), positional, named);
}

}  // namespace tern::torch
