// See optimize.h.
#include "runtime/optimize.h"

#include <algorithm>
#include <set>

#include "runtime/base/checked.h"
#include "runtime/control/control.h"
#include "runtime/fold_constants.h"
#include "runtime/fuse/fuse.h"
#include "runtime/infer_shapes.h"
#include "runtime/narrow/narrow.h"
#include "runtime/simplify.h"
#include "runtime/transposes/transposes.h"
#include "runtime/verify.h"
#include "runtime/widen.h"

namespace tern {
namespace {

Status check([[maybe_unused]] const Graph& graph) {
#ifndef NDEBUG
  return verify(graph);
#else
  return {};
#endif
}

std::string names_of_dims(const Graph& graph) {
  std::set<std::string> names;
  for (ValueId v : graph.inputs) {
    for (const Dim& d : graph.value(v).type.shape.dims()) {
      for (const auto& [symbol, coefficient] : d.terms()) names.insert(symbol);
    }
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "known: " : ", ") + name;
  return text.empty() ? "all dimensions are numbers" : text;
}

// Forgets what inference found, so that it finds more now. Declared dtypes stay (they cannot change).
void forget_shapes(Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.outputs) {
      if (v == kNone) continue;
      graph.value(v).type.shape = Shape();
      graph.value(v).ints.reset();
    }
  }
  for (Graph& g : graph.subgraphs) forget_shapes(g);
}

bool has_quantized(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (std::string_view(node.op->name) == "DequantizeLinear") return true;
  }
  return std::any_of(graph.subgraphs.begin(), graph.subgraphs.end(), has_quantized);
}

}  // namespace

Status optimize(Graph& graph, int64_t budget, Stage last) {
  if (Status s = verify(graph); !s || last == Stage::load) return s;
  if (Status s = infer_shapes(graph); !s || last == Stage::infer) return s;
  return optimize_inferred(graph, budget, last);
}

Status optimize_inferred(Graph& graph, int64_t budget, Stage last) {
  if (Status s = widen(graph); !s) return s;
  if (Status s = check(graph); !s) return s;
  // Folding may put a subgraph in the place of its node: its shapes then tell more.
  FoldBudget left = fold_budget(graph, budget);
  left.keep_quantized = has_quantized(graph);
  for (int round = 0; round < kFoldRounds; ++round) {
    const int64_t before = node_count(graph);
    if (Status s = fold_constants(graph, left); !s) return s;
    simplify(graph);
    if (Status s = check(graph); !s) return s;
    if (node_count(graph) == before) break;
    if (Status s = infer_shapes(graph); !s) return s;
  }
  if (last == Stage::fold) return {};
  move_transposes(graph, left);
  simplify(graph);
  if (Status s = check(graph); !s) return s;
  if (last == Stage::transpose) return {};
  if (left.keep_quantized) {  // what is no product of integers now has its weights in f32
    fuse_integers(graph);
    simplify(graph);
    left.keep_quantized = false;
    if (Status s = fold_constants(graph, left); !s) return s;
  }
  if (Status s = fuse(graph); !s) return s;
  simplify(graph);
  if (Status s = check(graph); !s) return s;
  if (Status s = infer_shapes(graph); !s || last == Stage::fuse || !narrow(graph)) return s;
  if (Status s = infer_shapes(graph); !s) return s;
  const int64_t narrowed = node_count(graph);
  if (Status s = fold_constants(graph, left); !s) return s;  // parts of constants
  simplify(graph);
  if (Status s = check(graph); !s) return s;
  return node_count(graph) == narrowed ? Status() : infer_shapes(graph);
}

std::optional<Dim> substitute(const Dim& dim, const DimValues& dims) {
  Dim out(dim.constant());
  for (const auto& [symbol, coefficient] : dim.terms()) {
    auto at = dims.find(symbol);
    auto term = mul(at == dims.end() ? Dim::symbol(symbol) : Dim(at->second), Dim(coefficient));
    auto sum = term ? add(out, *term) : std::nullopt;
    if (!sum) return std::nullopt;
    out = *sum;
  }
  return out;
}

Status check_dims(const Graph& graph, const DimValues& dims) {
  std::map<std::string, bool> used;
  for (const auto& [name, value] : dims) {
    if (value < 0) return usage("dimension " + name + " is " + std::to_string(value) + ": it must not be negative");
    used[name] = false;
    auto range = graph.ranges.find(name);
    if (range != graph.ranges.end() && (value < range->second.first || value > range->second.second)) {
      return usage("dimension " + name + " is " + std::to_string(value) + ": the model allows " +
                   (range->second.second == INT64_MAX ? "no less than " + std::to_string(range->second.first)
                                                      : std::to_string(range->second.first) + " to " + std::to_string(range->second.second)));
    }
  }
  for (ValueId v : graph.inputs) {
    const Value& input = graph.value(v);
    for (const Dim& d : input.type.shape.dims()) {
      for (const auto& [symbol, coefficient] : d.terms()) {
        if (used.count(symbol)) used[symbol] = true;
      }
      const auto value = substitute(d, dims);
      if (!value || (value->known() && value->value() < 0)) return usage("input " + input.name + ": dimension " + d.text() + " has no legal value");
    }
  }
  for (const auto& [name, was_used] : used) {
    if (!was_used) return usage("no input has a dimension named " + name + "; " + names_of_dims(graph));
  }
  return {};
}

Result<Graph> bind_dims(const Graph& graph, const DimValues& dims) {
  if (Status s = check_dims(graph, dims); !s) return s.error();
  Graph bound = graph;
  for (ValueId v : bound.inputs) {
    for (Dim& d : bound.value(v).type.shape.dims()) d = *substitute(d, dims);
  }
  forget_shapes(bound);
  return bound;
}

