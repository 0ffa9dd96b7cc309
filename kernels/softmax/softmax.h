// Softmax along one axis.   y[r,c] = exp(x[r,c] - m[r]) / sum_c exp(x[r,c] - m[r]),   m[r] = max_c x[r,c]
//   Shapes    x, y: [outer, cols, inner] row-major, dense; one row per (outer, inner); y may equal x; no alignment needed.
//   Cost      about 20*elements FLOPs, 8 bytes an element when a row fits in L1.
//   Numerics  <= 4 ULP from the double reference; same bits for every ISA and thread count. The sum runs over sixteen lanes.
//   Edges     cols == 0 does nothing; a row of -inf, or with a NaN or +inf, gives NaN.
//   Source    the ONNX operator, opset 13.
// Next: softmax.cpp (schema and binding), softmax.simd.cpp (the kernel), then gemm/gemm.h.
#pragma once
#include <stdint.h>

namespace tern {

struct OpDef;
extern const OpDef kSoftmax;

struct SoftmaxArgs {
  const float* x;
  float* y;
  int64_t rows, cols;
};
namespace scalar { void softmax_f32(const SoftmaxArgs&); }
namespace avx2 { void softmax_f32(const SoftmaxArgs&); }
namespace avx512 { void softmax_f32(const SoftmaxArgs&); }

}  // namespace tern
