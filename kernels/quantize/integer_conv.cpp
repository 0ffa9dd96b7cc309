// ConvInteger, ConvIntegerToFloat, QLinearConv and FusedQLinearConv: schemas, inference, binding. See integer.h.
#include <algorithm>
#include <limits>

#include "kernels/conv/conv_bind.h"
#include "kernels/quantize/integer.h"
#include "kernels/quantize/integer_image.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

struct ConvRoles {
  size_t x, w, x_zero, w_zero, x_scale = kNoInput, w_scale = kNoInput, y_scale = kNoInput, y_zero = kNoInput, bias = kNoInput;
  bool to_float() const { return x_scale != kNoInput && y_scale == kNoInput; }
};
constexpr ConvRoles kIntegerOfConv{0, 1, 2, 3}, kLinear8OfConv{0, 3, 2, 5, 1, 4, 6, 7, 8}, kToFloatOfConv{0, 3, 2, 5, 1, 4, kNoInput, kNoInput, 6};

constexpr EpilogueSlots kConvToFloatEpilogue{
    .op = &kConvIntegerToFloat,
    .activations = activation_bit(Activation::none) | activation_bit(Activation::relu) | activation_bit(Activation::clip)};
// What y in f32 is bounded by.
struct Bounds {
  float low, high;
};
Bounds bounds(const AttrReader& attrs) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const ActivationSpec of = *fused_activation(attrs);
  if (of.activation == Activation::none) return {-kInfinity, kInfinity};
  return of.activation == Activation::relu ? Bounds{0, kInfinity} : Bounds{of.alpha, of.beta};
}

Status infer(InferContext& c, const ConvRoles& in) {
  if (Status s = check_integer_dtypes(c, in.x, in.w); !s) return s;
  if (Status s = check_zero_dtype(c, in.x_zero, in.x); !s) return s;
  if (Status s = check_zero_dtype(c, in.w_zero, in.w); !s) return s;
  DType y = DType::i32;
  if (in.y_zero != kNoInput) {
    if (Status s = check_scale_dtypes(c, {in.x_scale, in.w_scale, in.y_scale}); !s) return s;
    y = c.dtype(in.y_zero);
    if (y != DType::u8 && y != DType::i8) return bad_dtype(y);
    if (c.has(in.bias) && c.dtype(in.bias) != DType::i32) return invalid(std::string("B is ") + name(c.dtype(in.bias)) + ", it must be i32");
  }
  if (in.to_float()) {
    for (size_t i : {in.x_scale, in.w_scale, in.bias}) {
      if (c.has(i) && c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
    }
    if (Status s = check_epilogue(c, kConvToFloatEpilogue, {}); !s) return s;
    y = DType::f32;
  }
  Shape x = c.shape(in.x);
  if (channels_last(c.attrs, kLastX)) put_channels_first(x);
  auto shape = conv_shape(c, x, c.shape(in.w));
  if (!shape) return shape.error();
  if (channels_last(c.attrs, kLastY)) put_channels_last(*shape);
  c.set(0, y, *shape);
  return {};
}

// The inputs of the forms with scales.
Status set_scales(BindContext& c, const ConvRoles& in, int64_t channels, IntegerArgs& a) {
  if (Status s = set_per_index(c, a.w_scale, in.w_scale, channels, channels, "w_scale"); !s) return s;
  for (size_t i : {in.x_scale, in.y_scale, in.y_zero}) {
    if (i != kNoInput && c.in(i).count() != 1)
      return invalid("input " + std::to_string(i) + " is " + to_string(c.in(i).dims) + ", it must have one element");
  }
  if (c.has(in.bias) && c.in(in.bias).count() != channels)
    return invalid("B is " + to_string(c.in(in.bias).dims) + ", expected one value per output channel");
  c.set(a.x_scale.data, c.input(in.x_scale));
  a.scale_dtype = c.in(in.x_scale).dtype;
  if (in.to_float()) {
    c.set(a.float_bias, c.input<const float>(in.bias));
    a.low = bounds(c.attrs).low;
    a.high = bounds(c.attrs).high;
    return {};
  }
  c.set(a.y_scale, c.input(in.y_scale));
  c.set(a.y_zero, c.input(in.y_zero));
  c.set(a.bias, c.input<const int32_t>(in.bias));
  return {};
}

// Groups, one of which is one matrix: its channels of x, its columns of y.
Status set_groups(BindContext& c, const ConvRoles& in, int64_t images, int64_t groups, IntegerArgs& a) {
  a.depthwise = c.isa != Isa::cuda && groups > 1 && groups == a.channels && a.n == 1 && uniform_zero(c, in.w_zero) && set_image(a);
  if (a.depthwise) {
    a.n = groups;
    groups = 1;
  }
  a.matrices = groups;
  a.w_matrix = a.depthwise ? 0 : a.n * a.k;
  const int64_t batches = images * groups, plane = a.window.in[0] * a.window.in[1] * a.window.in[2], channels = a.channels / groups;
  c.set(a.batch, c.table<IntegerBatch>(batches, [&](IntegerBatch* batch) {
    for (int64_t i = 0; i < batches; ++i) {
      const int64_t group = i % groups, x = a.channels_last ? i / groups * a.channels * plane + group * channels : i * channels * plane;
      batch[i] = {x, group, a.y_column == 1 ? i / groups * groups * a.n * a.m + group * a.n : i * a.n * a.m, 0, group * a.n};
    }
  }));
  return bind_integer(c, a, in.w, in.w_zero, batches);
}

Status bind(BindContext& c, const ConvRoles& in) {
  const TensorView &x = c.in(in.x), &w = c.in(in.w);
  const bool last_x = channels_last(c.attrs, kLastX), last_y = channels_last(c.attrs, kLastY);
  auto window = read_window(c.attrs, x.dims.rank - 2, w.dims.span().subspan(2));
  if (!window) return window.error();
  const auto spatial = static_cast<size_t>(x.dims.rank - 2);
  if (Status s = fit_window(*window, c.attrs, x.dims.span().subspan(last_x ? 1 : 2, spatial)); !s) return s;
  if (c.out(0).count() == 0) return {};
  const int64_t groups = c.attrs.i("group"), channels = w.dims[0], pixels = window->out[0] * window->out[1] * window->out[2];
  IntegerArgs& a = c.args<IntegerArgs>();
  c.set(a.x, c.input(in.x));
  a.x_signed = x.dtype == DType::i8;
  a.w_signed = w.dtype == DType::i8;
  a.conv = true;
  a.window = *window;
  a.m = pixels;
  a.n = channels / groups;
  a.k = w.dims.count(1, w.dims.rank);
  a.w_k = 1;
  a.w_column = a.k;
  a.channels = w.dims[1] * groups;
  a.channels_last = last_x;
  a.y_row = last_y ? channels : 1;
  a.y_column = last_y ? 1 : pixels;
  a.y_dtype = c.out(0).dtype;
  c.set(a.y, c.output(0));
  if (Status s = set_per_index(c, a.x_zero, in.x_zero, 1, 1, "x_zero_point"); !s) return s;
  if (Status s = set_per_index(c, a.w_zero, in.w_zero, channels, channels, "w_zero_point"); !s) return s;
  a.x_zero.step = 0;
  if (in.x_scale != kNoInput) {
    if (Status s = set_scales(c, in, channels, a); !s) return s;
  }
  return set_groups(c, in, x.dims[0], groups, a);
}

Status infer_conv_integer(InferContext& c) { return infer(c, kIntegerOfConv); }
Status bind_integer_conv(BindContext& c) { return bind(c, kIntegerOfConv); }
Status infer_qlinear_conv(InferContext& c) { return infer(c, kLinear8OfConv); }
Status bind_qlinear_conv(BindContext& c) { return bind(c, kLinear8OfConv); }
Status infer_conv_to_float(InferContext& c) { return infer(c, kToFloatOfConv); }
Status bind_conv_to_float(BindContext& c) { return bind(c, kToFloatOfConv); }

int64_t macs_of(const TensorView& w, const TensorView& y) { return y.count() * w.dims.count(1, w.dims.rank); }
int64_t integer_macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) { return macs_of(in[1], out[0]); }
int64_t linear_macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) { return macs_of(in[3], out[0]); }

