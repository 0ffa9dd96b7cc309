// See value.h and module/module.h: what literals and values are.
#include "loaders/torch/graph/value.h"

#include "loaders/torch/module/dtypes.h"

namespace tern::torch {

const char* IValue::kind() const {
  constexpr const char* kKinds[] = {"None",
                                    "a bool",
                                    "an int",
                                    "a float",
                                    "a string",
                                    "a dtype",
                                    "a tensor",
                                    "a list",
                                    "a dict",
                                    "a slice",
                                    "an ellipsis",
                                    "a function",
                                    "a result of an operator that is not computed here"};
  if (const auto* s = get<Sequence>(); s != nullptr && s->tuple) return "a tuple";
  if (const auto* c = get<Callable>(); c != nullptr && c->module) return "a module";
  return kKinds[v.index()];
}

IValue from_literal(const Literal& literal) {
  switch (literal.kind()) {
    case Literal::Kind::none: return {};
    case Literal::Kind::boolean: return std::get<bool>(literal.value);
    case Literal::Kind::integer: return Int(std::get<int64_t>(literal.value));
    case Literal::Kind::real: return std::get<double>(literal.value);
    case Literal::Kind::string: return std::get<std::string>(literal.value);
    case Literal::Kind::name: {
      const std::string& text = std::get<Name>(literal.value).text;
      if (auto dtype = dtype_named(text)) return *dtype;
      return IValue::Callable{nullptr, text};
    }
    case Literal::Kind::tuple:
    case Literal::Kind::list: {
      IValues items;
      for (const Literal& item : std::get<Literals>(literal.value)) items.push_back(from_literal(item));
      return literal.list ? IValue::list(std::move(items)) : IValue::tuple(std::move(items));
    }
  }
  return {};
}

}  // namespace tern::torch
