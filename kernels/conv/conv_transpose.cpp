// ConvTranspose and FusedConvTranspose: the convolution of the spread-out input with the mirrored kernel. See conv.h; binding proper is in
// conv_bind.cpp.
#include "kernels/conv/conv_bind.h"
#include "kernels/conv/portable.h"
#include "kernels/conv/tensor.h"
#include "kernels/layouts.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr AttrSpec kAttrs[] = {
    {"auto_pad", AttrKind::s, "NOTSET"}, {"dilations", AttrKind::ints},    {"group", AttrKind::i, 1}, {"kernel_shape", AttrKind::ints},
    {"output_padding", AttrKind::ints},  {"output_shape", AttrKind::ints}, {"pads", AttrKind::ints},  {"strides", AttrKind::ints}};
constexpr auto kFusedTransposeAttrs = with_epilogue(kAttrs);

// begin and end: what is cut off the full result of each axis. `in` has numbers for the axes that are known, else -1.
Result<Window> read(const AttrReader& attrs, std::span<const int64_t> kernel, std::span<const int64_t> in) {
  auto window = read_window(attrs, static_cast<int>(kernel.size()), kernel);
  if (!window) return window;
  Window& w = *window;
  const std::vector<int64_t> extra = attrs.ints("output_padding"), shape = attrs.ints("output_shape");
  const std::string auto_pad = attrs.s("auto_pad");
  const bool upper = auto_pad == "SAME_UPPER";
  if ((!extra.empty() && extra.size() != in.size()) || (!shape.empty() && shape.size() != in.size())) {
    return invalid("output_padding or output_shape has not one entry per spatial axis");
  }
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t a = 3 - in.size() + i;
    const int64_t pad = extra.empty() ? 0 : extra[i];
    if (pad < 0 || pad > (1 << 30)) return invalid("output_padding holds " + std::to_string(pad));
    w.in[a] = in[i];
    if (in[i] < 0) continue;
    if (in[i] == 0 || in[i] > (int64_t(1) << 31)) return invalid("a spatial extent of " + std::to_string(in[i]));
    const int64_t full = (in[i] - 1) * w.stride[a] + (w.kernel[a] - 1) * w.dilation[a] + 1 + pad;
    if (!shape.empty() || auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      w.out[a] = shape.empty() ? in[i] * w.stride[a] : std::clamp<int64_t>(shape[i], 0, INT64_MAX);
      const int64_t cut = full - w.out[a];  // negative: zeros are appended
      w.begin[a] = cut <= 0 ? 0 : upper ? cut / 2 : cut - cut / 2;
    } else {
      w.out[a] = full - w.begin[a] - w.end[a];
    }
    if (w.out[a] < 1 || w.out[a] > (int64_t(1) << 40)) return invalid("the output would have an extent of " + std::to_string(w.out[a]));
  }
  return window;
}

Status infer_transpose(InferContext& c) {
  if (Status s = check_conv_dtypes(c); !s) return s;
  const Shape &x = c.shape(0), &w = c.shape(1);
  const int64_t groups = c.attrs.i("group");
  if (groups < 1 || groups > (1 << 30)) return invalid("group is " + std::to_string(groups));
  if (!x.ranked() || !w.ranked()) {
    c.set(0, c.dtype(0), Shape());
    return {};
  }
  if (x.rank() < 3 || x.rank() != w.rank()) return invalid("X is " + x.text() + " and W is " + w.text() + ": expected the same rank, 3 to 5");
  if (x.rank() > 5) return unsupported("works on 1 to 3 spatial axes");
  if (x[1].known() && w[0].known() && !(x[1] == w[0])) return invalid("X is " + x.text() + " and W is " + w.text() + ": input channels differ");
  if (w[0].known() && w[0].value() % groups != 0)
    return invalid("W has " + w[0].text() + " input channels, no multiple of group " + std::to_string(groups));
  auto channels = mul(w[1], Dim(groups));
  Shape y{x[0], channels ? *channels : c.fresh()};
  if (Status s = check_bias(c, y[1]); !s) return s;
  std::vector<int64_t> kernel, in;
  for (int i = 2; i < w.rank(); ++i) {
    if (w[i].known()) kernel.push_back(w[i].value());
    in.push_back(x[i].known() ? x[i].value() : -1);
  }
  if (kernel.size() == in.size()) {
    auto window = read(c.attrs, kernel, in);
    if (!window) return window.error();
    for (size_t i = 0; i < in.size(); ++i) y.push_back(in[i] < 0 ? c.fresh() : Dim(window->out[3 - in.size() + i]));
  } else {
    for (size_t i = 0; i < in.size(); ++i) y.push_back(c.fresh());
  }
  if (Status s = check_epilogue(c, kConvTransposeEpilogue, y); !s) return s;
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

}  // namespace

