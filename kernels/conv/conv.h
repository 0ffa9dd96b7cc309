// Convolution, its fused form, and the transposed one, f32.
//   y[n,oc,o] = act(bias[oc] + sum w[oc,ic,k] x[n,ic,o*stride - pad + k*dilation] + residual) * scale[oc] + shift[oc]
//   Shapes    x [N,IC,spatial], w [OC,IC/groups,kernel], y [N,OC,spatial out], 1 to 3 spatial axes; plain, NCHW16c (Layout::blocked), or with
//             the channels last (conv_bind.h).
//             residual like y; bias, scale, shift [OC].
//   Cost      2*N*OC*(IC/groups)*taps*pixels FLOPs. Register tiles of 2x14 vectors on AVX-512, 1x6 on AVX2 and NEON.
//   Numerics  One fma chain an output element, in an order fixed by the operator's shape: it begins with the bias (or 0), then
//               IC/groups >= 16    for each block of 16 input channels, for each tap (kd, kh, kw), for each channel of the block
//               IC/groups <  16    for each input channel, for each tap
//               depthwise          for each tap (groups = IC = OC; the lanes of x are those of y)
//             Then + residual, then the activation, then fma(v, scale, shift). f64 (portable.h): a device flushes no subnormals.
//             A transposed convolution is the convolution of x spread out by the strides (zeros between) with the mirrored kernel.
//             Taps that fall on padding are executed with x = 0, but for those that f32 on the CPU leaves out, by the shape alone: where y
//             has more than one column, rows of taps above and below x, and (IC/groups >= 16) columns of taps left and right of x under the
//             first and the last window; and zeros between the elements of a transposed one (phases.h). That shows only in a sum that is
//             -0 and with infinite or NaN weights.
//   Edges     NaN and inf pass. An infinite weight over padding gives NaN where that tap is executed. An empty batch does nothing.
//   Source    Georganas et al. 2018 (direct convolution on blocked channels); the ONNX operators Conv, ConvTranspose.
//
// How it runs: every case is brought to one loop over tiles (ConvArgs): rows and columns of output pixels against a table of tap
// offsets. The input is read in place when it is blocked and has a zero halo as wide as the padding (assign_layouts sees to that),
// or planar and needs none; otherwise it is first copied into the workspace in that form. So plain and blocked give the same bits.
// Depthwise maps that are plain on both sides stay so (depthwise.simd.cpp).
// On a device every case is one product that gathers its x (launch.h, conv.cu).
// Next: conv.cpp (schema and binding), conv_bind.cpp (how a shape becomes ConvArgs), core.simd.cpp (the loop), conv_tile.h.
#pragma once
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/conv/dealt_rows.h"
#include "kernels/row.h"

