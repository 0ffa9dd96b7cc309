// See evaluator.h. A value's tensor is dropped after its last reader, so that memory stays that of a plan.
#include "runtime/evaluator.h"

#include <algorithm>

#include "kernels/control/control.h"

namespace tern {

Result<std::vector<Tensor>> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> inputs, EvaluateOptions options) {
  options.constants = 0;
  for (size_t i = 0; i < node.inputs.size() && i < 32; ++i) {
    if (graph.is_constant(node.inputs[i])) options.constants |= 1u << i;
  }
  if (node.op->view && inputs[0].present() && node.outputs.size() == 1) {  // the same elements under other dims: share them
    std::vector<InferContext::Input> in;
    for (const Tensor& t : inputs) {
      in.push_back(t.present() ? InferContext::Input{{t.dtype(), Shape(t.dims())}, &t, nullptr} : InferContext::Input{});
    }
    int64_t symbols = 0;
    InferContext c(node.attrs, std::move(in), 1, &symbols);
    if (Status s = infer_op(*node.op, c); !s) return s.error();
    const Shape& shape = c.outputs[0].shape;
    if (shape.known() && shape.concrete().count() == inputs[0].count()) {
      return std::vector<Tensor>{inputs[0].reshaped(shape.concrete())};
    }
  }
  return evaluate(*node.op, node.attrs, inputs, node.outputs.size(), options);
}

namespace {

// What is left of the budgets; shared by a graph and its branches.
struct Left {
  int64_t bytes, work;
};

void count_work(const Node& node, std::span<const Tensor> inputs, std::span<const Tensor> outputs, Left& left) {
  std::vector<TensorView> in, out;
  for (const Tensor& t : inputs) in.push_back(t.view());
  for (const Tensor& t : outputs) out.push_back(t.view());
  left.work -= std::min(left.work, work_of(*node.op, node.attrs, in, out));
}

Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, EvaluateOptions options, Left& left) {
  std::vector<Tensor> tensors(graph.values.size());
  for (size_t v = 0; v < tensors.size(); ++v) tensors[v] = graph.values[v].constant;
  for (size_t i = 0; i < inputs.size(); ++i) tensors[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  std::vector<int32_t> readers = use_counts(graph);
  std::vector<bool> computed(graph.values.size(), false);
  auto drop = [&](size_t v) {
    if (computed[v]) left.bytes += static_cast<int64_t>(tensors[v].bytes());
    tensors[v] = Tensor();
  };

  for (const Node& node : graph.nodes) {
    std::vector<Tensor> in;
    for (ValueId v : node.inputs) in.push_back(v == kNone ? Tensor() : tensors[static_cast<size_t>(v)]);
    Result<std::vector<Tensor>> out = std::vector<Tensor>();
    if (node.op == &kIf) {
      if (in[0].dtype() != DType::boolean || in[0].count() != 1) return invalid(describe(graph, node) + ": the condition is not one bool");
      const Graph& branch = graph.subgraphs[static_cast<size_t>(node.subgraphs[is_true(in[0]) ? 0 : 1])];
      out = evaluate_graph(branch, std::span(in).subspan(1), options, left);
    } else {
      options.budget = left.bytes;
      options.work = left.work;
      out = evaluate_node(graph, node, in, options);
    }
    if (!out) return out.error().within(describe(graph, node));
    if (node.op != &kIf) count_work(node, in, *out, left);
    in.clear();
    for (size_t o = 0; o < node.outputs.size() && o < out->size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      const auto v = static_cast<size_t>(node.outputs[o]);
      left.bytes -= static_cast<int64_t>((*out)[o].bytes());  // a view counts as if it were a copy
      tensors[v] = std::move((*out)[o]);
      computed[v] = true;
      if (readers[v] == 0) drop(v);
    }
    for (ValueId v : node.inputs) {
      if (v != kNone && --readers[static_cast<size_t>(v)] == 0) drop(static_cast<size_t>(v));
    }
  }
  std::vector<Tensor> outputs;
  for (ValueId v : graph.outputs) outputs.push_back(tensors[static_cast<size_t>(v)]);
  for (size_t v = 0; v < tensors.size(); ++v) drop(v);
  return outputs;
}

}  // namespace

Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, const EvaluateOptions& options) {
  Left left{options.budget, options.work};
  return evaluate_graph(graph, inputs, options, left);
}

}  // namespace tern
