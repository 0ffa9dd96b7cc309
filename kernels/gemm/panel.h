// The f32 product under MatMul, Gemm, Linear and the recurrent layers:   y[m,n] = act(sum_k x[m,k] w[k,n] + bias[m,n] + residual[m,n])
//   Shapes    x [M,K] rows lda apart, w [K,N] packed, bias [N] (or rows bias_stride apart), y and residual [M,N]; no alignment needed.
//             y may equal residual; nothing else may overlap.
//   Packing   N is cut into panels of 16 columns (the last padded with zeros), panels into groups of up to 4 of even size
//             (7 = 4+3, 5 = 3+2), each stored as [K][G*16]: one linear stream in reading order, right for one row and for many.
//             N <= 16 with a large K ("dot"): [N][K rounded up to 16] instead.
//   Numerics  One order per (N, K), never by M, so that a row has the same bits alone and in a batch, on every ISA:
//               chains(N, K) = c in 1, 2, 4:  chain j takes k = j mod c ascending, by fma; chain 0 starts with the bias, others with 0;
//                                             the sum is chain 0, or 0+1, or (0+1)+(2+3); then + residual; then the activation
//               chains(N, K) = 0 (dot):       lane j takes k = j mod 16 ascending, by fma from 0; halves, quarters, pairs are added;
//                                             then + bias; then + residual; then the activation
//             With one chain a sum may be continued: bias = the sums of an earlier product (how a recurrent step adds h to x).
//   Cost      2*M*N*K FLOPs. M = 1 is bound by the loads of w.
//   Edges     K == 0 gives bias + residual. NaN and inf pass, through relu too.
//   Source    the chain table was measured; see bench/ladder/gemm.
// Next: panel.cpp (packing), tile.h (the register tiles), panel.simd.cpp (the loops over them).
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/row.h"

namespace tern {

constexpr int64_t kPanel = 16;  // columns
constexpr int64_t kGroup = 4;   // most panels in a group

// 1, 2 or 4 chains; 0 for the dot form.
constexpr int gemm_chains(int64_t n, int64_t k) {
  if ((n <= 4 && k >= 48) || (n <= 8 && k >= 64) || (n <= 16 && k >= 512)) return 0;
  const int64_t panels = (n + kPanel - 1) / kPanel;
  if (k < 16 || panels >= 7) return 1;
  return panels <= 2 ? 4 : 2;
}

// The groups of panels that cover N columns: group g holds panels [first(g), first(g + 1)).
struct PanelGroups {
  int64_t panels, groups;
  explicit constexpr PanelGroups(int64_t n) : panels((n + kPanel - 1) / kPanel), groups((panels + kGroup - 1) / kGroup) {}
  constexpr int64_t first(int64_t g) const { return g == 0 ? 0 : g == groups ? panels : panels * g / groups; }
};

// Floats of packed weights, in the form that `chains` asks for (0: dot).
constexpr int64_t packed_floats(int64_t n, int64_t k, int chains) {
  return chains == 0 ? n * ((k + 15) / 16 * 16) : (n + kPanel - 1) / kPanel * kPanel * k;
}
// Packs alpha * w, w[k,n] at w[k*k_stride + n*n_stride], into `packed`, which must be zeroed (padding is not written).
void pack_weights(const float* w, int64_t k_stride, int64_t n_stride, int64_t n, int64_t k, float alpha, int chains, float* packed);
// Some columns whose K lie side by side, as rows `width` apart: out[i * width + j] = alpha * w[j * n_stride + i].
void pack_transposed(const float* w, int64_t n_stride, int64_t columns, int64_t k, float alpha, float* out, int64_t width);

// What a register tile computes: a few rows of x times some panels beside each other.
struct TileCall {
  const float *x, *w, *bias, *residual;
  float* y;
  int64_t lda, w_stride, k, ldy, bias_stride;
  int64_t last;  // columns of the last panel that exist, 1 to 16
  ActivationSpec epilogue;
};
// One row of x with packed panels of one group, N <= 64, and not the dot form: what panel_gemm would come to, without the way there.
struct PanelRowArgs {
  TileCall tile;
  int32_t panels, chains;
};

struct PanelArgs {
  const float* x;         // [M,K], rows lda apart
  const float* w;         // packed; or, with w_stride, plain rows
  const float* bias;      // null: 0. At least N floats a row: no padding is read
  const float* residual;  // null: none. [M,N], rows ldy apart
  float* y;               // [M,N], rows ldy apart
  int64_t m, n, k;
  int64_t lda, ldy;
  int64_t bias_stride;             // 0: the same bias for every row
  int64_t group_begin, group_end;  // the groups of panels to compute (all: 0 and PanelGroups(n).groups); the dot form computes all
  int64_t w_stride;                // 0: packed. Else w is [K,N] with rows w_stride apart (dot: [N,K]), and `tail` holds the last panel if N % 16
  const float* tail;               // [K,16] zero-padded: the columns past the last whole panel (w_stride only)
  int32_t chains;                  // as it was packed; gemm_chains(n, k) or, to continue sums, 1
  ActivationSpec epilogue;         // the activation
};
// Packs on the hot path, when w is no constant: the same bytes as pack_weights, padding included, for groups [begin, end).
struct PanelPackArgs {
  const float* w;  // w[k,n] at w[k*k_stride + n*n_stride]
  float* packed;
  int64_t n, k, k_stride, n_stride, group_begin, group_end;
  float alpha;
  int32_t chains;
};

TERN_EACH_ISA(void panel_gemm(const PanelArgs&); void panel_pack(const PanelPackArgs&); extern const KernelRow gemm_row_f32;)

}  // namespace tern
