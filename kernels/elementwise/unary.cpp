// The unary operators that are no activations. See elementwise.h, unary_functions.h, unary_rows.h.
// Next: activations.cpp, binary.h.
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_functions.h"
#include "kernels/elementwise/unary_rows.h"

namespace tern {
namespace {

using namespace functions;
constexpr Text kUnaryModule("elementwise/unary");

std::optional<Dim> negated(std::span<const Dim> in, const AttrReader&) { return sub(Dim(0), in[0]); }
bool is_signed(DType t) { return is_float(t) || is_signed_int(t); }

constexpr AttrSpec kShrinkAttrs[] = {{"bias", AttrKind::f, 0.0f}, {"lambd", AttrKind::f, 0.5f}};
Status bind_shrink(BindContext& c) { return bind_unary(c, c.pick(c.in(0).dtype), c.attrs.f("lambd"), c.attrs.f("bias")); }

constexpr AttrSpec kIsInfAttrs[] = {{"detect_negative", AttrKind::i, 1}, {"detect_positive", AttrKind::i, 1}};
Status infer_test(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  c.set(0, DType::boolean, c.shape(0));
  return {};
}
Status bind_is_inf(BindContext& c) {
  return bind_unary(c, c.pick(c.in(0).dtype), c.attrs.i("detect_positive") != 0, c.attrs.i("detect_negative") != 0);
}

}  // namespace

Status bind_unary(BindContext& c, const KernelRow* kernel, float alpha, float beta) {
  const TensorView &x = c.in(0), &y = c.out(0);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  const auto [begin, end] = c.range(x.count(), kGrain);
  if (begin == end) return {};
  UnaryArgs& a = c.args(UnaryArgs{nullptr, nullptr, end - begin, alpha, beta});
  c.set(a.x, c.input(0) + begin * static_cast<int64_t>(size_of(x.dtype)));
  c.set(a.y, c.output(0) + begin * static_cast<int64_t>(size_of(y.dtype)));
  c.run(*kernel);
  return {};
}
Status bind_unary(BindContext& c) { return bind_unary(c, c.pick(c.in(0).dtype), 0, 0); }

extern constinit const OpDef kAbs =
    unary_op("Abs", infer_unary<is_number>,
             rows_of<TERN_ON_EACH_ISA(abs_f32), TERN_ON_EACH_ISA(abs_wide), kUnary<"abs", Abs{}, Ints>, cuda::kUnary<kUnaryModule, "abs", Ints>>);
extern constinit const OpDef kCeil =
    float_op("Ceil", rows_of<TERN_ON_EACH_ISA(ceil_f32), TERN_ON_EACH_ISA(ceil_wide), cuda::kUnary<kUnaryModule, "ceil">>);
extern constinit const OpDef kExp =
    float_op("Exp", rows_of<TERN_ON_EACH_ISA(exp_f32), TERN_ON_EACH_ISA(exp_wide), cuda::kUnary<kUnaryModule, "exp">>);
extern constinit const OpDef kFloor =
    float_op("Floor", rows_of<TERN_ON_EACH_ISA(floor_f32), TERN_ON_EACH_ISA(floor_wide), cuda::kUnary<kUnaryModule, "floor">>);
extern constinit const OpDef kIsInf = {.name = "IsInf",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kIsInfAttrs,
                                       .infer = infer_test,
                                       .bind = bind_is_inf,
                                       .kernels = rows_of<TERN_ON_EACH_ISA(is_inf_any), cuda::kPlainUnary<kUnaryModule, "is_inf", Floats>>};
extern constinit const OpDef kIsNaN = {.name = "IsNaN",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .infer = infer_test,
                                       .bind = bind_unary,
                                       .kernels = rows_of<TERN_ON_EACH_ISA(is_nan_any), cuda::kPlainUnary<kUnaryModule, "is_nan", Floats>>};
extern constinit const OpDef kLog =
    float_op("Log", rows_of<TERN_ON_EACH_ISA(log_f32), TERN_ON_EACH_ISA(log_wide), cuda::kUnary<kUnaryModule, "log">>);
extern constinit const OpDef kNeg = {.name = "Neg",
                                     .inputs = {1, 1},
                                     .outputs = {1, 1},
                                     .infer = infer_unary<is_signed>,
                                     .bind = bind_unary,
                                     .kernels = rows_of<TERN_ON_EACH_ISA(neg_f32), TERN_ON_EACH_ISA(neg_wide), kUnary<"neg", Neg{}, SignedInts>,
                                                        cuda::kUnary<kUnaryModule, "neg", SignedInts>>,
                                     .inplace_inputs = 1,
                                     .symbolic = negated};
extern constinit const OpDef kReciprocal =
    float_op("Reciprocal", rows_of<TERN_ON_EACH_ISA(reciprocal_f32), TERN_ON_EACH_ISA(reciprocal_wide), cuda::kUnary<kUnaryModule, "reciprocal">>);
extern constinit const OpDef kRound =
    float_op("Round", rows_of<TERN_ON_EACH_ISA(round_f32), TERN_ON_EACH_ISA(round_wide), cuda::kUnary<kUnaryModule, "round">>);
extern constinit const OpDef kShrink = {.name = "Shrink",
                                        .inputs = {1, 1},
                                        .outputs = {1, 1},
                                        .attrs = kShrinkAttrs,
                                        .infer = infer_unary<is_number>,
                                        .bind = bind_shrink,
                                        .kernels = rows_of<TERN_ON_EACH_ISA(shrink_f32), TERN_ON_EACH_ISA(shrink_wide),
                                                           kUnary<"shrink", Shrink{}, Ints>, cuda::kUnary<kUnaryModule, "shrink", Ints>>,
                                        .inplace_inputs = 1};
extern constinit const OpDef kSign = unary_op(
    "Sign", infer_unary<is_number>,
    rows_of<TERN_ON_EACH_ISA(sign_f32), TERN_ON_EACH_ISA(sign_wide), kUnary<"sign", Sign{}, Ints>, cuda::kUnary<kUnaryModule, "sign", Ints>>);
extern constinit const OpDef kSqrt =
    float_op("Sqrt", rows_of<TERN_ON_EACH_ISA(sqrt_f32), TERN_ON_EACH_ISA(sqrt_wide), cuda::kUnary<kUnaryModule, "sqrt">>);

}  // namespace tern
