// See parts.h.
#include "runtime/parts.h"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/optimize.h"

namespace tern {
namespace {

enum Part : uint8_t { kBefore, kRest, kAfter };

bool holds_text(const Graph& graph) {
  return std::any_of(graph.values.begin(), graph.values.end(), [](const Value& v) { return v.type.dtype == DType::string; }) ||
         std::any_of(graph.subgraphs.begin(), graph.subgraphs.end(), holds_text);
}

bool needs_evaluator(const Graph& graph, const Node& node, const std::vector<bool>& settled) {
  auto no_plan = [&](ValueId v) {
    return v != kNone && (graph.value(v).type.dtype == DType::string || graph.value(v).type.kind != ValueKind::tensor);
  };
  if (node.op->compute != nullptr || depends_on_data(graph, node, settled)) return true;
  if (std::any_of(node.inputs.begin(), node.inputs.end(), no_plan) || std::any_of(node.outputs.begin(), node.outputs.end(), no_plan)) return true;
  return std::any_of(node.subgraphs.begin(), node.subgraphs.end(), [&](int32_t g) {
    const Graph& inner = graph.subgraphs[static_cast<size_t>(g)];
    return holds_text(inner) || !data_dependence(inner).empty() || !first_no_tensor(inner).empty();
  });
}

// Does it multiply and add, or does what it repeats?
bool has_product(const Graph& graph, const Node& node) {
  return node.op->macs != nullptr || std::any_of(node.subgraphs.begin(), node.subgraphs.end(), [&](int32_t g) {
           const Graph& inner = graph.subgraphs[static_cast<size_t>(g)];
           return std::any_of(inner.nodes.begin(), inner.nodes.end(), [&](const Node& n) { return has_product(inner, n); });
         });
}

// Of every value: does it come from a product, which should have a plan?
std::vector<bool> after_products(const Graph& graph) {
  std::vector<bool> comes(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    const bool does = has_product(graph, node) ||
                      std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return v != kNone && comes[static_cast<size_t>(v)]; });
    for (ValueId v : node.outputs) {
      if (v != kNone) comes[static_cast<size_t>(v)] = does;
    }
  }
  return comes;
}

// The part of every node. settled: of the graph's values.
std::vector<Part> parts_of(const Graph& graph, const std::vector<bool>& settled) {
  const size_t n = graph.nodes.size();
  const std::vector<NodeId> by = producers(graph);
  std::vector<Part> parts(n, kRest);
  const std::vector<bool> late = after_products(graph);
  std::vector<bool> made_after(graph.values.size(), false);
  for (size_t i = 0; i < n; ++i) {  // what products lead to, and what comes from that
    const Node& node = graph.nodes[i];
    const auto any = [&](const std::vector<bool>& of) {
      return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return v != kNone && of[static_cast<size_t>(v)]; });
    };
    if (!any(made_after) && !(any(late) && needs_evaluator(graph, node, settled))) continue;
    parts[i] = kAfter;
    for (ValueId v : node.outputs) {
      if (v != kNone) made_after[static_cast<size_t>(v)] = true;
    }
  }
  std::vector<bool> read_by_others(graph.values.size(), false);  // than nodes of `after`
  for (size_t i = n; i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool last =
        std::none_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) { return v != kNone && read_by_others[static_cast<size_t>(v)]; });
    if (parts[i] == kRest && needs_evaluator(graph, node, settled)) parts[i] = last ? kAfter : kBefore;
    if (parts[i] == kAfter) continue;
    for (ValueId v : node.inputs) {
      if (v != kNone) read_by_others[static_cast<size_t>(v)] = true;
    }
  }
  for (size_t i = n; i-- > 0;) {  // what `before` comes from is before it; what is read there is not after
    if (parts[i] != kBefore) continue;
    for (ValueId v : graph.nodes[i].inputs) {
      if (v != kNone && by[static_cast<size_t>(v)] != kNone) parts[static_cast<size_t>(by[static_cast<size_t>(v)])] = kBefore;
    }
  }
  return parts;
}

