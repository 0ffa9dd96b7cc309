// Operators that compute each output element from the elements at the same place of their inputs.
//   Shapes    unary: y as x. Others: NumPy broadcasting (broadcast.h); y may equal any input of its own shape; no alignment needed.
//   Cost      8 bytes an element (12 binary) when FLOPs are few: memory bound beyond L2.
//   Numerics  f32: + - * / sqrt exact, the rest as simd_math.h states; trigonometry and pow through double, rounded once (0.51 ULP).
//             f64: portable_math.h. f16, bf16: computed wider, rounded once. Same bits for every ISA, part and alignment, and on a device
//             (device.h), where f64 subnormals, of what lies between too, are not flushed. (What a GPU makes of an f32 result in the last unit
//             below the smallest normal number, NVIDIA does not document.)
//   Edges     NaN propagates (Relu, Clip, Min, Max, Shrink too); integers wrap; integer x/0 and x%0 are 0, INT_MIN/-1 is INT_MIN;
//             shifts by the width or more give 0; float to integer out of range as in convert.h.
//   Source    the ONNX operators, newest opset.
// A file a group of operators: unary.cpp, trigonometry.cpp, activations.cpp; arithmetic.cpp, mod.cpp, pow.cpp, bitwise.cpp, compare.cpp,
// variadic.cpp; where.cpp, cast.cpp; beside each the .cu of the same name. One kernel template for each arity: unary.h, binary.h; for a device
// device.cuh. What they compute: unary_functions.h, binary_functions.h. Next: unary.h, then unary.cpp.
#pragma once

namespace tern {

struct OpDef;
// Those that others name; the catalog declares the rest.
extern const OpDef kAdd, kDiv, kMul, kSwish;

}  // namespace tern
