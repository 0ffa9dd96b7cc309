// Clip, Dropout, GridSample, Selu and the recurrent operators of old opsets. See normalize.h.
#include <array>
#include <limits>

#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

Status clip_to_inputs(OnnxNode& node, Emitter& to) {
  const ValueId x = node.input(0);
  if (node.attrs.has("min")) node.set_input(1, to.scalar_like(x, node.old<float>("min")));
  if (node.attrs.has("max")) node.set_input(2, to.scalar_like(x, node.old<float>("max")));
  node.attrs.erase("min");
  node.attrs.erase("max");
  return {};
}

// From opset 6 on the bounds that are left out are the largest finite numbers: infinities are clipped too.
Status clip_finite(OnnxNode& node, Emitter& to) {
  if (node.version < 6 || (node.input(1) != kNone && node.input(2) != kNone)) return {};
  const DType dtype = to.type(node.input(0)).dtype;
  if (!is_float(dtype)) return {};
  const double most = dtype == DType::f64    ? std::numeric_limits<double>::max()
                      : dtype == DType::f16  ? 65504
                      : dtype == DType::bf16 ? 0x1.fep127
                                             : static_cast<double>(std::numeric_limits<float>::max());
  if (node.input(1) == kNone) node.set_input(1, to.constant(scalar_of(dtype, -most)));
  if (node.input(2) == kNone) node.set_input(2, to.constant(scalar_of(dtype, most)));
  return {};
}

// Inference: the data pass through.
Status dropout_inference(OnnxNode& node, Emitter&) {
  node.attrs.erase("ratio");
  node.attrs.erase("is_test");
  return {};
}

// The mask had the dtype of the data until opset 7 and was all zeros in inference (onnxruntime); bool and ones came with opsets 10 and 12.
Status dropout_mask(OnnxNode& node, Emitter& to) {
  if (node.outputs.size() < 2) return {};
  const ValueId mask = node.outputs[1];
  node.outputs.resize(1);
  if (mask == kNone) return {};
  const ValueId x = node.input(0);
  Attributes zero;
  zero.set("value", node.version < 10 ? Tensor::of<float>({1}, std::vector<float>{0}) : Tensor::of<bool>({1}, std::array{false}));
  const ValueId shape = to.emit("Shape", {x});
  if (node.version >= 10) to.emit_to("ConstantOfShape", {shape}, zero, {mask});
  else to.emit_to("CastLike", {to.emit("ConstantOfShape", {shape}, zero), x}, {}, {mask});
  return {};
}

Status grid_sample_modes(OnnxNode& node, Emitter&) {
  const std::string mode = node.old<std::string>("mode", "bilinear");
  if (mode == "bilinear") node.attrs.set("mode", std::string("linear"));
  if (mode == "bicubic") node.attrs.set("mode", std::string("cubic"));
  return {};
}

// Whether Y is written at all: the outputs say so themselves. Opset 1 misspells GRU's default direction.
Status output_sequence(OnnxNode& node, Emitter&) {
  node.attrs.erase("output_sequence");
  if (node.old<std::string>("direction") == "foward") node.attrs.set("direction", std::string("forward"));
  return {};
}

// Opset 1 rounds the constants to four places.
Status selu_constants(OnnxNode& node, Emitter&) {
  if (!node.attrs.has("alpha")) node.attrs.set("alpha", 1.6732f);
  if (!node.attrs.has("gamma")) node.attrs.set("gamma", 1.0507f);
  return {};
}

}  // namespace tern::onnx
