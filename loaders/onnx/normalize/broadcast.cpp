// Before opset 7, B was laid onto A from a given axis on; NumPy aligns last axes. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

// Input 1 gets trailing axes of extent 1, so that its axes fall on those of input 0 from `axis` on.
Status align(OnnxNode& node, Emitter& to, int64_t axis) {
  const TypeInfo a = to.type(node.input(0)), b = to.type(node.input(1));
  if (!a.shape.ranked() || !b.shape.ranked()) return unsupported("broadcasting of opset " + std::to_string(node.version) + " needs known ranks");
  if (axis < 0) axis += a.shape.rank();
  const int64_t trailing = a.shape.rank() - axis - b.shape.rank();
  if (axis < 0 || trailing < 0) return invalid("attribute axis does not fit the shapes " + a.shape.text() + " and " + b.shape.text());
  if (trailing == 0) return {};
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < trailing; ++i) axes.push_back(b.shape.rank() + i);
  node.inputs[1] = to.emit("Unsqueeze", {node.inputs[1], to.ints(axes)});
  return {};
}

}  // namespace

Status broadcast_axis(OnnxNode& node, Emitter& to) {
  const bool aligned = node.old<int64_t>("broadcast") != 0 && node.attrs.has("axis");
  const int64_t axis = node.old<int64_t>("axis");
  node.attrs.erase("broadcast");
  node.attrs.erase("axis");
  if (!aligned || node.inputs.size() != 2) return {};
  return align(node, to, axis);
}

// A slope of one element a channel lay on axis 1.
Status prelu_channels(OnnxNode& node, Emitter& to) {
  if (node.inputs.size() != 2) return invalid("has " + std::to_string(node.inputs.size()) + " inputs, expected 2");
  const TypeInfo x = to.type(node.inputs[0]), slope = to.type(node.inputs[1]);
  const bool single = slope.shape.ranked() && (slope.shape.rank() == 0 || (slope.shape.rank() == 1 && slope.shape[0].is(1)));
  if (single || (slope.shape.ranked() && slope.shape.rank() != 1) || (x.shape.ranked() && x.shape.rank() < 2)) return {};
  return align(node, to, 1);
}

}  // namespace tern::onnx
