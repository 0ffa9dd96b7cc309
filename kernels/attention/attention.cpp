// FusedAttention: schema, inference, binding. See attention.h.
#include "kernels/attention/attention.h"

#include <algorithm>

#include "kernels/attention/bind.h"
#include "kernels/attention/launch.h"
#include "kernels/launch.h"
#include "kernels/op.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr AttrSpec kAttrs[] = {{"after", AttrKind::i},     {"k_view", AttrKind::ints},  {"q_view", AttrKind::ints},   {"scale", AttrKind::f, 1.0f},
                               {"v_view", AttrKind::ints}, {"y_shape", AttrKind::ints}, {"y_strides", AttrKind::ints}};
constexpr const char* kViews[] = {"q_view", "k_view", "v_view"};

struct ZeroArgs {
  float* y;
  int64_t count;
};
void zero_out(const ZeroArgs& a) { std::fill_n(a.y, a.count, 0.0f); }
void zero_on_device(const ZeroArgs& a, Launches& to) { to.zero(a.y, a.count * static_cast<int64_t>(sizeof(float))); }
constexpr KernelRow kZero[] = {row<ZeroArgs, zero_out>("attention_zero/f32/scalar", DType::f32, Isa::scalar),
                               device_row<ZeroArgs, zero_on_device>("attention_zero/f32/cuda", DType::f32)};

// [B,heads,places,width], row-major.
HeadLayout dense(const Dims& d) { return {d[1] * d[2] * d[3], d[2] * d[3], d[3]}; }

// Whether rows of d[3] elements, `at` apart from `offset` on, lie among `count` elements.
bool lies_within(int64_t count, const Dims& d, int64_t offset, const HeadLayout& at) {
  std::optional<int64_t> end = checked_add(offset, d[3]);
  const int64_t strides[] = {at.batch, at.head, at.place};
  for (int i = 0; end && i < 3; ++i) {
    if (d[i] < 1 || strides[i] < 0) return false;
    const auto step = checked_mul(d[i] - 1, strides[i]);
    end = step ? checked_add(*end, *step) : std::nullopt;
  }
  return end && offset >= 0 && d[3] >= 0 && *end <= count;
}

// q, k or v as the heads see it, and where that lies in its input: dense, but where a view says otherwise.
struct Operand {
  Dims dims;  // [B,H,places,width]
  int64_t offset;
  HeadLayout at;
};
// A view is these eight numbers.
std::optional<Operand> viewed(const AttrReader& attrs, size_t i) {
  const auto view = attrs.ints(kViews[i]);
  if (view.size() != 8) return std::nullopt;
  return Operand{{view[0], view[1], view[2], view[3]}, view[4], {view[5], view[6], view[7]}};
}
std::optional<Operand> operand(const BindContext& c, size_t i) {
  const Dims& in = c.in(i).dims;
  if (!c.attrs.has(kViews[i])) return Operand{in, 0, dense(in)};
  const auto view = viewed(c.attrs, i);
  return view && lies_within(in.count(), view->dims, view->offset, view->at) ? view : std::nullopt;
}
Shape shape_of(const InferContext& c, size_t i) {
  if (!c.attrs.has(kViews[i])) return c.shape(i);
  const auto view = viewed(c.attrs, i);
  return view ? Shape(view->dims) : Shape{};
}

bool differ(const Dim& a, const Dim& b) { return a.known() && b.known() && !(a == b); }
// Not as many as there are heads of q, nor a part of them that shares each.
bool no_share(const Dim& heads, const Dim& keys) {
  return heads.known() && keys.known() && heads.value() != keys.value() && (keys.value() < 1 || heads.value() % keys.value() != 0);
}

