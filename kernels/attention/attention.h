// FusedAttention, tern's own: softmax(q k^T * scale + mask) v for each head. It replaces the exported chain
//   MatMul(q, Transpose(k)) -> Mul or Div by a constant -> Add(mask) -> Softmax(axis -1) -> MatMul(v)        (runtime/fuse/attention.cpp)
// without writing the [T,S] scores to memory.
//   Shapes    q [B,H,T,D], k [B,H,S,D], v [B,H,S,E], mask (optional) broadcasts to [B,H,T,S]; y [B,H,T,E]. Dense, no alignment needed.
//   Cost      2*B*H*T*S*(D + E) FLOPs and B*H*T*S exponentials.
//   Numerics  The order of sums, for every ISA, thread count and batch:
//               s[t,j] = (sum over d ascending, fma, from 0) * scale, then + mask
//               m[t] = max_j s[t,j];  e[t,j] = exp(s[t,j] - m[t]);  z[t] = sum_j e[t,j]: lane j mod 16 ascending, then the fixed tree
//               y[t,i] = (sum over even j + sum over odd j of e[t,j] v[j,i], fma, ascending, from 0) * (1 / z[t])
//             which differs from the chain it replaces by rounding. |error| <= about (S + D + 10) eps max|v| for scores of modest size.
//   Edges     S == 0 gives 0. A row whose scores are all -inf, or with a NaN or +inf, gives NaN. A masked (-inf) key has weight 0.
//   Source    Vaswani et al. 2017.
// Next: attention.cpp (schema and binding), attention.simd.cpp (the kernel), launch.h and attention.cu (on a device).
#pragma once
#include <stdint.h>

#include "kernels/row.h"

namespace tern {

struct OpDef;
extern const OpDef kFusedAttention;

struct AttentionArgs {
  const float *q, *k, *v, *mask;  // mask null: none
  float* y;
  int64_t heads;  // of this share
  int64_t T, S, D, E;
  const int64_t* mask_head;       // [heads] where the mask of a head begins
  int64_t mask_row, mask_column;  // strides: 0 or S, 0 or 1
  float scale;
  float* keys;     // [D, S16] k^T, S16 = S rounded up to 16
  float* values;   // [S, E16] v with its rows padded; null when E % 16 == 0
  float* weights;  // [kAttentionRows, S16]
};
constexpr int64_t kAttentionRows = 6;  // most rows of q that are worked on together
TERN_EACH_ISA(extern const KernelRow attention_f32;)

}  // namespace tern