Result<ConvProblem> conv_transpose_problem(const AttrReader& attrs, const Dims& x, const Dims& w) {
  auto window = read(attrs, w.span().subspan(2), x.span().subspan(2));
  if (!window) return window.error();
  ConvProblem p;
  p.window = *window;
  p.groups = attrs.i("group");
  p.ics = w[0] / p.groups;
  p.ocs = w[1];
  p.mirrored = true;
  p.w_oc = window->taps();
  p.w_ic = p.ocs * p.w_oc;
  p.w_group = p.ics * p.w_ic;
  for (size_t i = 0; i < 3; ++i) {
    p.spread[i] = window->stride[i];
    p.window.stride[i] = 1;
    p.window.begin[i] = (window->kernel[i] - 1) * window->dilation[i] - window->begin[i];
  }
  return p;
}

namespace {

Status bind_transpose(BindContext& c) {
  const TensorView& x = c.in(0);
  auto p = conv_transpose_problem(c.attrs, x.dims, c.in(1).dims);
  if (!p) return p.error();
  if (c.out(0).count() == 0) return {};
  if (x.dtype == DType::f32) return bind_conv(c, *p);
  return bind_portable_conv(c, *p);
}

int64_t macs_transpose(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView>) {
  return in[0].count() * in[1].dims.count(1, in[1].dims.rank);
}

// Phases that lie columns apart in a plain y are written to blocks even when those are brought back.
std::optional<LayoutForm> transpose_layouts(const LayoutQuery& q) {
  if (q.attrs.i("group") != 1) return std::nullopt;
  constexpr int64_t kFewest = 4;  // channels that make it worth while
  const std::vector<int64_t> strides = q.attrs.ints("strides");
  LayoutForm f;
  f.gives = q.suits_output();
  f.unasked = q.suits_output(0, kFewest) && !strides.empty() && strides.back() > 1;
  f.takes = {q.suits(0) ? Takes::as_it_comes : Takes::plain, Takes::plain, Takes::plain, Takes::as_it_comes};
  f.takes_regardless = true;
  if (!q.suits(0) || !q.inputs[1].type->shape.known()) return f;
  if (const auto problem = conv_transpose_problem(q.attrs, q.x(0), q.x(1))) f.halo = halo_of(*problem);
  return f;
}

}  // namespace

constinit const OpDef kConvTranspose = {
    .name = "ConvTranspose",
    .inputs = {2, 3},
    .outputs = {1, 1},
    .attrs = kAttrs,
    .infer = infer_transpose,
    .bind = bind_transpose,
    .kernels = rows_of<TERN_ON_EACH_ISA(conv_f32), cuda::conv_f32, cuda::kTensorConv, kPortableConv, cuda::kPortableConv>,
    .macs = macs_transpose,
    .layouts = transpose_layouts,
    .epilogue = &kConvTransposeEpilogue};
constinit const OpDef kFusedConvTranspose = {
    .name = "FusedConvTranspose",
    .inputs = {2, 6},
    .outputs = {1, 1},
    .attrs = kFusedTransposeAttrs,
    .infer = infer_transpose,
    .bind = bind_transpose,
    .kernels = rows_of<TERN_ON_EACH_ISA(conv_f32), cuda::conv_f32, cuda::kTensorConv, kPortableConv, cuda::kPortableConv>,
    .macs = macs_transpose,
    .tern_only = true,
    .layouts = transpose_layouts,
    .epilogue = &kConvTransposeEpilogue};

}  // namespace tern
