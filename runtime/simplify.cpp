// See simplify.h.
#include "runtime/simplify.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace tern {
namespace {

// Follows replacements, and rewrites everything that reads a replaced value.
void replace_values(Graph& graph, std::vector<ValueId>& by) {
  auto find = [&](ValueId v) {
    while (v != kNone && by[static_cast<size_t>(v)] != v) v = by[static_cast<size_t>(v)];
    return v;
  };
  for (Node& node : graph.nodes) {
    for (ValueId& v : node.inputs) v = find(v);
  }
  for (ValueId& v : graph.outputs) v = find(v);
}

std::vector<ValueId> identity_map(const Graph& graph) {
  std::vector<ValueId> by(graph.values.size());
  for (size_t v = 0; v < by.size(); ++v) by[v] = static_cast<ValueId>(v);
  return by;
}

// FNV-1a: the same for equal bytes, and hardly ever for others.
class Hash {
 public:
  void add(const void* data, size_t n) {
    for (size_t i = 0; i < n; ++i) value_ = (value_ ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
  }
  void add(uint64_t number) { value_ = (value_ ^ number) * 0x100000001b3u; }
  uint64_t value() const { return value_ ^ value_ >> 32; }  // a table of buckets reads the low bits

 private:
  uint64_t value_ = 0xcbf29ce484222325u;
};

// Of names, kinds and contents.
void add_to(Hash& h, const Attributes& attrs) {
  for (const auto& [name, value] : attrs.all()) {
    h.add(name.data(), name.size());
    std::visit(
        [&]<class T>(const T& v) {
          if constexpr (std::is_arithmetic_v<T>) h.add(&v, sizeof v);
          else if constexpr (std::is_same_v<T, Tensor>) h.add(v.raw(), v.dtype() == DType::string ? 0 : v.bytes());
          else if constexpr (std::is_same_v<T, std::vector<std::string>>)
            for (const std::string& s : v) h.add(s.data(), s.size() + 1);
          else h.add(v.data(), v.size() * sizeof v[0]);
        },
        value);
  }
}

bool same_constant(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.dims() == b.dims() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// Only the first output is read.
bool one_output_read(const Node& node, const std::vector<int32_t>& uses) {
  for (size_t o = 1; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone && uses[static_cast<size_t>(node.outputs[o])] > 0) return false;
  }
  return true;
}

// Optional outputs that nobody reads need not be computed. With any number of outputs (Split), how many there are says what each is.
void drop_unread_outputs(Node& node, const std::vector<bool>& live) {
  if (node.op->outputs.max < 0 && node.op->optional_outputs == 0) return;  // a control operator: its subgraphs have as many
  const auto required = static_cast<size_t>(node.op->outputs.min);
  for (size_t o = required; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone && !live[static_cast<size_t>(node.outputs[o])]) node.outputs[o] = kNone;
  }
  while (node.op->outputs.max >= 0 && node.outputs.size() > required && node.outputs.back() == kNone) node.outputs.pop_back();
}

}  // namespace

void remove_no_ops(Graph& graph) {
  std::vector<ValueId> by = identity_map(graph), viewed = by;  // viewed: whose elements a view shows, behind all views
  const std::vector<int32_t> uses = use_counts(graph);
  for (const Node& node : graph.nodes) {
    if (!node.op->view || node.inputs.empty() || node.inputs[0] == kNone || node.outputs[0] == kNone) continue;
    if (!one_output_read(node, uses)) continue;
    const TypeInfo& in = graph.value(node.inputs[0]).type;
    const TypeInfo& out = graph.value(node.outputs[0]).type;
    const bool keeps_shape =
        std::string_view(node.op->name) == "Identity" || std::string_view(node.op->name) == "Dropout" || (in.shape.ranked() && in.shape == out.shape);
    if (in.dtype != out.dtype) continue;
    const ValueId first = viewed[static_cast<size_t>(node.outputs[0])] = viewed[static_cast<size_t>(node.inputs[0])];
    if (keeps_shape) by[static_cast<size_t>(node.outputs[0])] = by[static_cast<size_t>(node.inputs[0])];
    else if (out.shape.ranked() && graph.value(first).type.shape == out.shape)
      by[static_cast<size_t>(node.outputs[0])] = by[static_cast<size_t>(first)];
  }
  replace_values(graph, by);
}

void merge_equal_nodes(Graph& graph) {
  std::vector<ValueId> by = identity_map(graph);
  std::unordered_multimap<uint64_t, ValueId> small_constants;
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const Tensor& t = graph.values[v].constant;
    if (!t.present() || t.dtype() == DType::string || t.bytes() > 256) continue;
    Hash h;
    h.add(t.raw(), t.bytes());
    const auto [first, last] = small_constants.equal_range(h.value());
    const auto same = std::find_if(first, last, [&](const auto& c) { return same_constant(graph.value(c.second).constant, t); });
    if (same != last) by[v] = same->second;
    else small_constants.emplace(h.value(), static_cast<ValueId>(v));
  }
  std::unordered_multimap<uint64_t, const Node*> seen;
  for (Node& node : graph.nodes) {
    Hash h;
    h.add(reinterpret_cast<uintptr_t>(node.op));
    for (ValueId& v : node.inputs) {
      if (v != kNone) v = by[static_cast<size_t>(v)];
      h.add(static_cast<uint64_t>(v));
    }
    if (!node.subgraphs.empty()) continue;
    add_to(h, node.attrs);
    const auto [first, last] = seen.equal_range(h.value());
    const auto found = std::find_if(first, last, [&](const auto& other) {
      const Node& n = *other.second;
      return n.op == node.op && n.inputs == node.inputs && n.outputs.size() == node.outputs.size() && n.attrs == node.attrs;
    });
    if (found == last) {
      seen.emplace(h.value(), &node);
      continue;
    }
    const Node* same = found->second;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone && same->outputs[o] != kNone) by[static_cast<size_t>(node.outputs[o])] = same->outputs[o];
    }
  }
  replace_values(graph, by);
}

void remove_dead_nodes(Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (ValueId v : graph.outputs) live[static_cast<size_t>(v)] = true;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    Node& node = graph.nodes[n];
    bool needed = false;
    for (ValueId v : node.outputs) needed = needed || (v != kNone && live[static_cast<size_t>(v)]);
    if (!needed) {
      node.op = nullptr;
      continue;
    }
    drop_unread_outputs(node, live);
    for (ValueId v : node.inputs) {
      if (v != kNone) live[static_cast<size_t>(v)] = true;
    }
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.op == nullptr; });
  std::vector<Graph> subgraphs;
  for (Node& node : graph.nodes) {
    for (int32_t& g : node.subgraphs) {
      subgraphs.push_back(std::move(graph.subgraphs[static_cast<size_t>(g)]));
      g = static_cast<int32_t>(subgraphs.size()) - 1;
    }
  }
  graph.subgraphs = std::move(subgraphs);
  compact(graph);
}

void simplify(Graph& graph) {
  for (Graph& g : graph.subgraphs) simplify(g);
  remove_no_ops(graph);
  merge_equal_nodes(graph);
  remove_dead_nodes(graph);
}

}  // namespace tern
