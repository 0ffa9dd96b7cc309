// See fold_constants.h.
#include "runtime/fold_constants.h"

#include <algorithm>
#include <utility>

#include "kernels/gather/gather.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/in_place.h"
#include "kernels/movement/movement.h"
#include "runtime/base/checked.h"
#include "runtime/base/sealed.h"
#include "runtime/control/control.h"
#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

constexpr int64_t kFreeGrowth = 64 << 10;  // results up to this size are folded whatever their inputs were

bool all_constant(const Graph& graph, const Node& node) {
  for (ValueId v : node.inputs) {
    if (v != kNone && !graph.is_constant(v)) return false;
  }
  return !node.outputs.empty() && (node.op->bind != nullptr || node.op->compute != nullptr);
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
  return Price{sum, work_of(*node.op, node.read(), in, out)};
}

int64_t input_bytes(const Graph& graph, const Node& node) {
  int64_t sum = 0;
  for (ValueId v : node.inputs) {
    if (v == kNone) continue;
    const Tensor& t = graph.value(v).constant;
    sum = checked_add(sum, checked_add(static_cast<int64_t>(t.bytes()), t.text_bytes()).value_or(INT64_MAX / 8)).value_or(INT64_MAX / 8);
  }
  return std::min(sum, INT64_MAX / 8);
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

// Who reads each value, the graph's inputs and outputs counted as readers.
std::vector<int32_t> count_readers(const Graph& graph) {
  std::vector<int32_t> readers(graph.values.size(), 0);
  auto count = [&](std::span<const ValueId> list) {
    for (ValueId v : list) readers[static_cast<size_t>(std::max(v, 0))] += v != kNone;
  };
  for (const Node& node : graph.nodes) count(node.inputs);
  count(graph.inputs);
  count(graph.outputs);
  return readers;
}

// What a folded node has read, and nobody else will, goes; what others hold leaves the process until they read it.
void let_go(Graph& graph, const Node& node, std::vector<Tensor>& in, std::span<const int32_t> readers) {
  for (size_t i = 0; i < in.size(); ++i) {
    const auto v = static_cast<size_t>(std::max(node.inputs[i], 0));
    if (node.inputs[i] == kNone || !in[i].present()) continue;
    if (v < readers.size() && readers[v] == 1) graph.values[v].constant = Tensor();
    const std::weak_ptr<const std::byte> storage = in[i].storage();
    const std::span<const std::byte> bytes(in[i].raw(), in[i].bytes());
    in[i] = Tensor();
    const bool passed_on = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId o) {
      return o != kNone && graph.value(o).constant.raw() == bytes.data();  // Identity, Reshape
    });
    if (auto held = storage.lock(); held && !passed_on) retire(held, bytes);
  }
}

// Of a Gather along an axis with each of its indices once: the indices, and the axis.
struct Reordering {
  int axis;
  std::vector<int64_t> order;
};
std::optional<Reordering> reordering(const Graph& graph, const Node& node, const Dims& dims) {
  if (node.op != &kGather) return std::nullopt;
  const auto axis = normalize_axis(node.read().i("axis"), dims.rank);
  const Tensor& indices = graph.value(node.inputs[1]).constant;
  if (!axis || indices.dims().rank != 1 || indices.count() != dims[*axis]) return std::nullopt;
  auto order = as_ints(indices.view());
  if (!order) return std::nullopt;
  std::vector<int64_t> sorted = *order;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i)) return std::nullopt;
  }
  return Reordering{*axis, std::move(*order)};
}

std::optional<std::vector<int>> transposing(const Node& node, const Dims& dims) {
  auto perm = node.op == &kTranspose ? transposed_axes(node.read(), dims.rank) : Result<std::vector<int>>(Error());
  return perm ? std::optional(std::move(*perm)) : std::nullopt;
}

// What nothing else reads is transposed, or put in another order, where it lies: all of a model's weights would otherwise be there beside the largest of them
// twice. False: it was not done.
bool move_in_place(Graph& graph, const Node& node, std::span<const int32_t> readers) {
  const auto v = static_cast<size_t>(node.inputs.empty() ? 0 : std::max(node.inputs[0], 0));
  if (v >= readers.size() || readers[v] != 1) return false;
  Tensor& t = graph.values[v].constant;
  if (t.bytes() < kWorthMapping || t.dtype() == DType::string) return false;
  Dims dims = t.dims();
  const auto size = static_cast<int64_t>(size_of(t.dtype()));
  const auto order = reordering(graph, node, dims);
  const auto perm = transposing(node, dims);
  if ((!order && !perm) || !make_writable(t)) return false;
  bool done = false;
  if (order) {
    done = reorder_in_place(t.mutable_raw(), dims.count(0, order->axis), dims.count(order->axis + 1, dims.rank) * size, order->order);
  } else {
    done = transpose_in_place(t.mutable_raw(), size, dims, *perm);
    for (size_t i = 0; i < perm->size(); ++i) dims[static_cast<int>(i)] = t.dims()[(*perm)[i]];
  }
  Tensor over = sealed(std::exchange(t, Tensor()));
  if (!done) return t = std::move(over), false;
  make_constant(graph.value(node.outputs[0]), over.reshaped(dims));
  return true;
}

