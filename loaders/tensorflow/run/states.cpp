// See states.h.
#include "loaders/tensorflow/run/states.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "loaders/tensorflow/graph/program.h"
#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/run/conditions.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

using tensorflow_pb::NodeDef;

// What a node does with a variable. Lost: it may change it in ways that are not followed.
enum Access : unsigned { kNothing = 0, kReads = 1, kWrites = 2, kLost = 4 };

bool is_one_of(std::string_view op, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}
bool assigns(std::string_view op) { return is_one_of(op, {"AssignVariableOp", "Assign"}); }
bool adds(std::string_view op) { return is_one_of(op, {"AssignAddVariableOp", "AssignAdd", "AssignSubVariableOp", "AssignSub"}); }
bool is_reference(std::string_view op) { return is_one_of(op, {"VariableV2", "Variable"}); }

// The functions that a node calls, and which of its inputs is their first argument.
struct Callees {
  std::vector<std::string> names;  // of a loop the condition comes first
  size_t first = 0;
};
Callees callees_of(const FileNode& node) {
  Callees c;
  const std::string_view op = node.op();
  const bool loop = is_one_of(op, {"While", "StatelessWhile"});
  const bool branch = is_one_of(op, {"If", "StatelessIf"}), cases = is_one_of(op, {"Case", "StatelessCase"});
  const bool call = is_one_of(op, {"PartitionedCall", "StatefulPartitionedCall"});
  c.first = branch || cases ? 1 : 0;
  const auto def = loop || branch || cases || call ? node.parsed() : nullptr;
  if (def == nullptr) return c;
  for (const auto& a : def->attr()) {
    const bool one = (call && a.key() == "f") || (loop && (a.key() == "cond" || a.key() == "body")) ||
                     (branch && (a.key() == "then_branch" || a.key() == "else_branch"));
    if (one) c.names.insert(a.key() == "cond" ? c.names.begin() : c.names.end(), a.value().func().name());
    for (int i = 0; cases && a.key() == "branches" && i < a.value().list().func_size(); ++i) c.names.push_back(a.value().list().func(i).name());
  }
  return c;
}

class States {
 public:
  explicit States(Functions& functions) : functions_(functions) {}

  std::vector<std::string> assigned(const Index& graph, std::span<const Edge> wanted) {
    std::set<std::string> names;
    for (const int32_t n : ordered(graph, wanted)) {
      for (const auto& [variable, access] : accesses(graph, n, 0)) {
        if ((access & (kWrites | kLost)) != 0 && variable.node >= 0) names.emplace(graph.node(variable.node).name());
      }
    }
    return {names.begin(), names.end()};
  }

  // The graph, or a function whose arguments `taken` have their values as further arguments, and, where results are wanted, what becomes of these as
  // further results.
  Result<Index> rewrite(const Index& graph, std::span<const Edge> wanted, const std::vector<int32_t>& taken, bool results, int depth) {
    if (depth > Program::kMostDepth) return unsupported("calls lie more than " + std::to_string(Program::kMostDepth) + " deep in each other");
    Rewriting r{graph, graph, ordered(graph, wanted), {}, {}};
    std::map<Edge, unsigned> variables;
    for (const int32_t n : r.order) {
      for (const auto& [variable, access] : accesses(graph, n, depth)) {
        if (access == kNothing) continue;
        r.accesses[variable].emplace(n, access);
        if ((access & (kWrites | kLost)) != 0 && !callees_of(graph.node(n)).names.empty()) r.passed[n];  // inside it must be followed too
        variables[variable] |= access;
      }
    }
    r.made.take_arguments(graph.arguments() + taken.size());
    std::vector<Edge> ends;
    for (size_t j = 0; j < taken.size(); ++j) {
      const Edge variable{-1 - taken[j], 0}, first{-1 - static_cast<int32_t>(graph.arguments() + j), 0};
      ends.push_back(follow(r, variable, first, results));
      variables.erase(variable);
    }
    for (const auto& [variable, access] : variables) {
      if ((access & (kWrites | kLost)) != 0) follow(r, variable, {}, false);
    }
    if (results) r.made.returns().insert(r.made.returns().end(), ends.begin(), ends.end());
    if (work_ > kMostWork) return unsupported("too many variables are assigned in too many nodes");
    for (const auto& [node, passed] : r.passed) {
      if (Status s = pass(r, node, passed, depth); !s) return s.error();
    }
    return std::move(r.made);
  }

