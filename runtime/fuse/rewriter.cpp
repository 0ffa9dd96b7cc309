// See rewriter.h.
#include "runtime/fuse/rewriter.h"

#include <algorithm>
#include <cmath>

#include "runtime/infer_shapes.h"

namespace tern {
namespace {

// A symbol about which nothing is known but its number.
std::optional<int64_t> fresh_number(const Dim& d) {
  if (d.terms().size() != 1 || d.constant() != 0 || d.terms()[0].second != 1 || !d.terms()[0].first.starts_with('?')) return std::nullopt;
  return std::strtoll(d.terms()[0].first.c_str() + 1, nullptr, 10);
}

}  // namespace

const Node* Rewriter::at(size_t n, std::string_view op) const { return !dead_[n] && graph.nodes[n].op->name == op ? &graph.nodes[n] : nullptr; }

const Node* Rewriter::producer(ValueId v) const {
  const NodeId n = producer_id(v);
  return n == kNone ? nullptr : at(static_cast<size_t>(n));
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

std::optional<Rewriter::Scaled> Rewriter::with_scalar(const Node& node) const {
  if (node.inputs.size() != 2) return std::nullopt;
  for (size_t i : {1u, 0u}) {
    if (auto s = scalar(node.inputs[i])) return Scaled{node.inputs[1 - i], *s};
  }
  return std::nullopt;
}

// Extents are the same expression; where inference made up a symbol before and makes up another one now, neither is known.
bool Rewriter::keeps_types(const Node& before, const Node& after) {
  if (before.outputs.size() != after.outputs.size()) return false;
  const int64_t first_new = graph.next_symbol;
  auto types = infer_types(graph, after);
  if (!types) return false;
  for (size_t o = 0; o < before.outputs.size(); ++o) {
    if (before.outputs[o] != after.outputs[o]) return false;
    if (before.outputs[o] == kNone) continue;
    const TypeInfo &was = graph.value(before.outputs[o]).type, &is = (*types)[o];
    if (was.dtype != is.dtype || !was.shape.ranked() || !is.shape.ranked() || was.shape.rank() != is.shape.rank()) return false;
    for (int d = 0; d < is.shape.rank(); ++d) {
      const bool unknown = fresh_number(was.shape[d]) && fresh_number(is.shape[d]).value_or(-1) >= first_new;
      if (!(was.shape[d] == is.shape[d]) && !unknown) return false;
    }
  }
  return true;
}

// What was inserted for a node that was refused.
void Rewriter::drop_unread_insertions() {
  for (size_t i = inserted_.size(); i-- > 0;) {
    const Node& node = inserted_[i].second;
    if (uses_[static_cast<size_t>(node.outputs[0])] > 0) continue;
    for (ValueId v : node.inputs) {
      if (v != kNone) --uses_[static_cast<size_t>(v)];
    }
    inserted_.erase(inserted_.begin() + static_cast<int64_t>(i));
  }
}

bool Rewriter::replace(size_t n, Node fused) {
  if (!keeps_types(graph.nodes[n], fused)) {
    drop_unread_insertions();
    return false;
  }
  for (ValueId v : fused.inputs) {
    if (v != kNone) ++uses_[static_cast<size_t>(v)];
  }
  const std::vector<ValueId> before = std::move(graph.nodes[n].inputs);
  if (fused.name.empty()) fused.name = graph.nodes[n].name;
  graph.nodes[n] = std::move(fused);
  for (ValueId v : before) release(v);
  return true;
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

ValueId Rewriter::insert_before(size_t n, const OpDef& op, Attributes attrs, std::vector<ValueId> inputs, const std::string& name) {
  const ValueId v = static_cast<ValueId>(graph.values.size());  // to be added once its type is known
  Node node{&op, name, std::move(attrs), std::move(inputs), {v}, {}};
  auto types = infer_types(graph, node);
  if (!types) return kNone;
  graph.add_value(name, types->front());
  producers_.push_back(kNone);  // not to be matched again in this pass
  uses_.push_back(0);
  for (ValueId i : node.inputs) {
    if (i != kNone) ++uses_[static_cast<size_t>(i)];
  }
  if (const size_t all = graph.nodes.size() + inserted_.size() + 1; nodes_.capacity() < all) nodes_.reserve(2 * all);
  inserted_.emplace_back(n, std::move(node));
  return v;
}

ValueId Rewriter::add_constant(const std::string& name, Tensor t) {
  producers_.push_back(kNone);
  uses_.push_back(0);
  return graph.add_constant(name, std::move(t));
}

ValueId Rewriter::as_vector(ValueId constant) {
  const Value& v = graph.value(constant);
  return v.constant.dims().rank == 1 ? constant : add_constant(v.name + ".vector", v.constant.reshaped({v.constant.count()}));
}

bool lies_along(const Tensor* t, const Shape& y, int axis) {
  if (t == nullptr || !y.ranked() || axis < 0 || axis >= y.rank() || t->dims().rank > y.rank() || !y[axis].is(t->count())) return false;
  const int own = t->dims().rank - (y.rank() - axis);
  return t->count() == 1 || (own >= 0 && t->dims()[own] == t->count());
}

void Rewriter::finish() noexcept {
  if (inserted_.empty() && std::find(dead_.begin(), dead_.end(), true) == dead_.end()) return;
  std::stable_sort(inserted_.begin(), inserted_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  size_t next = 0;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    while (next < inserted_.size() && inserted_[next].first == n) nodes_.push_back(std::move(inserted_[next++].second));
    if (!dead_[n]) nodes_.push_back(std::move(graph.nodes[n]));
  }
  graph.nodes = std::move(nodes_);
}

}  // namespace tern
