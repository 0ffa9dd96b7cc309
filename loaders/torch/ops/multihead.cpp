// multi_head_attention_forward: projections, heads, attention, one more projection. In both layouts, because a transpose costs a copy.
// See attention.h.
#include <cmath>
#include <cstring>

#include "loaders/torch/ops/attention.h"

namespace tern::torch {

ValueId rows_of(Builder& b, ValueId weight, int64_t begin, int64_t end) {
  if (weight == kNone || !b.ok()) return kNone;
  const tern::Tensor* whole = b.contents(weight);
  if (whole == nullptr) return slice(b, weight, 0, begin, end);
  if (whole->dims().rank == 0 || whole->dims()[0] < end)
    return b.fail(invalid("a projection is " + to_string(whole->dims()) + ", it needs " + std::to_string(end) + " rows"));
  const size_t row = whole->bytes() / static_cast<size_t>(whole->dims()[0]), offset = row * static_cast<size_t>(begin);
  Dims dims = whole->dims();
  dims[0] = end - begin;
  if (offset % kAlignment == 0) return b.constant(tern::Tensor(whole->dtype(), dims, {whole->storage(), whole->raw() + offset}));
  auto copy = tern::Tensor::allocate(whole->dtype(), dims);
  if (!copy) return b.fail(copy.error());
  std::memcpy(copy->mutable_raw(), whole->raw() + offset, copy->bytes());
  return b.constant(std::move(*copy));
}

namespace {

// The sizes that everything below needs. `time` is the axis of steps, the other of the first two is the batch.
struct Sizes {
  int time = 0;
  Int batch, queries;
  int64_t embed = 0, heads = 0, width = 0;  // embed = heads * width
};

ValueId linear(Builder& b, ValueId x, ValueId w, ValueId bias) {
  return call(b, "aten.linear.default", {tensor_of(x), tensor_of(w), tensor_of(bias)}).id();
}

struct Projected {
  ValueId q = kNone, k = kNone, v = kNone;
};

// The same products whether the inputs are one tensor or three; only their number differs.
Projected project(Builder& b, const MultiHead& m, int64_t embed) {
  auto bias = [&](int64_t begin, int64_t end) { return rows_of(b, m.in_bias, begin * embed, end * embed); };
  auto pieces = [&](ValueId v, int64_t n) {
    return b.emit("Split", {v}, attributes({{"axis", int64_t(-1)}, {"num_outputs", n}}), static_cast<size_t>(n));
  };
  if (m.in_weight == kNone) {
    return {linear(b, m.query, m.q_weight, bias(0, 1)), linear(b, m.key, m.k_weight, bias(1, 2)), linear(b, m.value, m.v_weight, bias(2, 3))};
  }
  if (m.query == m.key && m.key == m.value) {
    const auto all = pieces(linear(b, m.query, m.in_weight, m.in_bias), 3);
    return {all[0], all[1], all[2]};
  }
  auto weight = [&](int64_t begin, int64_t end) { return rows_of(b, m.in_weight, begin * embed, end * embed); };
  Projected p{linear(b, m.query, weight(0, 1), bias(0, 1))};
  if (m.key == m.value) {
    const auto both = pieces(linear(b, m.key, weight(1, 3), bias(1, 3)), 2);
    p.k = both[0];
    p.v = both[1];
  } else {
    p.k = linear(b, m.key, weight(1, 2), bias(1, 2));
    p.v = linear(b, m.value, weight(2, 3), bias(2, 3));
  }
  return p;
}

// One more zero at the end of an axis.
ValueId one_more(Builder& b, ValueId v, int axis) {
  if (!b.ok()) return kNone;
  std::vector<int64_t> pads(static_cast<size_t>(2 * b.rank(v)), 0);
  pads[static_cast<size_t>(b.rank(v) + axis)] = 1;
  return b.emit("Pad", {v, b.ints(pads)});
}

// The learned key or value, for every element of the batch, behind the others.
ValueId append(Builder& b, const Sizes& s, ValueId v, ValueId learned) {
  if (learned == kNone) return v;
  std::vector<Int> sizes = {s.batch, Int(1), Int(s.embed)};
  if (s.time == 0) std::swap(sizes[0], sizes[1]);
  return concat(b, {v, b.emit("Expand", {learned, b.ints(sizes)})}, s.time);
}

// [B,H,T,D], or [B,H,D,T].
ValueId split_heads(Builder& b, const Sizes& s, ValueId v, bool transposed) {
  const ValueId apart = b.emit("Reshape", {v, b.ints({0, 0, s.heads, s.width})});  // 0: as it is
  std::vector<int64_t> order = {1 - s.time, 2, s.time, 3};
  if (transposed) std::swap(order[2], order[3]);
  return permute(b, apart, order);
}

// [B,H,T,D] back to the layout of the inputs.
ValueId join_heads(Builder& b, const Sizes& s, ValueId v) {
  const ValueId apart = permute(b, v, s.time == 0 ? std::vector<int64_t>{2, 0, 1, 3} : std::vector<int64_t>{0, 2, 1, 3});
  return b.emit("Reshape", {apart, b.ints({0, 0, s.embed})});
}

// Both masks as one that is added to the scores: it broadcasts to [B,H,T,S].
ValueId merged_mask(Builder& b, const MultiHead& m, const Sizes& s, bool batched, DType dtype) {
  ValueId mask = additive_mask(b, m.attn_mask, dtype, false), padding = additive_mask(b, m.key_padding_mask, dtype, false);
  if (mask != kNone && b.rank(mask) == 3) {
    mask = b.reshape(mask, {s.batch, Int(s.heads), b.size(mask, 1), b.size(mask, 2)});
  } else if (mask != kNone && b.rank(mask) != 2) {
    return b.ok() ? b.fail(invalid("attn_mask is " + b.shape(mask).text() + ", it must have 2 or 3 dimensions")) : kNone;
  }
  if (padding != kNone) {
    if (b.rank(padding) != (batched ? 2 : 1))
      return b.ok() ? b.fail(invalid("key_padding_mask is " + b.shape(padding).text() + ", it must be [batch, keys] (or [keys] without a batch)"))
                    : kNone;
    padding = unsqueeze(b, padding, batched ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{0, 1, 2});
    mask = mask == kNone ? padding : b.emit("Add", {mask, padding});
  }
  for (int more = (m.bias_k != kNone) + m.add_zero_attn; mask != kNone && more > 0; --more) mask = one_more(b, mask, b.rank(mask) - 1);
  return mask;
}

bool may_mask_whole_rows(Builder& b, const MultiHead& m) {
  if (m.bias_k != kNone || m.add_zero_attn) return false;  // there is a key that no mask reaches
  return m.key_padding_mask != kNone || (m.attn_mask != kNone && may_mask_whole_rows(b, m.attn_mask, false));
}

// The scores are asked for: batch and heads become one axis, as torch has it, so that exported programs give the same nodes.
IValue with_weights(Builder& b, const MultiHead& m, const Sizes& s, ValueId q, ValueId k, ValueId v, ValueId mask) {
  const Int pairs = b.mul(s.batch, s.heads);
  auto flat = [&](ValueId x) { return b.reshape(x, {pairs, b.size(x, 2), b.size(x, 3)}); };
  if (mask != kNone && b.rank(mask) == 4) {
    const Int rows = b.size(mask, 2), keys = b.size(mask, 3);
    mask = b.reshape(b.emit("Expand", {mask, b.ints(std::vector<Int>{s.batch, s.heads, rows, keys})}), {pairs, rows, keys});
  }
  const ValueId scaled = b.emit("Mul", {flat(q), b.scalar_like(q, std::sqrt(1 / static_cast<double>(s.width)))});
  const Attention a = attend(b, scaled, flat(k), flat(v), mask, 1, false);
  const ValueId y = linear(b, join_heads(b, s, b.reshape(a.y, {s.batch, Int(s.heads), s.queries, Int(s.width)})), m.out_weight, m.out_bias);
  ValueId weights = b.reshape(a.weights, {s.batch, Int(s.heads), s.queries, b.size(k, 3)});
  if (m.average_weights) weights = b.emit("ReduceMean", {weights, b.ints({1})}, attributes({{"keepdims", int64_t(0)}}));
  return IValue::tuple({tensor_of(y), tensor_of(weights)});
}

IValue of_batch(Builder& b, const MultiHead& m, bool batched) {
  Sizes s;
  s.time = m.batch_first ? 1 : 0;
  const Shape& weight = b.shape(m.in_weight == kNone ? m.q_weight : m.in_weight);
  if (weight.rank() != 2 || !weight.known()) return tensor_of(b.fail(invalid("the projection's weight must be a matrix of known sizes")));
  s.embed = m.in_weight == kNone ? weight[0].value() : weight[0].value() / 3;
  s.heads = m.heads;
  if (s.heads < 1 || s.embed < 1 || s.embed % s.heads != 0) {
    return tensor_of(b.fail(invalid("embed_dim " + std::to_string(s.embed) + " is not divisible by num_heads " + std::to_string(s.heads))));
  }
  s.width = s.embed / s.heads;
  s.batch = b.size(m.query, 1 - s.time);
  s.queries = b.size(m.query, s.time);
  Projected p = project(b, m, s.embed);
  p.k = append(b, s, p.k, m.bias_k);
  p.v = append(b, s, p.v, m.bias_v);
  ValueId q = split_heads(b, s, p.q, false), k = split_heads(b, s, p.k, true), v = split_heads(b, s, p.v, false);
  if (m.add_zero_attn) {
    k = one_more(b, k, 3);
    v = one_more(b, v, 2);
  }
  if (!b.ok()) return {};
  if (m.is_causal && m.attn_mask == kNone) return tensor_of(b.fail(invalid("is_causal needs attn_mask: it is a hint that the mask is causal")));
  const bool causal = m.is_causal && m.key_padding_mask == kNone && !m.need_weights;
  const ValueId mask = causal ? causal_mask(b, s.queries, b.size(k, 3), b.dtype(q)) : merged_mask(b, m, s, batched, b.dtype(q));
  if (m.need_weights) return with_weights(b, m, s, q, k, v, mask);
  const Attention a = attend(b, q, k, v, mask, 1 / std::sqrt(static_cast<double>(s.width)), !causal && may_mask_whole_rows(b, m));
  return IValue::tuple({tensor_of(linear(b, join_heads(b, s, a.y), m.out_weight, m.out_bias)), IValue()});
}

}  // namespace

IValue multi_head_attention(Builder& b, const MultiHead& given) {
  if (!b.ok()) return {};
  const int rank = b.rank(given.query);
  if (b.rank(given.key) != rank || b.rank(given.value) != rank || (rank != 2 && rank != 3)) {
    if (b.ok()) b.fail(invalid("query, key and value must all have 3 dimensions, or 2 without a batch"));
    return {};
  }
  if (rank == 3) return of_batch(b, given, true);
  MultiHead m = given;
  m.batch_first = true;
  auto batch_of_one = [&](ValueId v) { return unsqueeze(b, v, {0}); };
  m.query = batch_of_one(given.query);
  m.key = given.key == given.query ? m.query : batch_of_one(given.key);
  m.value = given.value == given.key ? m.key : given.value == given.query ? m.query : batch_of_one(given.value);
  IValue out = of_batch(b, m, false);
  if (!b.ok()) return {};
  for (IValue& v : *out.get<IValue::Sequence>()->items) v = v.is_none() ? v : tensor_of(squeeze(b, v.id(), {0}));
  return out;
}

IValue multi_head_attention_forward(Builder& b, const Arguments& a) {
  if (a.has("static_k") || a.has("static_v")) return tensor_of(b.fail(unsupported("static_k and static_v are not supported")));
  MultiHead m;
  m.query = a.tensor("query");
  m.key = a.tensor("key");
  m.value = a.tensor("value");
  m.heads = a.integer("num_heads");
  if (a.boolean("use_separate_proj_weight")) {
    m.q_weight = a.tensor("q_proj_weight");
    m.k_weight = a.tensor("k_proj_weight");
    m.v_weight = a.tensor("v_proj_weight");
  } else {
    m.in_weight = a.tensor("in_proj_weight");
  }
  m.in_bias = a.tensor_or_none("in_proj_bias");
  m.out_weight = a.tensor("out_proj_weight");
  m.out_bias = a.tensor_or_none("out_proj_bias");
  m.bias_k = a.tensor_or_none("bias_k");
  m.bias_v = a.tensor_or_none("bias_v");
  m.add_zero_attn = a.boolean("add_zero_attn");
  m.key_padding_mask = a.tensor_or_none("key_padding_mask");
  m.attn_mask = a.tensor_or_none("attn_mask");
  m.need_weights = a.boolean("need_weights");
  m.average_weights = a.boolean("average_attn_weights");
  m.is_causal = a.boolean("is_causal");
  return multi_head_attention(b, m);
}

}  // namespace tern::torch
