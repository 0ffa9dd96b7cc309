// See run.h.
#include "loaders/tensorflow/run/run.h"

#include <algorithm>
#include <unordered_set>

#include "loaders/tensorflow/ops/operator.h"
#include "loaders/tensorflow/run/special.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

std::string quoted(std::string_view text) { return "'" + printable(text, 120) + "'"; }

}  // namespace

bool Runner::spend(Builder& b, int64_t nodes) {
  program.nodes += nodes;
  constexpr int64_t kFree = Program::kMostNodes / 2, kBytes = 64;  // exporters take some 60 bytes for a node
  const int64_t most = kFree + std::min(static_cast<int64_t>(program.contents.source.bytes.size()) / kBytes, Program::kMostNodes - kFree);
  if (program.nodes > most) b.fail(unsupported("functions and loops unfold to more than " + std::to_string(most) + " nodes"));
  return b.ok();
}

// Depth first from what is wanted, with a stack of its own; a node is ordered after all that it reads.
bool Runner::sort(Builder& b, const Index& graph, const Scope& scope, std::span<const Edge> wanted, Needed& needed) {
  constexpr size_t kOpen = SIZE_MAX;
  struct Visit {
    int32_t node;
    size_t next;  // input
  };
  std::vector<Visit> stack;
  auto visit = [&](Edge e) {  // false: a cycle
    needed.used.push_back(e);
    if (e.argument()) needed.arguments.push_back(e.argument_number());
    if (e.argument()) return true;
    const auto [at, fresh] = needed.position.emplace(e.node, kOpen);
    if (fresh) stack.push_back({e.node, 0});
    return fresh || at->second != kOpen;
  };
  for (const Edge& want : wanted) {
    if (want.node == Edge::kMissing) {
      const std::string of = graph.function() != nullptr ? "function " + quoted(graph.function()->signature().name()) : "the graph";
      b.fail(invalid(of + " gives what a node computes that is not there"));
      return false;
    }
    visit(want);
    while (!stack.empty()) {
      Visit& top = stack.back();
      const auto& inputs = graph.inputs(top.node);
      const FileNode& def = graph.node(top.node);
      const bool given = scope.preset != nullptr && scope.preset->contains(top.node);
      if (given || top.next == inputs.size()) {
        needed.position[top.node] = needed.order.size();
        needed.order.push_back(top.node);
        stack.pop_back();
        if (!spend(b, 1)) return false;
        continue;
      }
      const size_t k = top.next++;
      if (inputs[k].output == Edge::kControl) continue;
      if (inputs[k].node == Edge::kMissing) {
        const std::vector<std::string_view> inputs_of = def.inputs();
        const std::string what = k < inputs_of.size() ? quoted(inputs_of[k]) : "a node";
        b.fail(invalid("node " + quoted(def.name()) + " reads " + what + ", which is not there"));
        return false;
      }
      if (!visit(inputs[k])) {
        b.fail(invalid("node " + quoted(def.name()) + " depends on itself"));
        return false;
      }
    }
  }
  std::sort(needed.used.begin(), needed.used.end());
  needed.used.erase(std::unique(needed.used.begin(), needed.used.end()), needed.used.end());
  return true;
}

Values Runner::run(Builder& b, const Index& graph, const Scope& scope, std::span<const Edge> wanted) {
  if (scope.depth > Program::kMostDepth) {
    b.fail(unsupported("calls, branches and loops lie more than " + std::to_string(Program::kMostDepth) + " deep in each other"));
  }
  Needed needed;
  if (!b.ok() || !sort(b, graph, scope, wanted, needed)) return Values(wanted.size());
  std::unordered_map<int32_t, Value> arguments;
  for (const int32_t i : needed.arguments) {
    const Value& given = (*scope.arguments)[static_cast<size_t>(i)];
    arguments.try_emplace(i, scope.around ? b.capture(given) : given);
  }
  std::vector<Values> made(needed.order.size());
  std::vector<int32_t> readers(needed.order.size());  // that have not run: what nobody reads any more goes
  const auto count = [&](Edge e) {
    if (e.node >= 0 && e.output != Edge::kControl) ++readers[needed.position[e.node]];
  };
  for (const Edge& e : wanted) count(e);
  for (const int32_t node : needed.order) {
    if (scope.preset != nullptr && scope.preset->contains(node)) continue;
    for (const Edge& e : graph.inputs(node)) count(e);
  }
  auto value_of = [&](Edge e) -> Value {
    if (e.argument()) return e.output == 0 ? arguments[e.argument_number()] : Value();
    const Values& of = made[needed.position[e.node]];
    if (static_cast<size_t>(e.output) < of.size()) return of[static_cast<size_t>(e.output)];
    const FileNode& def = graph.node(e.node);
    return Value::uncomputed("output " + std::to_string(e.output) + " of " + printable(def.name(), 120) + " (" + printable(def.op(), 80) + ")");
  };
  for (size_t i = 0; i < needed.order.size() && b.ok(); ++i) {
    const int32_t node = needed.order[i];
    if (scope.preset != nullptr) {
      if (const auto given = scope.preset->find(node); given != scope.preset->end()) {
        made[i] = given->second;
        continue;
      }
    }
    Values inputs;
    for (const Edge& e : graph.inputs(node)) {
      if (e.output == Edge::kControl) continue;
      inputs.push_back(value_of(e));
      if (e.node < 0) continue;
      const size_t from = needed.position[e.node];
      if (--readers[from] == 0) made[from] = {};
    }
    made[i] = run_node(b, graph, scope, node, std::move(inputs), needed.used);
  }
  Values out;
  for (const Edge& e : wanted) out.push_back(b.ok() ? value_of(e) : Value());
  return out;
}

