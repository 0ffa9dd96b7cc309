// Convolution in plain C++ for the element types that have no vector kernel: f64 (sums in double), f16 and bf16 (sums in float).
// The order of additions is that of conv.h. Next: conv.cpp.
#pragma once
#include "kernels/conv/conv_bind.h"

namespace tern {

extern const KernelRow kPortableConv[3];
Status bind_portable_conv(BindContext& c, const ConvProblem& problem);

}  // namespace tern
