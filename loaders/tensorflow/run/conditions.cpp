// See conditions.h.
#include "loaders/tensorflow/run/conditions.h"

#include "loaders/tensorflow/graph/program.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {

bool is_op(const FileNode& node, std::string_view name) {
  const std::string_view op = node.op();
  return op == name || (op.starts_with("Ref") && op.substr(3) == name);
}

Result<Conditions> Conditions::of(const Index& graph, std::span<const Edge> wanted) {
  Conditions c(graph);
  std::vector<int32_t> open;
  for (const Edge& e : wanted) {
    if (e.node >= 0) open.push_back(e.node);
  }
  Status s = c.look(std::move(open));
  return s ? Result<Conditions>(std::move(c)) : s.error();
}

bool Conditions::is_variable(int32_t merge) const {
  if (!is_op(graph_->node(merge), "Merge")) return false;
  for (const Edge& e : graph_->inputs(merge)) {
    if (e.node >= 0 && is_op(graph_->node(e.node), "NextIteration")) return true;
  }
  return false;
}

// Depth first, with a stack of its own: a node is settled after all that it reads. A loop is cut where it comes back.
Status Conditions::look(std::vector<int32_t> open) {
  enum : char { kFresh, kOpen, kDone };
  std::vector<char> state(graph_->size(), kFresh);
  struct Visit {
    int32_t node;
    size_t next;
    bool variable;
  };
  std::vector<Visit> stack;
  const auto visit = [&](int32_t node) {
    state[static_cast<size_t>(node)] = kOpen;
    stack.push_back({node, 0, is_variable(node)});
  };
  while (!open.empty()) {
    const int32_t from = open.back();
    open.pop_back();
    if (state[static_cast<size_t>(from)] == kFresh) visit(from);
    while (!stack.empty()) {
      Visit& top = stack.back();
      const auto& inputs = graph_->inputs(top.node);
      if (top.next == inputs.size()) {
        settle(top.node);
        state[static_cast<size_t>(top.node)] = kDone;
        stack.pop_back();
        continue;
      }
      const Edge e = inputs[top.next++];
      if (e.node < 0) continue;
      if (top.variable && is_op(graph_->node(e.node), "NextIteration")) {
        open.push_back(e.node);
      } else if (state[static_cast<size_t>(e.node)] == kOpen) {
        return invalid("node '" + printable(graph_->node(top.node).name(), 120) + "' depends on itself");
      } else if (state[static_cast<size_t>(e.node)] == kFresh) {
        visit(e.node);
      }
    }
  }
  return {};
}

int32_t Conditions::child(int32_t around, Edge condition, int32_t side) {
  const int32_t depth = chain(around).depth + 1;
  if (depth > Program::kMostDepth) return kUnclear;
  const auto [at, fresh] = children_.try_emplace({around, condition, side}, static_cast<int32_t>(chains_.size()));
  if (fresh) chains_.push_back({around, condition, side, depth});
  return at->second;
}

bool Conditions::within(int32_t c, int32_t other) const {
  if (c == kUnclear || other == kUnclear) return c == other;
  while (chain(c).depth > chain(other).depth) c = chain(c).around;
  return c == other;
}

int32_t Conditions::both(int32_t a, int32_t b) const { return within(a, b) ? a : within(b, a) ? b : kUnclear; }

int32_t Conditions::common(int32_t a, int32_t b) const {
  if (a == kUnclear || b == kUnclear) return kAlways;
  while (a != b) {
    int32_t& deeper = chain(a).depth >= chain(b).depth ? a : b;
    deeper = chain(deeper).around;
  }
  return a;
}

// Settled: of_ is the chain under which the node runs. What a Switch sends is deeper by its condition.
void Conditions::settle(int32_t node) {
  const auto i = static_cast<size_t>(node);
  const bool merges = is_op(graph_->node(node), "Merge"), variable = is_variable(node);
  int32_t all = kAlways;
  for (const Edge& e : graph_->inputs(node)) {
    if (e.node < 0) continue;
    if (variable && is_op(graph_->node(e.node), "NextIteration")) continue;
    order_[i] = std::max(order_[i], order_[static_cast<size_t>(e.node)]);
    if (!merges || variable || e.output == Edge::kControl) all = both(all, at(e));
  }
  of_[i] = all;
  const auto& inputs = graph_->inputs(node);
  if (is_op(graph_->node(node), "Switch") && inputs.size() > 1 && all != kUnclear) {
    const Edge condition = graph_->behind(inputs[1]);
    if (condition.node >= 0 && is_op(graph_->node(condition.node), "LoopCond")) return;
    for (const int32_t side : {0, 1}) child(all, condition, side);
  }
  if (!merges || variable) return;
  ++order_[i];
  of_[i] = kAlways;
  if (inputs.size() < 2 || (inputs.size() > 2 && inputs[2].output != Edge::kControl)) return;
  const int32_t a = at(inputs[0]), b = at(inputs[1]);
  of_[i] = both(all, common(a, b));
  if (a <= kAlways || b <= kAlways) return;
  const Chain &first = chain(a), &second = chain(b);
  if (first.around != second.around || first.condition != second.condition || first.side == second.side) return;
  const size_t yes = first.side == 1 ? 0 : 1;
  joined_[node] = {yes == 0 ? b : a, yes == 0 ? a : b, yes, order_[i]};
}

int32_t Conditions::at(Edge e) const {
  if (e.node < 0) return kAlways;
  const int32_t own = of_[static_cast<size_t>(e.node)];
  const auto& inputs = graph_->inputs(e.node);
  if (own == kUnclear || e.output < 0 || inputs.size() < 2 || !is_op(graph_->node(e.node), "Switch")) return own;
  const Edge condition = graph_->behind(inputs[1]);
  const auto deeper = children_.find({own, condition, e.output});
  if (deeper != children_.end()) return deeper->second;
  return condition.node >= 0 && is_op(graph_->node(condition.node), "LoopCond") ? own : kUnclear;
}

const Conditions::Joined* Conditions::joined(int32_t merge) const {
  const auto at = joined_.find(merge);
  return at == joined_.end() ? nullptr : &at->second;
}

}  // namespace tern::tensorflow
