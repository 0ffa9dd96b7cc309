// Softmax, LogSoftmax and Hardmax before opset 13 normalised whole rows of a flattened tensor; since then, one axis. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

// Before opset 13 the whole of [axis, rank) is one row: Flatten, Softmax, and Reshape back. When only one axis is in that range, the
// newest form says the same without.
Status flat_softmax(OnnxNode& node, Emitter& to) {
  const int64_t axis = node.old<int64_t>("axis", 1);
  const TypeInfo type = to.type(node.input(0));
  if (axis == -1 || (type.shape.ranked() && axis == type.shape.rank() - 1)) {
    node.attrs.set("axis", int64_t{-1});
    return {};
  }
  const ValueId x = node.input(0);
  Attributes flatten, softmax = node.attrs;
  flatten.set("axis", axis);
  softmax.set("axis", int64_t{-1});
  const ValueId flat = to.emit("Flatten", {x}, flatten);
  const ValueId y = to.emit(node.op.c_str(), {flat}, softmax);
  const ValueId shape = to.emit("Shape", {x});
  node.op = "Reshape";
  node.inputs = {y, shape};
  node.attrs = {};
  node.attrs.set("allowzero", int64_t{1});  // a dimension of the input may be 0
  return {};
}

}  // namespace tern::onnx
