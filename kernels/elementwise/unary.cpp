// The unary operators that are no activations: a function where it is more than a name, and the operator. See elementwise.h, unary_rows.h.
// Next: activations.cpp, binary.h.
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_rows.h"

namespace tern {
namespace {

using portable::select;

struct Abs {
  double operator()(double x) const { return portable::abs(x); }
  template <std::integral T>
  T operator()(T x) const {
    return x < 0 ? wrap_neg(x) : x;
  }
};
struct Neg {
  double operator()(double x) const { return -x; }
  template <std::integral T>
  T operator()(T x) const {
    return wrap_neg(x);
  }
};
struct Sign {
  double operator()(double x) const { return select(x != 0, select(x < 0, -1, select(x > 0, 1, x)), 0); }
  template <std::integral T>
  T operator()(T x) const {
    return static_cast<T>((x > 0) - (x < 0));
  }
};
double reciprocal(double x) { return 1 / x; }
double sqrt(double x) { return __builtin_sqrt(x); }

std::optional<Dim> negated(std::span<const Dim> in, const AttrReader&) { return sub(Dim(0), in[0]); }
bool is_signed(DType t) { return is_float(t) || is_signed_int(t); }

// ---- Shrink: |x| <= lambda ? 0 : x -+ bias; integers by way of double ----

struct Shrink {
  double operator()(double x, float lambda, float bias) const { return select(portable::abs(x) <= lambda, 0, select(x < 0, x + bias, x - bias)); }
  template <std::integral T>
  T operator()(T x, float lambda, float bias) const {
    return convert<T>((*this)(static_cast<double>(x), lambda, bias));
  }
};
constexpr AttrSpec kShrinkAttrs[] = {{"bias", AttrKind::f, 0.0f}, {"lambd", AttrKind::f, 0.5f}};
Status bind_shrink(BindContext& c) { return bind_unary(c, c.pick(c.in(0).dtype), c.attrs.f("lambd"), c.attrs.f("bias")); }

// ---- IsNaN, IsInf: floats to bool ----

bool is_nan(double x) { return x != x; }
bool is_inf(double x, float positive, float negative) {  // 1 where such an infinity counts
  return ((positive != 0) & (x == __builtin_inf())) | ((negative != 0) & (x == -__builtin_inf()));
}
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
    unary_op("Abs", infer_unary<is_number>, rows_of<TERN_ON_EACH_ISA(abs_f32), kUnary<"abs", Abs{}, OtherFloats>, kUnary<"abs", Abs{}, Ints>>);
extern constinit const OpDef kCeil = float_op("Ceil", rows_of<TERN_ON_EACH_ISA(ceil_f32), kUnary<"ceil", portable::ceil, OtherFloats>>);
extern constinit const OpDef kExp = float_op("Exp", rows_of<TERN_ON_EACH_ISA(exp_f32), kUnary<"exp", portable::exp, OtherFloats>>);
extern constinit const OpDef kFloor = float_op("Floor", rows_of<TERN_ON_EACH_ISA(floor_f32), kUnary<"floor", portable::floor, OtherFloats>>);
extern constinit const OpDef kIsInf = {.name = "IsInf",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kIsInfAttrs,
                                       .infer = infer_test,
                                       .bind = bind_is_inf,
                                       .kernels = rows_of<kUnary<"is_inf", is_inf, Floats>>};
extern constinit const OpDef kIsNaN = {.name = "IsNaN",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .infer = infer_test,
                                       .bind = bind_unary,
                                       .kernels = rows_of<kUnary<"is_nan", is_nan, Floats>>};
extern constinit const OpDef kLog = float_op("Log", rows_of<TERN_ON_EACH_ISA(log_f32), kUnary<"log", portable::log, OtherFloats>>);
extern constinit const OpDef kNeg = {
    .name = "Neg",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .infer = infer_unary<is_signed>,
    .bind = bind_unary,
    .kernels = rows_of<TERN_ON_EACH_ISA(neg_f32), kUnary<"neg", Neg{}, OtherFloats>, kUnary<"neg", Neg{}, SignedInts>>,
    .inplace_inputs = 1,
    .symbolic = negated};
extern constinit const OpDef kReciprocal =
    float_op("Reciprocal", rows_of<TERN_ON_EACH_ISA(reciprocal_f32), kUnary<"reciprocal", reciprocal, OtherFloats>>);
extern constinit const OpDef kRound = float_op("Round", rows_of<TERN_ON_EACH_ISA(round_f32), kUnary<"round", portable::round_even, OtherFloats>>);
extern constinit const OpDef kShrink = {
    .name = "Shrink",
    .inputs = {1, 1},
    .outputs = {1, 1},
    .attrs = kShrinkAttrs,
    .infer = infer_unary<is_number>,
    .bind = bind_shrink,
    .kernels = rows_of<TERN_ON_EACH_ISA(shrink_f32), kUnary<"shrink", Shrink{}, OtherFloats>, kUnary<"shrink", Shrink{}, Ints>>,
    .inplace_inputs = 1};
extern constinit const OpDef kSign =
    unary_op("Sign", infer_unary<is_number>, rows_of<TERN_ON_EACH_ISA(sign_f32), kUnary<"sign", Sign{}, OtherFloats>, kUnary<"sign", Sign{}, Ints>>);
extern constinit const OpDef kSqrt = float_op("Sqrt", rows_of<TERN_ON_EACH_ISA(sqrt_f32), kUnary<"sqrt", sqrt, OtherFloats>>);

}  // namespace tern
