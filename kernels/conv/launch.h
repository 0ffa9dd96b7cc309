// f32 convolutions on a device: what the kernels of conv.cu are given, and which of them runs. Values are plain. The order of sums is conv.h's.
//   Kernels   tiles      a product that is never written out: y[oc, pixel] = sum_k w[k, oc] x[k, pixel], where k goes through channels and taps in
//                        the CPU's order and a pixel is one of any image. 128x128, 64x64, 32x64 and 32x32; x is gathered by single copies into
//                        shared memory, double buffered, zeros where a tap lies on padding
//             spread     the same for a transposed convolution, whose x has zeros between its elements
//             depthwise  a thread a pixel
//             arrange    weights that are no constant, into rows of k
// Next: conv_bind_device.cpp, launch.cpp, conv.cu, portable.cu (other dtypes), tensor.h (by tensor cores).
#pragma once
#include "kernels/conv/conv.h"

namespace tern::cuda {

// One k: where its element lies from that of k = 0, and its tap. 16 bytes, read at once.
struct alignas(16) ConvTap {
  int32_t offset;  // floats; of the channel alone where x is spread
  int32_t at[3];   // dilated
};

struct ConvArgs {
  const float *x, *w, *bias, *residual, *scale, *shift;  // all but x and w may be null. residual lies as y
  float* y;
  const ConvTap* tap;        // [k]; depthwise: [taps]
  int64_t columns;           // images * pixels
  int64_t x_image, y_image;  // floats from image to image
  int64_t x_group, w_group;  // and from group to group
  int32_t pixels;            // of y, in one plane
  int32_t k, ocs, groups;    // of a group: its terms, its output channels
  int32_t w_row;             // floats from k to k: ocs rounded up to 4; depthwise: from channel to channel
  int32_t in[3], out[3], stride[3], begin[3], spread[3];
  bool mirrored;  // depthwise: taps of w backwards
  bool wide_y;    // set by the launch: 16-byte accesses of y and residual
  ActivationSpec epilogue;
};

// w given, arranged to [groups, k, w_row].
struct ConvArrangeArgs {
  const float* from;  // null: w is ready
  float* to;
  const int64_t* at;                  // [k] where the weights of k lie in w, from those of its group and output channel
  int64_t from_group, from_oc, rows;  // rows: groups * k
  int32_t k, ocs, w_row;
};

struct ConvStep {
  ConvArgs conv;
  ConvArrangeArgs arrange;
  bool depthwise;
};
// Of other dtypes (portable.cu): strides in elements, weights as given.
struct PortableConvStep {
  const void *x, *w, *bias;  // bias may be null
  void* y;
  int64_t images, groups, ics, ocs, w_group, w_oc, w_ic;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], begin[3], spread[3];
  bool mirrored;
};
extern const KernelRow conv_f32, kPortableConv[3];  // launch.cpp

constexpr int kDepthwiseBlock = 128, kConvArrangeBlock = 256, kPortableConvBlock = 128;  // threads

}  // namespace tern::cuda