class Splitter {
 public:
  explicit Splitter(const Graph& graph)
      : graph_(graph),
        settled_(settled_by_dims(graph)),
        parts_(parts_of(graph, settled_)),
        made_in_(graph.values.size(), kRest),
        names_(graph.values.size()),
        is_input_(graph.values.size(), false),
        again_(graph.nodes.size(), false),
        made_again_(graph.values.size(), false) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (ValueId v : graph.nodes[i].outputs) {
        if (v != kNone) made_in_[static_cast<size_t>(v)] = parts_[i];
      }
    }
    for (ValueId v : graph.inputs) {
      is_input_[static_cast<size_t>(v)] = true;
      take(v, graph.value(v).name);
      for (const Dim& d : graph.value(v).type.shape.dims()) open_.insert(d.text());
    }
    for (size_t o = 0; o < graph.outputs.size(); ++o) take(graph.outputs[o], graph.output_names[o]);
    find_again();
  }
  // Is there a rest, of which a plan can be made?
  bool worthwhile() const {
    const bool text = holds_text(graph_);
    bool some = false, other = false;
    for (size_t i = 0; i < parts_.size(); ++i) {
      other |= parts_[i] != kRest;
      if (parts_[i] != kRest) continue;
      some |= text || has_product(graph_, graph_.nodes[i]);
      for (ValueId v : graph_.nodes[i].inputs) {
        if (v != kNone && !graph_.value(v).type.shape.ranked() && !is_input(v)) return false;
      }
    }
    return some && (text || other);
  }

  GraphParts split() {
    GraphParts out;
    auto before = part(kBefore), after = part(kAfter);
    out.rest = *part(kRest);
    if (before->nodes.size() > 0) out.before = std::move(before);
    if (after->nodes.size() + after->outputs.size() > 0) out.after = std::move(after);
    return out;
  }

 private:
  // What is computed from dims for `before` and read by `rest`, which must know it before it runs: `rest` computes it too.
  void find_again() {
    std::vector<bool> read(graph_.values.size(), false);
    for (size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (parts_[i] == kBefore) {
        for (ValueId v : node.outputs) again_[i] = again_[i] || (v != kNone && settled_[static_cast<size_t>(v)] && read[static_cast<size_t>(v)]);
      }
      if (!holds(kRest, i)) continue;
      for (ValueId v : node.inputs) {
        if (v != kNone) read[static_cast<size_t>(v)] = true;
      }
    }
    for (size_t i = 0; i < again_.size(); ++i) {
      for (ValueId v : graph_.nodes[i].outputs) {
        if (again_[i] && v != kNone) made_again_[static_cast<size_t>(v)] = true;
      }
    }
  }
  bool holds(Part p, size_t node) const { return parts_[node] == p || (p == kRest && again_[node]); }
  bool makes(Part p, size_t value) const { return made_in_[value] == p || (p == kRest && made_again_[value]); }
  void take(ValueId v, const std::string& name) {
    std::string& own = names_[static_cast<size_t>(v)];
    if (!own.empty()) return;
    own = name;
    for (int64_t& k = taken_[name]; k++ > 0 && !taken_.emplace(own = name + "_" + std::to_string(k), 1).second;) {
    }
  }
  bool is_input(ValueId v) const { return is_input_[static_cast<size_t>(v)]; }
  // Which part gives output o of the whole: one that is an input, or a constant, has no node.
  Part gives(ValueId v) const {
    const bool made = !is_input(v) && !graph_.is_constant(v);
    return made ? made_in_[static_cast<size_t>(v)] : graph_.value(v).type.dtype == DType::string ? kAfter : kRest;
  }
  // The values that nodes of this part, or outputs that it gives, read.
  std::vector<bool> read_in(Part p) const {
    std::vector<bool> read(graph_.values.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!holds(p, i)) continue;
      for (ValueId v : graph_.nodes[i].inputs) {
        if (v != kNone) read[static_cast<size_t>(v)] = true;
      }
    }
    for (ValueId v : graph_.outputs) {
      if (gives(v) == p) read[static_cast<size_t>(v)] = true;
    }
    return read;
  }

  std::optional<Graph> part(Part p) {
    Graph g = graph_;
    g.nodes.clear();
    g.inputs.clear();
    g.outputs.clear();
    g.output_names.clear();
    g.output_dim_names.clear();
    g.overridable.clear();
    g.notes.clear();
    g.metadata.clear();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (holds(p, i)) g.nodes.push_back(graph_.nodes[i]);
    }
    for (const Node& node : g.nodes) {
      for (ValueId v : node.outputs) {
        if (v != kNone) g.value(v).type.shape = Shape(), g.value(v).ints.reset();  // inferred anew
      }
    }
    const std::vector<bool> read = read_in(p);
    auto made_elsewhere = [&](size_t v) {
      return !is_input(static_cast<ValueId>(v)) && !graph_.is_constant(static_cast<ValueId>(v)) && !makes(p, v);
    };
    for (ValueId v : graph_.inputs) {
      if (read[static_cast<size_t>(v)]) g.inputs.push_back(v);
    }
    for (size_t v = 0; v < read.size(); ++v) {
      if (!read[v] || !made_elsewhere(v)) continue;
      take(static_cast<ValueId>(v), graph_.values[v].name);
      g.inputs.push_back(static_cast<ValueId>(v));
    }
    for (ValueId v : g.inputs) {
      g.value(v).name = names_[static_cast<size_t>(v)];
      g.value(v).ints.reset();
      name_lengths(g.value(v).type.shape);
    }
    for (size_t o = 0; o < graph_.outputs.size(); ++o) {
      if (gives(graph_.outputs[o]) == p) give(g, graph_.outputs[o], graph_.output_names[o]);
    }
    for (Part other : {kBefore, kRest, kAfter}) {
      if (other == p) continue;
      const std::vector<bool> wanted = read_in(other);
      for (size_t v = 0; v < wanted.size(); ++v) {
        if (wanted[v] && made_in_[v] == p && !makes(other, v) && !is_input(static_cast<ValueId>(v)) && !graph_.is_constant(static_cast<ValueId>(v))) {
          take(static_cast<ValueId>(v), graph_.values[v].name);
          give(g, static_cast<ValueId>(v), names_[v]);
        }
      }
    }
    compact(g);
    return g;
  }
  static void give(Graph& g, ValueId v, const std::string& name) {
    if (std::find(g.output_names.begin(), g.output_names.end(), name) != g.output_names.end()) return;
    g.outputs.push_back(v);
    g.output_names.push_back(name);
  }
  void name_lengths(Shape& shape) {
    for (Dim& d : shape.dims()) {
      if (d.known() || !d.text().starts_with('?')) continue;
      auto [at, fresh] = lengths_.emplace(d.text(), "");
      while (fresh && (at->second.empty() || open_.count(at->second) > 0)) at->second = count_++ == 0 ? "length" : "length_" + std::to_string(count_);
      d = Dim::symbol(at->second);
    }
  }

  const Graph& graph_;
  std::vector<bool> settled_;       // values that dims alone make
  std::vector<Part> parts_;         // of nodes
  std::vector<Part> made_in_;       // of values that nodes make
  std::vector<std::string> names_;  // of values at the edges of parts
  std::vector<bool> is_input_;
  std::vector<bool> again_;                     // nodes of `before` that `rest` has too
  std::vector<bool> made_again_;                // values that these make
  std::map<std::string, int64_t> taken_;        // of those names, how often each was asked for
  std::set<std::string> open_;                  // dimensions of inputs that have a name
  int64_t count_ = 0;                           // of names that were tried
  std::map<std::string, std::string> lengths_;  // names of dimensions, by the symbols that inference made up
};

}  // namespace

std::optional<GraphParts> split_parts(const Graph& graph) {
  Splitter splitter(graph);
  if (!splitter.worthwhile()) return std::nullopt;
  return splitter.split();
}

}  // namespace tern
