// The unary operators that are no activations: schemas, inference, binding. See elementwise.h. Next: activations.cpp, binary.cpp.
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/portable.h"
#include "kernels/elementwise/unary_rows.h"

namespace tern {
namespace {

template <bool (*kAllowed)(DType)>
Status infer(InferContext& c) {
  if (!kAllowed(c.dtype(0))) return bad_dtype(c.dtype(0));
  return infer_same(c);
}
bool is_bool(DType t) { return t == DType::boolean; }
bool is_signed(DType t) { return is_float(t) || is_signed_int(t); }

template <Unary kOp>
Status bind(BindContext& c) { return bind_unary(c, kUnaryRows, kOp); }
template <Unary kOp>
Status bind_rare(BindContext& c) { return bind_unary(c, kRareRows, kOp); }
template <Unary kOp>
Status bind_not(BindContext& c) { return bind_unary(c, kNotRows, kOp); }

constexpr OpDef unary_op(const char* name, Status (*infer)(InferContext&), Status (*bind)(BindContext&), std::span<const KernelRow> rows) {
  return {.name = name, .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer, .bind = bind, .kernels = rows, .inplace_inputs = 1};
}
template <Unary kOp>
constexpr OpDef float_op(const char* name) { return unary_op(name, infer<is_float>, bind<kOp>, kUnaryRows); }
template <Unary kOp>
constexpr OpDef rare_op(const char* name) { return unary_op(name, infer<is_float>, bind_rare<kOp>, kRareRows); }

std::optional<Dim> negated(std::span<const Dim> in, const Attributes&) { return sub(Dim(0), in[0]); }

constexpr AttrSpec kShrinkAttrs[] = {{"bias", AttrKind::f}, {"lambd", AttrKind::f}};
Status bind_shrink(BindContext& c) {
  return bind_unary(c, kUnaryRows, Unary::shrink, {Activation::none, c.attrs.f("lambd", 0.5f), c.attrs.f("bias", 0)});
}

// ---- IsNaN, IsInf: floats to bool ----

struct TestArgs {
  const void* x;
  bool* y;
  int64_t count;
  bool nan, positive, negative;  // what counts
};
template <class T>
void test(const TestArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  for (int64_t i = 0; i < a.count; ++i) {
    const double v = widen(x[i]);
    a.y[i] = (a.nan & (v != v)) | (a.positive & (v == __builtin_inf())) | (a.negative & (v == -__builtin_inf()));
  }
}
constexpr KernelRow kTestRows[] = {
    row<TestArgs, test<float>>("test/f32/scalar", DType::f32, Isa::scalar), row<TestArgs, test<double>>("test/f64/scalar", DType::f64, Isa::scalar),
    row<TestArgs, test<f16>>("test/f16/scalar", DType::f16, Isa::scalar), row<TestArgs, test<bf16>>("test/bf16/scalar", DType::bf16, Isa::scalar)};

Status infer_test(InferContext& c) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  c.set(0, DType::boolean, c.shape(0));
  return {};
}
Status bind_test(BindContext& c, bool nan, bool positive, bool negative) {
  const TensorView& x = c.in(0);
  const KernelRow* kernel = pick(kTestRows, x.dtype, c.isa);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  const auto [begin, end] = c.range(x.count(), 64);
  if (begin == end) return {};
  TestArgs& a = c.args(TestArgs{nullptr, nullptr, end - begin, nan, positive, negative});
  c.set(a.x, c.input(0) + begin * static_cast<int64_t>(size_of(x.dtype)));
  c.set(a.y, c.output<bool>(0) + begin);
  c.run(*kernel);
  return {};
}
Status bind_is_nan(BindContext& c) { return bind_test(c, true, false, false); }
Status bind_is_inf(BindContext& c) {
  return bind_test(c, false, c.attrs.i("detect_positive", 1) != 0, c.attrs.i("detect_negative", 1) != 0);
}
constexpr AttrSpec kIsInfAttrs[] = {{"detect_negative", AttrKind::i}, {"detect_positive", AttrKind::i}};

}  // namespace

constinit const OpDef kAbs = unary_op("Abs", infer<is_number>, bind<Unary::abs>, kUnaryRows);
constinit const OpDef kNeg = {.name = "Neg", .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer<is_signed>, .bind = bind<Unary::neg>,
                              .kernels = kUnaryRows, .inplace_inputs = 1, .symbolic = negated};
constinit const OpDef kSign = unary_op("Sign", infer<is_number>, bind<Unary::sign>, kUnaryRows);
constinit const OpDef kReciprocal = float_op<Unary::reciprocal>("Reciprocal");
constinit const OpDef kSqrt = float_op<Unary::sqrt>("Sqrt");
constinit const OpDef kExp = float_op<Unary::exp>("Exp");
constinit const OpDef kLog = float_op<Unary::log>("Log");
constinit const OpDef kFloor = float_op<Unary::floor>("Floor");
constinit const OpDef kCeil = float_op<Unary::ceil>("Ceil");
constinit const OpDef kRound = float_op<Unary::round>("Round");
constinit const OpDef kSin = rare_op<Unary::sin>("Sin");
constinit const OpDef kCos = rare_op<Unary::cos>("Cos");
constinit const OpDef kTan = rare_op<Unary::tan>("Tan");
constinit const OpDef kAsin = rare_op<Unary::asin>("Asin");
constinit const OpDef kAcos = rare_op<Unary::acos>("Acos");
constinit const OpDef kAtan = rare_op<Unary::atan>("Atan");
constinit const OpDef kSinh = rare_op<Unary::sinh>("Sinh");
constinit const OpDef kCosh = rare_op<Unary::cosh>("Cosh");
constinit const OpDef kAsinh = rare_op<Unary::asinh>("Asinh");
constinit const OpDef kAcosh = rare_op<Unary::acosh>("Acosh");
constinit const OpDef kAtanh = rare_op<Unary::atanh>("Atanh");
constinit const OpDef kShrink = {.name = "Shrink", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kShrinkAttrs, .infer = infer<is_number>,
                                 .bind = bind_shrink, .kernels = kUnaryRows, .inplace_inputs = 1};
constinit const OpDef kNot = unary_op("Not", infer<is_bool>, bind_not<Unary::logical_not>, kNotRows);
constinit const OpDef kBitwiseNot = unary_op("BitwiseNot", infer<is_int>, bind_not<Unary::bit_not>, kNotRows);
constinit const OpDef kIsNaN = {.name = "IsNaN", .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer_test, .bind = bind_is_nan,
                                .kernels = kTestRows};
constinit const OpDef kIsInf = {.name = "IsInf", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kIsInfAttrs, .infer = infer_test,
                                .bind = bind_is_inf, .kernels = kTestRows};

}  // namespace tern
