// The activations as operators; and Clip, whose bounds are inputs. See elementwise.h, unary_functions.h, ../activation.h.
#include <limits>

#include "kernels/apart.h"
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_functions.h"
#include "kernels/elementwise/unary_rows.h"

namespace tern {
namespace {

using namespace functions;
constexpr Text kActivationsModule("elementwise/activations");

// ---- the operators ----

bool is_relu_type(DType t) { return is_float(t) || is_signed_int(t); }

// With these attributes as alpha and beta.
template <Text kAlpha, Text kBeta = "">
Status bind_activations(BindContext& c) {
  return bind_unary(c, c.pick(c.in(0).dtype), c.attrs.f(kAlpha.view()), kBeta.view().empty() ? 0 : c.attrs.f(kBeta.view()));
}

constexpr AttrSpec kAlphaOne[] = {{"alpha", AttrKind::f, 1.0f}};
constexpr AttrSpec kHardSigmoidAttrs[] = {{"alpha", AttrKind::f, 0.2f}, {"beta", AttrKind::f, 0.5f}};
constexpr AttrSpec kLeakyReluAttrs[] = {{"alpha", AttrKind::f, 0.01f}};
constexpr AttrSpec kSeluAttrs[] = {{"alpha", AttrKind::f, 1.67326319217681884765625f}, {"gamma", AttrKind::f, 1.05070102214813232421875f}};
constexpr AttrSpec kGeluAttrs[] = {{"approximate", AttrKind::s, "none"}};

constexpr OpDef activation_op(const char* name, std::span<const AttrSpec> attrs, Status (*bind)(BindContext&),
                              std::span<const KernelRow* const> rows) {
  OpDef op = float_op(name, rows);
  op.attrs = attrs;
  op.bind = bind;
  return op;
}

constexpr auto& kExact = rows_of<TERN_ON_EACH_ISA(gelu_f32), TERN_ON_EACH_ISA(gelu_wide), cuda::kUnary<kActivationsModule, "gelu">>;
constexpr auto& kApproximated =
    rows_of<TERN_ON_EACH_ISA(gelu_tanh_f32), TERN_ON_EACH_ISA(gelu_tanh_wide), cuda::kUnary<kActivationsModule, "gelu_tanh">>;
Status bind_gelu(BindContext& c) {
  const bool exact = c.attrs.s("approximate") != "tanh";
  return bind_unary(c, exact ? pick(kExact, c.in(0).dtype, c.isa) : pick(kApproximated, c.in(0).dtype, c.isa), 0, 0);
}

// The form by tanh is an activation, too, but no operator's of its own name.
std::optional<ActivationSpec> gelu_activation(const LayoutQuery& q) {
  return q.attrs.s("approximate") == "none" ? activation_by_name(q) : std::nullopt;
}

// ---- RoundF16, RoundBF16: only round_in_f32 makes these nodes ----

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr AttrSpec kBounds[] = {{"alpha", AttrKind::f, -kInfinity}, {"beta", AttrKind::f, kInfinity}};
constexpr bool is_f32(DType t) { return t == DType::f32; }
constexpr OpDef round_op(const char* name, std::span<const KernelRow* const> rows) {
  OpDef op = as_epilogue(activation_op(name, kBounds, bind_activations<"alpha", "beta">, rows));
  op.infer = infer_unary<is_f32>;
  op.channels_last = map_channels_last;
  op.tern_only = true;
  return op;
}

// ---- Clip ----

template <class T>
void clip(const ClipArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  using Limits = std::numeric_limits<T>;
  const T low = a.low != nullptr ? *static_cast<const T*>(a.low) : Limits::lowest(),
          high = a.high != nullptr ? *static_cast<const T*>(a.high) : Limits::max();
  const int64_t count = a.count;
  TERN_APART
  for (int64_t i = 0; i < count; ++i) {
    const T v = x[i] < low ? low : x[i];
    y[i] = v > high ? high : v;
  }
}
template <class... T>
constexpr std::array<KernelRow, sizeof...(T)> clip_rows(Types<T...>) {
  return {portable_row<"clip", T, ClipArgs, clip<T>>()...};
}
constexpr auto kClipInts = clip_rows(Ints());

Status infer_clip(InferContext& c) {
  if (!is_number(c.dtype(0))) return bad_dtype(c.dtype(0));
  for (size_t i = 1; i < 3; ++i) {
    if (!c.has(i)) continue;
    if (c.dtype(i) != c.dtype(0)) return invalid(std::string("a bound is ") + name(c.dtype(i)) + ", the input " + name(c.dtype(0)));
    const Shape& s = c.shape(i);
    if (s.known() && checked_count(s.concrete().span()) != 1) return invalid("a bound has the shape " + s.text() + " and is no scalar");
  }
  return infer_same(c);
}
Status bind_clip(BindContext& c) {
  const TensorView& x = c.in(0);
  const KernelRow* kernel = c.pick(x.dtype);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  for (size_t i = 1; i < 3; ++i) {
    if (c.has(i) && c.in(i).count() != 1) return invalid("a bound of Clip is no scalar");
  }
  const auto [begin, end] = c.range(x.count(), kGrain);
  if (begin == end) return {};
  const int64_t at = begin * static_cast<int64_t>(size_of(x.dtype));
  ClipArgs& a = c.args<ClipArgs>();
  a.count = end - begin;
  c.set(a.x, c.input(0) + at);
  c.set(a.y, c.output(0) + at);
  c.set(a.low, c.input(1));
  c.set(a.high, c.input(2));
  c.run(*kernel);
  return {};
}

// Between constant bounds.
std::optional<ActivationSpec> clip_activation(const LayoutQuery& q) {
  auto spec = activation_by_name(q);
  for (size_t i = 1; i < 3; ++i) {
    if (!q.has(i)) continue;
    const Tensor* bound = q.inputs[i].value;
    if (bound == nullptr || bound->dtype() != DType::f32 || bound->count() != 1) return std::nullopt;
    (i == 1 ? spec->alpha : spec->beta) = *bound->data<float>();
  }
  return spec;
}

}  // namespace

extern constinit const OpDef kCelu =
    as_epilogue(activation_op("Celu", kAlphaOne, bind_activations<"alpha">,
                              rows_of<TERN_ON_EACH_ISA(celu_f32), TERN_ON_EACH_ISA(celu_wide), cuda::kUnary<kActivationsModule, "celu">>));
extern constinit const OpDef kClip = {.name = "Clip",
                                      .inputs = {1, 3},
                                      .outputs = {1, 1},
                                      .infer = infer_clip,
                                      .bind = bind_clip,
                                      .kernels = rows_of<TERN_ON_EACH_ISA(clip_f32), TERN_ON_EACH_ISA(clip_wide), kClipInts, cuda::kClip>,
                                      .inplace_inputs = 1,
                                      .layouts = activation_layouts,
                                      .channels_last = map_channels_last,
                                      .activation = clip_activation};
extern constinit const OpDef kElu =
    as_epilogue(activation_op("Elu", kAlphaOne, bind_activations<"alpha">,
                              rows_of<TERN_ON_EACH_ISA(elu_f32), TERN_ON_EACH_ISA(elu_wide), cuda::kUnary<kActivationsModule, "elu">>));
extern constinit const OpDef kErf =
    float_op("Erf", rows_of<TERN_ON_EACH_ISA(erf_f32), TERN_ON_EACH_ISA(erf_wide), cuda::kUnary<kActivationsModule, "erf">>);
extern constinit const OpDef kGelu = {
    .name = "Gelu",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .attrs = kGeluAttrs,
    .infer = infer_unary<is_float>,
    .bind = bind_gelu,
    .kernels = rows_of<TERN_ON_EACH_ISA(gelu_f32), TERN_ON_EACH_ISA(gelu_tanh_f32), TERN_ON_EACH_ISA(gelu_wide),
                       cuda::kUnary<kActivationsModule, "gelu">, TERN_ON_EACH_ISA(gelu_tanh_wide), cuda::kUnary<kActivationsModule, "gelu_tanh">>,
    .inplace_inputs = 1,
    .layouts = activation_layouts,
    .activation = gelu_activation};
extern constinit const OpDef kHardSigmoid = as_epilogue(activation_op(
    "HardSigmoid", kHardSigmoidAttrs, bind_activations<"alpha", "beta">,
    rows_of<TERN_ON_EACH_ISA(hard_sigmoid_f32), TERN_ON_EACH_ISA(hard_sigmoid_wide), cuda::kUnary<kActivationsModule, "hard_sigmoid">>));
extern constinit const OpDef kHardSwish = as_epilogue(float_op(
    "HardSwish", rows_of<TERN_ON_EACH_ISA(hard_swish_f32), TERN_ON_EACH_ISA(hard_swish_wide), cuda::kUnary<kActivationsModule, "hard_swish">>));
extern constinit const OpDef kLeakyRelu = as_epilogue(
    activation_op("LeakyRelu", kLeakyReluAttrs, bind_activations<"alpha">,
                  rows_of<TERN_ON_EACH_ISA(leaky_relu_f32), TERN_ON_EACH_ISA(leaky_relu_wide), cuda::kUnary<kActivationsModule, "leaky_relu">>));
extern constinit const OpDef kMish =
    as_epilogue(float_op("Mish", rows_of<TERN_ON_EACH_ISA(mish_f32), TERN_ON_EACH_ISA(mish_wide), cuda::kUnary<kActivationsModule, "mish">>));
extern constinit const OpDef kRelu =
    as_epilogue(unary_op("Relu", infer_unary<is_relu_type>,
                         rows_of<TERN_ON_EACH_ISA(relu_f32), TERN_ON_EACH_ISA(relu_wide), kUnary<"relu", Relu{}, SignedInts>,
                                 cuda::kUnary<kActivationsModule, "relu", SignedInts>>));
extern constinit const OpDef kRoundBF16 = round_op("RoundBF16", rows_of<TERN_ON_EACH_ISA(round_bf16_f32)>);
extern constinit const OpDef kRoundF16 = round_op("RoundF16", rows_of<TERN_ON_EACH_ISA(round_f16_f32)>);
extern constinit const OpDef kSelu =
    activation_op("Selu", kSeluAttrs, bind_activations<"alpha", "gamma">,
                  rows_of<TERN_ON_EACH_ISA(selu_f32), TERN_ON_EACH_ISA(selu_wide), cuda::kUnary<kActivationsModule, "selu">>);
extern constinit const OpDef kSigmoid = as_epilogue(
    float_op("Sigmoid", rows_of<TERN_ON_EACH_ISA(sigmoid_f32), TERN_ON_EACH_ISA(sigmoid_wide), cuda::kUnary<kActivationsModule, "sigmoid">>));
extern constinit const OpDef kSoftplus = as_epilogue(
    float_op("Softplus", rows_of<TERN_ON_EACH_ISA(softplus_f32), TERN_ON_EACH_ISA(softplus_wide), cuda::kUnary<kActivationsModule, "softplus">>));
extern constinit const OpDef kSoftsign = as_epilogue(
    float_op("Softsign", rows_of<TERN_ON_EACH_ISA(softsign_f32), TERN_ON_EACH_ISA(softsign_wide), cuda::kUnary<kActivationsModule, "softsign">>));
extern constinit const OpDef kSwish =
    as_epilogue(activation_op("Swish", kAlphaOne, bind_activations<"alpha">,
                              rows_of<TERN_ON_EACH_ISA(swish_f32), TERN_ON_EACH_ISA(swish_wide), cuda::kUnary<kActivationsModule, "swish">>));
extern constinit const OpDef kTanh =
    as_epilogue(float_op("Tanh", rows_of<TERN_ON_EACH_ISA(tanh_f32), TERN_ON_EACH_ISA(tanh_wide), cuda::kUnary<kActivationsModule, "tanh">>));
extern constinit const OpDef kThresholdedRelu = activation_op(
    "ThresholdedRelu", kAlphaOne, bind_activations<"alpha">,
    rows_of<TERN_ON_EACH_ISA(thresholded_relu_f32), TERN_ON_EACH_ISA(thresholded_relu_wide), cuda::kUnary<kActivationsModule, "thresholded_relu">>);

}  // namespace tern
