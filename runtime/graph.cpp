// Graph: queries and printing. See graph.h.
#include "runtime/graph.h"

#include <unordered_set>

#include "runtime/base/printable.h"

namespace tern {

std::string describe(const Graph& graph, const Node& node) {
  std::string label = node.name;
  if (label.empty()) {
    for (ValueId v : node.outputs) {
      if (v != kNone) {
        label = "@" + graph.value(v).name;
        break;
      }
    }
  }
  return label + " (" + node.op->name + ")";
}

std::vector<NodeId> producers(const Graph& graph) {
  std::vector<NodeId> by(graph.values.size(), kNone);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (ValueId v : graph.nodes[n].outputs) {
      if (v != kNone) by[static_cast<size_t>(v)] = static_cast<NodeId>(n);
    }
  }
  return by;
}

std::vector<int32_t> use_counts(const Graph& graph) {
  std::vector<int32_t> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.inputs) {
      if (v != kNone) ++uses[static_cast<size_t>(v)];
    }
  }
  for (ValueId v : graph.outputs) ++uses[static_cast<size_t>(v)];
  return uses;
}

int64_t node_count(const Graph& graph) {
  auto n = static_cast<int64_t>(graph.nodes.size());
  for (const Graph& g : graph.subgraphs) n += node_count(g);
  return n;
}

std::vector<const Tensor*> constants(const Graph& graph) {
  std::vector<const Tensor*> found;
  std::unordered_set<const std::byte*> seen;
  std::vector<const Graph*> graphs{&graph};
  while (!graphs.empty()) {
    const Graph* g = graphs.back();
    graphs.pop_back();
    for (const Value& v : g->values) {
      if (v.constant.present() && seen.insert(v.constant.raw()).second) found.push_back(&v.constant);
    }
    for (const Graph& inner : g->subgraphs) graphs.push_back(&inner);
  }
  return found;
}

void compact(Graph& graph) {
  std::vector<ValueId> renumbered(graph.values.size(), kNone);
  auto mark = [&](const std::vector<ValueId>& ids) {
    for (ValueId v : ids) {
      if (v != kNone) renumbered[static_cast<size_t>(v)] = 0;
    }
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const Node& node : graph.nodes) {
    mark(node.inputs);
    mark(node.outputs);
  }
  size_t kept = 0;  // in place: a second list would be what a load takes most memory for
  for (size_t v = 0; v < graph.values.size(); ++v) {
    if (renumbered[v] == kNone) continue;
    if (v != kept) graph.values[kept] = std::move(graph.values[v]);
    renumbered[v] = static_cast<ValueId>(kept++);
  }
  graph.values.resize(kept);
  if (kept < graph.values.capacity() / 2) graph.values.shrink_to_fit();
  auto rewrite = [&](std::vector<ValueId>& ids) {
    for (ValueId& v : ids) {
      if (v != kNone) v = renumbered[static_cast<size_t>(v)];
    }
  };
  rewrite(graph.inputs);
  rewrite(graph.outputs);
  for (Node& node : graph.nodes) {
    rewrite(node.inputs);
    rewrite(node.outputs);
  }
}

namespace {

std::string typed(const Value& value) {
  std::string s = "%" + value.name + ": " + value.type.text();
  if (value.layout.blocked) {
    s += " nchw16c";
    if (value.layout != Layout{true, 0, 0, 0, 0}) {
      s += " halo " + std::to_string(value.layout.top) + "," + std::to_string(value.layout.bottom) + "," + std::to_string(value.layout.left) + "," +
           std::to_string(value.layout.right);
    }
  }
  return s;
}

std::string operand(const Graph& graph, ValueId v) {
  if (v == kNone) return "_";
  const Value& value = graph.value(v);
  if (!value.constant.present()) return "%" + value.name;
  const Tensor& t = value.constant;
  if (t.count() <= 8 && is_int(t.dtype())) {  // the small integers that say what a node does
    std::string s = t.dims().rank == 0 ? "" : "[";
    auto ints = *as_ints(t.view());
    for (size_t i = 0; i < ints.size(); ++i) s += (i ? "," : "") + std::to_string(ints[i]);
    return s + (t.dims().rank == 0 ? "" : "]");
  }
  return "#" + value.name + ": " + name(t.dtype()) + to_string(t.dims());
}

void print(const Graph& graph, const std::string& indent, std::string& out) {
  std::string head = "graph " + graph.name + "(";
  for (size_t i = 0; i < graph.inputs.size(); ++i) head += (i ? ", " : "") + typed(graph.value(graph.inputs[i]));
  out += indent + printable(head) + ") {\n";
  for (const Node& node : graph.nodes) {
    std::string line = indent + "  ";
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      line += (i ? ", " : "") + (node.outputs[i] == kNone ? std::string("_") : typed(graph.value(node.outputs[i])));
    }
    line += std::string(" = ") + node.op->name + "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) line += (i ? ", " : "") + operand(graph, node.inputs[i]);
    line += ")";
    if (!node.attrs.all().empty()) line += " {" + node.attrs.text() + "}";
    if (!node.name.empty()) line += "  # " + node.name;
    out += printable(line) + "\n";  // a line stays one, whatever its names hold
    for (int32_t g : node.subgraphs) print(graph.subgraphs[static_cast<size_t>(g)], indent + "    ", out);
  }
  std::string last;
  for (size_t i = 0; i < graph.outputs.size(); ++i) last += (i ? ", " : "") + operand(graph, graph.outputs[i]);
  out += indent + "  return " + printable(last) + "\n" + indent + "}\n";
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string out;
  print(graph, "", out);
  return out;
}

}  // namespace tern
