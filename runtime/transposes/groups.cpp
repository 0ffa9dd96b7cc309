// See groups.h.
#include "runtime/transposes/groups.h"

#include <algorithm>
#include <numeric>

#include "kernels/movement/axes.h"
#include "kernels/movement/movement.h"

namespace tern::transposes {
namespace {

bool has_axes(const Value& v) { return v.type.kind == ValueKind::tensor && v.type.shape.ranked() && v.type.shape.rank() <= kMaxRank; }

// Every operand must be a tensor of known rank.
bool has_axes(const Graph& g, const Node& n) {
  auto all = [&](const std::vector<ValueId>& list) {
    return std::all_of(list.begin(), list.end(), [&](ValueId v) { return v == kNone || has_axes(g.value(v)); });
  };
  return all(n.inputs) && all(n.outputs);
}

}  // namespace

std::optional<Order> order_of(const Graph& g, const Node& n) {
  if (n.op != &kTranspose || !has_axes(g, n)) return std::nullopt;
  const int rank = g.value(n.inputs[0]).type.shape.rank();
  Order order(static_cast<size_t>(rank));
  std::iota(order.rbegin(), order.rend(), 0);
  if (!n.read().has("perm")) return order;
  const auto perm = normalize_axes(n.read().ints("perm"), rank);
  return perm && static_cast<int>(perm->size()) == rank ? std::optional(Order(perm->begin(), perm->end())) : std::nullopt;
}

Groups::Groups(const Graph& graph) : frames(graph.nodes.size()), dissolved(graph.nodes.size(), false), sources(graph.values.size()), g_(graph) {
  label_values();
  unite_axes();
  make_groups();
  keep_sound();
}

std::span<const Label> Groups::labels(ValueId v) const {
  const size_t i = static_cast<size_t>(v);
  return std::span(labels_).subspan(first_[i], first_[i + 1] - first_[i]);
}

Labels Groups::labels(const Node& node, const Frame& frame) const {
  Labels of(static_cast<size_t>(frame.rank), kNone);
  auto note = [&](ValueId v, const Order& axes) {
    if (v == kNone) return;
    const auto own = labels(v);
    for (size_t i = 0; i < axes.size() && !own.empty(); ++i) of[static_cast<size_t>(axes[i])] = own[i];
  };
  for (size_t i = 0; i < frame.in.size(); ++i) note(node.inputs[i], frame.in[i]);
  for (size_t o = 0; o < frame.out.size(); ++o) note(node.outputs[o], frame.out[o]);
  return of;
}

void Groups::label_values() {
  first_.reserve(g_.values.size() + 1);
  for (const Value& v : g_.values) {
    first_.push_back(labels_.size());
    if (v.constant.present() || !has_axes(v)) continue;
    for (int a = 0; a < v.type.shape.rank(); ++a) labels_.push_back(static_cast<Label>(labels_.size()));
  }
  first_.push_back(labels_.size());
  parents_ = labels_;
}

Label Groups::find(Label label) {
  auto parent = [&](Label l) -> Label& { return parents_[static_cast<size_t>(l)]; };
  while (parent(label) != label) label = parent(label) = parent(parent(label));
  return label;
}
void Groups::unite(Label a, Label b) {
  a = find(a);
  b = find(b);
  parents_[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
}

void Groups::unite_axes() {
  for (size_t n = 0; n < g_.nodes.size(); ++n) {
    const Node& node = g_.nodes[n];
    if (const auto order = order_of(g_, node)) {
      const auto x = labels(node.inputs[0]), y = labels(node.outputs[0]);
      for (size_t i = 0; i < x.size(); ++i) unite(y[i], x[static_cast<size_t>((*order)[i])]);
      dissolved[n] = !x.empty();
      continue;
    }
    const Rule* rule = find_rule(*node.op);
    if (rule == nullptr || !has_axes(g_, node)) continue;
    auto frame = rule->frame(g_, node);
    if (!frame || frame->rank == 0) continue;
    Labels seen(static_cast<size_t>(frame->rank), kNone);
    auto meet = [&](ValueId v, const Order& axes) {
      if (v == kNone) return;
      const auto own = labels(v);
      for (size_t i = 0; i < axes.size() && !own.empty(); ++i) {
        Label& there = seen[static_cast<size_t>(axes[i])];
        if (there == kNone) there = own[i];
        else unite(there, own[i]);
      }
    };
    for (size_t i = 0; i < frame->in.size(); ++i) meet(node.inputs[i], frame->in[i]);
    for (size_t o = 0; o < frame->out.size(); ++o) meet(node.outputs[o], frame->out[o]);
    if (std::find(seen.begin(), seen.end(), kNone) == seen.end()) frames[n] = std::move(frame);
  }
  for (Label& l : labels_) l = find(l);
}

// Labels that a value has together are of one group; one that has a label twice, as x + transpose(x) has, spoils its group.
void Groups::make_groups() {
  std::iota(parents_.begin(), parents_.end(), 0);
  std::vector<Label> spoilt;
  for (size_t v = 0; v < g_.values.size(); ++v) {
    const auto own = labels(static_cast<ValueId>(v));
    for (size_t i = 0; i < own.size(); ++i) {
      unite(own[0], own[i]);
      for (size_t j = 0; j < i; ++j) {
        if (own[j] == own[i]) spoilt.push_back(own[i]);
      }
    }
  }
  std::vector<int32_t> numbers(labels_.size(), kNone);  // by the first label of a group
  group_.assign(labels_.size(), kNone);
  std::vector<Label> all(labels_);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (Label l : all) {
    int32_t& number = numbers[static_cast<size_t>(find(l))];
    if (number == kNone) {
      number = static_cast<int32_t>(members.size());
      members.emplace_back();
    }
    group_[static_cast<size_t>(l)] = number;
    members[static_cast<size_t>(number)].push_back(l);
  }
  for (Label l : spoilt) members[static_cast<size_t>(group_of(l))].clear();
}

// Only groups with a Transpose are of interest, and of those only what is not too odd.
void Groups::keep_sound() {
  std::vector<bool> kept(members.size(), false);
  for (size_t n = 0; n < g_.nodes.size(); ++n) {
    if (dissolved[n]) kept[static_cast<size_t>(group(g_.nodes[n].inputs[0]))] = true;
  }
  for (size_t i = 0; i < kept.size(); ++i) kept[i] = kept[i] && !members[i].empty() && members[i].size() <= kMostLabels;
  keep(kept);
}

void Groups::keep(const std::vector<bool>& kept) {
  for (int32_t& i : group_) {
    if (i != kNone && !kept[static_cast<size_t>(i)]) i = kNone;
  }
  for (size_t n = 0; n < g_.nodes.size(); ++n) {
    const Node& node = g_.nodes[n];
    if (frames[n] && group_of(labels(node, *frames[n])[0]) == kNone) frames[n].reset();
    if (!dissolved[n]) continue;
    const ValueId x = node.inputs[0];
    dissolved[n] = group(x) != kNone;
    sources[static_cast<size_t>(node.outputs[0])].reset();
    if (!dissolved[n]) continue;
    Source from = {x, *order_of(g_, node)};
    if (const auto& before = sources[static_cast<size_t>(x)]) {
      for (int32_t& a : from.axes) a = before->axes[static_cast<size_t>(a)];
      from.root = before->root;
    }
    sources[static_cast<size_t>(node.outputs[0])] = std::move(from);
  }
}

}  // namespace tern::transposes