// Every size of every value is a number that inference found.
bool all_fixed(const Graph& graph) {
  const auto fixed = [](const Value& v) { return v.type.kind == ValueKind::tensor && v.type.shape.known(); };
  return std::all_of(graph.values.begin(), graph.values.end(), fixed) && std::all_of(graph.subgraphs.begin(), graph.subgraphs.end(), all_fixed);
}

Result<Graph> specialize(const Graph& graph, const DimValues& dims, int64_t budget) {
  if (dims.empty() && all_fixed(graph)) return graph;  // it was optimized with the numbers that it has: doing it again gives the same
  auto bound = bind_dims(graph, dims);
  if (!bound) return bound;
  if (Status s = optimize(*bound, budget); !s) return s.error();
  return bound;
}

Result<DimValues> solve_dims(const Graph& graph, std::span<const Dims> inputs) {
  DimValues dims;
  auto mismatch = [&](const Value& value, const Dims& given) {
    std::string where;  // what the inputs before it made of its symbols
    for (const Dim& d : value.type.shape.dims()) {
      for (const auto& [symbol, coefficient] : d.terms()) {
        if (auto at = dims.find(symbol); at != dims.end()) where += (where.empty() ? " where " : ", ") + symbol + " is " + std::to_string(at->second);
      }
    }
    return invalid("input " + value.name + " has shape " + to_string(given) + ", the model expects " + value.type.shape.text() + where);
  };
  for (int pass = 0; pass < 2; ++pass) {  // plain symbols first, then expressions in them
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value& value = graph.value(graph.inputs[i]);
      const Shape& shape = value.type.shape;
      if (!shape.ranked() || value.type.kind != ValueKind::tensor) continue;
      if (shape.rank() != inputs[i].rank) return mismatch(value, inputs[i]);
      for (int d = 0; d < shape.rank(); ++d) {
        auto left = substitute(shape[d], dims);
        if (!left) return mismatch(value, inputs[i]);
        if (left->known()) {
          if (left->value() != inputs[i][d]) return mismatch(value, inputs[i]);
          continue;
        }
        if (left->terms().size() != 1 || (pass == 0 && left->terms()[0].second != 1)) continue;
        const auto& [symbol, coefficient] = left->terms()[0];
        auto rest = checked_sub(inputs[i][d], left->constant());
        if (!rest || *rest % coefficient != 0) return mismatch(value, inputs[i]);
        dims[symbol] = *rest / coefficient;
      }
    }
  }
  return dims;
}

std::string first_no_tensor(const Graph& graph) {
  for (const Value& v : graph.values) {
    if (v.type.kind != ValueKind::tensor) return v.name;
  }
  for (const Graph& g : graph.subgraphs) {
    if (std::string s = first_no_tensor(g); !s.empty()) return s;
  }
  return {};
}

std::vector<bool> settled_by_dims(const Graph& graph) {
  std::vector<bool> settled(graph.values.size(), false);
  for (size_t v = 0; v < settled.size(); ++v) settled[v] = graph.is_constant(static_cast<ValueId>(v));
  for (const Node& node : graph.nodes) {
    const std::string_view op = node.op->name;
    const bool reads_dims = op == "Shape" || op == "Size";
    bool all = !node.inputs.empty() && node.subgraphs.empty() && node.op->compute == nullptr && !node.op->data_dependent;
    for (ValueId v : node.inputs) {
      if (v == kNone) continue;
      const TypeInfo& type = graph.value(v).type;
      all &= type.dtype != DType::string && type.kind == ValueKind::tensor && (reads_dims || settled[static_cast<size_t>(v)]);
    }
    for (ValueId v : node.outputs) {
      if (v != kNone) settled[static_cast<size_t>(v)] = all;
    }
  }
  return settled;
}

bool depends_on_data(const Graph& graph, const Node& node, const std::vector<bool>& settled) {
  if (node.op->data_dependent) return true;
  const ControlDef* control = find_control(node.op);
  if (control != nullptr && control->needs_evaluator != nullptr && control->needs_evaluator(graph, node)) return true;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId v = node.inputs[i];
    if (!node.op->value_inputs.has(i) || v == kNone || graph.is_constant(v) || graph.value(v).ints) continue;
    if (settled.empty() || !settled[static_cast<size_t>(v)]) return true;
  }
  for (ValueId v : node.outputs) {  // also an If whose branches give different shapes
    if (v != kNone && !graph.value(v).type.shape.ranked()) return true;
  }
  return false;
}

namespace {
std::string first_on_data(const Graph& graph, const std::vector<bool>& settled) {
  for (const Node& node : graph.nodes) {
    if (depends_on_data(graph, node, settled)) return describe(graph, node);
  }
  for (const Graph& g : graph.subgraphs) {
    if (std::string s = first_on_data(g, {}); !s.empty()) return s;
  }
  return {};
}
}  // namespace

std::string data_dependence(const Graph& graph) { return first_on_data(graph, settled_by_dims(graph)); }

std::string unknown_shape(const Graph& graph) {
  if (std::string s = first_on_data(graph, {}); !s.empty()) return s;
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.outputs) {
      if (v != kNone && !graph.value(v).type.shape.known()) return describe(graph, node);
    }
  }
  for (const Graph& g : graph.subgraphs) {
    if (std::string s = unknown_shape(g); !s.empty()) return s;
  }
  return {};
}

}  // namespace tern
