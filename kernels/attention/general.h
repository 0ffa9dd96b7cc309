// Attention as ONNX has it (opset 23 to 25): f32 by the kernel of attention.h, what else there is in plain C++.
//   scores = softcap(scale Q K'),  weights = softmax(scores + mask),  Y = weights V      softcap(x) = c tanh(x / c), when c is not 0
//   Shapes    Q [B, heads, S, D], K [B, kv_heads, N, D], V [B, kv_heads, N, Dv], or [B, S, heads D] … with q_num_heads and kv_num_heads; past
//             keys and values [B, kv_heads, P, D] come before K and V: T = P + N. Heads share keys in groups of heads / kv_heads.
//             mask: bools (may take part) or floats (added), broadcast to [B, heads, S, T]; a shorter last axis masks what is behind it.
//             Y like Q with Dv; present = past and new; qk [B, heads, S, T]: scores before (mode 0) and after (1) softcap, with the mask (2), weights (3).
//   Cost      B heads S T (D + Dv) MACs; one row of weights in double as workspace.
//   Numerics  f32 in f32, as attention.h says. The others, and f32 whose softmax_precision is double: in double, rounded once: same bits
//             everywhere (but subnormals of double, which a device does not flush).
//   Edges     is_causal: row i takes part in j <= i + offset, offset = P, or nonpad_kv_seqlen - S. Rows that may see nothing are 0. A masked
//             score does not count even when it is NaN.
//             left_window_size, right_window_size (-1: no end): place p = i + offset takes part in p - left <= j <= p + right.
//   Source    the ONNX operator; Vaswani et al. 2017.
// Next: general_row.h (one row), general.cpp, general.cu (on a device), then attention.h.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kAttention;

}  // namespace tern
