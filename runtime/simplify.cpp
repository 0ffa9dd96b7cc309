// See simplify.h.
#include "runtime/simplify.h"

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

// The same for equal attributes, and hardly ever for others: FNV-1a over names, kinds and contents.
uint64_t hash(const Attributes& attrs) {
  uint64_t h = 0xcbf29ce484222325u;
  auto add = [&h](const void* data, size_t n) {
    for (size_t i = 0; i < n; ++i) h = (h ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
  };
  for (const auto& [name, value] : attrs.all()) {
    add(name.data(), name.size());
    std::visit(
        [&]<class T>(const T& v) {
          if constexpr (std::is_arithmetic_v<T>) add(&v, sizeof v);
          else if constexpr (std::is_same_v<T, Tensor>) add(v.raw(), v.dtype() == DType::string ? 0 : v.bytes());
          else if constexpr (std::is_same_v<T, std::vector<std::string>>)
            for (const std::string& s : v) add(s.data(), s.size() + 1);
          else add(v.data(), v.size() * sizeof v[0]);
        },
        value);
  }
  return h;
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
  std::unordered_map<std::string, ValueId> small_constants;  // by dtype, dims and bytes
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const Tensor& t = graph.values[v].constant;
    if (!t.present() || t.dtype() == DType::string || t.bytes() > 256) continue;
    std::string key = std::string(name(t.dtype())) + to_string(t.dims()) + std::string(reinterpret_cast<const char*>(t.raw()), t.bytes());
    by[v] = small_constants.emplace(std::move(key), static_cast<ValueId>(v)).first->second;
  }
  std::unordered_map<std::string, std::vector<const Node*>> seen;
  for (Node& node : graph.nodes) {
    std::string key = std::string(node.op->name) + ":" + std::to_string(node.outputs.size());
    for (ValueId& v : node.inputs) {
      if (v != kNone) v = by[static_cast<size_t>(v)];
      key += "," + std::to_string(v);
    }
    if (!node.subgraphs.empty()) continue;
    key += "," + std::to_string(hash(node.attrs));
    auto& candidates = seen[key];
    const Node* same = nullptr;
    for (const Node* other : candidates) {
      if (other->attrs == node.attrs) same = other;
    }
    if (same == nullptr) {
      candidates.push_back(&node);
      continue;
    }
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