Status infer(InferContext& c) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.has(i) && c.dtype(i) != DType::f32 && (i != 3 || c.dtype(i) != DType::boolean)) return bad_dtype(c.dtype(i));
  }
  const Shape q = shape_of(c, 0), k = shape_of(c, 1), v = shape_of(c, 2);
  if (!q.ranked() || !k.ranked() || !v.ranked()) {
    c.set(0, DType::f32, {});
    return {};
  }
  if (q.rank() != 4 || k.rank() != 4 || v.rank() != 4 || differ(q[0], k[0]) || no_share(q[1], k[1]) || differ(q[0], v[0]) || differ(k[1], v[1]) ||
      differ(q[3], k[3]) || differ(k[2], v[2])) {
    return invalid("q, k and v are " + q.text() + ", " + k.text() + " and " + v.text() + ": expected [B,H,T,D], [B,KV,S,D] and [B,KV,S,E]");
  }
  if (c.has(3) && c.shape(3).ranked()) {
    const Shape &mask = c.shape(3), scores{q[0], q[1], q[2], k[2]};
    bool fits = mask.rank() <= 4;
    for (int i = 0; fits && i < mask.rank(); ++i) {
      const Dim& n = mask[mask.rank() - 1 - i];
      fits = n.is(1) || !differ(n, scores[3 - i]);
    }
    if (!fits) return invalid("the mask is " + mask.text() + ", which does not broadcast to " + scores.text());
  }
  const auto y = c.attrs.ints("y_shape");
  c.set(0, DType::f32, c.attrs.has("y_shape") ? Shape(Dims(y)) : Shape{q[0], q[1], q[2], v[3]});
  return {};
}

Status bind_mask(BindContext& c, const Dims& scores, AttentionArgs& a) {
  const Dims& given = c.in(3).dims;
  Dims mask{1, 1, 1, 1};
  if (given.rank > 4) return invalid("the mask is " + to_string(given));
  for (int i = 0; i < given.rank; ++i) mask[4 - given.rank + i] = given[i];
  int64_t stride = 1;
  int64_t* strides[] = {&a.mask_batch, &a.mask_head, &a.mask_row, &a.mask_column};
  for (int i = 3; i >= 0; --i) {
    if (mask[i] != 1 && mask[i] != scores[i])
      return invalid("the mask is " + to_string(given) + ", which does not broadcast to " + to_string(scores));
    *strides[i] = mask[i] == 1 ? 0 : stride;
    stride *= mask[i];
  }
  a.hides = c.in(3).dtype == DType::boolean;
  a.kind = a.hides ? AttentionMask::bools : AttentionMask::floats;
  if (a.hides && mask[3] != scores[3]) return invalid("the mask is " + to_string(given) + ": bools must say it for each key of " + to_string(scores));
  c.set(a.mask, c.input(3));
  return {};
}

Status bind(BindContext& c) {
  const auto q_in = operand(c, 0), k_in = operand(c, 1), v_in = operand(c, 2);
  if (!q_in || !k_in || !v_in) return invalid("a view of q, k or v leaves its input");
  const Dims &q = q_in->dims, &k = k_in->dims, &v = v_in->dims;
  if (q[0] != k[0] || no_share(q[1], k[1]) || q[0] != v[0] || k[1] != v[1] || q[3] != k[3] || k[2] != v[2]) {
    return invalid("q, k and v are " + to_string(q) + ", " + to_string(k) + " and " + to_string(v));
  }
  if (c.out(0).count() == 0) return {};
  if (k[2] == 0) {
    ZeroArgs& a = c.args(ZeroArgs{nullptr, c.out(0).count()});
    c.set(a.y, c.output<float>(0));
    if (c.part == 0) c.run(*pick(rows_of<kZero>, DType::f32, c.isa));
    return {};
  }
  AttentionArgs& a = c.args<AttentionArgs>();
  a.heads = q[1];
  a.group = q[1] / k[1];  // neither is 0: y has elements
  a.T = q[2];
  a.S = a.masked_from = k[2];
  a.D = q[3];
  a.E = v[3];
  a.q_at = q_in->at;
  a.k_at = k_in->at;
  a.v_at = v_in->at;
  const Dims y{q[0], q[1], q[2], v[3]};
  a.y_at = dense(y);
  if (c.attrs.has("y_strides")) {
    const auto strides = c.attrs.ints("y_strides");
    if (strides.size() == 3) a.y_at = {strides[0], strides[1], strides[2]};
  }
  if (c.out(0).count() != y.count() || !lies_within(y.count(), y, 0, a.y_at)) return invalid("y does not lie in its output");
  a.step = 1;
  a.before = a.after = a.T + a.S;
  a.scale = c.attrs.f("scale");
  c.set(a.q, c.input<const float>(0) + q_in->offset);
  c.set(a.k, c.input<const float>(1) + k_in->offset);
  c.set(a.v, c.input<const float>(2) + v_in->offset);
  c.set(a.y, c.output<float>(0));
  if (c.has(3)) {
    if (Status s = bind_mask(c, {q[0], q[1], q[2], k[2]}, a); !s) return s;
    if (c.attrs.has("after")) a.after = std::clamp<int64_t>(c.attrs.i("after"), 0, a.after);
  }
  run_attention(c, a, q[0]);
  return {};
}

