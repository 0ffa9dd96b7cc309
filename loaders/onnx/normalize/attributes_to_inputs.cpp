// What used to be attributes and is inputs now: axes, split sizes, slice bounds, pads, clip bounds, k, shapes. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

Status axes_to_input(Incoming& node) {
  node.ints_to_input("axes", 1);
  return {};
}

Status split_to_input(Incoming& node) {
  if (node.attrs.has("split")) node.ints_to_input("split", 1);
  if (!node.has(1) && !node.attrs.has("num_outputs")) node.attrs.set("num_outputs", static_cast<int64_t>(node.outputs.size()));
  return {};
}

Status slice_to_inputs(Incoming& node) {
  if (!node.attrs.has("starts") || !node.attrs.has("ends")) return invalid("attributes starts and ends are required");
  node.ints_to_input("starts", 1);
  node.ints_to_input("ends", 2);
  node.ints_to_input("axes", 3);
  return {};
}

Status pad_to_inputs(Incoming& node) {
  node.ints_to_input("pads", 1);
  node.ints_to_input("paddings", 1);
  if (const float value = node.attrs.f("value"); value != 0) node.set_input(2, node.constant(Tensor::scalar(value)));
  node.attrs.erase("value");
  return {};
}

Status clip_to_inputs(Incoming& node) {
  for (size_t i : {1u, 2u}) {
    const char* from = i == 1 ? "min" : "max";
    if (node.attrs.has(from)) node.set_input(i, node.constant(Tensor::scalar(node.attrs.f(from))));
    node.attrs.erase(from);
  }
  return {};
}

Status topk_to_input(Incoming& node) {
  if (!node.attrs.has("k")) return invalid("attribute k is required");
  node.set_input(1, node.ints({node.attrs.i("k")}));
  node.attrs.erase("k");
  return {};
}

Status reshape_to_input(Incoming& node) {
  node.ints_to_input("shape", 1);
  return {};
}

// Before opset 6 a type's name.
Status cast_by_name(Incoming& node) {
  constexpr const char* kNames[] = {"UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL",
                                    "FLOAT16", "DOUBLE", "UINT32", "UINT64"};
  const std::string to = node.attrs.s("to");
  for (int64_t i = 0; i < 14; ++i) {
    if (to == kNames[i]) node.attrs.set("to", i);
  }
  return {};
}

// Before opset 7 operands broadcast only when asked, the second one's dims placed at `axis`.
Status broadcast_axis(Incoming& node) {
  const bool placed = node.attrs.i("broadcast") != 0 && node.attrs.has("axis");
  const int64_t axis = node.attrs.i("axis");
  node.attrs.erase("broadcast");
  node.attrs.erase("axis");
  if (!placed || node.inputs.size() != 2) return {};
  const Shape& a = node.graph.value(node.inputs[0]).type.shape;
  const Shape& b = node.graph.value(node.inputs[1]).type.shape;
  if (!a.ranked() || !b.ranked()) return unsupported("broadcasting at an axis (opset 6 and older) needs known ranks");
  std::vector<int64_t> trailing;  // axes of size 1 behind the second operand's dims
  const int64_t at = axis < 0 ? axis + a.rank() : axis;
  for (int64_t i = b.rank(); at + i < a.rank(); ++i) trailing.push_back(i);
  if (!trailing.empty()) node.inputs[1] = node.emit("Unsqueeze", {node.inputs[1], node.ints(trailing)});
  return {};
}

}  // namespace tern::onnx
