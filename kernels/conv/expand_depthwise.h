// FusedExpandDepthwise: a convolution of one tap and the depthwise one that alone reads it, as the inverted residuals of mobile nets begin. The map
// between them is several times x, and y; it never exists as a whole.
//   m = act(bias + sum w x)    [N,E,H,W], 1 x 1 taps, stride 1      y = act(bias + sum w m)    one channel a group, any window
//   Shapes    x [N,C,H,W], y [N,E,spatial out], blocked; w of the first [E,C,1,1], of the second [E,1,KH,KW], both constant; biases [E] or absent.
//   Cost      that of both convolutions; m goes through the second cache at most.
//   Numerics  those of the two convolutions alone, to the bit (conv.h).
//   Edges     NaN passes. What lies beside m is zero, whatever its activation of zero is; taps above and below it are not executed.
//   Source    Sandler et al. 2018 (inverted residuals); fusion by bands: Alwani et al. 2016.
//
//                x                  band, of the blocks of one tile                  y
//   row r   |---------|          base |-- moved to the top --|               |---------|
//           |   one   |  -------->    | 0 | m, row r     | 0 |  -------->    |  steps  |  row of windows
//           |  image  |   1 x 1       | 0 | m, row r + 1 | 0 |  depthwise    |  rows   |
//           |---------|           end |-- not filled yet ----|               |---------|
// Of one oc group after another, some rows of y at a time: the rows of m that they read and the band has not are computed into it; when it is full, what
// the next rows still read moves to its beginning. So m is written to and read from the first two caches. The sums are those of the two
// convolutions' own tiles (sweep.h), which see the band as a y and as an x.
// Next: expand_depthwise.cpp (binding), core.simd.cpp; when it pays: runtime/expand_depthwise.h.
#pragma once
#include "kernels/conv/conv.h"

namespace tern {

extern const OpDef kFusedExpandDepthwise;
struct ConvNode;
// Are these a convolution of one tap and a depthwise one over what it gives? By their shapes alone.
bool suits_expand_depthwise(const ConvNode& expand, const ConvNode& depthwise);

struct ExpandDepthwiseArgs {
  ConvArgs expand, depthwise;  // y of the first is the band, as if its first row were row 0 of m; x of the second, too
  float* band = nullptr;       // [blocks of a tile][rows][left + W + right][16]
  int64_t rows = 0;            // of m that it holds
  int64_t left = 0, right = 0;
  int64_t step = 1;            // rows of y at a time
  int64_t reach = 0;           // rows of m from a window's first to its last
  int64_t stripes = 1;         // the rows of a map are cut into so many, which share nothing
  int64_t begin = 0, end = 0;  // of (image*oc groups + oc group)*stripes + stripe
};

TERN_EACH_ISA(extern const KernelRow expand_depthwise_f32;)  // core.simd.cpp

}  // namespace tern
