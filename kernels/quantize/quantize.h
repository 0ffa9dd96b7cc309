// Between real numbers and scaled integers.
//   QuantizeLinear         y = saturate(round_to_even(x / scale) + zero_point)
//   DequantizeLinear       y = (x - zero_point) * scale
//   DynamicQuantizeLinear  scale = (max(x, 0) - min(x, 0)) / 255, zero_point = saturate(round_to_even(-min / scale)), then as above
//   Shapes    scale and zero_point: one for all ([] or [1], each on its own), one for each index of `axis`, or one for each block of block_size along `axis`.
//   Cost      one division or product an element: memory bound.
//   Numerics  computed in f32 whatever x is; the integer part is exact. y is u8 i8 u16 i16 (or i32 on the way back).
//   Edges     NaN becomes the zero point's lowest value; an all-zero x has scale 1. Nothing saturates on the way back.
//   Source    the ONNX operators, opset 25 without the types of 8 and fewer float bits.
// On a device the same bits; never run on a GPU. Next: linear.h, quantize.simd.cpp, quantize.cpp; quantize.cu, launch.cpp (a device's); then integer.h.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kQuantizeLinear, kDequantizeLinear, kDynamicQuantizeLinear;

}  // namespace tern
