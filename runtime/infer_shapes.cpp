// See infer_shapes.h. One pass in topological order; control operators infer their subgraphs (runtime/control).
#include "runtime/infer_shapes.h"

#include <algorithm>

#include "kernels/evaluate.h"
#include "runtime/control/control.h"
#include "runtime/verify.h"

namespace tern {
namespace {

constexpr size_t kFreeInts = 16;

// Takes from what is left; false: there is not enough, and nothing is taken.
bool take(int64_t& room, int64_t n) {
  if (n > room) return false;
  room -= n;
  return true;
}

void keep_shape(Graph& graph, Shape& shape) {
  for (Dim& d : shape.dims()) {
    if (d.terms().size() > 1 && !take(graph.symbol_room, static_cast<int64_t>(d.terms().size()))) {
      d = graph.fresh_dim();
    }
  }
}

std::optional<SymbolicInts> keep_ints(Graph& graph, std::optional<SymbolicInts> ints) {
  if (!ints || static_cast<int64_t>(ints->size()) > kMaxInts) return std::nullopt;
  int64_t cost = ints->size() > kFreeInts ? static_cast<int64_t>(ints->size()) : 0;
  for (const Dim& d : *ints) cost += d.terms().size() > 1 ? static_cast<int64_t>(d.terms().size()) : 0;
  return take(graph.symbol_room, cost) ? std::move(ints) : std::nullopt;
}

// Is there room for contents that are computed from these? What is computed costs room when it is kept.
bool worth_computing(const Graph& graph, const InferContext& c) {
  size_t longest = 0;
  for (const InferContext::Input& in : c.inputs) {
    if (in.ints != nullptr) longest = std::max(longest, in.ints->size());
    else if (in.value != nullptr) longest = std::max(longest, static_cast<size_t>(in.value->count()));
  }
  return longest <= kFreeInts || static_cast<int64_t>(longest) <= std::min(kMaxInts, graph.symbol_room);
}

Status infer_all(Graph& graph);

std::vector<InferContext::Input> inputs_of(const Graph& graph, const Node& node) {
  std::vector<InferContext::Input> in;
  in.reserve(node.inputs.size());
  for (ValueId v : node.inputs) {
    if (v == kNone) {
      in.emplace_back();
      continue;
    }
    const Value& value = graph.value(v);
    in.push_back({value.type, value.constant.present() ? &value.constant : nullptr, value.ints ? &*value.ints : nullptr});
  }
  return in;
}

// Contents pass through an operator that only moves elements by running it on numbers that stand for the symbols.
std::optional<SymbolicInts> move_symbols(const Node& node, const InferContext& c) {
  SymbolicInts symbols;
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!c.has(i)) {
      tensors.emplace_back();
      continue;
    }
    auto ints = c.ints(i);
    if (!ints || c.shape(i).rank() > 1 || !c.shape(i).ranked()) return std::nullopt;
    if (node.op->value_inputs.has(i)) {
      auto known = c.known_ints(i);
      if (!known) return std::nullopt;
      tensors.push_back(Tensor::ints(*known).reshaped(c.shape(i).rank() == 0 ? Dims{} : Dims{static_cast<int64_t>(known->size())}));
      continue;
    }
    // Indices of gathers are i64 data inputs too: known numbers stay numbers when another input carries the symbols.
    std::vector<int64_t> ids;
    const bool index = i > 0 && c.known_ints(i).has_value() && node.op->name == std::string_view("Gather");
    for (const Dim& d : *ints) {
      if (index) {
        ids.push_back(d.value());
      } else {
        ids.push_back(static_cast<int64_t>(symbols.size()));
        symbols.push_back(d);
      }
    }
    tensors.push_back(Tensor::ints(ids).reshaped(c.shape(i).rank() == 0 ? Dims{} : Dims{static_cast<int64_t>(ids.size())}));
  }
  if (symbols.empty()) return std::nullopt;
  auto moved = evaluate(*node.op, node.attrs, tensors, 1, {.budget = 1 << 20});
  if (!moved || moved->empty() || (*moved)[0].dtype() != DType::i64 || (*moved)[0].dims().rank > 1) return std::nullopt;
  SymbolicInts out;
  for (int64_t id : (*moved)[0].span<int64_t>()) {
    if (id < 0 || static_cast<size_t>(id) >= symbols.size()) return std::nullopt;
    out.push_back(symbols[static_cast<size_t>(id)]);
  }
  return out;
}

