// What stands between quantised values and needs no f32 in memory: the same bits as DequantizeLinear, the operator and QuantizeLinear, one after the
// other.
//   QuantizedAdd, QuantizedMul  y = quantize(dequantize(a) + dequantize(b)), one scale and zero point each
//   Lookup8                     y = table[x]: any function of one value between the two, computed for all 256 when the graph was fused
//   QuantizedMean               GlobalAveragePool, QuantizedAveragePool  AveragePool; x and y [N,C,spatial], or, as channels_last says (kernels/layouts.h),
//                               one of them or both [N,spatial,C]
//   MaxPoolLast                 MaxPool of x [N,H,W,C]: a maximum is one before and after scaling
//   Shapes    a, b and y alike, or b 1 in a run of dims (a number for each channel); table [256], of the dtype of y, entry i for the byte i of x.
//   Cost      an element: two products, a sum, a multiplication by a reciprocal that is corrected; a load; taps sums or comparisons,
//             of 16 to 64 channels an instruction.
//   Numerics  in f32, in the order of linear.h; the same bits on every ISA.
//   Edges     as QuantizeLinear. A window of MaxPoolLast that holds no element gives the lowest value.
//   Source    tern's own (runtime/fuse/quantized_maps.cpp, runtime/last_channels.h makes them); of the CPU alone.
// Next: mapped.simd.cpp, mapped.cpp, mapped_pools.cpp.
#pragma once
#include <stdint.h>

#include "kernels/pool/portable.h"

namespace tern {

struct OpDef;
extern const OpDef kLookup8, kMaxPoolLast, kQuantizedAdd, kQuantizedAveragePool, kQuantizedMean, kQuantizedMul;

struct QuantizedPair {
  const uint8_t *a, *b;
  uint8_t* y;
  bool a_signed, b_signed, y_signed, product;
  const float *a_scale, *b_scale, *y_scale;
  const uint8_t *a_zero, *b_zero, *y_zero;
  int64_t columns, repeat;  // a in rows of so many, `repeat` of which meet the same row of b; 0: a and b are alike
  bool single;              // a row of b is one element
  int64_t begin, end;       // rows, or elements where they are alike
};
// What is between one input and one output.
struct QuantizedEnds {
  const uint8_t* x;
  uint8_t* y;
  bool x_signed, y_signed;
  const float *x_scale, *y_scale;
  const uint8_t *x_zero, *y_zero;
};
struct QuantizedMeanArgs {
  QuantizedEnds ends;
  bool last;
  int64_t channels, rows, columns;  // of a map
  int64_t begin, end;               // blocks of sixteen channels, of all images
};
struct QuantizedAverageArgs {
  QuantizedEnds ends;
  PoolWindow<int64_t> window;
  bool include_pad;
  int64_t channels, x_channel, y_channel;  // from one to the next: 1, or the pixels of a map
  int64_t begin, end;                      // rows of y, of all images
};
struct Lookup8Args {
  const uint8_t *x, *table;
  uint8_t* y;
  int64_t begin, end;
};
struct MaxPoolLastArgs {
  const uint8_t* x;
  uint8_t* y;
  bool is_signed;
  PoolWindow<int64_t> window;
  int64_t channels;
  int64_t begin, end;  // rows of y, of all images
};

TERN_EACH_ISA(extern const KernelRow quantized_pair_i8; extern const KernelRow quantized_average_i8; extern const KernelRow quantized_mean_i8;
              extern const KernelRow lookup_i8; extern const KernelRow max_pool_last_i8;)

}  // namespace tern
