// Calls and branches. See special.h. Next: loop.cpp.
#include "loaders/tensorflow/run/lists.h"
#include "loaders/tensorflow/run/rnn.h"
#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {

bool fits(const Call& c, const Site& site, const Index& function, size_t arguments) {
  if (function.arguments() != arguments) {
    c.fail(invalid("it passes " + std::to_string(arguments) + " arguments to a function of " + std::to_string(function.arguments())));
  } else if (!site.used.empty() && static_cast<size_t>(site.used.back()) >= function.returns().size()) {
    c.fail(
        invalid("output " + std::to_string(site.used.back()) + " is read of a function that returns " + std::to_string(function.returns().size())));
  }
  return c.b.ok();
}

Values at_their_places(const Site& site, Values used) {
  Values all(site.used.empty() ? 0 : static_cast<size_t>(site.used.back()) + 1);
  for (size_t k = 0; k < used.size(); ++k) all[static_cast<size_t>(site.used[k])] = std::move(used[k]);
  return all;
}

Values call_function(Call& c, const Site& site, const Index& function, const Caller& caller) {
  if (!fits(c, site, function, c.count())) return {};
  if (auto fused = keras_rnn(c, function)) return std::move(*fused);
  const Runner::Scope scope{&c.values(), false, &caller, nullptr, site.scope.depth + 1};
  if (site.runner.initializing) site.runner.run_effects(c.b, function, scope, {});
  std::vector<Edge> wanted;
  for (const int32_t o : site.used) wanted.push_back(function.returns()[static_cast<size_t>(o)]);
  return at_their_places(site, site.runner.run(c.b, function, scope, wanted));
}

std::vector<ValueId> tensors_of(const Value& v) {
  if (const auto* plain = v.get<Value::Plain>()) {
    return plain->imaginary == kNone ? std::vector{plain->id} : std::vector{plain->id, plain->imaginary};
  }
  if (const auto* held = v.get<Value::List>()) {
    if (held->list->sequence != kNone) return {held->list->sequence};
    if (held->list->elements != kNone) return {held->list->elements};
  }
  return {};
}

Value with_tensors(const Value& like, std::span<const ValueId> tensors) {
  if (tensors.empty()) return like;
  if (like.get<Value::Plain>() != nullptr) return Value::complex(tensors[0], tensors.size() > 1 ? tensors[1] : kNone);
  TensorList list = *like.get<Value::List>()->list;
  (list.sequence != kNone ? list.sequence : list.elements) = tensors[0];
  return Value::list(std::move(list));
}

bool same_handle(const Value& a, const Value& b) {
  if (a.v.index() != b.v.index()) return false;
  if (const auto* v = a.get<Value::Variable>()) return v->index == b.get<Value::Variable>()->index;
  if (const auto* t = a.get<Value::Table>()) return t->table == b.get<Value::Table>()->table;
  return a.get<Value::Uncomputed>() != nullptr || a.get<Value::Nothing>() != nullptr;
}

namespace {

Values call(Call& c, const Site& site) {
  const Index* callee = site.runner.function_attribute(c, "f");
  return callee == nullptr ? Values() : call_function(c, site, *callee, {&c.attribute("f")->func().attr(), site.scope.caller});
}

// A choice between functions of the same arguments, one for each case; the last stands for all others too.
class Choice {
 public:
  Choice(Call& c, const Site& site, std::vector<const Index*> functions) : c_(c), site_(site), functions_(std::move(functions)) {}

  // The used outputs. `selector`: a bool (true: the first) or the number of the case. What case cannot be told before the run is an If, whose
  // branches capture what they read; the second holds the choice between the remaining cases.
  Values from(Builder& b, size_t first, ValueId selector, const Values& arguments, bool around) {
    if (!b.ok()) return {};
    if (first + 1 == functions_.size()) return run(b, first, arguments, around);
    const Values given = around ? captured(b, arguments) : arguments;
    if (around) selector = b.capture(selector);
    const ValueId condition =
        b.dtype(selector) == DType::boolean ? selector : b.emit("Equal", {selector, b.scalar_like(selector, static_cast<double>(first))});
    if (!b.ok()) return {};
    if (const auto known = known_ints(b, condition); known && known->size() == 1) {
      return (*known)[0] != 0 ? run(b, first, given, false) : from(b, first + 1, selector, given, false);
    }
    Builder bodies[] = {Builder(b.program, &b), Builder(b.program, &b)};
    Values made[] = {run(bodies[0], first, given, true), from(bodies[1], first + 1, selector, given, true)};
    return merge(b, condition, bodies, made);
  }

