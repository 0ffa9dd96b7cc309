// Matrix products: MatMul, Gemm and tern's fused Linear.
//   MatMul   y = A B               A [...,M,K], B [...,K,N], leading axes broadcast as in NumPy; a 1-D A is a row, a 1-D B a column
//   Gemm     y = alpha A' B' + beta C    A' [M,K], B' [K,N] (transposed when transA, transB), C broadcasts to [M,N] or is absent
//   Linear   y = act(x W + bias + residual)   x [...,K], W [K,N] ([N,K] with transB), bias [N], residual of y's shape [...,N];
//            `activation` is an operator's name, `alpha` and `beta` its parameters. What fuse makes of MatMul + Add + Relu.
//   Shapes   row-major, dense, no alignment needed. Linear's y may equal its residual.
//   Cost     2*M*N*K FLOPs; with one row bound by the loads of the weights.
//   Numerics f32: |error| <= (K + 2) eps sum |a b| + eps |C|; the order of sums depends on (N, K) alone (panel.h), whether B is a
//            constant or not. alpha is multiplied into B, beta into C. f64: k ascending (a device flushes no f64
//            subnormals). f16 and bf16: products and sums in f32,
//            k ascending, rounded once. Integers wrap around; where alpha or beta is no whole number, alpha sum + beta C is
//            taken in double and truncated.
//   Edges    K == 0 gives beta C (or 0). beta == 0 does not read C. NaN and inf pass as the products say.
//   Source   the ONNX operators MatMul-13, Gemm-13.
// Next: gemm.cpp (schema and binding), panel.h (the f32 kernel), gemm.simd.cpp (one call), portable.simd.cpp (other dtypes), launch.h and gemm.cu (on
// a device); by name, in other arithmetic: weights.h, on a device tensor.h and library.h.
#pragma once
#include "kernels/gemm/panel.h"
#include "kernels/rows.h"

namespace tern {

struct OpDef;
extern const OpDef kMatMul, kGemm, kLinear;

// Where one matrix of a batch begins, in elements. `w` counts packed floats when B was packed beforehand.
struct BatchOffset {
  int64_t x, w, y;
};
// One f32 product, or a batch of them, and what must be prepared in every run: nothing when the weights are constant.
struct GemmArgs {
  PanelArgs panel;           // of batch 0
  const BatchOffset* batch;  // [batches]; null: one product, nothing to prepare
  int64_t batches;
  // x transposed ([K,M], rows x_stride apart) is first copied to x_rows [M,K].
  float* x_rows;  // null: x has its rows already
  int64_t x_stride;
  // w that is no constant: packed into `pack.packed`, or read in place with its last panel copied to `tail`.
  PanelPackArgs pack;  // pack.packed null: nothing to pack
  float* tail;         // null: none
  // beta C, written out as bias_rows rows of N.
  float* bias;  // null: panel.bias is ready
  const float* c;
  int64_t bias_rows, c_row, c_column;
  float beta;
};
TERN_EACH_ISA(extern const KernelRow gemm_f32;)

// The same for other dtypes: strides in elements, each row of the flattened batch on its own.
struct PortableGemmArgs {
  const void *a, *b, *c, *residual;
  void* y;
  const BatchOffset* batch;
  int64_t row_begin, row_end;  // of batches * m
  int64_t m, n, k;
  int64_t a_row, a_k, b_k, b_column, c_row, c_column;
  float alpha, beta;
  bool relu;
};
TERN_EACH_ISA(extern const Rows<7> gemm_any;)  // portable.simd.cpp

}  // namespace tern
