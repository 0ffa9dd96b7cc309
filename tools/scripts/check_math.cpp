// check_math: every f32 function of the operators against the C library in long double, bit pattern by bit pattern.
//   check_math                       all functions, all 2^32 inputs, every ISA of this machine (hours)
//   check_math Exp Tanh              these (about a minute each with --quick)
//     --isa avx512                   only this ISA; without it all are run and must agree in every bit
//     --stride 4099                  every so-manyth bit pattern (what ctest does)
//     --quick                        double references instead of long double: good to 1e-8 ULP
// Prints the worst error and where it is; exits 1 when one is above what the table below (and kernels/simd_math.h) states.
// Subnormal inputs count as zero, subnormal results may be flushed.
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "kernels/evaluate.h"

namespace {

using namespace tern;

constexpr auto kHalfRoot = 0.707106781186547524400844362104849039L;
constexpr auto kTwoRootTwoOverPi = 1.59576912160573071175978423973654553L;

template <class R>
R sigmoid(R x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
template <class R>
R softplus(R x) {
  return std::fmax(x, R(0)) + (std::isnan(x) ? x : std::log1p(std::exp(-std::fabs(x))));
}
template <class R>
R times(R x, R factor) {
  return factor == 0 && std::isinf(x) ? R(-0.0) : x * factor;
}  // the limit at -inf

struct Function {
  const char* op;
  float alpha;
  double ulp;       // the stated error in ULP ...
  double absolute;  // ... or absolutely, whichever is larger
  double (*quick)(double);
  long double (*exact)(long double);
};
template <class F>
constexpr Function function(const char* op, double ulp, double absolute, F, float alpha = 0) {
  return {op, alpha, ulp, absolute, [](double x) { return F()(x); }, [](long double x) { return F()(x); }};
}

const Function kFunctions[] = {
    function("Exp", 1.07, 0, [](auto x) { return std::exp(x); }),
    function("Log", 0.9, 0, [](auto x) { return std::log(x); }),
    function("Sigmoid", 2.5, 0, [](auto x) { return sigmoid(x); }),
    function("Tanh", 2.6, 0, [](auto x) { return std::tanh(x); }),
    function("Softplus", 1.75, 0, [](auto x) { return softplus(x); }),
    function("Erf", 5, 0, [](auto x) { return std::erf(x); }),
    function("Gelu", 2.1, 1e-6, [](auto x) { return times(x, std::erfc(-x * decltype(x)(kHalfRoot)) / 2); }),
    function("GeluTanh", 2.5, 6e-7,
             [](auto x) { return times(x, sigmoid(decltype(x)(kTwoRootTwoOverPi) * (x + decltype(x)(0.044715L) * x * x * x))); }),
    function(
        "Swish", 3.5, 2e-36, [](auto x) { return times(x, sigmoid(x)); }, 1),
    function("Mish", 5, 2e-36, [](auto x) { return times(x, std::tanh(softplus(x))); }),
    function(
        "Elu", 1.15, 0, [](auto x) { return x < 0 ? std::expm1(x) : x; }, 1),
    function(
        "Celu", 1.15, 0, [](auto x) { return x < 0 ? std::expm1(x) : x; }, 1),
    function("Softsign", 1.5, 0, [](auto x) { return std::isinf(x) ? std::copysign(decltype(x)(1), x) : x / (1 + std::fabs(x)); }),
    function("Reciprocal", 0.501, 0, [](auto x) { return 1 / x; }),
    function("Sqrt", 0.501, 0, [](auto x) { return std::sqrt(x); }),
    function("Sin", 0.501, 0, [](auto x) { return std::sin(x); }),
    function("Cos", 0.501, 0, [](auto x) { return std::cos(x); }),
    function("Tan", 0.501, 0, [](auto x) { return std::tan(x); }),
    function("Asin", 0.508, 0, [](auto x) { return std::asin(x); }),
    function("Acos", 0.505, 0, [](auto x) { return std::acos(x); }),
    function("Atan", 0.504, 0, [](auto x) { return std::atan(x); }),
    function("Sinh", 0.501, 0, [](auto x) { return std::sinh(x); }),
    function("Cosh", 0.501, 0, [](auto x) { return std::cosh(x); }),
    function("Asinh", 0.501, 0, [](auto x) { return std::asinh(x); }),
    function("Acosh", 0.501, 0, [](auto x) { return std::acosh(x); }),
    function("Atanh", 0.501, 0, [](auto x) { return std::atanh(x); }),
};

struct Worst {
  double ulp = 0, absolute = 0;
  float at = 0, absolute_at = 0;
  bool failed = false;
};

void check(const Function& f, float x, float y, long double exact, Worst& worst) {
  const float rounded = static_cast<float>(exact);
  auto fail = [&](const char* what) {
    if (!worst.failed) std::printf("%-10s %s at %.9g (%a): %.9g, expected %.12Lg\n", f.op, what, x, x, y, exact);
    worst.failed = true;
  };
  if (std::isnan(exact) || std::isnan(y)) {
    if (std::isnan(exact) != std::isnan(y)) fail("NaN");
    return;
  }
  const long double magnitude = std::fabs(exact);
  if (magnitude < 0x1p-126L) {
    if (std::fabs(y) > 0x1p-126f) fail("not flushed");
    if (exact == 0 && y == 0 && std::signbit(exact) != std::signbit(y)) fail("the sign of zero");
    return;
  }
  // Next to overflow, one ULP of the largest number decides between it and infinity.
  if (std::isinf(rounded) || std::isinf(y)) {
    if (rounded != y && !(magnitude > 3.40282e38L && std::fabs(y) > 3.40282e38f)) fail("infinity");
    return;
  }
  int exponent;
  std::frexp(magnitude, &exponent);
  const double error = static_cast<double>(std::fabs(y - exact)), ulp = std::ldexp(error, 24 - exponent);
  if (error > worst.absolute) worst.absolute = error, worst.absolute_at = x;
  if (error <= f.absolute || (y == 0 && magnitude < 0x1.00001p-126L)) return;
  if (ulp > worst.ulp) worst.ulp = ulp, worst.at = x;
  if (ulp > f.ulp) fail("more than stated");
}

bool run(const Function& f, std::span<const Isa> isas, uint64_t stride, bool quick) {
  Attributes attrs;
  const bool tanh_form = std::strcmp(f.op, "GeluTanh") == 0;
  if (f.alpha != 0) attrs.set("alpha", f.alpha);
  if (tanh_form) attrs.set("approximate", std::string("tanh"));
  const OpDef* op = find_op(tanh_form ? "Gelu" : f.op);
  if (op == nullptr) return std::printf("no operator %s\n", f.op), false;
  constexpr int64_t kBatch = 1 << 16;
  Worst worst;
  for (uint64_t first = 0; first < uint64_t(1) << 32; first += kBatch * stride) {
    Tensor x = *Tensor::allocate(DType::f32, {kBatch});
    for (int64_t i = 0; i < kBatch; ++i) {
      const uint32_t bits = static_cast<uint32_t>(first + static_cast<uint64_t>(i) * stride);
      x.mutable_data<float>()[i] = std::bit_cast<float>((bits & 0x7f800000u) == 0 ? bits & 0x80000000u : bits);
    }
    Tensor y;
    for (const Isa isa : isas) {
      auto out = evaluate(*op, attrs, {&x, 1}, 1, {.isa = isa});
      if (!out) return std::printf("%s: %s\n", f.op, out.error().message().c_str()), false;
      if (!y.present()) y = (*out)[0];
      for (int64_t i = 0; i < kBatch; ++i) {
        const float a = (*out)[0].data<float>()[i], b = y.data<float>()[i];
        if (std::bit_cast<uint32_t>(a) != std::bit_cast<uint32_t>(b) && (a == a || b == b)) {
          return std::printf("%s: %s gives %a at %a, %s %a\n", f.op, name(isas[0]), b, x.data<float>()[i], name(isa), a), false;
        }
      }
    }
    for (int64_t i = 0; i < kBatch; ++i) {
      const float v = x.data<float>()[i];
      check(f, v, y.data<float>()[i], quick ? static_cast<long double>(f.quick(v)) : f.exact(v), worst);
    }
  }
  std::printf("%-10s %.3f ULP at %.9g (%a), absolute %.3g at %.9g\n", f.op, worst.ulp, worst.at, worst.at, worst.absolute, worst.absolute_at);
  std::fflush(stdout);
  return !worst.failed;
}

}  // namespace

int main(int count, char** words) {
  uint64_t stride = 1;
  bool quick = false, named = false, good = true;
  std::vector<Isa> isas;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--quick") quick = true;
    else if (word == "--stride" && i + 1 < count) stride = std::max<uint64_t>(1, std::strtoull(words[++i], nullptr, 10));
    else if (word == "--isa" && i + 1 < count) {
      const auto isa = parse_isa(words[++i]);
      if (!isa || !runnable(*isa)) return std::printf("this machine cannot run %s\n", words[i]), 2;
      isas = {*isa};
    } else {
      named = true;
    }
  }
  if (isas.empty()) {
    for (Isa isa : kIsas) {
      if (runnable(isa)) isas.push_back(isa);
    }
  }
  for (const Function& f : kFunctions) {
    bool asked = !named;
    for (int i = 1; i < count; ++i) asked = asked || std::strcmp(words[i], f.op) == 0;
    if (asked) good = run(f, isas, stride, quick) && good;
  }
  return good ? 0 : 1;
}
