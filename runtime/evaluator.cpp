// See evaluator.h. A value is dropped after its last reader, so that memory stays that of a plan.
#include "runtime/evaluator.h"

#include <algorithm>

#include "runtime/base/checked.h"
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

int64_t Datum::bytes() const {
  auto of = [](const Tensor& t) { return checked_add(static_cast<int64_t>(t.bytes()), t.text_bytes()).value_or(INT64_MAX / 2); };
  int64_t sum = of(tensor);
  if (elements == nullptr) return sum;
  for (const Tensor& t : *elements) sum = checked_add(sum, kElementBytes + of(t)).value_or(INT64_MAX / 2);
  return sum;
}

namespace {

// Counts the work of what has been computed.
std::vector<Datum> counted(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, std::vector<Tensor> outputs, int64_t& work) {
  std::vector<TensorView> in, out;
  for (const Tensor& t : inputs) in.push_back(t.view());
  for (const Tensor& t : outputs) out.push_back(t.view());
  int64_t done = work_of(op, AttrReader(op.attrs, attrs), in, out);
  if (op.compute != nullptr) {
    for (const Tensor& t : inputs) done = checked_add(done, t.text_bytes()).value_or(INT64_MAX);
  }
  work -= std::min(work, done);
  return {std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end())};
}

Result<std::vector<Datum>> run_node(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left) {
  if (const ControlDef* control = find_control(node.op)) return control->evaluate(graph, node, inputs, left);
  if (node.op->any_kind && !inputs[0].tensor.present()) return std::vector<Datum>{inputs[0]};
  std::vector<Tensor> tensors;  // infer_op has refused inputs that are none
  for (const Datum& d : inputs) tensors.push_back(d.tensor);
  auto out = evaluate_node(graph, node, tensors, left);
  if (!out) return out.error();
  return counted(*node.op, node.attrs, tensors, std::move(*out), left.work);
}

}  // namespace

Result<std::vector<Datum>> evaluate_op(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, EvaluateOptions& left) {
  auto out = evaluate(op, attrs, inputs, 1, left);
  if (!out) return out.error();
  return counted(op, attrs, inputs, std::move(*out), left.work);
}

Result<std::vector<Datum>> evaluate_graph(const Graph& graph, std::span<const Datum> inputs, EvaluateOptions& left) {
  std::vector<Datum> data(graph.values.size());
  for (size_t v = 0; v < data.size(); ++v) data[v] = graph.values[v].constant;
  for (size_t i = 0; i < inputs.size(); ++i) data[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  std::vector<int32_t> readers = use_counts(graph);
  std::vector<bool> computed(graph.values.size(), false);
  auto drop = [&](size_t v) {
    if (computed[v]) left.budget += data[v].bytes();
    data[v] = Datum();
  };

  for (const Node& node : graph.nodes) {
    std::vector<Datum> in;
    for (ValueId v : node.inputs) in.push_back(v == kNone ? Datum() : data[static_cast<size_t>(v)]);
    auto out = run_node(graph, node, in, left);
    if (!out) return out.error().within(describe(graph, node));
    in.clear();
    for (size_t o = 0; o < node.outputs.size() && o < out->size(); ++o) {
      if (node.outputs[o] == kNone) continue;
      const auto v = static_cast<size_t>(node.outputs[o]);
      left.budget -= (*out)[o].bytes();  // a view counts as if it were a copy
      data[v] = std::move((*out)[o]);
      computed[v] = true;
      if (readers[v] == 0) drop(v);
    }
    for (ValueId v : node.inputs) {
      if (v != kNone && --readers[static_cast<size_t>(v)] == 0) drop(static_cast<size_t>(v));
    }
  }
  std::vector<Datum> outputs;
  for (ValueId v : graph.outputs) outputs.push_back(data[static_cast<size_t>(v)]);
  for (size_t v = 0; v < data.size(); ++v) drop(v);
  return outputs;
}

Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, const EvaluateOptions& options) {
  EvaluateOptions left = options;
  const std::vector<Datum> data(inputs.begin(), inputs.end());
  auto out = evaluate_graph(graph, data, left);
  if (!out) return out.error();
  std::vector<Tensor> tensors;
  for (Datum& d : *out) tensors.push_back(std::move(d.tensor));
  return tensors;
}

}  // namespace tern
