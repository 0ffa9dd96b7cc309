// Softmax, LogSoftmax and Hardmax along one axis.
//   Softmax     y[r,c] = exp(x[r,c] - m[r]) / s[r],   m[r] = max_c x[r,c],   s[r] = sum_c exp(x[r,c] - m[r])
//   LogSoftmax  y[r,c] = (x[r,c] - m[r]) - ln s[r]
//   Hardmax     y[r,c] = 1 at the first largest x[r,c] (a NaN counts as largest), else 0
//   Shapes    x, y: [outer, cols, inner] row-major, dense; one row r per (outer, inner); y may equal x; no alignment needed.
//   Cost      about 20*elements FLOPs, 8 bytes an element when a row fits in L1.
//   Numerics  Softmax <= 4 ULP and LogSoftmax <= 4 ULP or 4e-7 absolute from the double reference; same bits for every ISA and
//             thread count. The sum runs over sixteen lanes (c mod 16, then the fixed tree) when inner is 1, else over c ascending.
//             f64, f16 and bf16: in double, c ascending, rounded once.
//   Edges     cols == 0 does nothing; a row of -inf, or with a NaN or +inf, gives NaN (Softmax, LogSoftmax).
//   Source    the ONNX operators, opset 13.
// Next: softmax.cpp (schema and binding), softmax.simd.cpp (the f32 kernels), wide.simd.cpp (other dtypes), hardmax.simd.cpp, softmax.cu and
// portable_rows.h (both on a device), then gemm/gemm.h.
#pragma once
#include <stdint.h>

#include "kernels/rows.h"

namespace tern {

struct OpDef;
extern const OpDef kSoftmax, kLogSoftmax, kHardmax;

// Element (o, c, i) lies at (o * cols + c) * stride + i. A share of the work: some outer, or some of inner.
struct SoftmaxArgs {
  const void* x;
  void* y;
  int64_t outer, cols, inner, stride;
};
TERN_EACH_ISA(extern const KernelRow softmax_f32, log_softmax_f32;  // softmax.simd.cpp
              extern const Rows<3> softmax_wide, log_softmax_wide;  // wide.simd.cpp
              extern const Rows<4> hardmax_any;)                    // hardmax.simd.cpp
namespace cuda {
extern const KernelRow softmax_f32, log_softmax_f32;  // launch.cpp

constexpr int kSoftmaxBlock = 128;   // threads
constexpr int kSoftmaxShort = 128;   // most columns of a row that half a warp keeps in registers
constexpr int kSoftmaxLong = 12000;  // most columns of a row that shared memory keeps: 48 KB, less what the kernel has besides
}  // namespace cuda
namespace portable {
extern const KernelRow kSoftmax[3], kLogSoftmax[3], kHardmax[4];
}  // namespace portable

}  // namespace tern