 private:
  static constexpr int64_t kMostWork = int64_t(1) << 23;

  struct Passed {
    Edge variable, value;  // before the call
  };
  struct Rewriting {
    const Index& graph;
    Index made;
    std::vector<int32_t> order;
    std::map<Edge, std::unordered_map<int32_t, unsigned>> accesses;  // by variable and node
    std::map<int32_t, std::vector<Passed>> passed;                   // to calls
  };

  // Every node after all that it depends on: those that `wanted` needs in any way; empty: all. Loops of TensorFlow 1 are cut where they come back.
  static std::vector<int32_t> ordered(const Index& graph, std::span<const Edge> wanted) {
    std::vector<int32_t> order;
    std::vector<bool> seen(graph.size());
    std::vector<std::pair<int32_t, size_t>> stack;
    const auto visit = [&](int32_t n) {
      if (n < 0 || seen[static_cast<size_t>(n)]) return;
      seen[static_cast<size_t>(n)] = true;
      stack.emplace_back(n, 0);
    };
    const auto drain = [&](int32_t from) {
      for (visit(from); !stack.empty();) {
        auto& [node, next] = stack.back();
        const auto& inputs = graph.inputs(node);
        if (next < inputs.size()) {
          visit(inputs[next++].node);
          continue;
        }
        order.push_back(node);
        stack.pop_back();
      }
    };
    for (const Edge& e : wanted) drain(e.node);
    for (size_t n = 0; wanted.empty() && n < graph.size(); ++n) drain(static_cast<int32_t>(n));
    return order;
  }

  // The variable that an input is: of TensorFlow 1 itself, else a handle, which may have been passed on.
  static Edge variable_of(const Index& graph, Edge e) {
    if (e.output == Edge::kControl || e.node == Edge::kMissing) return {};
    if (e.node >= 0 && is_reference(graph.node(e.node).op())) return e;
    e = graph.behind(e);
    if (e.node >= 0) return graph.node(e.node).op() == "VarHandleOp" ? e : Edge();
    if (!e.argument() || graph.function() == nullptr) return {};
    const auto& arguments = graph.function()->signature().input_arg();
    return e.argument_number() < arguments.size() && arguments.Get(e.argument_number()).type() == kResource ? e : Edge();
  }

