// From the shape of a convolution to ConvArgs: what Conv, ConvTranspose and their fused forms share. Next: core.simd.cpp.
#pragma once
#include "kernels/conv/conv.h"
#include "kernels/conv/window.h"
#include "kernels/epilogue.h"

namespace tern {

// A convolution over x spread out by `spread` (1 but for a transposed one), stride and dilation as the window says.
struct ConvProblem {
  Window window;  // in and out set; begin may be negative
  Extent3 spread{1, 1, 1};
  int64_t groups = 1, ics = 0, ocs = 0;  // channels of a group
  bool mirrored = false;
  int64_t w_group = 0, w_oc = 0, w_ic = 0;  // strides of the weight
};

// Of x convolved with w [OC, C / group, taps], by the attributes of the node. Errors: channels or ranks do not fit, the window does not.
Result<Shape> conv_shape(InferContext& c, const Shape& x, const Shape& w);

// The inputs of convolutions are x, w, bias, residual, scale, shift.
constexpr EpilogueSlots kConvEpilogue{&kFusedConv, 3, 4, 5}, kConvTransposeEpilogue{&kFusedConvTranspose, 3, 4, 5};
// What they ask of them beside the epilogue's own: dtypes; a bias of one element a channel of y.
Status check_conv_dtypes(const InferContext& c);
Status check_bias(const InferContext& c, const Dim& channels);

// The attribute channels_last says which sides (kLastX …) are [N, spatial, C] and not [N, C, spatial]: of FusedConv, FusedQLinearConv and Reorder, on
// the CPU.
bool channels_last(const AttrReader& attrs, int64_t side);
void put_channels_first(Shape& s);  // from last; ranks of 1 and less stay
void put_channels_last(Shape& s);   // from first

// What the attributes of a node and the dims of X and W say. Errors: the window does not fit.
Result<ConvProblem> conv_problem(const AttrReader& attrs, const Dims& x, const Dims& w);
Result<ConvProblem> conv_transpose_problem(const AttrReader& attrs, const Dims& x, const Dims& w);
// A Conv or FusedConv, as far as its shapes go.
struct ConvNode {
  AttrReader attrs;
  Dims x, w;
};
// The zero halo with which a blocked x is read in place: its four sides; none where that would be absurdly wide.
Layout halo_of(const ConvProblem& p);

// Are channels so grouped that lanes of a block of x give the same lanes of y (ConvArgs::lanewise)? Always of a depthwise convolution.
bool is_lanewise(int64_t groups, int64_t ics, int64_t ocs);

// ---- pieces of a binding ----
struct Phases;
// Where v lies, pixel by pixel; `last`: with its channels last.
void set_pixels(BindContext& c, ConvPixels& out, const TensorView& v, bool last, Address<float> at, const ConvProblem& p);
// Taps outside x (conv.h, Numerics); `columns`: of the first and the last window, too.
ConvEdges edges_of(const Window& w, bool columns);
// The weights, an input, as the tiles read them: packed once a model, or by every run. Precondition: a.pack is set.
void bind_conv_weights(BindContext& c, size_t input, const ConvProblem& p, const Phases& phases, ConvArgs& a);

// Binds inputs (x, w, bias, residual, scale, shift) and output 0 of `c`.
Status bind_conv(BindContext& c, const ConvProblem& problem);
bool is_plain_depthwise(const BindContext& c, const ConvProblem& problem);     // depthwise.cpp
Status bind_plain_depthwise(BindContext& c, const ConvProblem& problem);       // of which that is true
Status bind_device_conv(BindContext& c, const ConvProblem& problem);           // the same for a device: conv_bind_device.cpp
Status bind_portable_device_conv(BindContext& c, const ConvProblem& problem);  // and of other dtypes than f32

// The blocked form of a value, as strides in floats; dims of rank 3 or 4. A block of channels holds that of every image, one after the other.
struct BlockedMap {
  int64_t height, width, blocks, images;  // halo included
  int64_t image() const { return height * width * 16; }
  int64_t block() const { return images * image(); }
  int64_t row() const { return width * 16; }
  ConvHalo halo(const Layout& l) const { return {l.top, l.bottom, l.left, l.right, height, width}; }
  int64_t first;  // from the beginning to the first real pixel of image 0, block 0
  explicit BlockedMap(const TensorView& v);
};

}  // namespace tern
