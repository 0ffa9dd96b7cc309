// Calls: of modules, of functions, of methods. See interpret.h. Next: builtins.cpp.
#include <algorithm>

#include "loaders/torch/arch/interpret.h"
#include "loaders/torch/ops/operator.h"
#include "loaders/torch/ops/signature.h"

namespace tern::torch {
namespace {

// Where a signature has that name; -1: nowhere.
int place_in(std::string_view signature, std::string_view name) {
  const std::vector<SignatureParameter> parameters = parse_signature(signature);
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].answers_to(name)) return static_cast<int>(i);
  }
  return -1;
}

// A function that a printed tree shows: <function relu at 0x7f…>, <built-in method relu of type object at …>.
std::string bare_function(const std::string& name) {
  for (std::string_view head : {"<function ", "<built-in method ", "<built-in function "}) {
    if (!name.starts_with(head)) continue;
    const size_t end = name.find_first_of(" >", head.size());
    return name.substr(head.size(), end - head.size());
  }
  return name;
}

}  // namespace

bool has_parameter(std::string_view signature, std::string_view name) { return place_in(signature, name) >= 0; }

std::string spelling_of(const std::string& dotted) {
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"torch.nn.functional.", "F."},
                                 {"nn.functional.", "F."},
                                 {"functional.", "F."},
                                 {"torch._C._nn.", "F."},
                                 {"torch.Tensor.", "Tensor."},
                                 {"torch.ops.aten.", "aten."}}) {
    if (dotted.starts_with(from)) return std::string(to) + dotted.substr(from.size());
  }
  return dotted;
}

IValue Interpreter::call(const Expression& e) {
  using Kind = Expression::Kind;
  const Expression& callee = *e.parts[0];
  IValue object;
  const bool method = callee.kind == Kind::attribute;
  const std::optional<Above> above = method ? above_of(*callee.parts[0]) : std::nullopt;
  if (method && !above) object = value(*callee.parts[0]);
  else if (!method) object = value(callee);
  if (!ok()) return {};
  IValues positional;
  Named named;
  for (size_t i = 0; i < e.names.size() && ok(); ++i) {
    const IValue argument = value(*e.parts[i + 1]);
    if (!ok()) return {};
    if (e.names[i].empty()) {
      positional.push_back(argument);
    } else if (e.names[i] == "*") {
      const IValues more = elements(argument, e.parts[i + 1]->place);
      positional.insert(positional.end(), more.begin(), more.end());
    } else if (e.names[i] == "**") {
      const auto* d = argument.get<IValue::Dict>();
      if (d == nullptr) return fail(e.parts[i + 1]->place, std::string("** needs a dict, not ") + argument.kind());
      named.insert(named.end(), d->items->begin(), d->items->end());
    } else {
      named.emplace_back(e.names[i], argument);
    }
  }
  if (!ok()) return {};
  if (above) return call_above(*above, callee.text, std::move(positional), named, e.place);
  if (method) return call_method(callee, object, std::move(positional), named, e.place);
  const auto* c = object.get<IValue::Callable>();
  if (c == nullptr) return fail(e.place, std::string(object.kind()) + " cannot be called");
  if (c->module) return call_module(*c, positional, named, e.place);
  return call_function(c->name, positional, named, e.place);
}

// super().forward(x), super(Block, self).forward(x), nn.Conv1d.forward(self, x)
std::optional<Interpreter::Above> Interpreter::above_of(const Expression& e) const {
  using Kind = Expression::Kind;
  auto is_name = [](const Expression& x, std::string_view text) { return x.kind == Kind::name && x.text == text; };
  if (e.kind == Kind::call && is_name(*e.parts[0], "super") && (e.parts.size() == 1 || e.parts.size() == 3)) {
    if (e.parts.size() == 3) return e.parts[1]->kind == Kind::name ? std::optional(Above{e.parts[1]->text, false, false}) : std::nullopt;
    return Above{scope_ != nullptr ? scope_->name : std::string(), false, false};
  }
  if (e.kind == Kind::name && program_.scopes.contains(e.text) && !variables_.contains(e.text)) return Above{e.text, true, true};
  const bool of_nn =
      e.kind == Kind::attribute &&
      (is_name(*e.parts[0], "nn") || (e.parts[0]->kind == Kind::attribute && e.parts[0]->text == "nn" && is_name(*e.parts[0]->parts[0], "torch")));
  return of_nn && e.text == module_.extends && !e.text.empty() ? std::optional(Above{e.text, true, true}) : std::nullopt;
}

