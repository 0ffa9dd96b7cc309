// The activations as operators: schemas, inference, binding; and Clip, whose bounds are inputs. See elementwise.h, ../activation.h.
#include <limits>

#include "kernels/activation_attributes.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/portable.h"
#include "kernels/elementwise/unary_rows.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

struct Name {
  char text[16];
  constexpr Name(const char* s) : text() {
    for (int i = 0; s[i] != 0; ++i) text[i] = s[i];
  }
};

Status infer(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  return infer_same(c);
}
Status infer_relu(InferContext& c) {
  if (!is_float(c.dtype(0)) && !is_signed_int(c.dtype(0))) return bad_dtype(c.dtype(0));
  return infer_same(c);
}
template <Name kName>
Status bind(BindContext& c) { return bind_unary(c, kUnaryRows, Unary::activation, *parse_activation(kName.text, c.attrs)); }

constexpr AttrSpec kAlpha[] = {{"alpha", AttrKind::f}};
constexpr AttrSpec kAlphaBeta[] = {{"alpha", AttrKind::f}, {"beta", AttrKind::f}};
constexpr AttrSpec kAlphaGamma[] = {{"alpha", AttrKind::f}, {"gamma", AttrKind::f}};
constexpr AttrSpec kApproximate[] = {{"approximate", AttrKind::s}};

template <Name kName>
constexpr OpDef activation_op(std::span<const AttrSpec> attrs = {}) {
  return {.name = kName.text, .inputs = {1, 1}, .outputs = {1, 1}, .attrs = attrs, .infer = infer, .bind = bind<kName>,
          .kernels = kUnaryRows, .inplace_inputs = 1};
}

// ---- Clip ----

template <class T>
void clip(const ClipArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  using Wide = decltype(widen(T()));
  using Limits = std::numeric_limits<Wide>;
  const Wide low = a.low != nullptr ? widen(*static_cast<const T*>(a.low)) : kIsFloat<T> ? -Limits::infinity() : Limits::lowest();
  const Wide high = a.high != nullptr ? widen(*static_cast<const T*>(a.high)) : kIsFloat<T> ? Limits::infinity() : Limits::max();
  for (int64_t i = 0; i < a.count; ++i) {
    Wide v = widen(x[i]);
    if constexpr (kIsFloat<T>) {
      y[i] = narrow<T>(portable::clamp(v, low, high));
    } else {
      v = v < low ? low : v;
      y[i] = v > high ? high : v;
    }
  }
}
template <class T>
constexpr KernelRow clip_row(const char* name) { return row<ClipArgs, clip<T>>(name, dtype_of<T>(), Isa::scalar); }
constexpr KernelRow kClipRows[] = {
    row<ClipArgs, scalar::clip_f32>("clip/f32/scalar", DType::f32, Isa::scalar),
    row<ClipArgs, avx2::clip_f32>("clip/f32/avx2", DType::f32, Isa::avx2),
    row<ClipArgs, avx512::clip_f32>("clip/f32/avx512", DType::f32, Isa::avx512),
    clip_row<double>("clip/f64/scalar"), clip_row<f16>("clip/f16/scalar"), clip_row<bf16>("clip/bf16/scalar"),
    clip_row<int8_t>("clip/i8/scalar"), clip_row<int16_t>("clip/i16/scalar"), clip_row<int32_t>("clip/i32/scalar"),
    clip_row<int64_t>("clip/i64/scalar"), clip_row<uint8_t>("clip/u8/scalar"), clip_row<uint16_t>("clip/u16/scalar"),
    clip_row<uint32_t>("clip/u32/scalar"), clip_row<uint64_t>("clip/u64/scalar"),
};

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
  const KernelRow* kernel = pick(kClipRows, x.dtype, c.isa);
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

}  // namespace

constinit const OpDef kCelu = activation_op<"Celu">(kAlpha);
constinit const OpDef kElu = activation_op<"Elu">(kAlpha);
constinit const OpDef kErf = activation_op<"Erf">();
constinit const OpDef kGelu = activation_op<"Gelu">(kApproximate);
constinit const OpDef kHardSigmoid = activation_op<"HardSigmoid">(kAlphaBeta);
constinit const OpDef kHardSwish = activation_op<"HardSwish">();
constinit const OpDef kLeakyRelu = activation_op<"LeakyRelu">(kAlpha);
constinit const OpDef kMish = activation_op<"Mish">();
constinit const OpDef kRelu = {.name = "Relu", .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer_relu, .bind = bind<"Relu">,
                               .kernels = kUnaryRows, .inplace_inputs = 1};
constinit const OpDef kSelu = activation_op<"Selu">(kAlphaGamma);
constinit const OpDef kSigmoid = activation_op<"Sigmoid">();
constinit const OpDef kSoftplus = activation_op<"Softplus">();
constinit const OpDef kSoftsign = activation_op<"Softsign">();
constinit const OpDef kSwish = activation_op<"Swish">(kAlpha);
constinit const OpDef kTanh = activation_op<"Tanh">();
constinit const OpDef kThresholdedRelu = activation_op<"ThresholdedRelu">(kAlpha);
constinit const OpDef kClip = {.name = "Clip", .inputs = {1, 3}, .outputs = {1, 1}, .infer = infer_clip, .bind = bind_clip,
                               .kernels = kClipRows, .inplace_inputs = 1};

}  // namespace tern
