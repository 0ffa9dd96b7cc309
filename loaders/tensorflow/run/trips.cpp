// How often a loop runs: of a condition like And(Less(i, n), Less(j, m)), where the body adds a constant to i and to j, and leaves n and m alone.
// See loop.h.
#include <optional>

#include "loaders/tensorflow/run/lists.h"
#include "loaders/tensorflow/run/loop.h"

namespace tern::tensorflow {

std::vector<int32_t> LoopFunctions::arguments(Builder& b, Runner& runner, const Index& graph, Edge from) {
  std::vector<int32_t> found;
  std::vector<bool> seen(graph.size()), taken(graph.arguments());
  std::vector<Edge> open{from};
  while (!open.empty()) {
    const Edge e = open.back();
    open.pop_back();
    if (e.output == Edge::kControl || e.node == Edge::kMissing) continue;
    if (e.argument()) {
      const auto n = static_cast<size_t>(e.argument_number());
      if (!taken[n]) found.push_back(e.argument_number());
      taken[n] = true;
    } else if (!seen[static_cast<size_t>(e.node)]) {
      seen[static_cast<size_t>(e.node)] = true;
      if (!runner.spend(b, 1)) break;
      const auto& inputs = graph.inputs(e.node);
      open.insert(open.end(), inputs.begin(), inputs.end());
    }
  }
  return found;
}

namespace {

class Counting {
 public:
  Counting(Builder& b, const Site& site, const LoopFunctions& f, const Values& initial) : b_(b), site_(site), f_(f), initial_(initial) {}

  Trips run(const std::vector<bool>& live) {
    Trips trips;
    bool all = true;
    std::vector<Int> limits;
    std::vector<Edge> open{f_.condition->returns()[0]};
    for (size_t steps = 0; !open.empty() && steps < f_.condition->size() + 1; ++steps) {
      const Edge e = f_.condition->behind(open.back());
      open.pop_back();
      if (e.node >= 0 && f_.condition->node(e.node).op() == "LogicalAnd" && f_.condition->inputs(e.node).size() == 2) {
        for (const Edge& input : f_.condition->inputs(e.node)) open.push_back(input);
      } else if (auto limit = bound(e)) {
        limits.push_back(*limit);
      } else {
        all = false;
      }
    }
    if (!b_.ok()) return trips;
    trips.counted = !limits.empty();
    trips.exact = trips.counted && all && open.empty();
    for (size_t i = 0; i < limits.size(); ++i) trips.most = i == 0 ? limits[0] : least(trips.most, limits[i]);
    for (size_t i = 0; i < live.size(); ++i) {
      if (!live[i] || step(i) != 1) continue;
      const auto first = known_ints(b_, initial_[i].id());
      if (first && first->size() == 1 && (*first)[0] == 0) trips.counters.push_back(i);
    }
    return trips;
  }

 private:
  // What every iteration adds to a variable; 0: not known.
  int64_t step(size_t i) {
    const ValueId first = initial_[i].id();
    if (first == kNone || !b_.shape(first).ranked() || b_.shape(first).rank() != 0) return 0;
    if (b_.dtype(first) != DType::i32 && b_.dtype(first) != DType::i64) return 0;
    const Edge next = f_.body->behind(f_.body->returns()[i]), self{-1 - static_cast<int32_t>(i), 0};
    if (next.node < 0 || (f_.body->node(next.node).op() != "AddV2" && f_.body->node(next.node).op() != "Add")) return 0;
    const auto& inputs = f_.body->inputs(next.node);
    if (inputs.size() < 2) return 0;
    const Edge a = f_.body->behind(inputs[0]), c = f_.body->behind(inputs[1]);
    if ((a == self) == (c == self)) return 0;
    const auto n = outside(*f_.body, a == self ? c : a);
    return n && n->known() ? n->value() : 0;
  }

  // A scalar of a function that only invariants make: as the graph around computes it.
  std::optional<Int> outside(const Index& graph, Edge e) {
    for (const int32_t a : LoopFunctions::arguments(b_, site_.runner, graph, e)) {
      if (!f_.invariant(static_cast<size_t>(a))) return std::nullopt;
    }
    const Runner::Scope scope{&initial_, false, nullptr, nullptr, site_.scope.depth + 1};
    const Value v = site_.runner.run(b_, graph, scope, std::span(&e, 1))[0];
    if (v.id() == kNone || v.imaginary() != kNone || !b_.shape(v.id()).ranked() || b_.shape(v.id()).rank() != 0) return std::nullopt;
    if (b_.dtype(v.id()) != DType::i32 && b_.dtype(v.id()) != DType::i64) return std::nullopt;
    if (const auto known = known_ints(b_, v.id())) return Int((*known)[0]);
    return int_of(b_, v.id());
  }

  // How often a comparison of a variable with an invariant holds.
  std::optional<Int> bound(Edge e) {
    if (e.node < 0) return std::nullopt;
    const std::string_view op = f_.condition->node(e.node).op();
    const auto& inputs = f_.condition->inputs(e.node);
    const bool less = op == "Less" || op == "LessEqual", greater = op == "Greater" || op == "GreaterEqual";
    if ((!less && !greater) || inputs.size() < 2) return std::nullopt;
    const Edge variable = f_.condition->behind(inputs[less ? 0 : 1]);
    if (!variable.argument()) return std::nullopt;
    const auto i = static_cast<size_t>(variable.argument_number());
    const int64_t by = step(i);
    if (by <= 0) return std::nullopt;
    const auto limit = outside(*f_.condition, inputs[less ? 1 : 0]);
    if (!limit || !b_.ok()) return std::nullopt;
    const auto first = known_ints(b_, initial_[i].id());
    Int distance = b_.sub(*limit, first ? Int((*first)[0]) : int_of(b_, initial_[i].id()));
    if (op.ends_with("Equal")) distance = b_.add(distance, 1);
    return by == 1 ? distance : b_.floor_div(b_.add(distance, by - 1), by);
  }

  Int least(const Int& x, const Int& y) {
    if (x.node == kNone && y.node == kNone && x.dim == y.dim) return x;
    if (x.known() && y.known()) return std::min(x.value(), y.value());
    const ValueId smaller = b_.emit("Min", {b_.scalar(x), b_.scalar(y)});
    return b_.ok() ? int_of(b_, smaller) : Int(0);
  }

  Builder& b_;
  const Site& site_;
  const LoopFunctions& f_;
  const Values& initial_;
};

}  // namespace

Trips trips_of(Builder& b, const Site& site, const LoopFunctions& f, const Values& initial, const std::vector<bool>& live) {
  return Counting(b, site, f, initial).run(live);
}

}  // namespace tern::tensorflow
