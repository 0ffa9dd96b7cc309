// f32 convolutions on the tensor cores of a device, where a session asks for it (SessionOptions::precision); never the default.
//   y = act(w * x + bias + residual) scale + shift: factors are rounded to nearest even, products are exact, sums are f32.
//   Shapes   as launch.h: a product that is never written out, y[oc, pixel] = sum_k w[oc, k] x[k, pixel]. Weights lie in rows of rounded factors,
//            [groups, OC, K] with zeros up to whole stages of 64 bytes, made once per model on the host; x is rounded on its way into shared memory.
//   Cost     2*OC*K*pixels FLOPs on the tensor cores; x is read and rounded once for each tile of output channels.
//   Numerics that of gemm/tensor.h, with K = channels of a group times taps; taps on padding are products with 0.
//   Edges    as gemm/tensor.h: NaN and infinity pass, f16 ends at 65504. A weight that is infinite in its precision gives NaN over padding.
//   Else     weights that are no constant, and depthwise convolutions, whose channels share nothing: launch.h's kernels, the CPU's bits.
//   Needs    as gemm/tensor.h. Never run on a GPU.
// Next: launch_tensor.cpp, tensor.cu.
#pragma once
#include "kernels/conv/launch.h"
#include "kernels/products.h"

namespace tern::cuda {

struct ConvTensorArgs {
  ConvArgs conv;  // all but its w
  const std::byte* w;
  int64_t row_bytes, group_bytes;  // of w: from output channel to output channel, a multiple of gemm/tensor.h's kStageBytes, and from group to group
};

const KernelRow& conv_tensor_row(Precision precision);
extern const KernelRow kTensorConv[3];  // of tf32, f16, bf16

}  // namespace tern::cuda
