// f32 products on a device: what the kernels of gemm.cu are given, and which of them runs for which shape. The order of sums is panel.h's.
//   Shapes    y [M,N] = act(x w + beta bias + residual), x [M,K] rows x_row apart, w[k,n] at k * w_k + n * w_column; a batch by its offsets.
//   Kernels   tiles     a block computes a tile of y; its part of x and w goes through shared memory, double buffered, sixteen k at a time.
//                       128x128, 64x64 and 32x32 where there is one chain; 64x32 where there are two or four
//             few rows  a thread has one chain of one element, so that all the block has to do is to stream w: M of a few rows
//             dot       half a warp an element, lane j takes k = j mod 16
//             arrange   what is not so yet is brought into rows before: w_column == 1 but for the dot form, x's elements side by side
// Other dtypes: portable.cu. Next: launch.cpp, then gemm.cu.
#pragma once
#include "kernels/gemm/gemm.h"

namespace tern {
class Launches;
}
namespace tern::cuda {

struct ProductArgs {
  const float *x, *w, *bias, *residual;  // bias, residual null: none. residual lies as y, and may be y
  float* y;
  const BatchOffset* batch;  // [batches]; null: one product
  int64_t batches, m, n, k;
  int64_t x_row, w_k, w_column, y_row;
  int64_t bias_row, bias_column;  // 0: broadcast
  float beta;
  int32_t chains;           // gemm_chains(n, k), or 1
  ActivationSpec epilogue;  // the activation
  bool wide;                // set by the launch: 16-byte loads of x and w
  bool wide_y;              // and accesses of y and residual
};
// The smallest launch for this product. Batches with wide loads need offsets that are multiples of 4, as those of whole rows are.
void launch_product(const ProductArgs& args, Launches& to);

// to[r, c] = factor * from[r * row + c * column], rows of `to` to_row apart; columns past `columns` are zeros.
struct ArrangeArgs {
  const float* from;
  float* to;
  int64_t rows, columns, to_row, row, column;
  float factor;
};
void launch_arrange(const ArrangeArgs& args, Launches& to);

// The step of an operator: operands that must be brought into rows first, then the product.
struct GemmArgs {
  ProductArgs product;
  ArrangeArgs x, w;  // from null: nothing to do
};
extern const KernelRow gemm_f32, kPortableGemm[7];

constexpr int kFewRowsBlock = 128, kDotBlock = 128, kArrangeBlock = 256, kPortableGemmBlock = 256;  // threads

}  // namespace tern::cuda
