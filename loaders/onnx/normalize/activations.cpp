// Clip, Dropout, GridSample, Selu of old opsets. See normalize.h.
#include <array>
#include <limits>

#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

// The bounds that old opsets imply are the finite ones: infinities are clipped too.
Status clip_to_inputs(OnnxNode& node, Emitter& to) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const ValueId x = node.input(0);
  const bool f16 = to.type(x).dtype == DType::f16;  // has no room for kMost
  const float low = node.attrs.f("min", -kMost), high = node.attrs.f("max", kMost);
  if (!f16 || low > -65504) node.set_input(1, to.scalar_like(node, x, low));
  if (!f16 || high < 65504) node.set_input(2, to.scalar_like(node, x, high));
  node.attrs.erase("min");
  node.attrs.erase("max");
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
  const ValueId shape = to.emit(node, "Shape", {x});
  if (node.version >= 10) to.emit_to(node, "ConstantOfShape", {shape}, zero, {mask});
  else to.emit_to(node, "CastLike", {to.emit(node, "ConstantOfShape", {shape}, zero), x}, {}, {mask});
  return {};
}

Status grid_sample_modes(OnnxNode& node, Emitter&) {
  const std::string mode = node.attrs.s("mode", "bilinear");
  if (mode == "bilinear") node.attrs.set("mode", std::string("linear"));
  if (mode == "bicubic") node.attrs.set("mode", std::string("cubic"));
  return {};
}

// Opset 1 rounds the constants to four places.
Status selu_constants(OnnxNode& node, Emitter&) {
  if (!node.attrs.has("alpha")) node.attrs.set("alpha", 1.6732f);
  if (!node.attrs.has("gamma")) node.attrs.set("gamma", 1.0507f);
  return {};
}

}  // namespace tern::onnx