IValue Interpreter::call_above(const Above& above, const std::string& name, IValues positional, const Named& named, const Place& place) {
  if (above.self_given) {
    const auto* c = positional.empty() ? nullptr : positional[0].get<IValue::Callable>();
    if (c == nullptr || c->module.get() != &module_) return fail(place, printable(above.cls + "." + name) + " is called without self");
    positional.erase(positional.begin());
  }
  const std::vector<std::string> order = program_.ancestors(module_.cls);
  auto at = std::find(order.begin(), order.end(), above.cls);
  if (at == order.end()) return fail(place, "super() belongs into a method of a class that " + printable(module_.cls) + " is");
  if (!above.itself) ++at;
  const Builder::Position before = b_.exchange_position({function_->source.get(), place});
  auto run = [&](const Function& f, const ClassScope* scope) {
    IValue result = Interpreter(program_, network_, module_, path_, depth_ + 1).run(f, scope, positional, named);
    b_.exchange_position(before);
    return result;
  };
  const bool forward = name == "forward" || name == "__call__";
  for (; at != order.end() && (*at != module_.extends || program_.scopes.contains(*at)); ++at) {
    auto scope = program_.scopes.find(*at);
    auto own = program_.functions.find(*at);
    if (forward && own != program_.functions.end() && (!own->second->scope || own->second->scope->name == *at))
      return run(*own->second, own->second->scope.get());
    if (scope != program_.scopes.end()) {
      if (auto known = scope->second->methods.find(name); known != scope->second->methods.end()) return run(*known->second, scope->second.get());
    }
  }
  IValue result;
  if (forward && !module_.extends.empty()) result = network_.run_layer(module_, path_, positional, named);
  b_.exchange_position(before);
  if (forward && !module_.extends.empty()) return ok() ? result : IValue();
  return fail(place, "no class above " + printable(above.cls) + " has a " + printable(name) + " that is known");
}

IValue Interpreter::call_module(const IValue::Callable& c, const IValues& given, const Named& given_names, const Place& place) {
  IValues positional = given;
  Named named = given_names;
  for (IValue& v : positional) {
    if (walkable(v, place)) settle(v);
  }
  for (auto& [name, v] : named) {
    if (walkable(v, place)) settle(v);
  }
  if (!ok()) return {};
  if (c.module.get() == &module_) return fail(place, "a module cannot call itself");
  const Builder::Position before = b_.exchange_position({function_->source.get(), place});
  IValue result = network_.call(*c.module, c.name, positional, named);
  b_.exchange_position(before);
  return result;
}

// x.view(2, 3), self.layer(x), self.method(x), torch.cat(…), list.append(x)
IValue Interpreter::call_method(const Expression& callee, const IValue& object, IValues positional, const Named& named, const Place& place) {
  const std::string& name = callee.text;
  const auto* c = object.get<IValue::Callable>();
  if (c != nullptr && c->module) {
    const Module& m = *c->module;
    const bool own = &m == &module_;
    if (const Program::Method known = program_.method(m.cls, name); known.function != nullptr && m.child(name) == nullptr) {
      const Builder::Position before = b_.exchange_position({function_->source.get(), place});
      IValue result = Interpreter(program_, network_, m, c->name, depth_ + 1).run(*known.function, known.scope, positional, named);
      b_.exchange_position(before);
      return result;
    }
    IValue result;
    if (name == "forward" && !own) return call_module(*c, positional, named, place);
    if (m.child(name) == nullptr && method_of_module(*c, name, positional, place, result)) return result;
    const IValue attribute = attribute_of_module(*c, name, callee.place);
    if (!ok()) return {};
    const auto* target = attribute.get<IValue::Callable>();
    if (target == nullptr) return fail(place, std::string("self.") + name + " is " + attribute.kind() + " and cannot be called");
    return target->module ? call_module(*target, positional, named, place) : call_function(target->name, positional, named, place);
  }
  if (c != nullptr) return call_function(c->name + "." + name, positional, named, place);
  if (object.is_tensor()) {
    const bool in_place = name.size() > 1 && name.back() == '_' && name[name.size() - 2] != '_' && name != "requires_grad_" && name != "detach_";
    const std::string base = in_place ? name.substr(0, name.size() - 1) : name;
    if (in_place && (base == "zero" || base == "fill")) {
      const IValue filled = call_operator("torch.full_like", {object, positional.empty() ? IValue(0.0) : positional[0]}, {}, place);
      return overwritten(object.id(), filled, place);
    }
    if (name == "requires_grad_" || name == "detach_") return object;
    if (name == "item" || name == "tolist" || name == "numpy")
      return fail(place, "." + name + "() takes data out of the graph, which is not allowed in a forward", Code::kUnsupported);
    std::string spelling = "Tensor." + base;
    if (find_operator(spelling) == nullptr && find_operator("torch." + base) != nullptr) spelling = "torch." + base;
    positional.insert(positional.begin(), object);
    const IValue result = call_operator(spelling, positional, named, place);
    return in_place ? overwritten(object.id(), result, place) : result;
  }
  IValue result;
  if (method_of_sequence(object, name, positional, place, result)) return result;
  return ok() ? fail(place, std::string("the method ") + printable(name) + " of " + object.kind() + " is not known") : IValue();
}

