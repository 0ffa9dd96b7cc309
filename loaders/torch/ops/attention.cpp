// scaled_dot_product_attention and the forms that exported programs have of it. See attention.h. Next: multihead.cpp.
#include "loaders/torch/ops/attention.h"

#include <cmath>
#include <limits>

namespace tern::torch {

ValueId additive_mask(Builder& b, ValueId mask, DType dtype, bool allowed) {
  if (mask == kNone || !b.ok() || b.dtype(mask) != DType::boolean) return mask == kNone ? kNone : b.cast(mask, dtype);
  const ValueId seen = b.scalar(dtype, 0), masked = b.scalar(dtype, -std::numeric_limits<double>::infinity());
  return allowed ? b.emit("Where", {mask, seen, masked}) : b.emit("Where", {mask, masked, seen});
}

ValueId causal_mask(Builder& b, const Int& queries, const Int& keys, DType dtype) {
  const ValueId masked = b.emit("Expand", {b.scalar(dtype, -std::numeric_limits<double>::infinity()), b.ints(std::vector<Int>{queries, keys})});
  return b.emit("Trilu", {masked, b.scalar(Int(1))}, attributes({{"upper", int64_t(1)}}));
}

bool may_mask_whole_rows(Builder& b, ValueId mask, bool allowed) {
  const tern::Tensor* t = b.contents(mask);
  if (t == nullptr || t->dims().rank == 0 || (t->dtype() != DType::boolean && t->dtype() != DType::f32)) return true;
  const int64_t keys = t->dims().back();
  for (int64_t begin = 0; begin < t->count(); begin += keys) {
    bool any = false;
    for (int64_t i = begin; i < begin + keys; ++i) {
      any = any || (t->dtype() == DType::boolean ? t->data<bool>()[i] == allowed : t->data<float>()[i] != -std::numeric_limits<float>::infinity());
    }
    if (!any) return true;
  }
  return false;
}

Attention attend(Builder& b, ValueId q, ValueId k_transposed, ValueId v, ValueId mask, double scale, bool zero_masked_rows) {
  ValueId scores = b.emit("MatMul", {q, k_transposed});
  if (scale != 1) scores = b.emit("Mul", {scores, b.scalar_like(scores, scale)});
  if (mask != kNone) scores = b.emit("Add", {scores, mask});
  Attention a;
  a.weights = b.emit("Softmax", {scores}, attributes({{"axis", int64_t(-1)}}));
  a.y = b.emit("MatMul", {a.weights, v});
  if (mask == kNone || !zero_masked_rows || !b.ok()) return a;
  if (b.rank(mask) == 0) mask = unsqueeze(b, mask, {0});
  const ValueId most = b.emit("ReduceMax", {mask, b.ints({-1})}, attributes({{"keepdims", int64_t(1)}}));
  const ValueId dead = b.emit("Equal", {most, b.scalar_like(mask, -std::numeric_limits<double>::infinity())});
  for (ValueId* x : {&a.y, &a.weights}) *x = b.emit("Where", {dead, b.scalar_like(*x, 0), *x});
  return a;
}

namespace {

// Keys and values of fewer heads than the queries: each serves a group of them.
ValueId shared_heads(Builder& b, ValueId v, const Dim& heads) {
  const int axis = b.rank(v) - 3;
  if (!b.ok() || axis < 0) return v;
  const Dim& own = b.shape(v)[axis];
  if (own == heads) return v;
  if (!own.known() || !heads.known() || own.value() < 1 || heads.value() % own.value() != 0) {
    return b.fail(invalid("enable_gqa: " + heads.text() + " heads of the query cannot share " + own.text() + " of the key or value"));
  }
  return call(b, "torch.repeat_interleave", {tensor_of(v), Int(heads.value() / own.value()), Int(axis)}).id();
}

Attention dot_product(Builder& b, const Arguments& a) {
  ValueId q = a.tensor("query"), k = a.tensor("key"), v = a.tensor("value");
  const ValueId given = a.tensor_or_none("attn_mask");
  const bool causal = a.boolean("is_causal");
  const int rank = b.rank(q);
  if (!b.ok()) return {};
  if (rank < 2 || b.rank(k) < 2 || b.rank(v) < 2) return b.fail(invalid("query, key and value need at least two dimensions")), Attention();
  if (causal && given != kNone) return b.fail(invalid("attn_mask must not be given with is_causal")), Attention();
  const Dim& width = b.shape(q)[rank - 1];
  if (!a.has("scale") && !(width.known() && width.value() > 0)) return b.fail(unsupported("the query's last dimension must be known")), Attention();
  const double scale = a.has("scale") ? a.number("scale") : 1 / std::sqrt(static_cast<double>(width.value()));
  if (a.has("enable_gqa") && a.boolean("enable_gqa") && rank > 2) {
    const Dim heads = b.shape(q)[rank - 3];
    k = shared_heads(b, k, heads);
    v = shared_heads(b, v, heads);
  }
  const DType dtype = b.dtype(q);
  const ValueId mask = causal ? causal_mask(b, b.size(q, rank - 2), b.size(k, b.rank(k) - 2), dtype) : additive_mask(b, given, dtype, true);
  // Four dimensions are what becomes one node later.
  std::vector<int64_t> more;
  if (rank < 4 && b.rank(k) == rank && b.rank(v) == rank) {
    for (int64_t i = 0; i < 4 - rank; ++i) more.push_back(i);
  }
  if (!more.empty()) {
    for (ValueId* x : {&q, &k, &v}) *x = unsqueeze(b, *x, more);
  }
  if (!b.ok()) return {};
  Attention out = attend(b, q, transpose(b, k, b.rank(k) - 2, b.rank(k) - 1), v, mask, scale, given != kNone && may_mask_whole_rows(b, given, true));
  for (ValueId* x : {&out.y, &out.weights}) *x = squeeze(b, *x, more);
  return out;
}

IValue attention(Builder& b, const Arguments& a) { return tensor_of(dot_product(b, a).y); }

// What the kernels of several devices return besides the result serves training alone: it is not computed.
template <size_t More>
IValue attention_and(Builder& b, const Arguments& a) {
  IValues out(1 + More, IValue::uncomputed("log-sum-exp and random state, which serve training alone; return the attention's output"));
  out[0] = tensor_of(dot_product(b, a).y);
  return IValue::tuple(std::move(out));
}

IValue attention_and_weights(Builder& b, const Arguments& a) {
  const Attention out = dot_product(b, a);
  return IValue::tuple({tensor_of(out.y), tensor_of(out.weights)});
}

// nn.Transformer's mask, which forwards call for.
IValue square_mask(Builder& b, const Arguments& a) {
  const Int n = a.size("sz");
  return tensor_of(causal_mask(b, n, n, a.has("dtype") ? a.dtype("dtype") : DType::f32));
}

constexpr Operator kAttentionRows[] = {
    {"torch.nn.Transformer.generate_square_subsequent_mask", "sz, device=None, dtype=None", square_mask},
    {"aten.scaled_dot_product_attention.default F.scaled_dot_product_attention",
     "query, key, value, attn_mask=None, dropout_p=0, is_causal=False, *, scale=None, enable_gqa=False", attention},
    {"aten._scaled_dot_product_flash_attention_for_cpu.default", "query, key, value, dropout_p=0, is_causal=False, *, attn_mask=None, scale=None",
     attention_and<1>},
    {"aten._scaled_dot_product_flash_attention.default", "query, key, value, dropout_p=0, is_causal=False, return_debug_mask=False, *, scale=None",
     attention_and<8>},
    {"aten._scaled_dot_product_efficient_attention.default",
     "query, key, value, attn_mask|attn_bias, compute_log_sumexp, dropout_p=0, is_causal=False, *, scale=None", attention_and<3>},
    {"aten._scaled_dot_product_cudnn_attention.default",
     "query, key, value, attn_mask|attn_bias, compute_log_sumexp, dropout_p=0, is_causal=False, return_debug_mask=False, *, scale=None",
     attention_and<8>},
    {"aten._scaled_dot_product_fused_attention_overrideable.default",
     "query, key, value, attn_mask|attn_bias=None, dropout_p=0, is_causal=False, return_debug_mask=False, *, scale=None", attention_and<8>},
    {"aten._scaled_dot_product_attention_math.default",
     "query, key, value, attn_mask=None, dropout_p=0, is_causal=False, dropout_mask=None, *, scale=None, enable_gqa=False", attention_and_weights},
    {"F.multi_head_attention_forward",
     "query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn, dropout_p, out_proj_weight, "
     "out_proj_bias, training=True, key_padding_mask=None, need_weights=True, attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None, "
     "k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True, is_causal=False",
     multi_head_attention_forward},
};

}  // namespace

std::span<const Operator> attention_operators() { return kAttentionRows; }

}  // namespace tern::torch
