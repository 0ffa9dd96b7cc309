// BatchNormalization and GroupNormalization of old opsets. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

// Inference is the only form: is_test and momentum go, and so do the outputs of training, which say from opset 7 on that the
// statistics of the batch are meant. With spatial = 0 every position of a
// sample has statistics of its own, which is plain arithmetic.
Status batch_norm_inference(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 5) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 5");
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNone && node.version > 6) return unsupported("it was exported in training mode (it has outputs beside Y)");
  }
  if (node.outputs.size() > 1) node.outputs.resize(1);
  const bool spatial = node.version > 8 || node.attrs.i("spatial", 1) != 0;
  node.attrs.erase("is_test");
  node.attrs.erase("spatial");
  node.attrs.erase("momentum");
  if (spatial) return {};
  const ValueId x = node.inputs[0], scale = node.inputs[1], bias = node.inputs[2], mean = node.inputs[3], variance = node.inputs[4];
  const ValueId epsilon = to.scalar_like(node, variance, node.attrs.f("epsilon", 1e-5f));
  const ValueId deviation = to.emit(node, "Sqrt", {to.emit(node, "Add", {variance, epsilon})});
  const ValueId unit = to.emit(node, "Div", {to.emit(node, "Sub", {x, mean}), deviation});
  node.op = "Add";
  node.inputs = {to.emit(node, "Mul", {unit, scale}), bias};
  node.attrs = {};
  return {};
}

// scale and bias per group become scale and bias per channel: [G] -> [G,1] -> [G,C/G] -> [C].
Status group_norm_channels(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 3) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 3");
  const int64_t groups = node.attrs.i("num_groups");
  if (groups < 1) return invalid("attribute num_groups must be positive");
  const ValueId x = node.inputs[0];
  const TypeInfo type = to.type(x);
  ValueId shape;
  if (type.shape.ranked() && type.shape.rank() > 1 && type.shape[1].known()) {
    shape = to.ints(node, {groups, type.shape[1].value() / groups});
  } else {
    Attributes channels, axis;
    channels.set("start", int64_t{1});
    channels.set("end", int64_t{2});
    axis.set("axis", int64_t{0});
    const ValueId count = to.ints(node, {groups});
    shape = to.emit(node, "Concat", {count, to.emit(node, "Div", {to.emit(node, "Shape", {x}, channels), count})}, axis);
  }
  for (size_t i = 1; i <= 2; ++i) {
    const ValueId column = to.emit(node, "Reshape", {node.inputs[i], to.ints(node, {-1, 1})});
    const ValueId spread = to.emit(node, "Expand", {column, shape});
    node.inputs[i] = to.emit(node, "Reshape", {spread, to.ints(node, {-1})});
  }
  return {};
}

}  // namespace tern::onnx
