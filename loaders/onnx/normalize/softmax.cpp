// Softmax, LogSoftmax and Hardmax before opset 13 flatten to two dimensions at `axis` (default 1) and normalise whole rows;
// since 13 they work along one axis. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {

Status softmax_to_axis(Incoming& node) {
  const int64_t axis = node.attrs.i("axis", 1);
  Attributes last, flat;
  last.set("axis", int64_t(-1));
  const Shape& x = node.graph.value(node.inputs[0]).type.shape;
  if (axis == -1 || (x.ranked() && axis == x.rank() - 1)) {  // the last axis means the same in both
    node.attrs = last;
    return {};
  }
  flat.set("axis", axis);
  const ValueId shape = node.emit("Shape", {node.inputs[0]});
  const ValueId rows = node.emit("Flatten", {node.inputs[0]}, flat);
  const ValueId y = node.emit(node.op.c_str(), {rows}, last);
  node.finish("Reshape", {y, shape});
  return {};
}

}  // namespace tern::onnx
