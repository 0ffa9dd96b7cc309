// The table of rules. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

struct Row {
  const char* op;
  int64_t up_to;  // the newest opset whose nodes need the rule
  Rule rule;
};

// Within an operator: oldest first.
constexpr Row kRules[] = {
    {"Add", 6, broadcast_axis},
    {"And", 6, broadcast_axis},
    {"BatchNormalization", 13, batch_norm},
    {"Cast", 5, cast_by_name},
    {"Clip", 10, clip_to_inputs},
    {"Div", 6, broadcast_axis},
    {"Dropout", 28, dropout},
    {"Equal", 6, broadcast_axis},
    {"Greater", 6, broadcast_axis},
    {"GroupNormalization", 20, group_norm_18},
    {"Hardmax", 12, softmax_to_axis},
    {"Less", 6, broadcast_axis},
    {"LogSoftmax", 12, softmax_to_axis},
    {"Mul", 6, broadcast_axis},
    {"Or", 6, broadcast_axis},
    {"Pad", 10, pad_to_inputs},
    {"Pow", 6, broadcast_axis},
    {"ReduceL1", 17, axes_to_input},
    {"ReduceL2", 17, axes_to_input},
    {"ReduceLogSum", 17, axes_to_input},
    {"ReduceLogSumExp", 17, axes_to_input},
    {"ReduceMax", 17, axes_to_input},
    {"ReduceMean", 17, axes_to_input},
    {"ReduceMin", 17, axes_to_input},
    {"ReduceProd", 17, axes_to_input},
    {"ReduceSum", 12, axes_to_input},
    {"ReduceSumSquare", 17, axes_to_input},
    {"Reshape", 4, reshape_to_input},
    {"Resize", 10, resize_10},
    {"Scatter", 28, scatter},
    {"Slice", 9, slice_to_inputs},
    {"Softmax", 12, softmax_to_axis},
    {"Split", 17, split_to_input},
    {"Squeeze", 12, axes_to_input},
    {"Sub", 6, broadcast_axis},
    {"TopK", 9, topk_to_input},
    {"Unsqueeze", 12, axes_to_input},
    {"Upsample", 28, upsample},
    {"Xor", 6, broadcast_axis},
};

// Attributes that say nothing to a runtime: memory hints of opset 1, and switches whose only value here is inference.
void drop_ignorable(Incoming& node) {
  node.attrs.erase("consumed_inputs");
  if (node.op == "Cast" || node.op == "CastLike") node.attrs.erase("round_mode");
}

}  // namespace

void Incoming::ints_to_input(std::string_view from, size_t i) {
  if (!attrs.has(from)) return;
  set_input(i, ints(attrs.ints(from)));
  attrs.erase(from);
}

ValueId Incoming::emit(const char* op_name, std::vector<ValueId> in, Attributes attributes) {
  const ValueId v = graph.add_value(name + "." + op_name + std::to_string(graph.values.size()));
  graph.nodes.push_back({find_op(op_name), name + "." + op_name, std::move(attributes), std::move(in), {v}, {}});
  return v;
}

void Incoming::finish(const char* op_name, std::vector<ValueId> in, Attributes attributes) {
  graph.nodes.push_back({find_op(op_name), name, std::move(attributes), std::move(in), outputs, {}});
  emitted = true;
}

Status normalize(Incoming& node) {
  drop_ignorable(node);
  for (const Row& row : kRules) {
    if (node.op != row.op || node.opset > row.up_to) continue;
    return row.rule(node);
  }
  return {};
}

}  // namespace tern::onnx
