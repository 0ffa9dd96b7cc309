// Attention in f32: softmax(q k^T * scale + mask) v for each head, without writing the [T,S] scores to memory. The kernel of two operators:
//   FusedAttention  tern's own; it replaces the exported chain
//     MatMul(q, Transpose(k)) -> Mul or Div by a constant -> Add(mask) -> Softmax(axis -1) -> MatMul(v)        (runtime/fuse/attention.cpp)
//     q_view, k_view, v_view: B, H (of k and v perhaps fewer, KV), places, width, offset, and the strides of the first three, of what is read of an
//     input (runtime/read_in_place.h)
//     y_shape, y_strides: what is written, and where row [b,h,t] begins in it
//     A mask of f32 is added; one of bools says which keys are seen (the chain: Where(seen, scores, very low)), whatever the others' scores are.
//     after: no row t sees a key behind t + after, for which the mask is -inf. Such keys of a whole block of rows are not read, nor NaN among them.
//   Attention       ONNX's (general.h) of f32, with all that it may ask for
//   Shapes    q [B,H,T,D], k [B,KV,S,D], v [B,KV,S,E], H / KV heads share keys; y [B,H,T,E]; each wherever its HeadLayout says, so that [B,T,H*D] is
//             read in place. The first P keys and values are past_key and past_value, dense. The mask's strides broadcast it to [B,H,T,S].
//   Cost      2*B*H*T*S*(D + E) FLOPs and B*H*T*S exponentials.
//   Numerics  The order of sums, for every ISA, thread count and batch:
//               s[t,j] = (sum over d ascending, fma, from 0) * scale, then softcap * tanh(s / softcap) where that is asked for, then + mask
//               m[t] = max_j s[t,j];  e[t,j] = exp(s[t,j] - m[t]);  z[t] = sum_j e[t,j]: lane j mod 16 ascending, then the fixed tree
//               y[t,i] = (sum over even j + sum over odd j of e[t,j] v[j,i], fma, ascending, from 0) * (1 / z[t])
//             which differs from the chain it replaces by rounding. |error| <= about (S + D + 10) eps max|v| for scores of modest size.
//   Edges     S == 0 gives 0. A row whose scores are all -inf, or with a NaN or +inf, gives NaN. A masked (-inf) key has weight 0.
//             Attention: a row that may see nothing is 0, and a masked score does not count even when it is NaN (`hides`). Keys that causality or
//             a window hides from a whole block of kAttentionBlock rows are not read, unless scores are asked for or lengths are given.
//   Source    Vaswani et al. 2017.
// Next: attention.cpp (schema and binding), weights_row.h and attention.simd.cpp (the kernel), launch.h and attention.cu (on a device).
#pragma once
#include <stdint.h>

#include "kernels/row.h"
#include "runtime/base/host_device.h"

namespace tern {

struct OpDef;
extern const OpDef kFusedAttention;

// Where row s of head h of batch b begins.
struct HeadLayout {
  int64_t batch, head, place;
  TERN_HD int64_t at(int64_t b, int64_t h, int64_t s) const { return b * batch + h * head + s * place; }
};

enum class AttentionMask : uint8_t { none, bools, floats };

struct AttentionArgs {
  const float *q, *k, *v, *past_key, *past_value;
  const void* mask;      // null: none
  const int64_t* valid;  // [B], how many keys are no padding; null: all
  float *y, *present_key, *present_value;
  float* qk;  // [B,H,T,S]: scores before (mode 0) and after (1) softcap, with the mask (2), weights (3); null: not asked for
  HeadLayout q_at, k_at, v_at, y_at;
  int64_t heads, group;  // of a batch; that share keys
  int64_t T, S, P, D, E;
  int64_t mask_batch, mask_head, mask_row, mask_column, masked_from;  // strides, the last 0 or 1; keys behind the mask are masked
  int64_t before, after, step;  // row t is at place P + t * step and sees `before` places before it and `after` behind it
  int64_t block;                // rows that walk over the same keys: kAttentionBlock where `before` or `after` is an end, else T
  int64_t begin, end;           // this part's heads, of B * H
  int64_t present_begin, present_end;
  float scale, softcap;
  int mode;
  AttentionMask kind;
  bool hides;      // a key may be hidden by lengths, places, or a mask that hides what it is -inf for
  float* keys;     // k^T in groups of kKeyGroup columns, the last of S16 = S rounded up to 16 that remain: [D, columns] each
  float* values;   // [S, E16] v with its rows padded, past and new; null: they are read where they lie
  float* weights;  // [kAttentionRows, S16]; on a device [kAttentionBlocks, kAttentionBlock, S16], or null: shared memory holds a block's
};
constexpr int64_t kAttentionRows = 6;    // most rows of q that are worked on together
constexpr int64_t kAttentionBlock = 16;  // rows of q for which the same keys are left out
constexpr int64_t kKeyGroup = 64;  // keys: four panels, so that a tile of any ISA reads one stream; [D, S16] whole would alias in the first cache
TERN_EACH_ISA(extern const KernelRow attention_f32;)

// The keys that some of rows [t, t + n) may see as far as shapes say, from a multiple of kKeyGroup on.
struct KeyRange {
  int64_t from, to;
};
TERN_HD inline KeyRange keys_of(const AttentionArgs& a, int64_t t, int64_t n) {
  if (a.valid != nullptr || a.qk != nullptr) return {0, a.S};
  const int64_t first = a.P + t * a.step - a.before, last = a.P + (t + n - 1) * a.step + a.after + 1;
  int64_t to = last < a.masked_from ? last : a.masked_from;
  to = to < a.S ? to : a.S;
  const int64_t from = first < 0 ? 0 : first < to ? first / kKeyGroup * kKeyGroup : to / kKeyGroup * kKeyGroup;
  return {from < to ? from : 0, to < 1 ? 1 : to};
}
// The keys that row t of batch b may see.
TERN_HD inline KeyRange seen_by(const AttentionArgs& a, int64_t b, int64_t t) {
  int64_t valid = a.S, offset = a.P;
  if (a.valid != nullptr) {
    valid = a.valid[b];
    valid = valid < 0 ? 0 : valid;
    valid = valid > a.S ? a.S : valid;
    offset = valid - a.T;
  }
  const int64_t place = offset + t * a.step, end = place + a.after + 1;
  const int64_t from = place < a.before ? 0 : place - a.before;
  int64_t to = end < valid ? end : valid;
  to = to < a.masked_from ? to : a.masked_from;
  return {from, to};
}

}  // namespace tern
