// Operators that make tensors out of shapes and numbers.
//   Shape            y = dims of x, from `start` to `end`        Size   y = their product
//   ConstantOfShape  y[..] = value                               EyeLike  y[i, j] = (j == i + k)
//   Range            y[i] = start + i * delta, ceil((limit - start) / delta) of them
//   OneHot           y[.., d, ..] = (index[..] == d ? on : off) with the new axis of `depth`
//   Shapes    shapes are i64 tensors of rank 1; symbolic dims travel as symbols (InferContext::output_ints).
//   Cost      one write an element.
//   Numerics  Range multiplies and adds in its own dtype, rounding twice (floats), so that element i does not depend on the one before.
//   Edges     a Range whose limit lies behind its start is empty; OneHot: negative indices count from the end, others outside are off.
//   Source    the ONNX operators, newest opset.
// Next: shape.cpp, fill.cpp, one_hot.cpp; shape.cu, launch.cpp (a device's, never run on a GPU).
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kShape, kSize, kConstantOfShape, kRange, kEyeLike, kOneHot;

}  // namespace tern
