// The unary functions of the floats without lanes of their own: f64, f16 and bf16 of all, f32 too of those that nets use rarely. See wide.h.
// Next: unary_rows.h.
#include "kernels/elementwise/arc.h"
#include "kernels/elementwise/unary_functions.h"
#include "kernels/elementwise/wide.h"

namespace tern::TERN_ISA {
namespace {

// The sine and cosine of floats in two loops: as one, its chains are too long for a core to see more than an element ahead.
[[gnu::noinline, gnu::flatten]] void reduce_block(const double* __restrict v, double* __restrict r, uint64_t* __restrict quarter, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const portable::Angle angle = portable::reduce_float(v[i]);
    r[i] = angle.r;
    quarter[i] = angle.quarter;
  }
}
template <bool kCos>
[[gnu::noinline, gnu::flatten]] void wave_block(double* __restrict v, const double* __restrict r, const uint64_t* __restrict quarter, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const portable::Angle angle{r[i], quarter[i]};
    v[i] = kCos ? portable::cos_at(v[i], angle) : portable::sin_at(v[i], angle);
  }
}
template <bool kCos, class T>
void wave(const UnaryArgs& a) {
  const T* x = static_cast<const T*>(a.x);  // [count]
  T* y = static_cast<T*>(a.y);              // [count]
  double v[kBlock], r[kBlock];
  uint64_t quarter[kBlock];
  for (int64_t i = 0; i < a.count; i += kBlock) {
    const int64_t n = a.count - i < kBlock ? a.count - i : kBlock;
    widen_block(x + i, v, n);
    reduce_block(v, r, quarter, n);
    wave_block<kCos>(v, r, quarter, n);
    narrow_block(v, y + i, n);
  }
}
template <Word kOp, bool kCos>
constexpr Rows<4> wave_rows() {
  constexpr auto kOfDouble = [](double x) { return kCos ? portable::cos(x) : portable::sin(x); };
  return {{row<UnaryArgs, wave<kCos, float>>(kRowName<kOp, "/f32/" TERN_ISA_NAME>.s, DType::f32, Isa::TERN_ISA),
           row<UnaryArgs, unary_wide<kOfDouble, double>>(kRowName<kOp, "/f64/" TERN_ISA_NAME>.s, DType::f64, Isa::TERN_ISA),
           row<UnaryArgs, wave<kCos, f16>>(kRowName<kOp, "/f16/" TERN_ISA_NAME>.s, DType::f16, Isa::TERN_ISA),
           row<UnaryArgs, wave<kCos, bf16>>(kRowName<kOp, "/bf16/" TERN_ISA_NAME>.s, DType::bf16, Isa::TERN_ISA)}};
}

template <class T>
void clip(const ClipArgs& a) {
  const T* x = static_cast<const T*>(a.x);  // [count]
  T* y = static_cast<T*>(a.y);              // [count]
  const double low = a.low != nullptr ? widen(*static_cast<const T*>(a.low)) : -__builtin_inf();
  const double high = a.high != nullptr ? widen(*static_cast<const T*>(a.high)) : __builtin_inf();
  const int64_t count = a.count;
  TERN_APART
  for (int64_t i = 0; i < count; ++i) y[i] = narrow<T>(portable::clamp(widen(x[i]), low, high));
}

}  // namespace

