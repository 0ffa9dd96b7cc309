// f32 products by cuBLAS, where a session asks for it (SessionOptions::gemm = "cublas"); never the default. It computes alpha x w; bias, residual and
// activation are a kernel that follows.
//   Shapes    as gemm.h, where cuBLAS can do them: a batch whose matrices lie at even distances, extents and rows below 2^31, K > 0. Others are gemm.cu's.
//   Numerics  cuBLAS's own order of sums: for f32 |error| <= (K + 3) eps (sum |a b| + |beta C| + |residual|) for any order, plus factors rounded as
//             SessionOptions::precision says (tensor.h). Not the CPU's bits.
// Never run on a GPU. Next: launch_library.cpp, runtime/cuda/cublas.h.
#pragma once
#include "kernels/gemm/launch.h"
#include "kernels/products.h"

namespace tern::cuda {

struct LibraryGemmArgs {
  CublasProduct product;
  ProductArgs rest;  // of all rows together: m, n, bias, residual, activation, y, and x, which is the product's y
};
extern const KernelRow gemm_cublas_f32;

constexpr int kFinishBlock = 128;

}  // namespace tern::cuda