constexpr AttrSpec kAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"}, {"dilations", AttrKind::ints}, {"group", AttrKind::i, 1},
                               {"kernel_shape", AttrKind::ints},    {"pads", AttrKind::ints},      {"strides", AttrKind::ints}};
constexpr AttrSpec kFusedConvAttrs[] = {{"auto_pad", AttrKind::s, "NOTSET"}, {"channels_last", AttrKind::i, 0}, {"dilations", AttrKind::ints},
                                        {"group", AttrKind::i, 1},           {"kernel_shape", AttrKind::ints},  {"pads", AttrKind::ints},
                                        {"strides", AttrKind::ints}};

constexpr auto kToFloatAttrs = with_epilogue(kAttrs);

std::optional<LastForm> linear_channels_last(const LayoutQuery& q) {
  LastForm f = takes_last(q, {0});
  f.apart = true;
  f.op = &kFusedQLinearConv;
  return f;
}

}  // namespace

constinit const OpDef kConvInteger = {.name = "ConvInteger",
                                      .inputs = {2, 4},
                                      .outputs = {1, 1},
                                      .attrs = kAttrs,
                                      .infer = infer_conv_integer,
                                      .bind = bind_integer_conv,
                                      .kernels = kIntegerRows,
                                      .macs = integer_macs};
constinit const OpDef kQLinearConv = {.name = "QLinearConv",
                                      .inputs = {8, 9},
                                      .outputs = {1, 1},
                                      .attrs = kAttrs,
                                      .infer = infer_qlinear_conv,
                                      .bind = bind_qlinear_conv,
                                      .kernels = kIntegerRows,
                                      .macs = linear_macs,
                                      .channels_last = linear_channels_last};
// Of the CPU alone (runtime/fuse/dynamic_products.cpp).
constinit const OpDef kConvIntegerToFloat = {.name = "ConvIntegerToFloat",
                                             .inputs = {6, 7},
                                             .outputs = {1, 1},
                                             .attrs = kToFloatAttrs,
                                             .infer = infer_conv_to_float,
                                             .bind = bind_conv_to_float,
                                             .kernels = kCpuIntegerRows,
                                             .macs = linear_macs,
                                             .tern_only = true,
                                             .epilogue = &kConvToFloatEpilogue};
// QLinearConv; channels_last 1: x is [N, spatial, C], 2: y is, 3: both. Of the CPU alone (runtime/last_channels.h).
constinit const OpDef kFusedQLinearConv = {.name = "FusedQLinearConv",
                                           .inputs = {8, 9},
                                           .outputs = {1, 1},
                                           .attrs = kFusedConvAttrs,
                                           .infer = infer_qlinear_conv,
                                           .bind = bind_qlinear_conv,
                                           .kernels = kCpuIntegerRows,
                                           .macs = linear_macs,
                                           .tern_only = true,
                                           .channels_last = linear_channels_last};

}  // namespace tern
