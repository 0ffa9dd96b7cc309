// Normalisation: subtract a mean, divide by a spread, scale and shift.
//   LayerNormalization, RMSNormalization      over the trailing axes of a row                          layer_norm.cpp
//   InstanceNormalization, GroupNormalization over the elements of one channel, of a group of channels group_norm.cpp
//   BatchNormalization                        with statistics that training recorded, by channel       batch_norm.cpp
//   LRN, LpNormalization, MeanVarianceNormalization  across channels; by a norm; over any axes         axis_norm.cpp
// Formula     mean = sum x / n;  var = sum (x - mean)^2 / n (two passes: no cancellation);  inv = 1 / sqrt(var + epsilon)
//             y = fma((x - mean) * inv, scale, bias);  RMS: mean = 0 in both places and no bias
//   Shapes    rows are dense and row-major; y may equal x; no alignment needed.
//   Cost      about 8 FLOPs and 8 bytes an element, three passes over a row that stays in L1 (on a device in registers or shared memory, to 12000).
//   Numerics  f32 sums run over sixteen lanes and a fixed tree: same bits for every ISA, thread count and batch size. f64, f16 and
//             bf16 are portable code in double, rounded once. LayerNormalization is within 8 ULP of max(|y|, |scale|) of the double reference.
//   Edges     an empty row does nothing; NaN or inf in a row makes that row NaN; var = 0 gives bias.
//   Source    the ONNX operators, opset 23 (GroupNormalization: 21, a scale per channel).
// Next: layer_norm.cpp, norm.simd.cpp, norm.cu (the same on a device), then rnn/rnn.h.
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

struct OpDef;
extern const OpDef kBatchNormalization, kGroupNormalization, kInstanceNormalization, kLayerNormalization, kLpNormalization, kLRN,
    kMeanVarianceNormalization, kRMSNormalization;

struct RowNormArgs {           // LayerNormalization and RMSNormalization, f32
  const float* x;              // [rows, cols]
  float* y;                    // [rows, cols]
  const float* scale;          // [cols], or fewer elements under scale_index
  const float* bias;           // the same; null: none
  const int32_t* scale_index;  // [cols] the element of scale to use; null: c itself
  const int32_t* bias_index;
  float* expanded;  // scratch [2*cols], used when there is an index
  float* mean;      // [rows] or null
  float* inv;       // [rows] or null
  int64_t rows, cols;
  float epsilon;
};
struct GroupNormArgs {  // InstanceNormalization is groups = channels
  const float* x;       // [rows, channels_per_group * inner]; row r is group r % groups of batch r / groups
  float* y;
  const float* scale;  // [groups * channels_per_group]
  const float* bias;
  int64_t first, rows;  // the number of row x[0] within the whole, and how many
  int64_t groups, channels_per_group, inner;
  float epsilon;
};
struct BatchNormArgs {  // y = fma(x - mean[c], scale[c] / sqrt(var[c] + epsilon), bias[c])
  const float* x;       // [rows, inner]; row r is channel (first + r) % channels; inner 1: rows are [n, channels] (first 0)
  float* y;
  const float *scale, *bias, *mean, *var;  // [channels]
  int64_t first, rows, channels, inner;
  float epsilon;
};
struct LrnArgs {   // y = x / (bias + alpha/size * sum of x^2 over the window of channels)^beta, beta = quarters / 4
  const float* x;  // [n, channels, inner]
  float* y;
  int64_t first, rows;                     // (n, channel) pairs from `first` on
  int64_t channels, inner, before, after;  // the window is [c - before, c + after]
  float alpha_over_size, bias;
  int quarters;  // 2, 3 or 4
};

TERN_EACH_ISA(extern const KernelRow layer_norm_f32, rms_norm_f32, group_norm_f32, batch_norm_f32, lrn_f32;)  // norm.simd.cpp
namespace cuda {
extern const KernelRow layer_norm_f32, rms_norm_f32, group_norm_f32, batch_norm_f32, lrn_f32;  // launch.cpp
}

}  // namespace tern
