// MapBlocks: what is computed element by element between convolutions, on blocked values (conv.h), so that they need not be reordered for it;
// padding and nearest neighbours, too.
//   y = act(f(x))    f, the attribute `map`: nothing, or the operator of that name, Add Sub Mul Div Max Min PRelu BatchNormalization
//   Pad, Slice, Resize   zeros around it (`pads`; where negative it is cut), every `steps`-th element of that or each element `repeats` times along each
//                    spatial axis; all without a map
//   Shapes    x, y: blocked, of the same dims, each with its halo. The other operand of an operator of two: blocked like x, or plain with one element
//             a channel, [C] after the batch or [N,C,1...], or with one.
//   Cost      one read and one write an element: memory bound.
//   Numerics  those of the operators alone, to the bit.
//   Edges     NaN passes. The halo of y is zero whatever f of zero is.
//   Source    the ONNX operators of those names.
// Next: map_blocks.cpp, map_blocks.simd.cpp.
#pragma once
#include "kernels/conv/conv.h"

namespace tern {

extern const OpDef kMapBlocks;

enum class BlockMap : uint8_t { none, add, sub, mul, div, max, min, prelu, norm };

struct MapBlocksArgs {
  // Where a blocked value has its first real pixel, and floats from one to the next.
  struct Map {
    const float* data;
    int64_t image, block, row;
  };
  Map x, other;
  float* y;
  int64_t y_image, y_block, y_row;
  const float *scale, *bias, *mean, *variance;  // [C] of a norm
  float epsilon;
  BlockMap map;
  bool per_channel, single;  // other: one vector an image; one number
  ActivationSpec activation;
  int64_t channels, blocks, height, width;  // of y without halo and pads
  int64_t repeat_row, repeat_col;           // of x
  int64_t x_col;                            // floats from one element of x that is read to the next
  ConvHalo halo;                            // of y, and pads
  int64_t begin, end;                       // (image, block) pairs
};

TERN_EACH_ISA(extern const KernelRow map_blocks_f32;)  // map_blocks.simd.cpp

}  // namespace tern
