// The portable unary kernels: every dtype, one element at a time. See unary_rows.h.
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/unary_rows.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

using portable::clamp;
using portable::select;

// -inf would meet a factor of zero: the most negative number gives the limit, -0.
double above_minus_inf(double x) { return select(x < -1e300, -1e300, x); }
double negative_part(double x) { return select(x > 0, 0, x); }

double activate(const ActivationSpec& s, double x) {
  const double alpha = s.alpha, beta = s.beta;
  switch (s.activation) {
    case Activation::none: return x;
    case Activation::relu: return select(x < 0, 0, x);
    case Activation::leaky_relu: return select(x < 0, alpha * x, x);
    case Activation::thresholded_relu: return select(x <= alpha, 0, x);
    case Activation::sigmoid: return portable::sigmoid(x);
    case Activation::tanh: return portable::tanh(x);
    case Activation::gelu: return 0.5 * above_minus_inf(x) * (1 + portable::erf(x * 0.70710678118654752));
    case Activation::gelu_tanh:
      return above_minus_inf(x) * portable::sigmoid(x * (1.5957691216057308 + 0.071354816272600247 * x * x));
    case Activation::silu: return above_minus_inf(x) * portable::sigmoid(alpha * x);
    case Activation::mish: return above_minus_inf(x) * portable::tanh(portable::softplus(x));
    case Activation::hard_sigmoid: return clamp(alpha * x + beta, 0, 1);
    case Activation::hard_swish: return above_minus_inf(x) * clamp(x / 6 + 0.5, 0, 1);
    case Activation::clip: return clamp(x, alpha, beta);
    case Activation::elu: return select(x < 0, alpha * portable::expm1(negative_part(x)), x);
    case Activation::celu: return select(x < 0, alpha * portable::expm1(x / alpha), x);
    case Activation::selu: return beta * select(x < 0, alpha * portable::expm1(negative_part(x)), x);
    case Activation::softplus: return portable::softplus(x);
    case Activation::softsign: return clamp(x, -1e300, 1e300) / (1 + clamp(portable::abs(x), 0, 1e300));
    case Activation::erf: return portable::erf(x);
    case Activation::affine: return alpha * x + beta;
    case Activation::scaled_tanh: return alpha * portable::tanh(beta * x);
  }
  return x;
}

double compute(Unary op, const ActivationSpec& s, double x) {
  switch (op) {
    case Unary::activation: return activate(s, x);
    case Unary::abs: return portable::abs(x);
    case Unary::neg: return -x;
    case Unary::sign: return select(x != 0, select(x < 0, -1, select(x > 0, 1, x)), 0);
    case Unary::reciprocal: return 1 / x;
    case Unary::sqrt: return __builtin_sqrt(x);
    case Unary::exp: return portable::exp(x);
    case Unary::log: return portable::log(x);
    case Unary::floor: return portable::floor(x);
    case Unary::ceil: return portable::ceil(x);
    case Unary::round: return portable::round_even(x);
    case Unary::shrink: return select(portable::abs(x) <= s.alpha, 0, select(x < 0, x + s.beta, x - s.beta));
    case Unary::sin: return portable::sin(x);
    case Unary::cos: return portable::cos(x);
    case Unary::tan: return portable::tan(x);
    case Unary::asin: return portable::asin(x);
    case Unary::acos: return portable::acos(x);
    case Unary::atan: return portable::atan(x);
    case Unary::sinh: return portable::sinh(x);
    case Unary::cosh: return portable::cosh(x);
    case Unary::asinh: return portable::asinh(x);
    case Unary::acosh: return portable::acosh(x);
    case Unary::atanh: return portable::atanh(x);
    case Unary::bit_not:
    case Unary::logical_not: break;
  }
  return x;
}

template <class T>
  requires std::is_integral_v<T>