IValue Interpreter::call_function(const std::string& given, const IValues& positional, const Named& named, const Place& place) {
  const std::string name = bare_function(given);
  if (auto helper = program_.helpers.find(name); helper != program_.helpers.end()) {
    const Builder::Position before = b_.exchange_position({function_->source.get(), place});
    IValue result = Interpreter(program_, network_, module_, path_, depth_ + 1).run(*helper->second, nullptr, positional, named);
    b_.exchange_position(before);
    return result;
  }
  IValue result;
  if (builtin(name, positional, named, place, result)) return result;
  if (!ok()) return {};
  std::string spelling = spelling_of(name);
  if (spelling.find('.') == spelling.npos) {  // a function that the tree names: relu
    for (const char* space : {"F.", "torch."}) {
      if (find_operator(space + spelling) != nullptr) return call_function(space + spelling, positional, named, place);
    }
  }
  const Operator* op = find_operator(spelling);
  if (op == nullptr && spelling.size() > 1 && spelling.back() == '_') {  // F.relu_, torch.relu_
    const std::string base = spelling.substr(0, spelling.size() - 1);
    if (find_operator(base) != nullptr && !positional.empty() && positional[0].is_tensor()) {
      return overwritten(positional[0].id(), call_operator(base, positional, named, place), place);
    }
  }
  const std::string last = name.substr(name.rfind('.') + 1);
  if (op == nullptr && !last.empty() && std::isupper(static_cast<unsigned char>(last[0]))) return make_module(last, positional, named, place);
  if (op == nullptr && spelling.starts_with("math."))
    return fail(place, "the function " + printable(name) + " of numbers is not supported", Code::kUnsupported);
  // F.relu(x, inplace=True)
  const int inplace = op == nullptr ? -1 : place_in(op->signature, "inplace");
  IValue flag;
  if (inplace >= 0 && static_cast<size_t>(inplace) < positional.size()) flag = positional[static_cast<size_t>(inplace)];
  for (const auto& [key, v] : named) {
    if (inplace >= 0 && key == "inplace") flag = v;
  }
  result = call_operator(spelling, positional, named, place);
  const IValue& input = positional.empty() ? IValue() : positional[0];
  if (ok() && flag.get<bool>() != nullptr && *flag.get<bool>() && input.is_tensor()) return overwritten(input.id(), result, place);
  return result;
}

IValue Interpreter::call_operator(const std::string& spelling, const IValues& given, const Named& given_names, const Place& place) {
  if (!ok() || !spend(place, 4)) return {};
  IValues positional = given;
  Named named;
  for (IValue& v : positional) {
    if (walkable(v, place)) settle(v);
  }
  for (const auto& [name, v] : given_names) {
    if (name == "out" && !v.is_none()) return fail(place, "out= is not supported", Code::kUnsupported);
    named.emplace_back(name, v);
    if (walkable(v, place)) settle(named.back().second);
  }
  if (!ok()) return {};
  const Builder::Position before = b_.exchange_position({function_->source.get(), place});
  IValue result = torch::call(b_, spelling, positional, named);
  b_.exchange_position(before);
  return ok() ? result : IValue();
}

}  // namespace tern::torch
