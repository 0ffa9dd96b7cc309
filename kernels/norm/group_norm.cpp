// InstanceNormalization and GroupNormalization: schema, inference, binding, the portable kernel. See norm.h.
// An instance norm is a group norm whose groups are single channels.
#include "kernels/norm/norm.h"
#include "kernels/norm/portable.h"
#include "kernels/op.h"

namespace tern {
namespace {

struct GroupNormPortableArgs {  // as GroupNormArgs, with parameters of any float dtype
  const void *x, *scale, *bias;
  void* y;
  DType scale_dtype, bias_dtype;
  int64_t first, rows, groups, channels_per_group, inner;
  double epsilon;
};

template <class T>
void portable_group_norm(const GroupNormPortableArgs& a) {
  const int64_t n = a.channels_per_group * a.inner;
  for (int64_t r = a.first; r < a.first + a.rows; ++r) {
    const T* x = static_cast<const T*>(a.x) + r * n;  // [channels_per_group, inner]
    T* y = static_cast<T*>(a.y) + r * n;              // [channels_per_group, inner]
    const norm::Moments m = norm::moments(x, n, a.epsilon, true);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t channel = r % a.groups * a.channels_per_group + i / a.inner;
      norm::put(y, i, (norm::get(x, i) - m.mean) * m.inv * norm::get(a.scale, a.scale_dtype, channel) + norm::get(a.bias, a.bias_dtype, channel));
    }
  }
}

constexpr KernelRow kGroupNormPortable[] = {
    row<GroupNormPortableArgs, portable_group_norm<double>>("group_norm/f64/scalar", DType::f64, Isa::scalar),
    row<GroupNormPortableArgs, portable_group_norm<f16>>("group_norm/f16/scalar", DType::f16, Isa::scalar),
    row<GroupNormPortableArgs, portable_group_norm<bf16>>("group_norm/bf16/scalar", DType::bf16, Isa::scalar),
};

constexpr AttrSpec kInstanceAttrs[] = {{"epsilon", AttrKind::f, 1e-5f}};
constexpr AttrSpec kGroupAttrs[] = {{"epsilon", AttrKind::f, 1e-5f}, {"num_groups", AttrKind::i, kRequired}, {"stash_type", AttrKind::i, 1}};

Status infer_group_norm(InferContext& c, int64_t groups) {
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.has(i) && !is_float(c.dtype(i))) return bad_dtype(c.dtype(i));
    if (i > 0 && c.has(i) && c.dtype(i) != c.dtype(0)) return invalid("scale and bias must have the dtype of the input");
  }
  const Shape& x = c.shape(0);
  if (x.ranked() && x.rank() < 2) return invalid("the input is " + x.text() + ", it needs a batch and a channel dimension");
  if (groups < 1) return invalid("num_groups is " + std::to_string(groups));
  if (x.ranked() && x[1].known() && x[1].value() % groups != 0) {
    return invalid(std::to_string(groups) + " groups do not divide the channels of " + x.text());
  }
  for (size_t i = 1; i < 3; ++i) {
    if (!c.has(i) || !c.shape(i).ranked() || !x.ranked()) continue;
    const Shape& p = c.shape(i);
    if (p.rank() != 1 || (p[0].known() && x[1].known() && p[0] != x[1])) {
      return invalid("scale and bias are " + p.text() + ", the input " + x.text() + " needs one element a channel");
    }
  }
  return infer_same(c);
}
Status infer_instance(InferContext& c) { return infer_group_norm(c, 1); }
Status infer_group(InferContext& c) { return infer_group_norm(c, c.attrs.i("num_groups")); }

Status bind_group_norm(BindContext& c, int64_t groups, float epsilon) {
  const TensorView& x = c.in(0);
  const int64_t channels = x.dims[1], per_group = channels / groups, inner = x.dims.count(2, x.dims.rank), n = per_group * inner;
  if (channels % groups != 0) return invalid(std::to_string(groups) + " groups do not divide the channels of " + to_string(x.dims));
  if (c.in(1).count() != channels || c.in(2).count() != channels) return invalid("scale and bias need one element a channel");
  const auto [begin, end] = c.range(x.dims[0] * groups);
  if (n == 0 || begin == end) return {};
  const KernelRow* kernel = c.pick(x.dtype);
  if (x.dtype == DType::f32) {
    GroupNormArgs& a = c.args<GroupNormArgs>();
    a.first = begin;
    a.rows = end - begin;
    a.groups = groups;
    a.channels_per_group = per_group;
    a.inner = inner;
    a.epsilon = epsilon;
    c.set(a.x, c.input<const float>(0) + begin * n);
    c.set(a.y, c.output<float>(0) + begin * n);
    c.set(a.scale, c.input<const float>(1));
    c.set(a.bias, c.input<const float>(2));
  } else {
    GroupNormPortableArgs& a = c.args<GroupNormPortableArgs>();
    a.scale_dtype = c.in(1).dtype;
    a.bias_dtype = c.in(2).dtype;
    a.first = begin;
    a.rows = end - begin;
    a.groups = groups;
    a.channels_per_group = per_group;
    a.inner = inner;
    a.epsilon = epsilon;
    c.set(a.x, c.input(0));
    c.set(a.y, c.output(0));
    c.set(a.scale, c.input(1));
    c.set(a.bias, c.input(2));
  }
  c.run(*kernel);
  return {};
}
Status bind_instance(BindContext& c) {
  if (c.in(0).dims[1] == 0) return {};
  return bind_group_norm(c, c.in(0).dims[1], c.attrs.f("epsilon"));
}
Status bind_group(BindContext& c) { return bind_group_norm(c, c.attrs.i("num_groups"), c.attrs.f("epsilon")); }

}  // namespace

constinit const OpDef kInstanceNormalization = {.name = "InstanceNormalization",
                                                .inputs = {3, 3},
                                                .outputs = {1, 1},
                                                .attrs = kInstanceAttrs,
                                                .infer = infer_instance,
                                                .bind = bind_instance,
                                                .kernels = rows_of<TERN_ON_EACH_ISA(group_norm_f32), cuda::group_norm_f32, kGroupNormPortable>,
                                                .inplace_inputs = 1};
constinit const OpDef kGroupNormalization = {.name = "GroupNormalization",
                                             .inputs = {3, 3},
                                             .outputs = {1, 1},
                                             .attrs = kGroupAttrs,
                                             .infer = infer_group,
                                             .bind = bind_group,
                                             .kernels = rows_of<TERN_ON_EACH_ISA(group_norm_f32), cuda::group_norm_f32, kGroupNormPortable>,
                                             .inplace_inputs = 1};

}  // namespace tern
