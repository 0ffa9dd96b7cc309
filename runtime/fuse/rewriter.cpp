// See rewriter.h.
#include "runtime/fuse/rewriter.h"

#include <algorithm>
#include <cmath>

namespace tern {

const Node* Rewriter::at(size_t n, std::string_view op) const {
  return !dead_[n] && graph.nodes[n].op->name == op ? &graph.nodes[n] : nullptr;
}

const Node* Rewriter::producer(ValueId v, std::string_view op) const {
  const NodeId n = producer_id(v);
  return n == kNone ? nullptr : at(static_cast<size_t>(n), op);
}

const Tensor* Rewriter::constant(ValueId v, DType dtype) const {
  return graph.is_constant(v) && graph.value(v).constant.dtype() == dtype ? &graph.value(v).constant : nullptr;
}

std::optional<float> Rewriter::scalar(ValueId v) const {
  const Tensor* t = constant(v);
  return t != nullptr && t->count() == 1 ? std::optional(*t->data<float>()) : std::nullopt;
}

bool Rewriter::is_scalar(ValueId v, float expected, float tolerance) const {
  auto s = scalar(v);
  return s && std::fabs(*s - expected) <= tolerance;
}

ValueId Rewriter::other(const Node& node, ValueId v) {
  if (node.inputs.size() != 2) return kNone;
  if (node.inputs[0] == v) return node.inputs[1];
  return node.inputs[1] == v ? node.inputs[0] : kNone;
}

std::optional<Rewriter::Scaled> Rewriter::with_scalar(const Node& node) const {
  if (node.inputs.size() != 2) return std::nullopt;
  for (size_t i : {1u, 0u}) {
    if (auto s = scalar(node.inputs[i])) return Scaled{node.inputs[1 - i], *s};
  }
  return std::nullopt;
}

void Rewriter::replace(size_t n, Node fused) {
  for (ValueId v : fused.inputs) {
    if (v != kNone) ++uses_[static_cast<size_t>(v)];
  }
  const std::vector<ValueId> before = std::move(graph.nodes[n].inputs);
  if (fused.name.empty()) fused.name = graph.nodes[n].name;
  graph.nodes[n] = std::move(fused);
  for (ValueId v : before) release(v);
}

void Rewriter::release(ValueId first) {
  std::vector<ValueId> left = {first};
  while (!left.empty()) {
    const ValueId v = left.back();
    left.pop_back();
    if (v == kNone || --uses_[static_cast<size_t>(v)] > 0) continue;
    const NodeId p = producer_id(v);
    if (p == kNone || dead_[static_cast<size_t>(p)]) continue;
    const Node& node = graph.node(p);
    bool read = false;
    for (ValueId o : node.outputs) read = read || (o != kNone && uses_[static_cast<size_t>(o)] > 0);
    if (read) continue;
    dead_[static_cast<size_t>(p)] = true;
    left.insert(left.end(), node.inputs.begin(), node.inputs.end());
  }
}

ValueId Rewriter::insert_before(size_t n, const OpDef& op, Attributes attrs, std::vector<ValueId> inputs, TypeInfo type,
                                const std::string& name) {
  const ValueId v = graph.add_value(name, std::move(type));
  producers_.push_back(kNone);  // not to be matched again in this pass
  uses_.push_back(0);
  for (ValueId i : inputs) {
    if (i != kNone) ++uses_[static_cast<size_t>(i)];
  }
  inserted_.emplace_back(n, Node{&op, name, std::move(attrs), std::move(inputs), {v}, {}});
  return v;
}

ValueId Rewriter::add_constant(const std::string& name, Tensor t) {
  producers_.push_back(kNone);
  uses_.push_back(0);
  return graph.add_constant(name, std::move(t));
}

void Rewriter::finish() {
  std::stable_sort(inserted_.begin(), inserted_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Node> nodes;
  size_t next = 0;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    while (next < inserted_.size() && inserted_[next].first == n) nodes.push_back(std::move(inserted_[next++].second));
    if (!dead_[n]) nodes.push_back(std::move(graph.nodes[n]));
  }
  graph.nodes = std::move(nodes);
}

}  // namespace tern
