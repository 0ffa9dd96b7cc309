// How a device computes the f32 products of MatMul, Gemm and Linear, and convolutions: with the CPU's bits, or, where a session asks for it by name, in
// other arithmetic (SessionOptions::precision, gemm). Next: gemm/tensor.h for what factors are rounded to, conv/tensor.h, launch.h for cuBLAS.
#pragma once
#include <stdint.h>

namespace tern {

enum class Precision : uint8_t { f32, tf32, f16, bf16 };

struct Products {
  Precision precision = Precision::f32;  // what factors are rounded to
  bool cublas = false;
};

// A product by cuBLAS, as a launch has it: y = alpha x w for each of a batch, row-major f32; y [M,N] is dense.
struct CublasProduct {
  const float *x, *w;  // x [M,K], or [K,M] when x_transposed; w [K,N], or [N,K]
  float* y;
  int64_t batches, m, n, k;
  int64_t x_row, w_row;            // from one row to the next, as they are stored
  int64_t x_step, w_step, y_step;  // from one matrix of the batch to the next
  float alpha;
  Precision precision;
  bool x_transposed, w_transposed;
};

}  // namespace tern
