// See module.h: literals and the tree. Printing is print.cpp's.
#include "loaders/torch/module/module.h"

namespace tern::torch {

Literal::Kind Literal::kind() const {
  switch (value.index()) {
    case 0: return Kind::none;
    case 1: return Kind::boolean;
    case 2: return Kind::integer;
    case 3: return Kind::real;
    case 4: return Kind::string;
    case 5: return Kind::name;
    default: return list ? Kind::list : Kind::tuple;
  }
}

const Literal* Module::arg(std::string_view name, int index) const {
  int position = 0;
  for (const auto& [key, literal] : args) {
    if (key == name || (key.empty() && position == index)) return &literal;
    position += key.empty();
  }
  return nullptr;
}

const Module* Module::child(std::string_view name) const {
  for (const auto& [key, module] : children) {
    if (key == name) return module.get();
  }
  return nullptr;
}

}  // namespace tern::torch
