// Conv and FusedConv: schema, inference, binding. See conv.h; binding proper is in conv_bind.cpp.
#include "kernels/conv/conv.h"

#include <algorithm>

#include "kernels/conv/conv_bind.h"
#include "kernels/conv/portable.h"
#include "kernels/conv/tensor.h"
#include "kernels/layouts.h"
#include "runtime/base/checked.h"

namespace tern {

bool channels_last(const AttrReader& attrs, int64_t side) { return attrs.lists("channels_last") && (attrs.i("channels_last") & side) != 0; }
void put_channels_first(Shape& s) {
  if (s.rank() > 1) std::rotate(s.dims().begin() + 1, s.dims().end() - 1, s.dims().end());
}
void put_channels_last(Shape& s) {
  if (s.rank() > 1) std::rotate(s.dims().begin() + 1, s.dims().begin() + 2, s.dims().end());
}

namespace {

constexpr AttrSpec kConvAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"}, {"dilations", AttrKind::ints}, {"group", AttrKind::i, 1},
                                   {"kernel_shape", AttrKind::ints},    {"pads", AttrKind::ints},      {"strides", AttrKind::ints}};
constexpr AttrSpec kLastAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"}, {"channels_last", AttrKind::i, 0},  // conv_bind.h
                                   {"dilations", AttrKind::ints},       {"group", AttrKind::i, 1},
                                   {"kernel_shape", AttrKind::ints},    {"pads", AttrKind::ints},
                                   {"strides", AttrKind::ints}};
constexpr auto kFusedAttrs = with_epilogue(kLastAttrs);

Status check_channels(const Shape& x, const Shape& w, int64_t groups) {
  if (groups < 1) return invalid("group is " + std::to_string(groups));
  if (w[0].known() && w[0].value() % groups != 0)
    return invalid("W has " + w[0].text() + " output channels, no multiple of group " + std::to_string(groups));
  if (w[1].known() && x[1].known() && checked_mul(w[1].value(), groups) != x[1].value()) {
    return invalid("X is " + x.text() + " and W is " + w.text() + " with group " + std::to_string(groups) + ": input channels differ");
  }
  return {};
}

}  // namespace

Status check_conv_dtypes(const InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    if (c.has(i) && c.dtype(i) != c.dtype(0)) return invalid("input " + std::to_string(i) + " is " + name(c.dtype(i)) + ", X is " + name(c.dtype(0)));
  }
  if (c.dtype(0) == DType::f32) return {};
  const auto activation = fused_activation(c.attrs);
  const bool plain = !c.has(3) && !c.has(4) && activation && activation->activation == Activation::none;
  return plain ? Status() : bad_dtype(c.dtype(0));
}
Status check_bias(const InferContext& c, const Dim& channels) {
  if (!c.has(2) || !c.shape(2).ranked()) return {};
  const Shape& b = c.shape(2);
  if (b.rank() == 1 && (!b[0].known() || !channels.known() || b[0] == channels)) return {};
  return invalid("the bias is " + b.text() + ", expected one value per output channel");
}

Result<Shape> conv_shape(InferContext& c, const Shape& x, const Shape& w) {
  if (!x.ranked() || !w.ranked()) return Shape();
  if (x.rank() < 3 || x.rank() != w.rank()) return invalid("X is " + x.text() + " and W is " + w.text() + ": expected the same rank, 3 to 5");
  const int64_t groups = c.attrs.i("group");
  if (Status s = check_channels(x, w, groups); !s) return s.error();
  const int spatial = x.rank() - 2;
  Shape y{x[0], w[0]};
  const Shape extents(std::vector<Dim>(w.dims().begin() + 2, w.dims().end()));
  if (!extents.known() || spatial > 3) {
    if (spatial > 3) return unsupported("works on 1 to 3 spatial axes, not " + std::to_string(spatial));
    for (int i = 0; i < spatial; ++i) y.push_back(c.fresh());
    return y;
  }
  auto window = read_window(c.attrs, spatial, extents.concrete().span());
  if (!window) return window.error();
  for (int i = 0; i < spatial; ++i) {
    auto out = window_out(*window, c.attrs, i, x[2 + i], c);
    if (!out) return out.error();
    y.push_back(*out);
  }
  return y;
}

Result<ConvProblem> conv_problem(const AttrReader& attrs, const Dims& x, const Dims& w) {
  const size_t spatial = static_cast<size_t>(x.rank) - 2;
  auto window = read_window(attrs, x.rank - 2, w.span().subspan(2));
  if (!window) return window.error();
  if (Status s = fit_window(*window, attrs, x.span().subspan(channels_last(attrs, kLastX) ? 1 : 2, spatial)); !s) return s.error();
  ConvProblem p;
  p.window = *window;
  p.groups = attrs.i("group");
  p.ics = w[1];
  p.ocs = w[0] / p.groups;
  p.w_ic = window->taps();
  p.w_oc = p.ics * p.w_ic;
  p.w_group = p.ocs * p.w_oc;
  return p;
}

