// What functions read: names of self, names that nothing gave a value; and constants as literals. See parse_function.h.
#include <algorithm>
#include <set>

#include "loaders/torch/arch/interpret.h"
#include "loaders/torch/arch/parse_function.h"

namespace tern::torch {
namespace {

// Calls f for every expression of a tree, parents first.
template <class F>
void walk(const Expression& e, F f) {
  f(e);
  for (const ExpressionPtr& part : e.parts) {
    if (part) walk(*part, f);
  }
}

template <class F>
void walk(const Block& block, F f) {
  for (const Statement& s : block) {
    for (const ExpressionPtr& target : s.targets) walk(*target, f);
    if (s.value) walk(*s.value, f);
    walk(s.body, f);
    walk(s.otherwise, f);
  }
}

void collect_self(const Function& f, std::vector<std::string>& out, std::set<std::string>& seen) {
  auto add = [&](const std::string& name) {
    if (seen.insert(name).second) out.push_back(name);
  };
  walk(f.body, [&](const Expression& e) {
    using Kind = Expression::Kind;
    auto is_self = [&](const Expression& x) { return x.kind == Kind::name && x.text == f.self && !f.self.empty(); };
    if (e.kind == Kind::attribute && is_self(*e.parts[0])) add(e.text);
    if (e.kind == Kind::call && e.parts[0]->kind == Kind::name && e.parts[0]->text == "getattr" && e.parts.size() > 2 && is_self(*e.parts[1])) {
      if (const auto* name = e.parts[2]->value.get<std::string>()) add(*name);
    }
  });
}

// Names read before they have a value, in the order of evaluation.
struct FreeNames {
  std::set<std::string, std::less<>> given;
  std::vector<std::string> names;
  std::vector<Place> places;

  void read(const Expression& e) {
    using Kind = Expression::Kind;
    if (e.kind == Kind::name) {
      if (given.contains(e.text) || is_global_name(e.text)) return;
      given.insert(e.text);
      names.push_back(e.text);
      places.push_back(e.place);
      return;
    }
    if (e.kind == Kind::comprehension) {  // its names are its own
      read(*e.parts[2]);
      const auto outside = given;
      give(*e.parts[1]);
      read(*e.parts[0]);
      for (size_t i = 3; i < e.parts.size(); ++i) read(*e.parts[i]);
      given = outside;
      for (const std::string& name : names) given.insert(name);
      return;
    }
    for (const ExpressionPtr& part : e.parts) {
      if (part) read(*part);
    }
  }

  void give(const Expression& target) {
    using Kind = Expression::Kind;
    if (target.kind == Kind::name) given.insert(target.text);
    else if (target.kind == Kind::index) read(target);
    else
      for (const ExpressionPtr& part : target.parts) give(*part);
  }

  void read(const Block& block) {
    for (const Statement& s : block) {
      if (s.value) read(*s.value);
      for (const ExpressionPtr& target : s.targets) {
        if (s.kind == Statement::Kind::augmented) read(*target);
        give(*target);
      }
      read(s.body);
      read(s.otherwise);
    }
  }
};

}  // namespace

std::vector<std::string> names_of_self(const Function& f) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  collect_self(f, out, seen);
  return out;
}

std::vector<std::string> names_of_self(const ClassScope& scope) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const auto& [name, method] : scope.methods) collect_self(*method, out, seen);
  return out;
}

std::vector<Parameter> free_names(const Block& body) {
  FreeNames free;
  free.given.insert("self");
  free.read(body);
  std::vector<Parameter> out;
  for (size_t i = 0; i < free.names.size(); ++i) out.push_back({free.names[i], {}, {}, free.places[i]});
  return out;
}

std::optional<Literal> literal_of(const Expression& e) {
  using Kind = Expression::Kind;
  if (e.kind == Kind::constant) {
    if (e.value.is_none()) return Literal();
    if (const auto* flag = e.value.get<bool>()) return Literal{*flag};
    if (const auto* n = e.value.get<Int>()) return Literal{n->value()};
    if (const auto* d = e.value.get<double>()) return Literal{*d};
    if (const auto* s = e.value.get<std::string>()) return Literal{*s};
    return std::nullopt;
  }
  if (e.kind == Kind::unary && e.text == "-") {
    auto inner = literal_of(*e.parts[0]);
    if (inner && inner->kind() == Literal::Kind::integer) return Literal{-std::get<int64_t>(inner->value)};
    if (inner && inner->kind() == Literal::Kind::real) return Literal{-std::get<double>(inner->value)};
    return std::nullopt;
  }
  if (e.kind == Kind::attribute && e.parts[0]->kind == Kind::name && e.parts[0]->text == "torch") return Literal{Name{"torch." + e.text}};
  if (e.kind == Kind::tuple || e.kind == Kind::list) {
    Literals items;
    for (const ExpressionPtr& part : e.parts) {
      auto item = literal_of(*part);
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
    }
    Literal l{std::move(items)};
    l.list = e.kind == Kind::list;
    return l;
  }
  return std::nullopt;
}

}  // namespace tern::torch