// True when the node is gone: all its outputs are constants now. `readers` are those before the pass, when no value of it had a new one.
Result<bool> fold_node(Graph& graph, const Node& node, FoldBudget& left, Isa isa, std::span<const int32_t> readers) {
  bool known = !node.outputs.empty();
  for (ValueId v : node.outputs) known = known && (v == kNone || known_contents(graph.value(v)).has_value());
  if (known) {
    for (ValueId v : node.outputs) {
      if (v != kNone) make_constant(graph.value(v), *known_contents(graph.value(v)));
    }
    return true;
  }
  if (!all_constant(graph, node)) return false;
  if (left.keep_quantized && std::string_view(node.op->name) == "DequantizeLinear") return false;
  auto cost = price(graph, node);
  if (!cost && !node.op->data_dependent) return false;
  const int64_t in_bytes = input_bytes(graph, node), work = cost ? cost->work : 8 * in_bytes;
  if (work > left.work) return false;
  if (cost && move_in_place(graph, node, readers)) {
    left.work -= work;
    return true;
  }
  // Text may become more with each operator, and stays in the process's memory.
  const int64_t most = std::min(left.largest, node.op->compute != nullptr ? left.bytes / 4 : left.bytes);
  if (cost && ((cost->bytes > kFreeGrowth && cost->bytes > 4 * in_bytes) || cost->bytes > most)) return false;
  left.work -= work;
  std::vector<Tensor> in;
  for (ValueId v : node.inputs) in.push_back(v == kNone ? Tensor() : graph.value(v).constant);
  auto out = evaluate_node(graph, node, in, {.isa = isa, .budget = most + (node.op->compute != nullptr ? 0 : int64_t(16) << 20)});
  if (!out) {
    if (out.error().code() == Code::kUnsupported) return false;  // let the session say so, if it is ever needed
    return out.error();
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    Tensor made = sealed(std::move((*out)[o]));
    const bool is_view = std::any_of(in.begin(), in.end(), [&](const Tensor& t) { return t.present() && t.raw() == made.raw(); });
    if (!is_view) left.bytes -= checked_add(static_cast<int64_t>(made.bytes()), made.text_bytes()).value_or(left.bytes);
    make_constant(graph.value(node.outputs[o]), std::move(made));
  }
  let_go(graph, node, in, readers);
  return true;
}

// Whether inference from more constants could tell more of an output of `node`.
bool wants_shapes(const Graph& graph, const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) {
    if (v == kNone) return false;
    const Value& value = graph.value(v);
    if (!value.type.shape.ranked() || std::any_of(value.type.shape.dims().begin(), value.type.shape.dims().end(), made_up)) return true;
    return value.ints && std::any_of(value.ints->begin(), value.ints->end(), made_up);
  });
}

}  // namespace

int64_t bytes_of_constants(const Graph& graph) {
  int64_t sum = 0;
  for (const Tensor* t : constants(graph)) sum = checked_add(sum, static_cast<int64_t>(t->bytes())).value_or(INT64_MAX);
  return std::min(sum, int64_t(1) << 58);
}

FoldBudget fold_budget(const Graph& graph, int64_t bytes) {
  const int64_t room = std::min(bytes, int64_t(1) << 58) + kFoldedPerBudget * bytes_of_constants(graph);
  return {room / 2, 4 * room};
}

Status fold_constants(Graph& graph, FoldBudget& budget) {
  Folding folding{graph, budget};
  folding.kept.reserve(graph.nodes.size());
  auto replace = [&](ValueId& v) {
    if (auto at = folding.forward.find(v); at != folding.forward.end()) v = at->second;
  };
  // A control operator that disappears gives its readers values that it has read itself, or new ones: neither are let go of.
  const std::vector<int32_t> readers = count_readers(graph);
  std::vector<bool> news(graph.values.size(), false);  // of which more is known than when shapes were inferred
  std::vector<Node> nodes = std::move(graph.nodes);
  graph.nodes.clear();
  for (Node& node : nodes) {
    bool learns = false;
    for (ValueId& v : node.inputs) {
      const ValueId was = v;
      replace(v);
      learns = learns || v != was || (v != kNone && news[static_cast<size_t>(v)]);
    }
    const ControlDef* control = find_control(node.op);
    if (control != nullptr) folding.sink_constants(node);
    learns = learns && wants_shapes(graph, node);
    if (learns) {
      if (Status s = infer_shapes(graph, node); !s) return s.error().within(describe(graph, node));
    }
    const Result<bool> gone = control != nullptr ? control->fold(folding, node) : fold_node(graph, node, budget, folding.isa, readers);
    if (!gone) return control != nullptr ? gone.error() : gone.error().within(describe(graph, node));
    news.resize(graph.values.size(), false);
    for (ValueId v : node.outputs) {
      if (v != kNone) news[static_cast<size_t>(v)] = learns || *gone;
    }
    if (!*gone) folding.kept.push_back(std::move(node));
  }
  for (ValueId& v : graph.outputs) replace(v);
  graph.nodes = std::move(folding.kept);
  return {};
}