namespace {

Status infer(InferContext& c) {
  if (Status s = check_conv_dtypes(c); !s) return s;
  Shape x = c.shape(0);
  if (channels_last(c.attrs, kLastX)) put_channels_first(x);
  auto y = conv_shape(c, x, c.shape(1));
  if (!y) return y.error();
  if (c.shape(1).ranked()) {
    if (Status s = check_bias(c, c.shape(1)[0]); !s) return s;
  }
  if (Status s = check_epilogue(c, kConvEpilogue, *y); !s) return s;
  if (channels_last(c.attrs, kLastY)) put_channels_last(*y);
  c.set(0, c.dtype(0), std::move(*y));
  return {};
}

Status bind(BindContext& c) {
  const TensorView& x = c.in(0);
  auto p = conv_problem(c.attrs, x.dims, c.in(1).dims);
  if (!p) return p.error();
  if (c.out(0).count() == 0) return {};
  if (x.dtype == DType::f32) return bind_conv(c, *p);
  if (channels_last(c.attrs, kLastX + kLastY)) return bad_dtype(x.dtype);
  return bind_portable_conv(c, *p);
}

int64_t macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) {
  return out[0].count() * in[1].dims.count(1, in[1].dims.rank);
}

// y is blocked when the channels of a group begin with a block; x when those of a group fill blocks. Depthwise ones are as fast on plain values: it
// is not for them that one is moved.
std::optional<LayoutForm> conv_layouts(const LayoutQuery& q) {
  const Shape& w = q.inputs[1].type->shape;
  const int64_t groups = q.attrs.i("group"), ocs = w.known() ? w[0].value() / groups : 0;
  const bool lanewise = w.known() && w[0].value() >= kBlock && is_lanewise(groups, w[1].value(), ocs);
  const bool depthwise = lanewise && w[1].is(1), last_x = channels_last(q.attrs, kLastX);
  const bool whole = groups == 1 || (w.known() && (ocs % kBlock == 0 || lanewise));
  LayoutForm f;
  f.gives = q.suits_output() && !channels_last(q.attrs, kLastY) && (depthwise ? last_x || q.cheaply_blocked(0) : whole);
  f.takes = {Takes::plain, Takes::plain, Takes::plain, whole ? Takes::as_it_comes : Takes::plain};
  f.takes_regardless = true;
  if (!q.suits(0) || last_x || q.outputs[0]->shape.rank() > 4 || !w.known()) return f;
  const int64_t ics = q.x(0)[1] / groups;
  if (depthwise ? !q.cheaply_blocked(0) : !lanewise && (ics < kBlock || (groups > 1 && ics % kBlock != 0))) return f;
  f.takes[0] = Takes::blocked;
  if (const auto problem = conv_problem(q.attrs, q.x(0), q.x(1))) f.halo = halo_of(*problem);
  return f;
}

// Of few channels a group it reads them as they lie; of more, and one by one, it copies what it reads at any rate.
std::optional<LastForm> conv_channels_last(const LayoutQuery& q) {
  const Shape &x = q.inputs[0].type->shape, &w = q.inputs[1].type->shape;
  if (q.outputs[0]->dtype != DType::f32 || !x.known() || !w.known()) return std::nullopt;
  const bool depthwise = x[1].value() >= kBlock && x[1].is(q.attrs.i("group"));
  LastForm f = takes_last(q, {0});
  f.apart = true;
  f.copies = w[1].value() >= kBlock || depthwise;
  f.op = &kFusedConv;
  return f;
}

}  // namespace

constinit const OpDef kConv = {
    .name = "Conv",
    .inputs = {2, 3},
    .outputs = {1, 1},
    .attrs = kConvAttrs,
    .infer = infer,
    .bind = bind,
    .kernels =
        rows_of<TERN_ON_EACH_ISA(conv_f32), TERN_ON_EACH_ISA(depthwise_f32), cuda::conv_f32, cuda::kTensorConv, kPortableConv, cuda::kPortableConv>,
    .macs = macs,
    .layouts = conv_layouts,
    .channels_last = conv_channels_last,
    .epilogue = &kConvEpilogue};
constinit const OpDef kFusedConv = {
    .name = "FusedConv",
    .inputs = {2, 6},
    .outputs = {1, 1},
    .attrs = kFusedAttrs,
    .infer = infer,
    .bind = bind,
    .kernels =
        rows_of<TERN_ON_EACH_ISA(conv_f32), TERN_ON_EACH_ISA(depthwise_f32), cuda::conv_f32, cuda::kTensorConv, kPortableConv, cuda::kPortableConv>,
    .macs = macs,
    .tern_only = true,
    .layouts = conv_layouts,
    .channels_last = conv_channels_last,
    .epilogue = &kConvEpilogue};

}  // namespace tern
