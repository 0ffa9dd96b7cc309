// Convolution in plain C++ for the element types that have no vector kernel: f64 (sums in double), f16 and bf16 (sums in float).
// The order of additions is that of conv.h. Next: conv.cpp.
#pragma once
#include "kernels/conv/conv_bind.h"

namespace tern {

struct PortableConvArgs {
  const void *x, *w, *bias;
  void* y;
  ConvProblem problem;
  int64_t begin, end;  // (image, output channel) pairs
};
template <class T>
void portable_conv(const PortableConvArgs& a);
extern template void portable_conv<double>(const PortableConvArgs&);
extern template void portable_conv<f16>(const PortableConvArgs&);
extern template void portable_conv<bf16>(const PortableConvArgs&);

Status bind_portable_conv(BindContext& c, const ConvProblem& problem, const KernelRow& kernel);

}  // namespace tern
