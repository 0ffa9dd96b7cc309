// See fold_constants.h.
#include "runtime/fold_constants.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/control/control.h"
#include "runtime/base/checked.h"
#include "runtime/evaluator.h"

namespace tern {
namespace {

constexpr int64_t kFreeGrowth = 64 << 10;  // results up to this size are folded whatever their inputs were

bool all_constant(const Graph& graph, const Node& node) {
  for (ValueId v : node.inputs) {
    if (v != kNone && !graph.is_constant(v)) return false;
  }
  return !node.outputs.empty() && node.op->bind != nullptr;
}

// What the outputs take, and what computing them does; nothing when a shape is not known.
struct Price {
  int64_t bytes, work;
};
std::optional<Price> price(const Graph& graph, const Node& node) {
  std::vector<TensorView> in, out;
  for (ValueId v : node.inputs) in.push_back(v == kNone ? TensorView() : graph.value(v).constant.view(true));
  int64_t sum = 0;
  for (ValueId v : node.outputs) {
    out.emplace_back();
    if (v == kNone) continue;
    const TypeInfo& type = graph.value(v).type;
    if (!type.shape.known() || type.shape.rank() > kMaxRank) return std::nullopt;
    const Dims dims = type.shape.concrete();
    auto bytes = storage_bytes(type.dtype, dims);
    if (!bytes || *bytes > int64_t(1) << 40) return std::nullopt;
    sum += *bytes;
    out.back() = {type.dtype, dims, nullptr, false, false, {}};
  }
  return Price{sum, work_of(*node.op, node.attrs, in, out)};
}

int64_t input_bytes(const Graph& graph, const Node& node) {
  int64_t sum = 0;
  for (ValueId v : node.inputs) {
    if (v != kNone) sum += static_cast<int64_t>(graph.value(v).constant.bytes());
  }
  return sum;
}

void make_constant(Value& value, Tensor tensor) {
  value.type = {tensor.dtype(), Shape(tensor.dims())};
  value.ints.reset();
  value.constant = std::move(tensor);
}

// A value whose symbolic contents turned out to be numbers.
std::optional<Tensor> known_contents(const Value& value) {
  if (!value.ints || value.constant.present() || !value.type.shape.known()) return std::nullopt;
  std::vector<int64_t> ints;
  for (const Dim& d : *value.ints) {
    if (!d.known()) return std::nullopt;
    ints.push_back(d.value());
  }
  const Dims dims = value.type.shape.concrete();
  if (dims.count() != static_cast<int64_t>(ints.size())) return std::nullopt;
  if (value.type.dtype == DType::i64) return Tensor::of<int64_t>(dims, ints);
  if (value.type.dtype == DType::i32) {
    std::vector<int32_t> narrow(ints.begin(), ints.end());
    return Tensor::of<int32_t>(dims, narrow);
  }
  return std::nullopt;
}

// Captured constants move into the branches, where they can be folded.
void sink_constants(Graph& graph, Node& node) {
  const std::vector<ValueId> captured = node.inputs;
  auto stays = [&](size_t i) { return i == 0 || !graph.is_constant(captured[i]); };
  auto keep = [&](std::vector<ValueId>& list, size_t first) {  // list[0] belongs to captured[first]
    size_t kept = 0;
    for (size_t i = 0; i < list.size(); ++i) {
      if (stays(i + first)) list[kept++] = list[i];
    }
    list.resize(kept);
  };
  for (int32_t g : node.subgraphs) {
    Graph& branch = graph.subgraphs[static_cast<size_t>(g)];
    for (size_t i = 1; i < captured.size(); ++i) {
      if (!stays(i)) make_constant(branch.value(branch.inputs[i - 1]), graph.value(captured[i]).constant);
    }
    keep(branch.inputs, 1);
  }
  keep(node.inputs, 0);
}

class Folder {
 public:
  explicit Folder(FoldBudget& budget) : left_(budget) {}

  Status fold(Graph& graph) {
    std::vector<Node> kept;
    kept.reserve(graph.nodes.size());
    std::unordered_map<ValueId, ValueId> forward;  // outputs of inlined branches
    std::vector<Node> work = std::move(graph.nodes);
    graph.nodes.clear();
    for (size_t n = 0; n < work.size(); ++n) {
      Node& node = work[n];
      for (ValueId& v : node.inputs) {
        if (auto at = forward.find(v); at != forward.end()) v = at->second;
      }
      if (node.op == &kIf) {
        sink_constants(graph, node);
        if (graph.is_constant(node.inputs[0])) {
          if (Status s = inline_branch(graph, node, kept, forward); !s) return s;
          continue;
        }
        for (int32_t g : node.subgraphs) {
          Graph& branch = graph.subgraphs[static_cast<size_t>(g)];
          Graph folded = branch;
          if (fold(folded).ok()) branch = std::move(folded);  // else a branch for other sizes: an error only when it is taken
        }
        kept.push_back(std::move(node));
        continue;
      }
      auto done = fold_node(graph, node);
      if (!done) return done.error().within(describe(graph, node));
      if (!*done) kept.push_back(std::move(node));
    }
    for (ValueId& v : graph.outputs) {
      if (auto at = forward.find(v); at != forward.end()) v = at->second;
    }
    graph.nodes = std::move(kept);
    return {};
  }

