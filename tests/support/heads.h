// The two layouts of attention's operators.
#pragma once
#include "runtime/base/tensor.h"

namespace tern::test {

// f32 [B, heads, S, D] as [B, S, heads * D].
inline Tensor flat(const Tensor& x) {
  const int64_t B = x.dims()[0], heads = x.dims()[1], S = x.dims()[2], D = x.dims()[3];
  Tensor y = *Tensor::allocate(DType::f32, {B, S, heads * D});
  for (int64_t i = 0; i < x.count(); ++i) {
    const int64_t d = i % D, s = i / D % S, h = i / D / S % heads, b = i / D / S / heads;
    y.mutable_data<float>()[((b * S + s) * heads + h) * D + d] = x.data<float>()[i];
  }
  return y;
}

}  // namespace tern::test
