// Statements. See interpret.h. Next: expressions.cpp.
#include "loaders/torch/arch/interpret.h"

namespace tern::torch {
namespace {

constexpr int kMostCalls = 30;  // functions that call functions, without the modules between them
constexpr int64_t kMostSteps = int64_t(1) << 21;

}  // namespace

IValue Interpreter::fail(const Place& place, const std::string& what, Code code) {
  const Builder::Position before = b_.exchange_position({function_->source.get(), place});
  b_.fail(Error(code, what));
  b_.exchange_position(before);
  return {};
}

IValue Interpreter::run(const Function& f, const ClassScope* scope, const IValues& positional, const Named& named) {
  const Builder::Position outside = b_.exchange_position({f.source.get(), f.place});
  function_ = &f;
  scope_ = scope;
  if (!f.refusal.empty()) fail(f.place, f.name + " cannot be called: " + f.refusal);
  if (depth_ > kMostCalls) fail(f.place, "functions call each other more than " + std::to_string(kMostCalls) + " deep");
  if (ok() && bind(positional, named)) run(f.body);
  if (ok()) settle(returned_);
  b_.exchange_position(outside);
  return ok() ? returned_ : IValue();
}

bool Interpreter::bind(const IValues& positional, const Named& named) {
  const Function& f = *function_;
  auto refuse = [&](const std::string& what) {
    fail(f.place, f.name + " " + what);
    return false;
  };
  if (!f.self.empty()) variables_[f.self] = IValue::Callable{std::shared_ptr<const Module>(std::shared_ptr<void>(), &module_), path_};
  IValues rest;
  for (size_t i = 0; i < positional.size(); ++i) {
    if (i < f.positional) variables_[f.parameters[i].name] = positional[i];
    else rest.push_back(positional[i]);
  }
  if (!rest.empty() && f.rest.empty()) {
    return refuse("takes " + std::to_string(f.positional) + " arguments but gets " + std::to_string(positional.size()));
  }
  if (!f.rest.empty()) variables_[f.rest] = IValue::tuple(std::move(rest));
  auto others = std::make_shared<std::vector<std::pair<std::string, IValue>>>();
  for (const auto& [name, given] : named) {
    bool known = false;
    for (const Parameter& p : f.parameters) known |= p.name == name;
    if (known && variables_.contains(name)) return refuse("gets its argument " + name + " twice");
    if (known) variables_[name] = given;
    else if (!f.named_rest.empty()) others->emplace_back(name, given);
    else return refuse("has no argument " + printable(name));
  }
  if (!f.named_rest.empty()) variables_[f.named_rest] = IValue::Dict{others};
  for (const Parameter& p : f.parameters) {
    if (variables_.contains(p.name)) continue;
    if (!p.fallback) return refuse("lacks its argument " + p.name);
    variables_[p.name] = from_literal(*p.fallback);
  }
  return true;
}

Interpreter::Flow Interpreter::run(const Block& block) {
  for (const Statement& s : block) {
    const Flow flow = run(s);
    if (!ok()) return Flow::returned;
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::run(const Statement& s) {
  if (!spend(s.place)) return Flow::returned;
  switch (s.kind) {
    case Statement::Kind::assign: {
      const IValue v = value(*s.value);
      for (const ExpressionPtr& target : s.targets) {
        if (ok()) assign(*target, v);
      }
      return Flow::next;
    }
    case Statement::Kind::augmented: augment(s); return Flow::next;
    case Statement::Kind::expression: value(*s.value); return Flow::next;
    case Statement::Kind::give: returned_ = s.value ? value(*s.value) : IValue(); return Flow::returned;
    case Statement::Kind::branch: {
      const IValue condition = value(*s.value);
      if (!ok()) return Flow::returned;
      const bool yes = truth(condition, s.value->place);
      return ok() ? run(yes ? s.body : s.otherwise) : Flow::returned;
    }
    case Statement::Kind::loop: return loop(s);
    case Statement::Kind::stop: return Flow::stopped;
    case Statement::Kind::skip: return Flow::skipped;
    case Statement::Kind::raise: fail(s.place, "the forward raises an error here"); return Flow::returned;
    case Statement::Kind::forget:
      if (s.value->kind == Expression::Kind::name) variables_.erase(s.value->text);
      else
        for (const ExpressionPtr& part : s.value->parts)
          if (part->kind == Expression::Kind::name) variables_.erase(part->text);
      return Flow::next;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::loop(const Statement& s) {
  const IValue through = value(*s.value);
  if (!ok()) return Flow::returned;
  for (const IValue& item : loop_elements(through, s.value->place)) {
    if (!ok() || !spend(s.place)) return Flow::returned;
    assign(*s.targets[0], item);
    const Flow flow = ok() ? run(s.body) : Flow::returned;
    if (flow == Flow::returned) return flow;
    if (flow == Flow::stopped) break;
  }
  return Flow::next;
}

bool Interpreter::spend(const Place& place, int64_t steps) {
  b_.effort.steps += steps;
  if (b_.effort.steps <= kMostSteps) return ok();
  fail(place, "the forwards take more than " + std::to_string(kMostSteps) + " steps to unroll", Code::kUnsupported);
  return false;
}

void Interpreter::assign(const Expression& target, const IValue& v) {
  using Kind = Expression::Kind;
  if (target.kind == Kind::name) {
    if (target.text == function_->self && !target.text.empty()) fail(target.place, "self cannot be changed");
    variables_[target.text] = v;
  } else if (target.kind == Kind::index) {
    const IValue object = value(*target.parts[0]), at = ok() ? value(*target.parts[1]) : IValue();
    if (ok()) put(object, at, v, target.place);
  } else if (target.kind == Kind::tuple || target.kind == Kind::list) {
    const IValues items = elements(v, target.place);
    if (ok()) unpack(target, items);
  } else {
    fail(target.place, "this cannot be assigned to");
  }
}

void Interpreter::unpack(const Expression& target, const IValues& items) {
  const size_t n = target.parts.size();
  size_t star = n;
  for (size_t i = 0; i < n; ++i) {
    if (target.parts[i]->kind != Expression::Kind::starred) continue;
    if (star != n) return void(fail(target.parts[i]->place, "two starred names in one assignment"));
    star = i;
  }
  if (star == n ? items.size() != n : items.size() + 1 < n) {
    return void(fail(target.place, std::to_string(items.size()) + " values are unpacked into " + std::to_string(n) + " names"));
  }
  const size_t extra = star == n ? 0 : items.size() - (n - 1);
  for (size_t i = 0, item = 0; i < n && ok(); ++i) {
    if (i != star) {
      assign(*target.parts[i], items[item++]);
      continue;
    }
    const auto begin = items.begin() + static_cast<std::ptrdiff_t>(item);
    assign(*target.parts[i]->parts[0], IValue::list(IValues(begin, begin + static_cast<std::ptrdiff_t>(extra))));
    item += extra;
  }
}

// x += y changes a tensor in place: whoever else holds it sees that.
void Interpreter::augment(const Statement& s) {
  const Expression& target = *s.targets[0];
  const IValue old = value(target), other = ok() ? value(*s.value) : IValue();
  if (!ok()) return;
  if (old.is_tensor() && target.kind == Expression::Kind::index) {
    const IValue object = value(*target.parts[0]);
    if (object.is_tensor())
      return void(fail(target.place, "x[…] " + s.text + "= … is not supported; torch.cat or torch.where make a new tensor", Code::kUnsupported));
  }
  IValue v = binary(s.text, old, other, s.place);
  if (!ok()) return;
  if (old.is_tensor()) v = overwritten(old.id(), v, s.place);
  if (const auto* list = old.get<IValue::Sequence>(); list != nullptr && !list->tuple && v.items() != nullptr) {
    *list->items = *v.items();  // the same list
    return;
  }
  if (ok()) assign(target, v);
}

// What an in-place operation leaves: the shape and dtype of what was there.
IValue Interpreter::overwritten(ValueId before, const IValue& after, const Place& place) {
  if (!ok()) return {};
  if (!after.is_tensor()) return fail(place, "an in-place operation must give a tensor");
  const Builder::Position outside = b_.exchange_position({function_->source.get(), place});
  const Shape &from = b_.shape(before), &to = b_.shape(after.id());
  if (from.ranked() && to.ranked() && from.rank() != to.rank())
    b_.fail(invalid("an in-place operation cannot change the shape " + from.text() + " to " + to.text()));
  const ValueId now = b_.cast(after.id(), b_.dtype(before));
  b_.overwrite(before, now);
  b_.exchange_position(outside);
  return IValue::tensor(now);
}

void Interpreter::settle(IValue& v, int depth) {
  if (!ok() || !b_.changed() || depth > kDeepest || b_.effort.steps > kMostSteps) return;
  if (auto* t = std::get_if<IValue::Tensor>(&v.v)) {
    t->id = b_.current(t->id);
  } else if (auto* s = std::get_if<IValue::Sequence>(&v.v)) {
    b_.effort.steps += static_cast<int64_t>(s->items->size());
    for (IValue& item : *s->items) settle(item, depth + 1);
  } else if (auto* d = std::get_if<IValue::Dict>(&v.v)) {
    b_.effort.steps += static_cast<int64_t>(d->items->size());
    for (auto& [key, item] : *d->items) settle(item, depth + 1);
  }
}

bool Interpreter::truth(const IValue& v, const Place& place) {
  if (v.is_none()) return false;
  if (const bool* flag = v.get<bool>()) return *flag;
  if (const auto* d = v.get<double>()) return *d != 0;
  if (const auto* s = v.get<std::string>()) return !s->empty();
  if (const IValues* items = v.items()) return !items->empty();
  if (const auto* d = v.get<IValue::Dict>()) return !d->items->empty();
  if (const auto* n = v.get<Int>()) {
    if (n->known()) return n->value() != 0;
    fail(place, "a condition on a size that the inputs decide is not known while the model is loaded", Code::kUnsupported);
    return false;
  }
  if (v.is_tensor()) {
    fail(place, "a condition on data is not allowed in a forward; torch.where chooses between tensors", Code::kUnsupported);
    return false;
  }
  return true;
}

IValues Interpreter::elements(const IValue& v, const Place& place) {
  if (const IValues* items = v.items()) return spend(place, static_cast<int64_t>(items->size())) ? *items : IValues();
  if (const auto* d = v.get<IValue::Dict>()) {
    IValues keys;
    for (const auto& [key, item] : *d->items) keys.push_back(key);
    return keys;
  }
  if (const auto* c = v.get<IValue::Callable>(); c != nullptr && c->module) {  // the children of a container
    if (!spend(place, static_cast<int64_t>(c->module->children.size()))) return {};
    IValues items;
    const bool dict = c->module->cls == "ModuleDict";
    for (const auto& [name, child] : c->module->children) {
      if (dict) items.push_back(name);
      else items.push_back(IValue::Callable{child, join(c->name, name)});
    }
    if (items.empty()) {
      for (const Module::Own& own : c->module->tensors) items.push_back(weight(join(c->name, own.name), place));
    }
    return items;
  }
  if (v.is_tensor()) {
    const IValue pieces = call_operator("torch.unbind", {v, Int(0)}, {}, place);  // q, k, v = qkv
    return pieces.items() != nullptr ? *pieces.items() : IValues();
  }
  fail(place, std::string("expected a list, a tuple or modules, not ") + v.kind());
  return {};
}

}  // namespace tern::torch
