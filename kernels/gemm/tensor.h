// f32 products on the tensor cores of a device, where a session asks for it (SessionOptions::precision); never the default.
//   y = act(x w + beta bias + residual): factors are rounded to nearest even, products are exact, sums are f32.
//   Shapes   x [M,K'] and w [N,K'] in rows of rounded factors, K' = K and zeros up to whole stages of 64 bytes. Whatever x and w are is brought into
//            that form before: constant weights once per model on the host, everything else in every run by gemm_round. alpha goes into w.
//   Cost     2*M*N*K FLOPs on the tensor cores; 4 bytes read and 2 (tf32: 4) written for each factor that is rounded in a run.
//   Numerics |error| <= (2 + u) u sum |a b| + (K + 4) 2^-22 (sum |a b| + |beta C| + |residual|), u = 2^-11 for tf32 and f16, 2^-8 for bf16; within
//            (K + 2) u sum |a b| for every K. The order in which a tensor core adds is not documented: the second term holds for the simulator, which
//            adds one k after the other; no card was asked. Not the CPU's bits.
//            f16 ends at 65504: factors from 65520 on become infinity. Below 2^-14 its factors are off by up to 2^-25, whatever their size: add
//            2^-25 (1 + u) sum (|a| + |b|). tf32 and bf16 reach as far as f32.
//   Edges    K == 0 gives act(beta C + residual). NaN and infinity pass.
//   Needs    compute capability 8.0 (Ampere) for tf32 and bf16, 7.5 for f16. Never run on a GPU.
//   Source   PTX ISA, mma.sync and ldmatrix: what each lane of a warp holds.
// Next: launch_tensor.cpp, then tensor.cu.
#pragma once
#include "kernels/gemm/launch.h"
#include "kernels/products.h"
#include "runtime/base/half.h"

namespace tern::cuda {

constexpr int64_t kStageBytes = 64;  // of a row of factors: 32 halves, or 16 of tf32
constexpr int64_t factor_bytes(Precision p) { return p == Precision::tf32 ? 4 : 2; }

struct alignas(4) tf32 {
  uint32_t bits;
};
TERN_HD inline tf32 to_tf32(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f), rounded = u + 0xfffu + ((u >> 13) & 1);
  return {select_bits((u & 0x7fffffffu) > 0x7f800000u, u | 0x400000u, rounded) & 0xffffe000u};
}

struct TensorArgs {
  const std::byte *x, *w;
  int64_t row_bytes;    // of x and w: a multiple of kStageBytes
  ProductArgs product;  // all but its x and w; the offsets of x and w in its batch are bytes
};

// to[b, r, k] = round(factor * from[b * matrix + r * row + k * column]); zeros where k is not below `k`.
struct RoundArgs {
  const float* from;
  std::byte* to;
  int64_t matrices, rows, k, to_k;
  int64_t matrix, row, column;
  float factor;
};

// The same on the host: from `from` to `to`, which holds zeros.
void round_on_host(Precision precision, const RoundArgs& args, const float* from, std::byte* to);

// The step of an operator: operands that are to be rounded, then the product.
struct TensorGemmArgs {
  RoundArgs x, w;  // from null: it is already
  TensorArgs product;
};
const KernelRow& tensor_row(Precision precision);
extern const KernelRow kTensorGemm[3];  // of tf32, f16, bf16

constexpr int kRoundTile = 32, kRoundBlock = 256;

}  // namespace tern::cuda