T compute(Unary op, const ActivationSpec& s, T x) {
  if constexpr (std::is_same_v<T, bool>) {
    return !x;  // the only operator on bool
  } else {
    switch (op) {
      case Unary::abs: return x < 0 ? wrap_neg(x) : x;
      case Unary::neg: return wrap_neg(x);
      case Unary::sign: return static_cast<T>((x > 0) - (x < 0));
      case Unary::bit_not: return static_cast<T>(~x);
      case Unary::activation: return x < 0 ? T(0) : x;  // Relu is the only activation of integers
      case Unary::shrink: return convert<T>(compute(op, s, static_cast<double>(x)));
      default: return x;
    }
  }
}

template <class T>
struct Portable {
  static void run(const UnaryArgs& a) {
    const T* x = static_cast<const T*>(a.x);  // [count]
    T* y = static_cast<T*>(a.y);              // [count]
    for (int64_t i = 0; i < a.count; ++i) {
      if constexpr (kIsFloat<T>) y[i] = narrow<T>(compute(a.op, a.spec, widen(x[i])));
      else y[i] = compute(a.op, a.spec, x[i]);
    }
  }
};
template <class T>
constexpr KernelRow portable_row(const char* name) { return row<UnaryArgs, Portable<T>::run>(name, dtype_of<T>(), Isa::scalar); }

}  // namespace

constinit const std::array<KernelRow, 14> kUnaryRows = {{
    row<UnaryArgs, scalar::unary_f32>("unary/f32/scalar", DType::f32, Isa::scalar),
    row<UnaryArgs, avx2::unary_f32>("unary/f32/avx2", DType::f32, Isa::avx2),
    row<UnaryArgs, avx512::unary_f32>("unary/f32/avx512", DType::f32, Isa::avx512),
    portable_row<double>("unary/f64/scalar"), portable_row<f16>("unary/f16/scalar"), portable_row<bf16>("unary/bf16/scalar"),
    portable_row<int8_t>("unary/i8/scalar"), portable_row<int16_t>("unary/i16/scalar"), portable_row<int32_t>("unary/i32/scalar"),
    portable_row<int64_t>("unary/i64/scalar"), portable_row<uint8_t>("unary/u8/scalar"), portable_row<uint16_t>("unary/u16/scalar"),
    portable_row<uint32_t>("unary/u32/scalar"), portable_row<uint64_t>("unary/u64/scalar"),
}};
constinit const std::array<KernelRow, 4> kRareRows = {{
    portable_row<float>("unary_rare/f32/scalar"), portable_row<double>("unary_rare/f64/scalar"), portable_row<f16>("unary_rare/f16/scalar"),
    portable_row<bf16>("unary_rare/bf16/scalar"),
}};
constinit const std::array<KernelRow, 9> kNotRows = {{
    portable_row<bool>("not/bool/scalar"), portable_row<int8_t>("not/i8/scalar"), portable_row<int16_t>("not/i16/scalar"),
    portable_row<int32_t>("not/i32/scalar"), portable_row<int64_t>("not/i64/scalar"), portable_row<uint8_t>("not/u8/scalar"),
    portable_row<uint16_t>("not/u16/scalar"), portable_row<uint32_t>("not/u32/scalar"), portable_row<uint64_t>("not/u64/scalar"),
}};

Status bind_unary(BindContext& c, std::span<const KernelRow> rows, Unary op, ActivationSpec spec) {
  const TensorView& x = c.in(0);
  const KernelRow* kernel = pick(rows, x.dtype, c.isa);
  if (kernel == nullptr) return bad_dtype(x.dtype);
  const auto [begin, end] = c.range(x.count(), kGrain);
  if (begin == end) return {};
  const int64_t at = begin * static_cast<int64_t>(size_of(x.dtype));
  UnaryArgs& a = c.args(UnaryArgs{nullptr, nullptr, end - begin, op, spec});
  c.set(a.x, c.input(0) + at);
  c.set(a.y, c.output(0) + at);
  c.run(*kernel);
  return {};
}

}  // namespace tern
