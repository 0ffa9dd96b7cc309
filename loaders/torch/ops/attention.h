// Attention as torch.nn.functional has it, for the rows of attention.cpp and the layers. Next: attention.cpp, then
// multihead.cpp.
#pragma once
#include "loaders/torch/ops/common.h"

namespace tern::torch {

// A mask that is added to the scores: a bool one is 0 where it is `allowed` and -inf elsewhere, another one is cast. kNone stays.
ValueId additive_mask(Builder& b, ValueId mask, DType dtype, bool allowed);
// [T, S]: 0 where the key is not after the query, -inf elsewhere; row 0 sees key 0 alone.
ValueId causal_mask(Builder& b, const Int& queries, const Int& keys, DType dtype);

// False when the mask is a constant that leaves every query at least one key.
bool may_mask_whole_rows(Builder& b, ValueId mask, bool allowed);

struct Attention {
  ValueId y = kNone;        // [..., T, E]
  ValueId weights = kNone;  // [..., T, S]
};
// softmax(q k' * scale + mask) v over the last two axes; the others broadcast. `mask` is additive. A query whose keys are all masked gives
// NaN, or zeros, as scaled_dot_product_attention has it.
Attention attend(Builder& b, ValueId q, ValueId k_transposed, ValueId v, ValueId mask, double scale, bool zero_masked_rows);

// What multi_head_attention_forward takes, and nn.MultiheadAttention with it.
struct MultiHead {
  ValueId query = kNone, key = kNone, value = kNone;  // [T,B,E], batch first [B,T,E], or without a batch [T,E]
  int64_t heads = 0;
  ValueId in_weight = kNone, in_bias = kNone;  // [3E,E], or one weight each:
  ValueId q_weight = kNone, k_weight = kNone, v_weight = kNone;
  ValueId out_weight = kNone, out_bias = kNone;
  ValueId bias_k = kNone, bias_v = kNone;  // [1,1,E]: one more key and value
  bool add_zero_attn = false, batch_first = false;
  ValueId key_padding_mask = kNone, attn_mask = kNone;  // bool: True is masked; else added
  bool need_weights = true, average_weights = true, is_causal = false;
};
// (output, weights or None)
IValue multi_head_attention(Builder& b, const MultiHead& m);
IValue multi_head_attention_forward(Builder& b, const Arguments& a);

// A part of the rows of a weight: a constant stays one.
ValueId rows_of(Builder& b, ValueId weight, int64_t begin, int64_t end);

}  // namespace tern::torch
