// DepthToSpace and SpaceToDepth: with b the block, channels [C', b, b] or [b, b, C'] trade places with pixels [H, b, W, b]. Both are
// one strided copy of six loops. DepthToSpaceLast is DepthToSpace of values that have their channels last. See movement.h.
#include "kernels/layouts.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"

namespace tern {
namespace {

Status check(InferContext& c) {
  if (c.attrs.i("blocksize") <= 0 || c.attrs.i("blocksize") > INT32_MAX) return invalid("blocksize is " + std::to_string(c.attrs.i("blocksize")));
  if (c.shape(0).ranked() && c.shape(0).rank() != 4) return invalid("the input " + c.shape(0).text() + " is not [N,C,H,W]");
  const std::string mode = c.attrs.s("mode");
  return mode == "DCR" || mode == "CRD" ? Status() : Status(invalid("mode is \"" + mode + "\""));
}

// [n, c, h, w] to [n, c * by, h / by, w / by] or back.
Status infer_depth_space(InferContext& c, bool to_depth, bool last) {
  if (Status s = check(c); !s) return s;
  const Shape& given = c.shape(0);
  const Shape x = given.ranked() && last ? Shape{given[0], given[3], given[1], given[2]} : given;
  if (!x.ranked()) {
    c.set(0, c.dtype(0), Shape());
    return {};
  }
  const Dim b(c.attrs.i("blocksize")), bb(c.attrs.i("blocksize") * c.attrs.i("blocksize"));
  auto scale = [&](const Dim& d, const Dim& by, bool up) -> Result<Dim> {
    if (!up && d.known() && d.value() % by.value() != 0) return invalid(d.text() + " of " + x.text() + " is no multiple of " + by.text());
    auto r = up ? mul(d, by) : div(d, by);
    if (!r && d.known()) return invalid("the output has no representable size");
    return r ? *r : c.fresh();
  };
  auto ch = scale(x[1], bb, to_depth), h = scale(x[2], b, !to_depth), w = scale(x[3], b, !to_depth);
  for (auto* d : {&ch, &h, &w}) {
    if (!*d) return d->error();
  }
  c.set(0, c.dtype(0), last ? Shape{x[0], *h, *w, *ch} : Shape{x[0], *ch, *h, *w});
  return {};
}
Status infer_to_space(InferContext& c) { return infer_depth_space(c, false, false); }
Status infer_to_depth(InferContext& c) { return infer_depth_space(c, true, false); }
Status infer_to_space_last(InferContext& c) { return infer_depth_space(c, false, true); }

// The deep side [N, depth, H, W] and the wide side [N, C', H*b, W*b] in the six loops n, c', h, i, w, j.
Status bind_depth_space(BindContext& c, bool to_depth) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const Dims& deep = to_depth ? y.dims : x.dims;
  const int64_t b = c.attrs.i("blocksize"), N = deep[0], C = deep[1] / (b * b), H = deep[2], W = deep[3];
  const bool dcr = c.attrs.s("mode") == "DCR";
  const int64_t plane = H * W;  // of the deep side
  const int64_t at_c = dcr ? plane : b * b * plane, at_i = dcr ? b * C * plane : b * plane, at_j = dcr ? C * plane : plane;
  struct Loop {
    int64_t n, deep, wide;
  };
  const Loop loops[] = {
      {N, b * b * C * plane, b * b * C * plane}, {C, at_c, b * b * plane}, {H, W, b * b * W}, {b, at_i, b * W}, {W, 1, b}, {b, at_j, 1}};
  CopyRequest copy(c.input(0), c.output(0), x.dtype);
  for (const Loop& l : loops) copy.loop(l.n, to_depth ? l.wide : l.deep, to_depth ? l.deep : l.wide);
  return bind_copy(c, copy);
}
// [N, H, W, depth] and [N, H*b, W*b, C'] in the loops n, h, i, w, j, c'.
Status bind_to_space_last(BindContext& c) {
  const Dims& deep = c.in(0).dims;
  const int64_t b = c.attrs.i("blocksize"), N = deep[0], H = deep[1], W = deep[2], depth = deep[3], C = depth / (b * b);
  const bool dcr = c.attrs.s("mode") == "DCR";
  CopyRequest copy(c.input(0), c.output(0), c.in(0).dtype);
  copy.loop(N, H * W * depth, H * W * depth);
  copy.loop(H, W * depth, W * depth);
  copy.loop(b, dcr ? b * C : b, W * b * C);
  copy.loop(W, depth, b * C);
  copy.loop(b, dcr ? C : 1, C);
  copy.loop(C, dcr ? 1 : b * b, 1);
  return bind_copy(c, copy);
}
Status bind_to_space(BindContext& c) { return bind_depth_space(c, false); }
Status bind_to_depth(BindContext& c) { return bind_depth_space(c, true); }

std::optional<LastForm> to_space_channels_last(const LayoutQuery& q) {
  LastForm f = takes_last(q, {0});
  f.op = &kDepthToSpaceLast;
  return f;
}

constexpr AttrSpec kDepthSpaceAttrs[] = {{"blocksize", AttrKind::i, kRequired}, {"mode", AttrKind::s, "DCR"}};

}  // namespace

constinit const OpDef kDepthToSpace = {.name = "DepthToSpace",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kDepthSpaceAttrs,
                                       .infer = infer_to_space,
                                       .bind = bind_to_space,
                                       .kernels = rows_of<kCopyRows>,
                                       .moves_data = true,
                                       .channels_last = to_space_channels_last};
// Of the CPU alone (runtime/last_channels.h).
constinit const OpDef kDepthToSpaceLast = {.name = "DepthToSpaceLast",
                                           .inputs = {1, 1},
                                           .outputs = {1, 1},
                                           .attrs = kDepthSpaceAttrs,
                                           .infer = infer_to_space_last,
                                           .bind = bind_to_space_last,
                                           .kernels = rows_of<kCopyRows>,
                                           .tern_only = true};
constinit const OpDef kSpaceToDepth = {.name = "SpaceToDepth",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kDepthSpaceAttrs,
                                       .infer = infer_to_depth,
                                       .bind = bind_to_depth,
                                       .kernels = rows_of<kCopyRows>,
                                       .moves_data = true};

}  // namespace tern
