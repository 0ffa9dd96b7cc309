// Upsample and the Resize of opset 10: both sample at x * scale, which the newest Resize calls asymmetric. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

void asymmetric(Attributes& attrs) {
  attrs.set("coordinate_transformation_mode", std::string("asymmetric"));
  attrs.set("nearest_mode", std::string("floor"));
}

}  // namespace

// Opset 1: height_scale and width_scale of [N,C,H,W]; 7: scales; 9: an input.
Status upsample_to_resize(OnnxNode& node, Emitter& to) {
  if (node.version < 7 && node.attrs.has("height_scale")) {
    const float scales[] = {1, 1, node.old<float>("height_scale", 1), node.old<float>("width_scale", 1)};
    node.set_input(1, to.constant(Tensor::of<float>({4}, scales)));
    node.attrs.erase("height_scale");
    node.attrs.erase("width_scale");
  } else if (node.attrs.has("scales")) {
    const std::vector<float> scales = node.old<std::vector<float>>("scales");
    node.set_input(1, to.constant(Tensor::of<float>({static_cast<int64_t>(scales.size())}, scales)));
    node.attrs.erase("scales");
  }
  if (node.input(1) == kNone) return invalid("scales are required");
  if (node.old<std::string>("mode") == "bilinear") node.attrs.set("mode", std::string("linear"));
  asymmetric(node.attrs);
  node.op = "Resize";
  node.inputs = {node.inputs[0], kNone, node.inputs[1]};
  return {};
}

// Opset 10 takes the pixel at floor(x / scale) where an axis grows and at ceil(x / scale) where it shrinks, as its official example does.
// Axes are independent, so that one Resize for the shrinking ones and one for the others say the same, whatever the scales turn out to be.
Status resize_simple(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 2) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 2");
  ValueId x = node.inputs[0], scales = node.inputs[1];
  asymmetric(node.attrs);
  if (node.newest().s("mode") == "nearest") {
    const ValueId one = to.constant(Tensor::scalar(1.0f));
    Attributes shrink = node.attrs;
    shrink.set("nearest_mode", std::string("ceil"));
    const Tensor* known = to.contents(scales);
    bool shrinks = known == nullptr || known->dtype() != DType::f32;
    for (int64_t i = 0; !shrinks && i < known->count(); ++i) shrinks = known->data<float>()[i] < 1;
    if (shrinks) {
      x = to.emit("Resize", {x, kNone, to.emit("Min", {scales, one})}, shrink);
      scales = to.emit("Max", {scales, one});
    }
  }
  node.inputs = {x, kNone, scales};
  return {};
}

// tf_half_pixel_for_nn is half_pixel without its - 0.5: rounding the other way says the same.
Status resize_tensorflow(OnnxNode& node, Emitter&) {
  if (node.newest().s("coordinate_transformation_mode") != "tf_half_pixel_for_nn") return {};
  const std::string rounding = node.newest().s("nearest_mode");
  const bool floor = rounding == "floor";
  if (node.newest().s("mode") != "nearest" || (!floor && rounding != "round_prefer_floor")) {
    return unsupported("coordinate_transformation_mode tf_half_pixel_for_nn works with mode nearest, rounded by floor or round_prefer_floor");
  }
  node.attrs.set("coordinate_transformation_mode", std::string("half_pixel"));
  node.attrs.set("nearest_mode", std::string(floor ? "round_prefer_ceil" : "ceil"));
  return {};
}

// Opset 11 could not leave an input out in the middle: empty constants stand for absent ones.
Status resize_empty_inputs(OnnxNode& node, Emitter& to) {
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* t = to.contents(node.inputs[i]);
    if (t != nullptr && t->count() == 0) node.inputs[i] = kNone;
  }
  while (!node.inputs.empty() && node.inputs.back() == kNone) node.inputs.pop_back();
  return {};
}

}  // namespace tern::onnx
