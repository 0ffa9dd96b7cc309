// Attributes that became inputs: axes, split, starts and ends, k. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

// Attribute `name` (a list) becomes input i; nothing when the node has none.
Status move_ints(OnnxNode& node, Emitter& to, const char* name, size_t i) {
  const Attributes::Value* value = node.attrs.find(name);
  if (value == nullptr) return {};
  const auto* list = std::get_if<std::vector<int64_t>>(value);
  if (list == nullptr) return invalid(std::string("attribute ") + name + " must be integers");
  node.set_input(i, to.ints(*list));
  node.attrs.erase(name);
  return {};
}

}  // namespace

Status axes_to_input(OnnxNode& node, Emitter& to) { return move_ints(node, to, "axes", 1); }

// Opset 1 also takes the sizes as an input of the data's dtype.
Status split_sizes(OnnxNode& node, Emitter& to) {
  if (node.input(1) == kNone) return {};
  Attributes i64;
  i64.set("to", int64_t{7});
  node.inputs[1] = to.emit("Cast", {node.inputs[1]}, i64);
  return {};
}

Status split_to_input(OnnxNode& node, Emitter& to) { return move_ints(node, to, "split", 1); }

// Split in equal parts: as many as there are outputs, which the newest form says itself.
Status split_count(OnnxNode& node, Emitter&) {
  if (node.input(1) == kNone) node.attrs.set("num_outputs", static_cast<int64_t>(node.outputs.size()));
  return {};
}

Status slice_to_inputs(OnnxNode& node, Emitter& to) {
  if (!node.attrs.has("starts") || !node.attrs.has("ends")) return invalid("attributes starts and ends are required");
  if (Status s = move_ints(node, to, "starts", 1); !s) return s;
  if (Status s = move_ints(node, to, "ends", 2); !s) return s;
  return move_ints(node, to, "axes", 3);
}

Status topk_to_input(OnnxNode& node, Emitter& to) {
  if (!node.attrs.has("k")) return invalid("attribute k is required");
  node.set_input(1, to.ints({node.old<int64_t>("k")}));
  node.attrs.erase("k");
  return {};
}

}  // namespace tern::onnx
