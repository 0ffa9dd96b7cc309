// Reshape, Pad, Concat, Scatter, Cast, Tile and pools of old opsets. See normalize.h.
#include <numeric>

#include "loaders/onnx/normalize/normalize.h"
#include "loaders/onnx/tensors.h"
#include "loaders/onnx/text.h"

namespace tern::onnx {

Status reshape_to_input(OnnxNode& node, Emitter& to) {
  if (!node.attrs.has("shape")) return invalid("attribute shape is required");
  node.set_input(1, to.ints(node.old<std::vector<int64_t>>("shape")));
  node.attrs.erase("shape");
  return {};
}

// Opset 1 spells the attribute `paddings`. A value of 0 is what an absent input means.
Status pad_to_inputs(OnnxNode& node, Emitter& to) {
  const char* name = node.attrs.has("pads") ? "pads" : "paddings";
  if (!node.attrs.has(name)) return invalid("attribute pads is required");
  node.set_input(1, to.ints(node.old<std::vector<int64_t>>(name)));
  const float value = node.old<float>("value");
  if (value != 0) node.set_input(2, to.scalar_like(node.input(0), value));
  node.attrs.erase(name);
  node.attrs.erase("value");
  return {};
}

Status concat_axis(OnnxNode& node, Emitter&) {
  if (!node.attrs.has("axis")) node.attrs.set("axis", int64_t{1});
  return {};
}

Status scatter_elements(OnnxNode& node, Emitter&) {
  node.op = "ScatterElements";
  return {};
}

Status cast_names(OnnxNode& node, Emitter&) {
  const std::string to = node.old<std::string>("to");
  const int64_t number = data_type_number(to);
  if (number == 0) return invalid("attribute to is " + quoted(to) + ", which is no dtype");
  node.attrs.set("to", number);
  return {};
}

// round_mode is about 8-bit floats only, which are refused.
Status cast_rounding(OnnxNode& node, Emitter&) {
  node.attrs.erase("round_mode");
  return {};
}

// How often, along one axis: both were inputs of the data's dtype. Now a list, one number an axis.
Status tile_repeats(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 3) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 3");
  const TypeInfo x = to.type(node.input(0));
  if (!x.shape.ranked()) return unsupported("Tile of opset " + std::to_string(node.version) + " needs a known rank");
  std::vector<int64_t> axes(static_cast<size_t>(x.shape.rank()));
  std::iota(axes.begin(), axes.end(), int64_t{0});
  Attributes i64;
  i64.set("to", int64_t{7});
  const ValueId times = to.emit("Cast", {node.inputs[1]}, i64), axis = to.emit("Cast", {node.inputs[2]}, i64);
  const ValueId here = to.emit("Equal", {to.ints(axes), axis});
  node.inputs = {node.inputs[0], to.emit("Where", {here, times, to.ints({1})})};
  return {};
}

// p was a float.
Status lp_pool_order(OnnxNode& node, Emitter&) {
  const float p = node.old<float>("p", 2);
  const int64_t whole = p > 0 && p < 1000 ? static_cast<int64_t>(p) : 0;
  if (static_cast<float>(whole) != p) return unsupported("p must be a positive integer");
  node.attrs.set("p", whole);
  return {};
}

}  // namespace tern::onnx
