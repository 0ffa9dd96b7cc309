// See evaluator.h. A value is dropped after its last reader, so that memory stays that of a plan.
#include "runtime/evaluator.h"

#include <algorithm>

#include "runtime/base/checked.h"
#include "runtime/control/control.h"

namespace tern {

static EvaluateOptions with_constants(const Graph& graph, const Node& node, EvaluateOptions options) {
  options.constants = 0;
  for (size_t i = 0; i < node.inputs.size() && i < 32; ++i) {
    if (graph.is_constant(node.inputs[i])) options.constants |= 1u << i;
  }
  return options;
}

Result<std::vector<Tensor>> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> inputs, const EvaluateOptions& left) {
  const EvaluateOptions options = with_constants(graph, node, left);
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
  in.reserve(inputs.size());
  out.reserve(outputs.size());
  for (const Tensor& t : inputs) in.push_back(t.view());
  for (const Tensor& t : outputs) out.push_back(t.view());
  int64_t done = work_of(op, AttrReader(op.attrs, attrs), in, out);
  if (op.compute != nullptr) {
    for (const Tensor& t : inputs) done = checked_add(done, t.text_bytes()).value_or(INT64_MAX);
  }
  work -= std::min(work, done);
  return {std::make_move_iterator(outputs.begin()), std::make_move_iterator(outputs.end())};
}

// The dims of a view as inference has found them, when it has: of an input of these dims, and what else is read is constant.
std::optional<Dims> inferred_view(const Graph& graph, const Node& node, const Tensor& x) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNone) continue;
    const Value& value = graph.value(node.inputs[i]);
    if (i == 0 ? !value.type.shape.known() || value.type.shape.concrete() != x.dims() : !value.constant.present()) return std::nullopt;
  }
  if (node.outputs[0] == kNone || !graph.value(node.outputs[0]).type.shape.known()) return std::nullopt;
  const Dims dims = graph.value(node.outputs[0]).type.shape.concrete();
  return dims.count() == x.count() ? std::optional(dims) : std::nullopt;
}

Result<std::vector<Datum>> run_node(const Graph& graph, const Node& node, std::span<const Datum> inputs, EvaluateOptions& left, KeptNode* kept) {
  if (const ControlDef* control = find_control(node.op)) return control->evaluate(graph, node, inputs, left);
  if (node.op->any_kind && !inputs[0].tensor.present()) return std::vector<Datum>{inputs[0]};
  if (node.op->view && node.outputs.size() == 1 && inputs[0].tensor.present()) {
    if (const std::optional<Dims> dims = inferred_view(graph, node, inputs[0].tensor)) return std::vector<Datum>{inputs[0].tensor.reshaped(*dims)};
  }
  std::vector<Tensor> tensors;  // infer_op has refused inputs that are none
  tensors.reserve(inputs.size());
  for (const Datum& d : inputs) tensors.push_back(d.tensor);
  if (kept != nullptr && !node.op->view) {
    if (kept->tries < KeptNode::kTries && (!kept->op || !kept->op->fits(tensors))) {
      ++kept->tries;
      kept->op = PreparedOp::make(*node.op, node.attrs, tensors, node.outputs.size(), with_constants(graph, node, left));
      if (kept->op) left.budget -= kept->op->bytes();
    }
    if (kept->op && kept->op->fits(tensors) && kept->op->affordable(left)) {
      left.work -= kept->op->work();
      auto out = kept->op->run(tensors);
      if (!out) return out.error();
      return std::vector<Datum>(std::make_move_iterator(out->begin()), std::make_move_iterator(out->end()));
    }
  }
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

Result<std::vector<Datum>> evaluate_graph(const Graph& graph, std::span<const Datum> inputs, EvaluateOptions& left, KeptNodes* kept) {
  if (kept != nullptr) kept->resize(graph.nodes.size());
  std::vector<Datum> data(graph.values.size());
  for (size_t v = 0; v < data.size(); ++v) data[v] = graph.values[v].constant;
  for (size_t i = 0; i < inputs.size(); ++i) data[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  std::vector<int32_t> readers = use_counts(graph);
  std::vector<bool> computed(graph.values.size(), false);
  auto drop = [&](size_t v) {
    if (computed[v]) left.budget += data[v].bytes();
    data[v] = Datum();
  };

  std::vector<Datum> in;
  for (const Node& node : graph.nodes) {
    in.reserve(node.inputs.size());
    for (ValueId v : node.inputs) in.push_back(v == kNone ? Datum() : data[static_cast<size_t>(v)]);
    auto out = run_node(graph, node, in, left, kept != nullptr ? &(*kept)[static_cast<size_t>(&node - graph.nodes.data())] : nullptr);
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
  outputs.reserve(graph.outputs.size());
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