Status Folding::fold(Graph& subgraph) {
  const SharedSymbols shared(graph, subgraph);
  return fold_constants(subgraph, left);
}

void Folding::sink_constants(Node& node) {
  const std::vector<ValueId> all = node.inputs;
  const auto captured = static_cast<size_t>(node.captured);
  const std::span<const ValueId> values = std::span(all).last(captured);
  auto keep = [&](std::vector<ValueId>& list) {
    const size_t first = list.size() - captured;
    size_t kept = first;
    for (size_t i = 0; i < captured; ++i) {
      if (!graph.is_constant(values[i])) list[kept++] = list[first + i];
    }
    list.resize(kept);
  };
  for (int32_t g : node.subgraphs) {
    Graph& subgraph = graph.subgraphs[static_cast<size_t>(g)];
    const size_t first = subgraph.inputs.size() - captured;
    for (size_t i = 0; i < captured; ++i) {
      if (graph.is_constant(values[i])) make_constant(subgraph.value(subgraph.inputs[first + i]), graph.value(values[i]).constant);
    }
    keep(subgraph.inputs);
  }
  keep(node.inputs);
  node.captured -= static_cast<int32_t>(all.size() - node.inputs.size());
}

Result<bool> Folding::evaluate(const Node& node) {
  std::vector<Datum> in;
  for (ValueId v : node.inputs) {
    if (!graph.is_constant(v)) return false;
    in.emplace_back(graph.value(v).constant);
  }
  // What it may keep is a few times its inputs; half of the work is for other nodes.
  const int64_t most = std::min(left.bytes, 64 * std::max(kFreeGrowth, std::min(left.bytes, input_bytes(graph, node))));
  EvaluateOptions spent{.isa = isa, .budget = most + (int64_t(16) << 20), .work = left.work / 2};
  const int64_t work = spent.work;
  auto out = find_control(node.op)->evaluate(graph, node, in, spent);
  left.work -= work - spent.work;
  if (!out) {
    if (out.error().code() == Code::kUnsupported) return false;
    return out.error().within(describe(graph, node));
  }
  int64_t bytes = 0;
  for (size_t o = 0; o < out->size(); ++o) {
    if (node.outputs[o] != kNone && !(*out)[o].tensor.present()) return false;
    bytes += (*out)[o].bytes();
  }
  if (bytes > left.bytes || (bytes > kFreeGrowth && bytes > 4 * input_bytes(graph, node))) return false;
  left.bytes -= bytes;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) make_constant(graph.value(node.outputs[o]), std::move((*out)[o].tensor));
  }
  return true;
}

void Folding::put_inline(Graph subgraph, std::span<const ValueId> inputs, std::span<const ValueId> outputs) {
  std::vector<ValueId> renamed(subgraph.values.size(), kNone);
  for (size_t i = 0; i < inputs.size(); ++i) renamed[static_cast<size_t>(subgraph.inputs[i])] = inputs[i];
  for (size_t v = 0; v < subgraph.values.size(); ++v) {
    if (renamed[v] != kNone) continue;
    renamed[v] = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(std::move(subgraph.values[v]));
  }
  const auto first_subgraph = static_cast<int32_t>(graph.subgraphs.size());
  for (Graph& g : subgraph.subgraphs) graph.subgraphs.push_back(std::move(g));
  for (Node& inner : subgraph.nodes) {
    for (ValueId& v : inner.inputs) v = v == kNone ? kNone : renamed[static_cast<size_t>(v)];
    for (ValueId& v : inner.outputs) v = v == kNone ? kNone : renamed[static_cast<size_t>(v)];
    for (int32_t& g : inner.subgraphs) g += first_subgraph;
    kept.push_back(std::move(inner));
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (outputs[o] != kNone) forward[outputs[o]] = renamed[static_cast<size_t>(subgraph.outputs[o])];
  }
}

}  // namespace tern
