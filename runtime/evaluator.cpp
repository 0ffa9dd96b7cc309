// See evaluator.h. A value's tensor is dropped after its last reader, so that memory stays that of a plan.
#include "runtime/evaluator.h"

#include <algorithm>

#include "runtime/control/control.h"

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
    InferContext c(node.read(), std::move(in), 1, &symbols);
    if (Status s = infer_op(*node.op, c); !s) return s.error();
    const Shape& shape = c.outputs[0].shape;
    if (shape.known() && shape.concrete().count() == inputs[0].count()) {
      return std::vector<Tensor>{inputs[0].reshaped(shape.concrete())};
    }
  }
  return evaluate(*node.op, node.attrs, inputs, node.outputs.size(), options);
}

namespace {

void count_work(const Node& node, std::span<const Tensor> inputs, std::span<const Tensor> outputs, int64_t& work) {
  std::vector<TensorView> in, out;
  for (const Tensor& t : inputs) in.push_back(t.view());
  for (const Tensor& t : outputs) out.push_back(t.view());
  work -= std::min(work, work_of(*node.op, node.read(), in, out));
}

}  // namespace

Result<std::vector<Tensor>> evaluate_subgraph(const Graph& graph, std::span<const Tensor> inputs, EvaluateOptions& left) {
  std::vector<Tensor> tensors(graph.values.size());
  for (size_t v = 0; v < tensors.size(); ++v) tensors[v] = graph.values[v].constant;
  for (size_t i = 0; i < inputs.size(); ++i) tensors[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  std::vector<int32_t> readers = use_counts(graph);
  std::vector<bool> computed(graph.values.size(), false);
  auto drop = [&](size_t v) {
    if (computed[v]) left.budget += static_cast<int64_t>(tensors[v].bytes());
    tensors[v] = Tensor();
  };

  for (const Node& node : graph.nodes) {
    std::vector<Tensor> in;
    for (ValueId v : node.inputs) in.push_back(v == kNone ? Tensor() : tensors[static_cast<size_t>(v)]);
    const ControlDef* control = find_control(node.op);
    auto out = control != nullptr ? control->evaluate(graph, node, in, left) : evaluate_node(graph, node, in, left);
    if (!out) return out.error().within(describe(graph, node));
    if (control == nullptr) count_work(node, in, *out, left.work);
    in.clear();
    for (size_t o = 0; o < node.outputs.size() && o < out->size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      const auto v = static_cast<size_t>(node.outputs[o]);
      left.budget -= static_cast<int64_t>((*out)[o].bytes());  // a view counts as if it were a copy
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

Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, const EvaluateOptions& options) {
  EvaluateOptions left = options;
  return evaluate_subgraph(graph, inputs, left);
}

}  // namespace tern
