// FusedAttention: schema, inference, binding. See attention.h.
#include "kernels/attention/attention.h"

#include <algorithm>

#include "kernels/attention/launch.h"
#include "kernels/launch.h"
#include "kernels/op.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr AttrSpec kAttrs[] = {{"scale", AttrKind::f, 1.0f}};

struct ZeroArgs {
  float* y;
  int64_t count;
};
void zero_out(const ZeroArgs& a) { std::fill_n(a.y, a.count, 0.0f); }
void zero_on_device(const ZeroArgs& a, Launches& to) { to.zero(a.y, a.count * static_cast<int64_t>(sizeof(float))); }
constexpr KernelRow kZero[] = {row<ZeroArgs, zero_out>("attention_zero/f32/scalar", DType::f32, Isa::scalar),
                               device_row<ZeroArgs, zero_on_device>("attention_zero/f32/cuda", DType::f32)};

bool differ(const Dim& a, const Dim& b) { return a.known() && b.known() && !(a == b); }

Status infer(InferContext& c) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.has(i) && c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  const Shape &q = c.shape(0), &k = c.shape(1), &v = c.shape(2);
  if (!q.ranked() || !k.ranked() || !v.ranked()) {
    c.set(0, DType::f32, {});
    return {};
  }
  if (q.rank() != 4 || k.rank() != 4 || v.rank() != 4 || differ(q[0], k[0]) || differ(q[1], k[1]) || differ(q[0], v[0]) || differ(q[1], v[1]) ||
      differ(q[3], k[3]) || differ(k[2], v[2])) {
    return invalid("q, k and v are " + q.text() + ", " + k.text() + " and " + v.text() + ": expected [B,H,T,D], [B,H,S,D] and [B,H,S,E]");
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
  c.set(0, DType::f32, Shape{q[0], q[1], q[2], v[3]});
  return {};
}

// What the arguments for a CPU and for a device have in common, of this part's heads. False: there are none.
template <class Args>
Result<bool> read_heads(BindContext& c, Args& a) {
  const Dims &q = c.in(0).dims, &k = c.in(1).dims, &v = c.in(2).dims;
  a.T = q[2];
  a.S = k[2];
  a.D = q[3];
  a.E = v[3];
  a.scale = c.attrs.f("scale");
  const auto [begin, end] = c.range(q[0] * q[1]);
  if (begin == end) return false;
  a.heads = end - begin;
  c.set(a.q, c.input<const float>(0) + begin * a.T * a.D);
  c.set(a.k, c.input<const float>(1) + begin * a.S * a.D);
  c.set(a.v, c.input<const float>(2) + begin * a.S * a.E);
  c.set(a.y, c.output<float>(0) + begin * a.T * a.E);
  if (c.has(3)) {
    Dims mask{1, 1, 1, 1};
    const Dims& given = c.in(3).dims;
    if (given.rank > 4) return invalid("the mask is " + to_string(given));
    for (int i = 0; i < given.rank; ++i) mask[4 - given.rank + i] = given[i];
    const Dims scores{q[0], q[1], a.T, a.S};
    for (int i = 0; i < 4; ++i) {
      if (mask[i] != 1 && mask[i] != scores[i])
        return invalid("the mask is " + to_string(given) + ", which does not broadcast to " + to_string(scores));
    }
    c.set(a.mask, c.input<const float>(3));
    a.mask_column = mask[3] == 1 ? 0 : 1;
    a.mask_row = mask[2] == 1 ? 0 : mask[3];
    c.set(a.mask_head, c.table<int64_t>(a.heads, [&, first = begin](int64_t* table) {
      for (int64_t i = 0; i < a.heads; ++i) {
        const int64_t batch = mask[0] == 1 ? 0 : (first + i) / q[1], head = mask[1] == 1 ? 0 : (first + i) % q[1];
        table[i] = (batch * mask[1] + head) * mask[2] * mask[3];
      }
    }));
  }
  return true;
}

Status bind(BindContext& c) {
  const Dims &q = c.in(0).dims, &k = c.in(1).dims, &v = c.in(2).dims;
  if (q[0] != k[0] || q[1] != k[1] || q[0] != v[0] || q[1] != v[1] || q[3] != k[3] || k[2] != v[2]) {
    return invalid("q, k and v are " + to_string(q) + ", " + to_string(k) + " and " + to_string(v));
  }
  if (c.out(0).count() == 0) return {};
  if (k[2] == 0) {
    ZeroArgs& a = c.args(ZeroArgs{nullptr, c.out(0).count()});
    c.set(a.y, c.output<float>(0));
    if (c.part == 0) c.run(*pick(rows_of<kZero>, DType::f32, c.isa));
    return {};
  }
  if (c.isa == Isa::cuda) {
    cuda::AttentionArgs& a = c.args<cuda::AttentionArgs>();
    auto any = read_heads(c, a);
    if (!any) return any.error();
    a.S16 = round_up(a.S, 16);
    if (a.S > cuda::kAttentionShared) c.set(a.scores, c.workspace<float>(cuda::kAttentionBlocks * cuda::kAttentionTile * a.S16));
    if (*any) c.run(cuda::attention_f32);
    return {};
  }
  AttentionArgs& a = c.args<AttentionArgs>();
  auto any = read_heads(c, a);
  if (!any) return any.error();
  if (!*any) return {};
  const int64_t S16 = round_up(a.S, 16);
  c.set(a.keys, c.workspace<float>(std::max<int64_t>(1, a.D) * S16));
  if (a.E % 16 != 0) c.set(a.values, c.workspace<float>(a.S * round_up(a.E, 16)));
  c.set(a.weights, c.workspace<float>(kAttentionRows * S16));
  c.run(*pick(rows_of<TERN_ON_EACH_ISA(attention_f32)>, DType::f32, c.isa));
  return {};
}

int64_t macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) {
  return out[0].dims.count(0, 3) * in[1].dims[2] * (in[0].dims[3] + in[2].dims[3]);
}

}  // namespace

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