  std::map<Edge, unsigned> accesses(const Index& graph, int32_t n, int depth) {
    std::map<Edge, unsigned> all;
    const auto& inputs = graph.inputs(n);
    std::optional<Callees> callees;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Edge variable = variable_of(graph, inputs[i]);
      if (variable.node == Edge::kMissing) continue;
      if (!callees) callees = callees_of(graph.node(n));
      unsigned access = callees->names.empty() || i < callees->first ? own_access(graph, n, i, variable) : 0U;
      for (const std::string& f : callees->names) {
        if (i >= callees->first) access |= access_of(f, i - callees->first, depth + 1);
      }
      const bool twice = !all.try_emplace(variable, 0U).second;
      all[variable] |= access;
      if (twice && !callees->names.empty() && (all[variable] & kWrites) != 0) all[variable] |= kLost;  // two names of it inside
    }
    return all;
  }

  static unsigned own_access(const Index& graph, int32_t n, size_t i, Edge variable) {
    const std::string_view op = graph.node(n).op();
    if (assigns(op)) return i == 0 ? kWrites : kReads;
    if (adds(op)) return i == 0 ? kReads | kWrites : kReads;
    if (is_one_of(op, {"VarIsInitializedOp", "IsVariableInitialized", "NoOp"})) return kNothing;
    if (variable.node >= 0 && is_reference(graph.node(variable.node).op())) {  // whatever computes with it reads it
      for (const std::string_view changes : {"Apply", "Scatter", "SparseApply", "CountUpTo", "Ref"}) {
        if (op.starts_with(changes)) return kLost;
      }
      return kReads;
    }
    if (is_one_of(op, {"Identity", "StopGradient"})) return kNothing;  // the handle, passed on
    return is_one_of(op, {"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"}) ? kReads : kLost;
  }

  // What a function does with an argument.
  unsigned access_of(const std::string& name, size_t argument, int depth) {
    const auto [at, fresh] = summaries_.try_emplace(name);
    if (fresh && depth <= Program::kMostDepth && functions_.has(name)) {
      std::vector<unsigned> of;
      if (auto function = functions_.find(name)) {  // what is wrong with it is told when it is called
        of.resize((*function)->arguments());
        for (const int32_t n : ordered(**function, {})) {
          for (const auto& [variable, access] : accesses(**function, n, depth)) {
            if (variable.argument()) of[static_cast<size_t>(variable.argument_number())] |= access;
          }
        }
      }
      summaries_[name] = std::move(of);
    }
    const std::vector<unsigned>& of = summaries_[name];
    return argument < of.size() ? of[argument] : 0U;
  }

  // For every node which writer of a variable is the last before it (-1: none), and the writers in order; -1 - n is one behind which nobody knows what is
  // there: it is not followed, or not ordered behind the one before, or lies in or behind a branch or a loop of TensorFlow 1.
  struct Writers {
    std::vector<int32_t> nodes, last;
  };
  Writers writers_of(const Rewriting& r, const std::unordered_map<int32_t, unsigned>& access) {
    Writers w{{}, std::vector<int32_t>(r.graph.size(), -1)};
    work_ += static_cast<int64_t>(r.order.size());
    if (work_ > kMostWork) return w;
    std::unordered_map<int32_t, int32_t> number;
    std::vector<bool> apart(r.graph.size());
    bool lost = false;
    for (const int32_t n : r.order) {
      int32_t last = -1;
      bool inside = is_op(r.graph.node(n), "Switch") || is_op(r.graph.node(n), "Enter");
      for (const Edge& e : r.graph.inputs(n)) {
        if (e.node < 0) continue;
        const auto writer = number.find(e.node);
        last = std::max(last, writer == number.end() ? w.last[static_cast<size_t>(e.node)] : writer->second);
        inside = inside || apart[static_cast<size_t>(e.node)];
      }
      w.last[static_cast<size_t>(n)] = last;
      apart[static_cast<size_t>(n)] = inside;
      const auto a = access.find(n);
      if (a == access.end() || (a->second & (kWrites | kLost)) == 0) continue;
      lost = lost || last + 1 != static_cast<int32_t>(w.nodes.size()) || (a->second & kLost) != 0 || inside;
      number.emplace(n, static_cast<int32_t>(w.nodes.size()));
      w.nodes.push_back(lost ? -1 - n : n);
    }
    return w;
  }

  // One variable through a graph: who reads it reads the value that the last writer before gave, the first value where there is none (missing: the handle
  // gives it). Backwards, so that writers know whether anybody reads what they give. What the variable is in the end, if that is wanted.
  Edge follow(Rewriting& r, Edge variable, Edge first, bool wanted) {
    const auto& access = r.accesses[variable];
    const Writers writers = writers_of(r, access);
    std::set<int32_t> needed;
    const auto value_after = [&](int32_t k) -> Edge {
      if (k < 0) return first;
      const int32_t node = writers.nodes[static_cast<size_t>(k)];
      if (node < 0) return {add(r.made, kLostVariable, r.graph.node(-1 - node).name(), {}), 0};
      needed.insert(node);
      const auto place = place_in_call(r, node, variable);
      return {node, place ? outputs_of(r, node) + static_cast<int32_t>(*place) : 0};
    };
    const Edge end = wanted ? value_after(static_cast<int32_t>(writers.nodes.size()) - 1) : Edge();
    for (auto n = r.order.rbegin(); n != r.order.rend(); ++n) {
      const auto a = access.find(*n);
      if (a == access.end()) continue;
      const Edge value = value_after(writers.last[static_cast<size_t>(*n)]);
      if (callees_of(r.graph.node(*n)).names.empty()) {
        const auto& inputs = r.graph.inputs(*n);
        for (size_t i = assigns(r.graph.node(*n).op()) ? 1 : 0; i < inputs.size() && value.node != Edge::kMissing; ++i) {
          if (variable_of(r.graph, inputs[i]) == variable) r.made.inputs(*n)[i] = value;
        }
      } else if (needed.contains(*n) || value.node != Edge::kMissing || carried(r, *n, a->second)) {
        const size_t place = *place_in_call(r, *n, variable);
        r.passed[*n][place].value =
            value.node != Edge::kMissing ? value : Edge{add(r.made, "ReadVariableOp", r.graph.node(*n).name(), {variable}), 0};
      }
    }
    return end;
  }

  // Which of the variables that are passed to a call this one is, from now on; nothing: it is no call.
  static std::optional<size_t> place_in_call(Rewriting& r, int32_t n, Edge variable) {
    if (callees_of(r.graph.node(n)).names.empty()) return std::nullopt;
    auto& passed = r.passed[n];
    const auto at = std::find_if(passed.begin(), passed.end(), [&](const Passed& p) { return p.variable == variable; });
    const auto place = static_cast<size_t>(at - passed.begin());
    if (at == passed.end()) passed.push_back({variable, {}});
    return place;
  }
  // Whether an iteration of a loop may read what the one before wrote.
  static bool carried(const Rewriting& r, int32_t n, unsigned access) {
    return is_one_of(r.graph.node(n).op(), {"While", "StatelessWhile"}) && (access & kReads) != 0 && (access & kWrites) != 0;
  }
  // How many outputs a call has of its own.
  int32_t outputs_of(const Rewriting& r, int32_t n) {
    const Callees callees = callees_of(r.graph.node(n));
    auto function = functions_.find(callees.names.back());
    return function ? static_cast<int32_t>((*function)->returns().size()) : 0;
  }
  int32_t add(Index& made, const char* op, std::string_view name, std::vector<Edge> inputs) {
    NodeDef& node = functions_.add_node();
    node.set_op(op);
    node.set_name(std::string(name));
    const int32_t n = made.add(FileNode(node));
    made.inputs(n) = std::move(inputs);
    return n;
  }

  // A call takes values of variables as its last inputs, and gives what becomes of them as its last outputs.
  Status pass(Rewriting& r, int32_t n, const std::vector<Passed>& passed, int depth) {
    const Callees callees = callees_of(r.graph.node(n));
    auto& inputs = r.made.inputs(n);
    inputs.erase(std::remove_if(inputs.begin(), inputs.end(), [](const Edge& e) { return e.output == Edge::kControl; }), inputs.end());
    const size_t arguments = inputs.size() - std::min(inputs.size(), callees.first);
    std::vector<int32_t> taken;
    for (const Passed& p : passed) {
      for (size_t i = 0; i < arguments; ++i) {
        if (variable_of(r.graph, r.graph.inputs(n)[callees.first + i]) != p.variable) continue;
        taken.push_back(static_cast<int32_t>(i));
        break;
      }
    }
    for (const Passed& p : passed) inputs.push_back(p.value);
    NodeDef& node = functions_.add_node();
    if (const auto def = r.graph.node(n).parsed()) node = *def;
    Status status;
    const auto rename = [&](tensorflow_pb::Function& f, bool results) {
      if (!status.ok()) return;  // at once: a function may call itself from both of its branches
      auto name = variant(f.name(), taken, results, arguments, depth);
      if (name) f.set_name(*name);
      if (!name && status.ok()) status = name.error();
    };
    for (auto& a : *node.mutable_attr()) {
      const bool branches = a.key() == "branches", one = is_one_of(a.key(), {"f", "cond", "body", "then_branch", "else_branch"});
      for (int i = 0; branches && i < a.value().list().func_size(); ++i) rename(*a.mutable_value()->mutable_list()->mutable_func(i), true);
      if (one) rename(*a.mutable_value()->mutable_func(), a.key() != "cond");
    }
    r.made.replace(n, FileNode(node));
    return status;
  }

  Result<std::string> variant(const std::string& name, const std::vector<int32_t>& taken, bool results, size_t arguments, int depth) {
    const auto key = std::make_tuple(name, taken, results);
    if (const auto known = variants_.find(key); known != variants_.end()) return known->second;
    auto function = functions_.find(name);
    if (!function) return function.error();
    if ((*function)->arguments() != arguments) {
      return invalid("the function '" + printable(name, 80) + "' is called with " + std::to_string(arguments) + " arguments and has " +
                     std::to_string((*function)->arguments()));
    }
    auto made = rewrite(**function, {}, taken, results, depth + 1);
    if (!made) return made.error();
    return variants_[key] = functions_.add(name + " with variables", std::move(*made));
  }

  Functions& functions_;
  int64_t work_ = 0;
  std::map<std::string, std::vector<unsigned>> summaries_;
  std::map<std::tuple<std::string, std::vector<int32_t>, bool>, std::string> variants_;
};

}  // namespace

Result<std::optional<Index>> with_states(const Index& graph, std::span<const Edge> wanted, Functions& functions, std::vector<std::string>& assigned) {
  States states(functions);
  assigned = states.assigned(graph, wanted);
  if (assigned.empty()) return std::optional<Index>();
  auto made = states.rewrite(graph, wanted, {}, false, 0);
  return made ? Result<std::optional<Index>>(std::move(*made)) : made.error();
}

}  // namespace tern::tensorflow
