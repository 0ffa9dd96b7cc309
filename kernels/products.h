// Other arithmetic in f32 products, where a session asks for it by name. On a device (SessionOptions::precision, gemm): what the factors of MatMul, Gemm,
// Linear and convolutions are rounded to, or cuBLAS. On the CPU (SessionOptions::weights): what constant weights of products are kept in.
// Next: gemm/weights.h; of a device gemm/tensor.h, conv/tensor.h, launch.h.
#pragma once
#include <stdint.h>

namespace tern {

enum class Precision : uint8_t { f32, tf32, f16, bf16 };

enum class WeightForm : uint8_t { f32, bf16, int8 };

struct Products {
  Precision precision = Precision::f32;  // on a device: what factors are rounded to
  bool cublas = false;                   // on a device
  WeightForm weights = WeightForm::f32;  // on the CPU
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
