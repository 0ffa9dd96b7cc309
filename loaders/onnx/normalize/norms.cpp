// BatchNormalization and GroupNormalization of old opsets; parameters that differ from sample to sample. See normalize.h.
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
  const bool spatial = node.version > 8 || node.old<int64_t>("spatial", 1) != 0;
  node.attrs.erase("is_test");
  node.attrs.erase("spatial");
  node.attrs.erase("momentum");
  if (spatial) return {};
  const ValueId x = node.inputs[0], scale = node.inputs[1], bias = node.inputs[2], mean = node.inputs[3], variance = node.inputs[4];
  const ValueId epsilon = to.scalar_like(variance, node.newest().f("epsilon"));
  const ValueId deviation = to.emit("Sqrt", {to.emit("Add", {variance, epsilon})});
  const ValueId unit = to.emit("Div", {to.emit("Sub", {x, mean}), deviation});
  node.op = "Add";
  node.inputs = {to.emit("Mul", {unit, scale}), bias};
  node.attrs = {};
  return {};
}

// scale and bias per group become scale and bias per channel: [G] -> [G,1] -> [G,C/G] -> [C].
Status group_norm_channels(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 3) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 3");
  const int64_t groups = node.newest().i("num_groups");
  if (groups < 1) return invalid("attribute num_groups must be positive");
  const ValueId x = node.inputs[0];
  const TypeInfo type = to.type(x);
  ValueId shape;
  if (type.shape.ranked() && type.shape.rank() > 1 && type.shape[1].known()) {
    shape = to.ints({groups, type.shape[1].value() / groups});
  } else {
    Attributes channels, axis;
    channels.set("start", int64_t{1});
    channels.set("end", int64_t{2});
    axis.set("axis", int64_t{0});
    const ValueId count = to.ints({groups});
    shape = to.emit("Concat", {count, to.emit("Div", {to.emit("Shape", {x}, channels), count})}, axis);
  }
  for (size_t i = 1; i <= 2; ++i) {
    const ValueId column = to.emit("Reshape", {node.inputs[i], to.ints({-1, 1})});
    const ValueId spread = to.emit("Expand", {column, shape});
    node.inputs[i] = to.emit("Reshape", {spread, to.ints({-1})});
  }
  return {};
}

// LayerNormalization and RMSNormalization: Scale and B may broadcast to the whole of X and not only to the axes that are normalised, as
// when a network computes them for each sample. Then they are factors and terms of their own.
Status norm_parameters(OnnxNode& node, Emitter& to) {
  const Shape shape = to.type(node.input(0)).shape;
  const int64_t axis = node.newest().i("axis");
  if (!shape.ranked() || axis < -shape.rank() || axis >= shape.rank() || node.outputs.empty() || node.outputs[0] == kNone) return {};
  const int64_t normalised = axis < 0 ? -axis : shape.rank() - axis;
  auto is_wide = [&](ValueId v) {
    const Shape own = v == kNone ? Shape() : to.type(v).shape;
    for (int i = 0; own.ranked() && i < own.rank() - normalised; ++i) {
      if (!(own[i] == Dim(1))) return true;
    }
    return false;
  };
  const ValueId scale = node.input(1), bias = node.input(2);
  if (!is_wide(scale) && !is_wide(bias)) return {};
  std::vector<ValueId> outputs = node.outputs;
  ValueId y = outputs[0] = to.value(node.op.c_str());
  to.emit_to(node.op.c_str(), {node.inputs[0], to.scalar_like(scale, 1)}, node.attrs, std::move(outputs));
  node.outputs.resize(1);
  if (bias != kNone) y = to.emit("Mul", {y, scale});
  node.op = bias != kNone ? "Add" : "Mul";
  node.inputs = {y, bias != kNone ? bias : scale};
  node.attrs = {};
  return {};
}

}  // namespace tern::onnx
