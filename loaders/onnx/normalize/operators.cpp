// Operators whose meaning, not only whose spelling, changed: Dropout, BatchNormalization, GroupNormalization, Resize, Upsample, Scatter.
// See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

// Inference only: the ratio says nothing. Since opset 12 training_mode is an input.
Status dropout(Incoming& node) {
  if (node.has(2)) {
    const Tensor& training = node.graph.value(node.inputs[2]).constant;
    if (!training.present() || training.dtype() != DType::boolean || training.count() != 1 || *training.data<bool>()) {
      return unsupported("training mode is not supported");
    }
  }
  node.inputs.resize(1);
  node.attrs = {};
  return {};
}

// Outputs behind the first are running statistics of training; `spatial` = 0 means statistics per activation.
Status batch_norm(Incoming& node) {
  if (node.attrs.i("spatial", 1) == 0) return unsupported("spatial = 0 is not supported");
  for (const char* a : {"spatial", "is_test", "momentum", "training_mode"}) {
    if (std::string_view(a) != "training_mode" || node.attrs.i("training_mode") == 0) node.attrs.erase(a);
  }
  for (size_t o = 1; o < node.outputs.size(); ++o) node.outputs[o] = kNone;
  node.outputs.resize(1);
  return {};
}

// Scale and bias per group (18) become per channel (21): each group's value repeated for its channels.
Status group_norm_18(Incoming& node) {
  const int64_t groups = node.attrs.i("num_groups");
  const Shape& x = node.graph.value(node.inputs[0]).type.shape;
  const Shape& s = node.graph.value(node.inputs[1]).type.shape;
  if (!x.ranked() || x.rank() < 2 || !x[1].known() || groups <= 0 || x[1].value() % groups != 0) {
    return unsupported("the opset-18 form needs a known number of channels");
  }
  if (s.ranked() && s.rank() == 1 && s[0].known() && s[0].value() == x[1].value() && groups != x[1].value()) return {};  // per channel already
  const int64_t repeat = x[1].value() / groups;
  for (size_t i : {1u, 2u}) {
    const ValueId column = node.emit("Reshape", {node.inputs[i], node.ints({groups, 1})});
    const ValueId wide = node.emit("Expand", {column, node.ints({groups, repeat})});
    node.inputs[i] = node.emit("Reshape", {wide, node.ints({-1})});
  }
  return {};
}

// Opset 10: inputs X, scales; asymmetric coordinates, nearest rounds down.
Status resize_10(Incoming& node) {
  const ValueId scales = node.inputs.size() > 1 ? node.inputs[1] : kNone;
  node.inputs = {node.inputs[0], kNone, scales};
  node.attrs.set("coordinate_transformation_mode", std::string("asymmetric"));
  node.attrs.set("nearest_mode", std::string("floor"));
  return {};
}

// Upsample: scales as an attribute (7) or an input (9); opset 1 had height_scale and width_scale.
Status upsample(Incoming& node) {
  if (node.attrs.has("scales")) {
    const std::vector<float> scales = node.attrs.floats("scales");
    node.set_input(1, node.constant(Tensor::of<float>({static_cast<int64_t>(scales.size())}, scales)));
  } else if (node.attrs.has("height_scale")) {
    const std::vector<float> scales = {1, 1, node.attrs.f("height_scale"), node.attrs.f("width_scale")};
    node.set_input(1, node.constant(Tensor::of<float>({4}, scales)));
  }
  std::string mode = node.attrs.s("mode", "nearest");
  if (mode == "bilinear") mode = "linear";
  node.attrs = {};
  node.attrs.set("mode", mode);
  node.op = "Resize";
  return resize_10(node);
}

Status scatter(Incoming& node) {
  node.op = "ScatterElements";
  return {};
}

}  // namespace tern::onnx
