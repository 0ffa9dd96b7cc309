// Expressions. See interpret.h. Next: attributes.cpp, calls.cpp.
#include <algorithm>

#include "loaders/torch/arch/interpret.h"

namespace tern::torch {
namespace {

constexpr int kMostDepth = 1000;  // expressions in calls in expressions, over all modules
constexpr size_t kMostItems = 100000;
constexpr size_t kLongestString = 1000;

const char* operator_of(const std::string& op) {
  constexpr std::pair<std::string_view, const char*> kNames[] = {
      {"+", "operator.add"}, {"-", "operator.sub"},  {"*", "operator.mul"},     {"/", "operator.truediv"}, {"//", "operator.floordiv"},
      {"%", "operator.mod"}, {"**", "operator.pow"}, {"@", "torch.matmul"},     {"&", "operator.and_"},    {"|", "operator.or_"},
      {"^", "operator.xor"}, {"<", "operator.lt"},   {"<=", "operator.le"},     {">", "operator.gt"},      {">=", "operator.ge"},
      {"==", "operator.eq"}, {"!=", "operator.ne"},  {"<<", "operator.lshift"}, {">>", "operator.rshift"}};
  for (const auto& [name, spelling] : kNames) {
    if (op == name) return spelling;
  }
  return "";
}

bool is_number(const IValue& v) { return v.get<bool>() != nullptr || v.get<Int>() != nullptr || v.get<double>() != nullptr; }

// Equality of what is known: strings, None, dtypes, lists of known things. Nothing: it takes arithmetic.
std::optional<bool> equal(const IValue& x, const IValue& y, int depth = 0) {
  if (is_number(x) && is_number(y)) return std::nullopt;
  if (x.v.index() != y.v.index()) return false;
  if (const auto* s = x.get<std::string>()) return *s == *y.get<std::string>();
  if (const auto* d = x.get<DType>()) return *d == *y.get<DType>();
  if (x.is_none() || x.get<IValue::Ellipsis>() != nullptr) return true;
  if (const auto* c = x.get<IValue::Callable>()) return c->module == y.get<IValue::Callable>()->module && c->name == y.get<IValue::Callable>()->name;
  const IValues *a = x.items(), *b = y.items();
  if (a == nullptr || depth > kDeepest) return std::nullopt;
  if (a->size() != b->size()) return false;
  bool known = true;
  for (size_t i = 0; i < a->size(); ++i) {
    std::optional<bool> same = equal((*a)[i], (*b)[i], depth + 1);
    const auto *n = (*a)[i].get<Int>(), *m = (*b)[i].get<Int>();
    if (!same && n != nullptr && m != nullptr && n->node == kNone && m->node == kNone) {
      if (n->dim == m->dim) same = true;
      else if (n->known() && m->known()) same = false;
    }
    if (same && !*same) return false;
    known &= same.has_value();
  }
  return known ? std::optional<bool>(true) : std::nullopt;
}

}  // namespace

namespace {

// Counts values in values as a walk over them would meet them, those that lists share each time; stops beyond `most`, and where they
// nest too deep.
struct Extent {
  size_t values = 0;
  int depth = 0;
};
void measure(const IValue& v, int depth, size_t most, Extent& extent) {
  extent.depth = std::max(extent.depth, depth);
  if (++extent.values > most || depth > kDeepest) return;
  auto inside = [&](const IValue& item) {
    if (extent.values <= most && extent.depth <= kDeepest) measure(item, depth + 1, most, extent);
  };
  if (const IValues* items = v.items()) {
    for (const IValue& item : *items) inside(item);
  } else if (const auto* d = v.get<IValue::Dict>()) {
    for (const auto& [key, item] : *d->items) inside(item);
  }
}

}  // namespace

bool Interpreter::walkable(const IValue& v, const Place& place) {
  if (v.items() == nullptr && v.get<IValue::Dict>() == nullptr) return ok();
  Extent extent;
  measure(v, 0, kMostItems, extent);
  if (!spend(place, static_cast<int64_t>(extent.values))) return false;
  if (extent.depth > kDeepest) fail(place, "lists nest more than " + std::to_string(kDeepest) + " deep", Code::kUnsupported);
  else if (extent.values > kMostItems)
    fail(place, "a list of more than " + std::to_string(kMostItems) + " items, those of lists in it counted", Code::kUnsupported);
  return ok();
}

IValue Interpreter::value(const Expression& e) {
  if (!spend(e.place)) return {};
  if (++b_.effort.depth > kMostDepth) fail(e.place, "the forwards call each other too deep", Code::kUnsupported);
  IValue v = ok() ? value_of(e) : IValue();
  --b_.effort.depth;
  if (ok() && b_.changed()) {
    const Builder::Position before = b_.exchange_position({function_->source.get(), e.place});
    settle(v);
    b_.exchange_position(before);
  }
  return ok() ? v : IValue();
}

IValue Interpreter::value_of(const Expression& e) {
  using Kind = Expression::Kind;
  switch (e.kind) {
    case Kind::constant: return e.value;
    case Kind::name: return name(e);
    case Kind::attribute: return attribute(e);
    case Kind::call: return call(e);
    case Kind::index: return index(e);
    case Kind::slice: {
      IValues parts;
      for (const ExpressionPtr& part : e.parts) parts.push_back(part ? value(*part) : IValue());
      return IValue::Slice{std::make_shared<IValues>(std::move(parts))};
    }
    case Kind::unary: return unary(e);
    case Kind::binary: {
      const IValue x = value(*e.parts[0]), y = ok() ? value(*e.parts[1]) : IValue();
      return ok() ? binary(e.text, x, y, e.place) : IValue();
    }
    case Kind::compare: return compare(e);
    case Kind::both:
    case Kind::either: {
      const IValue x = value(*e.parts[0]);
      if (!ok()) return {};
      const bool yes = truth(x, e.parts[0]->place);
      return yes == (e.kind == Kind::both) ? value(*e.parts[1]) : x;
    }
    case Kind::conditional: {
      const IValue condition = value(*e.parts[1]);
      if (!ok()) return {};
      const bool yes = truth(condition, e.parts[1]->place);
      return ok() ? value(*e.parts[yes ? 0 : 2]) : IValue();
    }
    case Kind::tuple: return made(IValue::tuple(sequence(e.parts, 0)), e.place);
    case Kind::list: return made(IValue::list(sequence(e.parts, 0)), e.place);
    case Kind::dict: {
      const IValue dict = IValue::Dict{std::make_shared<std::vector<std::pair<std::string, IValue>>>()};
      for (size_t i = 0; i + 1 < e.parts.size() && ok(); i += 2) {
        const IValue key = value(*e.parts[i]), item = ok() ? value(*e.parts[i + 1]) : IValue();
        if (!ok()) return {};
        if (key.get<std::string>() == nullptr) return fail(e.parts[i]->place, std::string("the keys of a dict must be strings, not ") + key.kind());
        std::erase_if(*dict.get<IValue::Dict>()->items, [&](const auto& known) { return known.first == *key.get<std::string>(); });
        dict.get<IValue::Dict>()->items->emplace_back(*key.get<std::string>(), item);
      }
      return made(dict, e.place);
    }
    case Kind::starred: return fail(e.place, "a starred expression has no place here");
    case Kind::comprehension: return comprehension(e);
  }
  return {};
}

IValue Interpreter::made(IValue v, const Place& place) { return walkable(v, place) ? v : IValue(); }

IValues Interpreter::sequence(const std::vector<ExpressionPtr>& parts, size_t first) {
  IValues items;
  for (size_t i = first; i < parts.size() && ok(); ++i) {
    if (parts[i]->kind != Expression::Kind::starred) {
      items.push_back(value(*parts[i]));
      continue;
    }
    const IValue inner = value(*parts[i]->parts[0]);
    if (!ok()) break;
    const IValues more = elements(inner, parts[i]->place);
    items.insert(items.end(), more.begin(), more.end());
  }
  return items;
}

IValue Interpreter::name(const Expression& e) {
  if (auto known = variables_.find(e.text); known != variables_.end()) return known->second;
  if (is_global_name(e.text) || program_.helpers.contains(e.text)) return IValue::Callable{nullptr, e.text};
  return fail(e.place,
              "the name " + printable(e.text) + " has no value here; known are the forward's arguments and variables, F, nn, torch and math");
}

IValue Interpreter::unary(const Expression& e) {
  const IValue v = value(*e.parts[0]);
  if (!ok()) return {};
  if (e.text == "not") return !truth(v, e.parts[0]->place);
  if (e.text == "+") return v;
  if (e.text == "~") return call_operator("operator.invert", {v}, {}, e.place);
  if (const auto* flag = v.get<bool>()) return Int(-int64_t(*flag));
  return call_operator("operator.neg", {v}, {}, e.place);
}

IValue Interpreter::binary(const std::string& op, const IValue& x, const IValue& y, const Place& place) {
  const IValues *a = x.items(), *b = y.items();
  if (op == "+" && a != nullptr && b != nullptr) {
    IValues all = *a;
    all.insert(all.end(), b->begin(), b->end());
    return made(x.get<IValue::Sequence>()->tuple ? IValue::tuple(std::move(all)) : IValue::list(std::move(all)), place);
  }
  if (op == "+" && x.get<std::string>() != nullptr && y.get<std::string>() != nullptr) {
    std::string s = *x.get<std::string>() + *y.get<std::string>();
    if (s.size() > kLongestString) return fail(place, "a string this long is not supported", Code::kUnsupported);
    return s;
  }
  const IValue& times = a != nullptr ? y : x;
  if (op == "*" && (a != nullptr) != (b != nullptr) && times.get<Int>() != nullptr) {
    const Int& n = *times.get<Int>();
    const IValue& list = a != nullptr ? x : y;
    if (!n.known()) return fail(place, "the length of a list must be known while the model is loaded", Code::kUnsupported);
    const auto count = static_cast<size_t>(std::max<int64_t>(n.value(), 0));
    if (count > kMostItems || count * list.items()->size() > kMostItems)
      return fail(place, "a list of more than " + std::to_string(kMostItems) + " items", Code::kUnsupported);
    IValues all;
    for (size_t i = 0; i < count; ++i) all.insert(all.end(), list.items()->begin(), list.items()->end());
    return made(list.get<IValue::Sequence>()->tuple ? IValue::tuple(std::move(all)) : IValue::list(std::move(all)), place);
  }
  for (const IValue* v : {&x, &y}) {
    if (!is_number(*v) && !v->is_tensor()) return fail(place, std::string("'") + op + "' cannot be applied to " + x.kind() + " and " + y.kind());
  }
  return call_operator(operator_of(op), {x, y}, {}, place);
}

IValue Interpreter::compare(const Expression& e) {
  IValue left = value(*e.parts[0]);
  IValue result;
  for (size_t i = 0; i < e.names.size() && ok(); ++i) {
    IValue right = value(*e.parts[i + 1]);
    if (!ok()) return {};
    const IValue next = compare(e.names[i], left, right, e.place);
    if (!ok()) return {};
    if (i + 1 < e.names.size() && !truth(next, e.place)) return next;  // a < b < c
    result = next;
    left = std::move(right);
  }
  return result;
}

IValue Interpreter::compare(const std::string& op, const IValue& x, const IValue& y, const Place& place) {
  const bool negated = op == "!=" || op == "is not" || op == "not in";
  if (op == "in" || op == "not in") {
    if (const auto* s = y.get<std::string>(); s != nullptr && x.get<std::string>() != nullptr)
      return (s->find(*x.get<std::string>()) != s->npos) != negated;
    if (y.is_tensor()) return fail(place, "'in' over data is not allowed in a forward", Code::kUnsupported);
    if (const auto* c = y.get<IValue::Callable>(); c != nullptr && c->module && x.get<std::string>() != nullptr) {
      return (c->module->child(*x.get<std::string>()) != nullptr) != negated;
    }
    const IValues items = elements(y, place);
    for (const IValue& item : items) {
      const IValue same = ok() ? compare("==", x, item, place) : IValue();
      if (!ok()) return {};
      if (truth(same, place)) return !negated;
    }
    return negated;
  }
  if (op == "is" || op == "is not") {
    if (x.is_none() || y.is_none()) return (x.is_none() == y.is_none()) != negated;
    const bool *a = x.get<bool>(), *b = y.get<bool>();
    if (a != nullptr || b != nullptr) return (a != nullptr && b != nullptr && *a == *b) != negated;
    if (x.is_tensor() && y.is_tensor()) return (x.id() == y.id()) != negated;
    if (!walkable(x, place)) return {};
    const auto same = equal(x, y);
    if (!same) return fail(place, "'is' compares with None, True, False and dtypes only");
    return *same != negated;
  }
  if ((op == "==" || op == "!=") && !x.is_tensor() && !y.is_tensor()) {
    if (!walkable(x, place)) return {};
    const auto *n = x.get<Int>(), *m = y.get<Int>();
    if (n != nullptr && m != nullptr && n->node == kNone && m->node == kNone && n->dim == m->dim) return !negated;
    if (const auto same = equal(x, y)) return *same != negated;
    if (x.items() != nullptr) return fail(place, "whether these sizes are equal is not known while the model is loaded", Code::kUnsupported);
  }
  return call_operator(operator_of(op), {x, y}, {}, place);
}

IValue Interpreter::comprehension(const Expression& e) {
  const IValue through = value(*e.parts[2]);
  if (!ok()) return {};
  if (!spend(e.place, static_cast<int64_t>(variables_.size()))) return {};
  const auto outside = variables_;
  IValues items;
  for (const IValue& item : loop_elements(through, e.parts[2]->place)) {
    if (!ok() || !spend(e.place)) return {};
    assign(*e.parts[1], item);
    bool yes = true;
    for (size_t i = 3; i < e.parts.size() && yes && ok(); ++i) {
      const IValue condition = value(*e.parts[i]);
      yes = ok() && truth(condition, e.parts[i]->place);
    }
    if (ok() && yes) items.push_back(value(*e.parts[0]));
  }
  variables_ = outside;
  return made(IValue::list(std::move(items)), e.place);
}

}  // namespace tern::torch