namespace tern {

struct OpDef;
extern const OpDef kConv;
extern const OpDef kConvTranspose;
extern const OpDef kFusedConv, kFusedConvTranspose;
extern const OpDef kReorder, kConcatBlocks;  // reorder.cpp

constexpr int64_t kBlock = 16;  // channels of a block

// Copies one image (of one group, or some blocks of it) into the padded form that the tiles read: dst[block][p0][p1][p2][lanes], every float of it written.
struct ConvPrepare {
  const float* x = nullptr;         // null: x is read in place
  int64_t image = 0, group = 0;     // floats from image to image, group to group
  int64_t channel = 0, block = 0;   // source: floats from a channel (plain) or a block of 16 (blocked) to the next
  bool blocked = false;             // source: a block's channels lie together
  int64_t step[3] = {0, 0, 0};      // source: floats along each axis
  int64_t in[3] = {0, 0, 0};        // source extents
  int64_t padded[3] = {0, 0, 0};    // destination extents
  int64_t begin[3] = {0, 0, 0};     // where element 0 goes (may be negative: cropped)
  int64_t spread[3] = {1, 1, 1};    // distance of neighbours in the destination (a transposed convolution's stride)
  int64_t channels = 0, lanes = 1;  // lanes 16, or 1 for planar
  int64_t blocks = 0;               // of `lanes` channels, copied at once: all of a group, or as many as an oc group of a lanewise one reads
};

// Weights brought into reading order, for each sweep: [oc group][ic block][tap][ic][16 * blocks of the group], channels past OC zero.
struct ConvPack {
  const float* w = nullptr;
  int64_t group = 0, oc = 0, ic = 0;  // source strides
  int64_t groups = 0, ocs = 0, ics = 0;
  int64_t tile_blocks = 1;  // oc blocks of a tile
  int64_t floats(int64_t taps) const { return groups * ((ocs + kBlock - 1) / kBlock) * kBlock * ics * taps; }
};

// Where a tensor of output pixels lies.
struct ConvPixels {
  float* data = nullptr;
  bool blocked = false;                     // 16 channels of a pixel lie together, and there are no others
  int64_t image = 0, group = 0, block = 0;  // floats from one to the next
  int64_t lane = 1;                         // floats from channel to channel
  int64_t hi = 0, lo = 0, col = 0;          // rows are hi * rows_lo + lo
};

// The zero halo that a blocked y gets, around each of its maps [height][width][16].
struct ConvHalo {
  int64_t top = 0, bottom = 0, left = 0, right = 0, height = 0, width = 0;
};

// Which taps lie outside x, on the two innermost axes. Those of a row's windows, and of its first and last window, are not computed.
struct ConvEdges {
  int64_t kernel_rows = 0, kernel_cols = 1;             // 0: every tap of every window is computed
  int64_t begin = 0, stride = 1, dilation = 1, in = 0;  // of rows
  int64_t left = 0, right = 0;                          // columns of taps that the first and the last window has outside x
};

// A sweep of windows over x, row by row. A convolution is one; a transposed one is one for each phase (phases.h).
struct ConvSweep {
  int64_t x = 0, y = 0, w = 0;      // floats from the beginning to its first window, its first pixel, its packed weights
  int64_t residual = 0;             // and to the first pixel of the residual
  int64_t first_tap = 0, taps = 0;  // of ConvArgs::tap and w_tap
  int64_t run = 1;                  // so many taps in turn are neighbours in x (planar)
  int64_t w_group = 0;              // packed floats of a group
  int64_t rows_hi = 1, rows_lo = 1, cols = 0;
  int64_t tiles = 1;  // a row is cut into so many
  // Of so many tiles, row by row, every oc group is computed before the next ones, so that what they read of x stays in the second cache.
  int64_t stripe = INT64_MAX;
  int64_t begin = 0, end = 0;  // units to compute: tiles, by (image*groups + group, stripe, oc group, tile of the stripe)
  ConvEdges edges;
};

struct ConvArgs {
  ConvPrepare prepare;
  ConvPack pack;                 // pack.w null: packed already
  float* prepared = nullptr;     // workspace of prepare
  float* packed_here = nullptr;  // workspace of pack
  const float* x = nullptr;      // the padded origin (image 0, group 0), when it is read in place
  const float* w = nullptr;      // packed
  const float *bias = nullptr, *scale = nullptr, *shift = nullptr;
  ConvPixels y, residual;
  ConvHalo halo;                        // of y
  int64_t first_map = 0, last_map = 0;  // maps of y, one after the other, whose halo is to be cleared
  int64_t x_image = 0, x_group = 0, x_block = 0, x_hi = 0, x_lo = 0, x_col = 0;
  const int64_t* tap = nullptr;    // offsets into x
  const int64_t* w_tap = nullptr;  // and which taps of the weights they are
  const ConvSweep* sweeps = nullptr;
  int64_t sweep_count = 0;
  int64_t ics = 0, ocs = 0;  // channels of a group
  int64_t groups = 1;
  int64_t ic_step = 16;  // channels that lie together: 16, or 1 when planar
  // Groups of `lane_ics` channels of x and as many of y, 1 of a depthwise convolution, which divide a block: one group here, where a lane of y reads
  // those of its own group among the lanes of the same block of x.
  bool lanewise = false;
  int64_t lane_ics = 1;
  ActivationSpec activation;
};

// Depthwise and plain: each channel of x gives `multiplier` of y.
struct DepthwiseArgs {
  const float *x, *w, *bias, *residual, *scale, *shift;
  float* y;
  int64_t ocs, multiplier;
  int64_t in, out[2], kernel, stride, dilation, begin;  // rows; out: rows and columns
  DealtRows rows;                                       // columns
  ActivationSpec activation;
  int64_t first, last;  // (image, channel of y) pairs
};

// Between plain and blocked layouts.
struct ReorderArgs {
  const float* x;
  float* y;
  int64_t batch, channels, height, width;
  int64_t begin, end;                                 // (image, block) pairs to copy
  int64_t x_image, x_block, x_channel, x_row, x_col;  // floats; x_channel for plain, x_block for blocked
  bool from_blocked, to_blocked;
  int64_t y_image, y_block, y_channel, y_row, y_col;
  ConvHalo halo;  // of y
};
// Channels [x_first, x_first + channels) of x to channels y_first and on of a blocked y, neither at the beginning of a block perhaps.
struct CopyChannels {
  const float* x;                                                          // the first real pixel of image 0, block 0
  int64_t x_image, x_block, x_channel, x_row, x_first, y_first, channels;  // x_channel: of a plain x, else 0
};
// Several of them in turn: concatenation along the channels, or a part of them. What lies in y already is not among them.
struct ConcatBlocksArgs {
  const CopyChannels* parts;
  int64_t count;
  float* y;
  int64_t y_image, y_block, y_row, batch, blocks, height, width;  // blocks of y
  bool fills;                                                     // the last block of y is full, or partly there already
  ConvHalo halo;                                                  // of y
};

TERN_EACH_ISA(extern const KernelRow conv_f32, depthwise_f32, reorder_f32, concat_blocks_f32;)  // core, depthwise, reorder.simd.cpp

}  // namespace tern
