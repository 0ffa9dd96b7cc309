// See program.h. Next: interpret.cpp.
#include "loaders/torch/arch/program.h"

#include "loaders/torch/arch/interpret.h"

namespace tern::torch {

const Function* Program::find(const Module& module) const {
  auto own = functions.find(module.cls);
  if (own == functions.end() && module.cls == root_) own = functions.find("");
  return own == functions.end() ? nullptr : own->second.get();
}

const std::vector<Parameter>& Program::parameters(const Function& function) const { return function.parameters; }
const std::vector<std::string>& Program::names_of_self(const Function& function) const { return function.names_of_self; }

IValue Program::run(const Function& function, Network& network, const Module& module, const std::string& path, const IValues& positional,
                    const std::vector<std::pair<std::string, IValue>>& named) const {
  if (!network.builder.ok()) return {};
  return Interpreter(*this, network, module, path, 0).run(function, function.scope.get(), positional, named);
}

}  // namespace tern::torch