int64_t macs(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  const auto q = attrs.has(kViews[0]) ? viewed(attrs, 0) : Operand{in[0].dims, 0, {}},
             k = attrs.has(kViews[1]) ? viewed(attrs, 1) : Operand{in[1].dims, 0, {}};
  if (!q || !k) return 0;
  const int64_t rows = q->dims.count(0, 3);
  return rows * k->dims[2] * q->dims[3] + out[0].dims.count() * k->dims[2];
}

}  // namespace

void run_attention(BindContext& c, AttentionArgs& a, int64_t batches) {
  const auto [present_begin, present_end] = c.range(batches * (a.heads / a.group));
  a.present_begin = present_begin;
  a.present_end = c.has_out(1) || c.has_out(2) ? present_end : present_begin;
  a.block = a.before < a.S + a.T || a.after < a.S + a.T ? kAttentionBlock : a.T;
  // One row of each of the heads that share keys: they are the rows of one head.
  if (a.T == 1 && a.group > 1 && !c.has(6)) {
    a.T = a.block = a.group;
    a.heads /= a.group;
    a.group = 1;
    a.q_at.place = a.q_at.head;
    a.y_at.place = a.y_at.head;
    a.q_at.head *= a.T;
    a.y_at.head *= a.T;
    a.mask_row = a.mask_head;
    a.mask_head *= a.T;
    a.step = 0;
  }
  const auto [begin, end] = c.range(batches * a.heads);
  a.begin = begin;
  a.end = end;
  if (begin == end && a.present_begin == a.present_end) return;
  const int64_t S16 = round_up(a.S, 16);
  if (c.isa == Isa::cuda) {
    if (a.S > cuda::kAttentionShared) c.set(a.weights, c.workspace<float>(cuda::kAttentionBlocks * kAttentionBlock * S16));
    c.run(cuda::attention_f32);
    return;
  }
  c.set(a.keys, c.workspace<float>(std::max<int64_t>(1, a.D) * S16));
  if (a.E % 16 != 0) c.set(a.values, c.workspace<float>(a.S * round_up(a.E, 16)));
  c.set(a.weights, c.workspace<float>(kAttentionRows * S16));
  c.run(*pick(rows_of<TERN_ON_EACH_ISA(attention_f32)>, DType::f32, c.isa));
}

constinit const OpDef kFusedAttention = {.name = "FusedAttention",
                                         .inputs = {3, 4},
                                         .outputs = {1, 1},
                                         .attrs = kAttrs,
                                         .infer = infer,
                                         .bind = bind,
                                         .kernels = rows_of<TERN_ON_EACH_ISA(attention_f32), cuda::attention_f32, kZero>,
                                         .macs = macs,
                                         .tern_only = true};

}  // namespace tern
