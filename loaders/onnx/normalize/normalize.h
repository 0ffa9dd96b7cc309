// Normalisation: nodes of opsets 1 to 27 become nodes that mean what the newest opset says. Each rule is one small function in the file of
// its subject, and one line in normalize.cpp: an operator, the newest opset that still needs the rule, the function.
// Where ONNX's Softmax-7 becomes Softmax-13: softmax.cpp. Next: import.cpp.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "runtime/graph.h"

namespace tern::onnx {

constexpr int64_t kNewestOpset = 28;

// One node on its way in. A rule changes it and lets it pass, or emits others in its place.
struct Incoming {
  Graph& graph;
  std::string op;
  std::string name;
  int64_t opset;
  Attributes attrs;
  std::vector<ValueId> inputs, outputs;
  bool emitted = false;  // the rule has produced the outputs itself

  bool has(size_t i) const { return i < inputs.size() && inputs[i] != kNone; }
  // Sets input i, with absent ones before it.
  void set_input(size_t i, ValueId v) {
    if (inputs.size() <= i) inputs.resize(i + 1, kNone);
    inputs[i] = v;
  }
  // The attribute `from`, a list of integers, becomes input i (a 1-D i64 constant); nothing when it is absent.
  void ints_to_input(std::string_view from, size_t i);
  ValueId constant(Tensor t) { return graph.add_constant(name + "." + std::to_string(graph.values.size()), std::move(t)); }
  ValueId ints(std::vector<int64_t> values) { return constant(Tensor::ints(values)); }
  // A node before this one; gives its only output.
  ValueId emit(const char* op_name, std::vector<ValueId> in, Attributes attributes = {});
  // A node that produces this one's outputs.
  void finish(const char* op_name, std::vector<ValueId> in, Attributes attributes = {});
};

using Rule = Status (*)(Incoming&);

// Applies the rules for node.op at node.opset, oldest first. Afterwards node.op is a catalog name (or unknown to this build).
Status normalize(Incoming& node);

// The rules, by subject.
Status axes_to_input(Incoming&);
Status softmax_to_axis(Incoming&);
Status split_to_input(Incoming&);
Status slice_to_inputs(Incoming&);
Status pad_to_inputs(Incoming&);
Status clip_to_inputs(Incoming&);
Status dropout(Incoming&);
Status batch_norm(Incoming&);
Status resize_10(Incoming&);
Status upsample(Incoming&);
Status topk_to_input(Incoming&);
Status reshape_to_input(Incoming&);
Status broadcast_axis(Incoming&);
Status scatter(Incoming&);
Status group_norm_18(Incoming&);
Status cast_by_name(Incoming&);

}  // namespace tern::onnx