 private:
  // True when the node is gone: all its outputs are constants now.
  Result<bool> fold_node(Graph& graph, const Node& node) {
    bool known = !node.outputs.empty();
    for (ValueId v : node.outputs) known = known && (v == kNone || known_contents(graph.value(v)).has_value());
    if (known) {
      for (ValueId v : node.outputs) {
        if (v != kNone) make_constant(graph.value(v), *known_contents(graph.value(v)));
      }
      return true;
    }
    if (!all_constant(graph, node)) return false;
    auto cost = price(graph, node);
    if (!cost && !node.op->data_dependent) return false;
    const int64_t in_bytes = input_bytes(graph, node), work = cost ? cost->work : 8 * in_bytes;
    if (cost && ((cost->bytes > kFreeGrowth && cost->bytes > 4 * in_bytes) || cost->bytes > left_.bytes)) return false;
    if (work > left_.work) return false;
    left_.work -= work;
    std::vector<Tensor> in;
    for (ValueId v : node.inputs) in.push_back(v == kNone ? Tensor() : graph.value(v).constant);
    auto out = evaluate_node(graph, node, in, {.isa = isa_, .budget = left_.bytes + (int64_t(16) << 20)});
    if (!out) {
      if (out.error().code() == Code::kUnsupported) return false;  // let the session say so, if it is ever needed
      return out.error();
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      left_.bytes -= static_cast<int64_t>((*out)[o].bytes());
      make_constant(graph.value(node.outputs[o]), std::move((*out)[o]));
    }
    return true;
  }

  // The taken branch's nodes take the place of the If.
  Status inline_branch(Graph& graph, const Node& node, std::vector<Node>& kept, std::unordered_map<ValueId, ValueId>& forward) {
    const Tensor& condition = graph.value(node.inputs[0]).constant;
    if (condition.dtype() != DType::boolean || condition.count() != 1) return invalid(describe(graph, node) + ": the condition is not one bool");
    Graph branch = std::move(graph.subgraphs[static_cast<size_t>(node.subgraphs[is_true(condition) ? 0 : 1])]);
    if (Status s = fold(branch); !s) return s;
    std::vector<ValueId> renamed(branch.values.size(), kNone);
    for (size_t i = 0; i < branch.inputs.size(); ++i) renamed[static_cast<size_t>(branch.inputs[i])] = node.inputs[i + 1];
    for (size_t v = 0; v < branch.values.size(); ++v) {
      if (renamed[v] != kNone) continue;
      renamed[v] = static_cast<ValueId>(graph.values.size());
      graph.values.push_back(std::move(branch.values[v]));
    }
    const auto first_subgraph = static_cast<int32_t>(graph.subgraphs.size());
    for (Graph& g : branch.subgraphs) graph.subgraphs.push_back(std::move(g));
    for (Node& inner : branch.nodes) {
      for (ValueId& v : inner.inputs) v = v == kNone ? kNone : renamed[static_cast<size_t>(v)];
      for (ValueId& v : inner.outputs) v = v == kNone ? kNone : renamed[static_cast<size_t>(v)];
      for (int32_t& g : inner.subgraphs) g += first_subgraph;
      kept.push_back(std::move(inner));
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone) forward[node.outputs[o]] = renamed[static_cast<size_t>(branch.outputs[o])];
    }
    return {};
  }

  FoldBudget& left_;
  const Isa isa_ = best_isa();
};

}  // namespace

FoldBudget fold_budget(const Graph& graph, int64_t bytes) {
  int64_t sum = 0;
  for (const Tensor* t : constants(graph)) sum = checked_add(sum, static_cast<int64_t>(t->bytes())).value_or(INT64_MAX);
  const int64_t most = int64_t(1) << 58;
  bytes = std::min(bytes, most);
  sum = std::min(sum, most);
  return {bytes / 2 + 2 * sum, 4 * bytes + 16 * sum};
}

Status fold_constants(Graph& graph, FoldBudget& budget) { return Folder(budget).fold(graph); }

}  // namespace tern