// Element by element, with broadcasting of single elements.
std::optional<SymbolicInts> compute_symbols(const Node& node, const InferContext& c) {
  std::vector<SymbolicInts> operands;
  size_t count = 1;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    auto ints = c.ints(i);
    if (!ints) return std::nullopt;
    if (ints->size() != 1) {
      if (count != 1 && count != ints->size()) return std::nullopt;
      count = ints->size();
    }
    operands.push_back(std::move(*ints));
  }
  SymbolicInts out;
  std::vector<Dim> element(operands.size());
  for (size_t e = 0; e < count; ++e) {
    for (size_t i = 0; i < operands.size(); ++i) element[i] = operands[i][operands[i].size() == 1 ? 0 : e];
    auto d = node.op->symbolic(element, node.read());
    if (!d) return std::nullopt;
    out.push_back(std::move(*d));
  }
  return out;
}

bool carries_ints(const TypeInfo& type) {
  return type.kind == ValueKind::tensor && (type.dtype == DType::i64 || type.dtype == DType::i32) && type.shape.ranked() && type.shape.rank() <= 1;
}

void forget_types(Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.outputs) {
      if (v != kNone) graph.value(v).type.shape = Shape();
    }
  }
}

}  // namespace

Status infer_shapes(Graph& graph, Node& node) {
  if (const ControlDef* control = find_control(node.op)) return control->infer(graph, node);
  InferContext c(node.read(), inputs_of(graph, node), node.outputs.size(), &graph.next_symbol);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != kNone && !c.has(i)) return unsupported("the dtype of input " + std::to_string(i) + " is not known");
  }
  if (Status s = infer_op(*node.op, c); !s) return s;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    Value& value = graph.value(node.outputs[o]);
    keep_shape(graph, c.outputs[o].shape);
    value.type = c.outputs[o];
    value.ints = keep_ints(graph, std::move(c.output_ints[o]));
  }
  if (node.outputs.size() != 1 || node.outputs[0] == kNone) return {};
  Value& y = graph.value(node.outputs[0]);
  if (y.ints || !carries_ints(y.type) || !worth_computing(graph, c)) return {};
  if (node.op->moves_data) y.ints = keep_ints(graph, move_symbols(node, c));
  else if (node.op->symbolic != nullptr) y.ints = keep_ints(graph, compute_symbols(node, c));
  if (y.ints && y.type.shape.rank() == 1 && !y.type.shape[0].known()) y.type.shape[0] = Dim(static_cast<int64_t>(y.ints->size()));
  return {};
}

namespace {

Status infer_all(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (Status s = infer_shapes(graph, node); !s) return s.error().within(describe(graph, node));
  }
  return {};
}

}  // namespace

Status infer_shapes(Graph& graph) {
  graph.symbol_room = Graph::kSymbolRoom;
  return infer_all(graph);
}

void pass_type(Graph& graph, ValueId from, Graph& subgraph, ValueId to) {
  subgraph.value(to).type = graph.value(from).type;
  subgraph.value(to).ints = keep_ints(graph, graph.value(from).ints);
}

bool made_up(const Dim& dim) {
  return std::any_of(dim.terms().begin(), dim.terms().end(), [](const Dim::Term& term) { return term.first.starts_with('?'); });
}

Shape common_shape(Graph& graph, const Shape& a, const Shape& b) {
  if (!a.ranked() || !b.ranked() || a.rank() != b.rank()) return Shape();
  Shape both = a;
  for (int d = 0; d < a.rank(); ++d) {
    if (!(a[d] == b[d])) both[d] = graph.fresh_dim();
  }
  return both;
}

Status infer_subgraph(Graph& graph, Graph& subgraph) {
  const SharedSymbols shared(graph, subgraph);
  Status inferred = infer_all(subgraph);
  if (!inferred) forget_types(subgraph);
  return inferred;
}

Result<std::vector<TypeInfo>> infer_types(Graph& graph, const Node& node) {
  if (Status s = verify_node(node); !s) return s.error();
  InferContext c(node.read(), inputs_of(graph, node), node.outputs.size(), &graph.next_symbol);
  if (Status s = infer_op(*node.op, c); !s) return s.error();
  return std::move(c.outputs);
}

Status verify_types(const Graph& graph) {
  Graph again = graph;
  if (!infer_shapes(again)) return {};  // a branch for other sizes
  for (const Node& node : graph.nodes) {
    for (ValueId v : node.outputs) {
      if (v == kNone) continue;
      const TypeInfo &was = graph.value(v).type, &is = again.value(v).type;
      bool same = was.dtype == is.dtype && was.kind == is.kind;
      if (was.shape.ranked() && is.shape.ranked()) {
        same = same && was.shape.rank() == is.shape.rank();
        for (int d = 0; same && d < is.shape.rank(); ++d) {
          same = !was.shape[d].known() || !is.shape[d].known() || was.shape[d] == is.shape[d];
        }
      }
      if (!same) {
        return invalid(describe(graph, node) + ": " + graph.value(v).name + " is " + is.text() + ", not " + was.text());
      }
    }
  }
  return {};
}

}  // namespace tern