Values Runner::run_node(Builder& b, const Index& graph, const Scope& scope, int32_t n, Values inputs, std::span<const Edge> used) {
  const FileNode& node = graph.node(n);
  Site site{*this, graph, scope, n, {}};
  for (auto e = std::lower_bound(used.begin(), used.end(), Edge{n, 0}); e != used.end() && e->node == n; ++e) site.used.push_back(e->output);
  const size_t outputs = site.used.empty() ? 0 : static_cast<size_t>(site.used.back()) + 1;
  for (const Value& v : inputs) {  // nothing can be said of what comes of an unknown operator, or flows where nothing does
    const auto* u = v.get<Value::Uncomputed>();
    const bool dead = v.get<Value::Dead>() != nullptr && !node.op().ends_with("Merge");
    if ((u != nullptr && u->unknown) || dead) return spend(b, static_cast<int64_t>(outputs)) ? Values(outputs, v) : Values();
  }
  const auto parsed = node.parsed();  // held: a function may call itself
  if (parsed == nullptr) return b.fail(malformed(node)), Values();
  const tensorflow_pb::NodeDef& def = *parsed;
  const Builder::Place before = b.exchange_place({&def.name(), &def.op()});
  Call c(b, def, std::move(inputs), scope.caller);
  Values made;
  if (std::any_of(c.values().begin(), c.values().end(), [](const Value& v) { return v.get<Value::Chance>() != nullptr; })) {
    made = with_chances(c);
  } else if (const Special* special = find_special(def.op())) {
    made = special->apply(c, site);
  } else if (const Operator* op = find_operator(def.op())) {
    constexpr size_t kFew = 64;  // most become a handful of nodes; those of many inputs may become one for each
    const size_t nodes = b.graph.nodes.size();
    made = op->apply(c);
    if (const size_t more = b.graph.nodes.size() - nodes; more > kFew) spend(b, static_cast<int64_t>(more));
  } else if (const Index* callee = functions.has(def.op()) ? function(c, def.op()) : nullptr) {
    made = call_function(c, site, *callee, {&def.attr(), scope.caller});
  } else if (b.ok() && spend(b, static_cast<int64_t>(outputs))) {
    program.missing.add(def.op(), def.name());
    made.assign(outputs, Value(Value::Uncomputed{"made by an operator that is not known", true}));
  }
  b.exchange_place(before);
  node.let_go();
  return made;
}

void Runner::run_effects(Builder& b, const Index& graph, const Scope& scope, std::span<const Edge> from) {
  std::unordered_set<int32_t> seen;
  std::vector<int32_t> open;
  std::vector<Edge> effects;
  auto visit = [&](Edge e) {
    if (e.node >= 0 && seen.insert(e.node).second) open.push_back(e.node);
  };
  for (const Edge& e : from) visit(e);
  for (size_t i = 0; from.empty() && i < graph.size(); ++i) visit({static_cast<int32_t>(i), 0});
  while (!open.empty() && spend(b, 1)) {
    const int32_t node = open.back();
    open.pop_back();
    const Special* special = find_special(graph.node(node).op());
    if (special != nullptr && special->effect) effects.push_back({node, 0});
    for (const Edge& e : graph.inputs(node)) visit(e);
  }
  run(b, graph, scope, effects);
}

const Special* find_special(std::string_view name) {
  static const auto kNames = [] {
    std::unordered_map<std::string_view, const Special*> all;
    for (const auto table : {call_operators(), loop_operators(), list_operators(), resource_operators(), switch_operators(), chance_operators()}) {
      for (const Special& s : table) {
        for (std::string_view rest = s.names; !rest.empty();) {
          const std::string_view word = rest.substr(0, rest.find(' '));
          all.emplace(word, &s);
          rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        }
      }
    }
    return all;
  }();
  const auto at = kNames.find(name);
  return at == kNames.end() ? nullptr : at->second;
}

const Index* Runner::function(const Call& c, const std::string& name) {
  auto found = functions.find(name);
  if (found) return *found;
  c.fail(found.error());
  return nullptr;
}

const Index* Runner::function_attribute(const Call& c, const char* attr) {
  const tensorflow_pb::AttrValue* a = c.attribute(attr);
  if (a != nullptr && a->has_func()) return function(c, a->func().name());
  c.fail(invalid("attribute " + std::string(attr) + " names no function"));
  return nullptr;
}

}  // namespace tern::tensorflow
