// Operators that compute each output element from the elements at the same place of their inputs.
//   Shapes    unary: y as x. Others: NumPy broadcasting (broadcast.h); y may equal any input of its own shape; no alignment needed.
//   Cost      8 bytes an element (12 binary) when FLOPs are few: memory bound beyond L2.
//   Numerics  f32: + - * / sqrt exact, the rest as simd_math.h states; trigonometry and pow through double, rounded once (0.51 ULP).
//             f64: portable_math.h. f16, bf16: computed wider, rounded once. Same bits for every ISA, part and alignment.
//   Edges     NaN propagates (Relu, Clip, Min, Max, Shrink too); integers wrap; integer x/0 and x%0 are 0, INT_MIN/-1 is INT_MIN;
//             shifts by the width or more give 0; float to integer out of range as in convert.h.
//   Source    the ONNX operators, newest opset.
// One kernel template for each arity: unary.h, binary.h, where.cpp. Next: unary.h, then unary.cpp.
#pragma once

namespace tern {

struct OpDef;
// unary.cpp, trigonometry.cpp
extern const OpDef kAbs, kCeil, kExp, kFloor, kIsInf, kIsNaN, kLog, kNeg, kReciprocal, kRound, kShrink, kSign, kSqrt;
extern const OpDef kAcos, kAcosh, kAsin, kAsinh, kAtan, kAtanh, kCos, kCosh, kSin, kSinh, kTan;
// activations.cpp
extern const OpDef kCelu, kClip, kElu, kErf, kGelu, kHardSigmoid, kHardSwish, kLeakyRelu, kMish, kRelu, kSelu, kSigmoid, kSoftplus,
    kSoftsign, kSwish, kTanh, kThresholdedRelu;
// arithmetic.cpp, mod.cpp, pow.cpp, bitwise.cpp
extern const OpDef kAdd, kDiv, kMul, kPRelu, kSub, kMod, kPow;
extern const OpDef kAnd, kBitShift, kBitwiseAnd, kBitwiseNot, kBitwiseOr, kBitwiseXor, kNot, kOr, kXor;
// compare.cpp
extern const OpDef kEqual, kGreater, kGreaterOrEqual, kLess, kLessOrEqual;
// variadic.cpp
extern const OpDef kMax, kMean, kMin, kSum;
// where.cpp, cast.cpp
extern const OpDef kWhere, kCast, kCastLike;

}  // namespace tern