constinit const Rows<3> abs_wide = wide_rows<"abs", [](double x) { return functions::Abs{}(x); }>();
constinit const Rows<3> ceil_wide = wide_rows<"ceil", [](double x) { return portable::ceil(x); }>();
constinit const Rows<3> celu_wide = wide_rows<"celu", [](double x, float alpha, float beta) { return functions::celu(x, alpha, beta); }>();
constinit const Rows<3> clip_wide = {{row<ClipArgs, clip<double>>("clip/f64/" TERN_ISA_NAME, DType::f64, Isa::TERN_ISA),
                                      row<ClipArgs, clip<f16>>("clip/f16/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
                                      row<ClipArgs, clip<bf16>>("clip/bf16/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA)}};
constinit const Rows<3> elu_wide = wide_rows<"elu", [](double x, float alpha, float beta) { return functions::elu(x, alpha, beta); }>();
constinit const Rows<3> erf_wide = wide_rows<"erf", [](double x) { return portable::erf(x); }>();
constinit const Rows<3> exp_wide = wide_rows<"exp", [](double x) { return portable::exp(x); }>();
constinit const Rows<3> floor_wide = wide_rows<"floor", [](double x) { return portable::floor(x); }>();
constinit const Rows<3> gelu_wide = wide_rows<"gelu", [](double x) { return functions::gelu(x); }>();
constinit const Rows<3> gelu_tanh_wide = wide_rows<"gelu_tanh", [](double x) { return functions::gelu_tanh(x); }>();
constinit const Rows<3> hard_sigmoid_wide =
    wide_rows<"hard_sigmoid", [](double x, float alpha, float beta) { return functions::hard_sigmoid(x, alpha, beta); }>();
constinit const Rows<3> hard_swish_wide = wide_rows<"hard_swish", [](double x) { return functions::hard_swish(x); }>();
constinit const Rows<3> leaky_relu_wide =
    wide_rows<"leaky_relu", [](double x, float alpha, float beta) { return functions::leaky_relu(x, alpha, beta); }>();
constinit const Rows<3> log_wide = wide_rows<"log", [](double x) { return portable::log(x); }>();
constinit const Rows<3> mish_wide = wide_rows<"mish", [](double x) { return functions::mish(x); }>();
constinit const Rows<3> neg_wide = wide_rows<"neg", [](double x) { return functions::Neg{}(x); }>();
constinit const Rows<3> reciprocal_wide = wide_rows<"reciprocal", [](double x) { return functions::reciprocal(x); }>();
constinit const Rows<3> relu_wide = wide_rows<"relu", [](double x) { return functions::Relu{}(x); }>();
constinit const Rows<3> round_wide = wide_rows<"round", [](double x) { return portable::round_even(x); }>();
constinit const Rows<3> selu_wide = wide_rows<"selu", [](double x, float alpha, float beta) { return functions::selu(x, alpha, beta); }>();
constinit const Rows<3> shrink_wide = wide_rows<"shrink", [](double x, float alpha, float beta) { return functions::Shrink{}(x, alpha, beta); }>();
constinit const Rows<3> sigmoid_wide = wide_rows<"sigmoid", [](double x) { return portable::sigmoid(x); }>();
constinit const Rows<3> sign_wide = wide_rows<"sign", [](double x) { return functions::Sign{}(x); }>();
constinit const Rows<3> softplus_wide = wide_rows<"softplus", [](double x) { return portable::softplus(x); }>();
constinit const Rows<3> softsign_wide = wide_rows<"softsign", [](double x) { return functions::softsign(x); }>();
constinit const Rows<3> sqrt_wide = wide_rows<"sqrt", [](double x) { return functions::sqrt(x); }>();
constinit const Rows<3> swish_wide = wide_rows<"swish", [](double x, float alpha, float beta) { return functions::swish(x, alpha, beta); }>();
constinit const Rows<3> tanh_wide = wide_rows<"tanh", [](double x) { return portable::tanh(x); }>();
constinit const Rows<3> thresholded_relu_wide =
    wide_rows<"thresholded_relu", [](double x, float alpha, float beta) { return functions::thresholded_relu(x, alpha, beta); }>();
constinit const Rows<3> acos_wide =
    wide_rows<"acos", [](double x) { return portable::acos(x); }, [](double x) { return functions::acos_of_float(x); }>();
constinit const Rows<4> acosh_any = any_rows<"acosh", [](double x) { return portable::acosh(x); }>();
constinit const Rows<3> asin_wide =
    wide_rows<"asin", [](double x) { return portable::asin(x); }, [](double x) { return functions::asin_of_float(x); }>();
constinit const Rows<4> asinh_any = any_rows<"asinh", [](double x) { return portable::asinh(x); }>();
constinit const Rows<3> atan_wide =
    wide_rows<"atan", [](double x) { return portable::atan(x); }, [](double x) { return functions::atan_of_float(x); }>();
constinit const Rows<4> atanh_any = any_rows<"atanh", [](double x) { return portable::atanh(x); }>();
constinit const Rows<4> cos_any = wave_rows<"cos", true>();
constinit const Rows<4> cosh_any = any_rows<"cosh", [](double x) { return portable::cosh(x); }>();
constinit const Rows<4> sin_any = wave_rows<"sin", false>();
constinit const Rows<4> sinh_any = any_rows<"sinh", [](double x) { return portable::sinh(x); }>();
constinit const Rows<4> tan_any = any_rows<"tan", [](double x) { return portable::tan(x); }, [](double x) { return portable::tan_of_float(x); }>();
constinit const Rows<4> is_inf_any =
    test_rows<"is_inf", [](double x, float positive, float negative) { return functions::is_inf(x, positive, negative); }>();
constinit const Rows<4> is_nan_any = test_rows<"is_nan", [](double x) { return functions::is_nan(x); }>();
constinit const Rows<4> cube_any = any_rows<"cube", [](double x) { return x * (x * x); }>();  // pow's bits for an exponent of 3

}  // namespace tern::TERN_ISA