 private:
  static Values captured(Builder& b, const Values& outer) {
    Values inner;
    for (const Value& v : outer) inner.push_back(b.capture(v));
    return inner;
  }
  Values run(Builder& b, size_t k, const Values& arguments, bool around) {
    std::vector<Edge> wanted;
    for (const int32_t o : site_.used) wanted.push_back(functions_[k]->returns()[static_cast<size_t>(o)]);
    return site_.runner.run(b, *functions_[k], {&arguments, around, nullptr, nullptr, site_.scope.depth + 1}, wanted);
  }
  // A list of which only one branch has elements: the other gets them, of the same shape.
  static void fill(std::span<Builder, 2> bodies, std::span<Values, 2> made, size_t k) {
    for (size_t i = 0; i < 2; ++i) {
      const auto *empty = made[i][k].get<Value::List>(), *full = made[1 - i][k].get<Value::List>();
      if (empty == nullptr || full == nullptr || empty->list->elements != kNone || full->list->elements == kNone) continue;
      TypeInfo item = bodies[1 - i].type(full->list->elements);
      if (item.shape.rank() > 0) item.shape.dims().erase(item.shape.dims().begin());
      TensorList list = *empty->list;
      list.elements = filled(bodies[i], list, item);
      made[i][k] = Value::list(std::move(list));
    }
  }
  Values merge(Builder& b, ValueId condition, std::span<Builder, 2> bodies, std::span<Values, 2> made) {
    for (size_t k = 0; k < site_.used.size() && bodies[0].ok() && bodies[1].ok(); ++k) fill(bodies, made, k);
    for (size_t k = 0; k < site_.used.size() && bodies[0].ok() && bodies[1].ok(); ++k) {
      const Value &yes = made[0][k], &no = made[1][k];
      const auto tensors = tensors_of(yes);
      if (tensors.size() != tensors_of(no).size() || (tensors.empty() && !same_handle(yes, no))) {
        const std::string which = "output " + std::to_string(site_.used[k]);
        b.fail(unsupported(which + " is " + yes.kind() + " in one branch and " + no.kind() + " in the other"));
        return {};
      }
      for (size_t i = 0; i < 2; ++i) {
        for (const ValueId v : tensors_of(made[i][k])) bodies[i].graph.outputs.push_back(v);
      }
    }
    const size_t outputs = bodies[0].graph.outputs.size();
    Builder* const both[] = {&bodies[0], &bodies[1]};
    const std::vector<ValueId> chosen = b.emit_control("If", {condition}, both, outputs);
    Values out;
    for (size_t at = 0, k = 0; k < site_.used.size() && b.ok(); ++k) {
      const size_t n = tensors_of(made[0][k]).size();
      out.push_back(with_tensors(made[0][k], std::span(chosen).subspan(at, n)));
      at += n;
    }
    return out;
  }

  Call& c_;
  const Site& site_;
  std::vector<const Index*> functions_;
};

Values choose(Call& c, const Site& site, std::vector<const Index*> functions, bool of_two) {
  if (c.count() == 0) return c.fail(invalid("it has no condition"));
  const Values arguments(c.values().begin() + 1, c.values().end());
  for (const Index* f : functions) {
    if (f == nullptr || !fits(c, site, *f, arguments.size())) return {};
  }
  ValueId selector = c.tensor(0);
  if (c.b.rank(selector) != 0) return c.fail(unsupported("its condition is no scalar"));
  if (of_two) selector = c.b.cast(selector, DType::boolean);  // a number is true when it is not 0
  return at_their_places(site, Choice(c, site, std::move(functions)).from(c.b, 0, selector, arguments, false));
}

Values if_else(Call& c, const Site& site) {
  return choose(c, site, {site.runner.function_attribute(c, "then_branch"), site.runner.function_attribute(c, "else_branch")}, true);
}

Values which_case(Call& c, const Site& site) {
  const tensorflow_pb::AttrValue* list = c.attribute("branches");
  if (list == nullptr || list->list().func_size() == 0) return c.fail(invalid("it has no branches"));
  if (list->list().func_size() > Program::kMostDepth)
    return c.fail(unsupported("it has more than " + std::to_string(Program::kMostDepth) + " branches"));
  std::vector<const Index*> functions;
  for (const auto& f : list->list().func()) functions.push_back(site.runner.function(c, f.name()));
  return choose(c, site, std::move(functions), false);
}

constexpr Special kCallsOperators[] = {
    {"PartitionedCall StatefulPartitionedCall", call, true}, {"If StatelessIf", if_else}, {"Case StatelessCase", which_case}};

}  // namespace

std::span<const Special> call_operators() { return kCallsOperators; }

}  // namespace tern::tensorflow
