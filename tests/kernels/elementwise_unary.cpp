// The unary operators: edges, tails, dtypes. Accuracy over the whole range is check_math's (tools/scripts). Contract:
// kernels/elementwise/elementwise.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/activation_attributes.h"
#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test::in_elementwise_unary {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

template <class T>
Tensor row_of(std::vector<T> v) {
  return Tensor::of<T>({static_cast<int64_t>(v.size())}, std::span<const T>(v));
}
// One element through an operator.
float at(const char* op, float x, Attrs attrs = {}) { return run_op(op, attrs, {f32({1}, {x})})[0].data<float>()[0]; }
template <class F>
Tensor mapped(const Tensor& x, F f) {
  Tensor y = *Tensor::allocate(DType::f32, x.dims());
  for (int64_t i = 0; i < x.count(); ++i) y.mutable_data<float>()[i] = static_cast<float>(f(static_cast<double>(x.data<float>()[i])));
  return y;
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("unary: every tail length of every exact operator is the reference, bit for bit") {
  for (int64_t n = 1; n <= 49; ++n) {
    const Tensor x = random_f32({n}, static_cast<uint32_t>(n), -8, 8);
    check_same(run_op("Abs", {}, {x})[0], mapped(x, [](double v) { return std::fabs(v); }));
    check_same(run_op("Neg", {}, {x})[0], mapped(x, [](double v) { return -v; }));
    check_same(run_op("Floor", {}, {x})[0], mapped(x, [](double v) { return std::floor(v); }));
    check_same(run_op("Ceil", {}, {x})[0], mapped(x, [](double v) { return std::ceil(v); }));
    check_same(run_op("Sign", {}, {x})[0], mapped(x, [](double v) { return (v > 0) - (v < 0); }));
    check_same(run_op("Reciprocal", {}, {x})[0], mapped(x, [](double v) { return 1 / v; }));
    check_same(run_op("Relu", {}, {x})[0], mapped(x, [](double v) { return v > 0 ? v : 0; }));
    check_same(run_op("Sqrt", {}, {run_op("Abs", {}, {x})[0]})[0], mapped(x, [](double v) { return std::sqrt(std::fabs(v)); }));
  }
}

TEST_CASE("unary: every tail length of the transcendental operators is within the stated error") {
  for (int64_t n = 1; n <= 35; ++n) {
    const Tensor x = random_f32({n}, static_cast<uint32_t>(n), -9, 9);
    check_close(run_op("Exp", {}, {x})[0], mapped(x, [](double v) { return std::exp(v); }), 1);
    check_close(run_op("Log", {}, {run_op("Abs", {}, {x})[0]})[0], mapped(x, [](double v) { return std::log(std::fabs(v)); }), 1);
    check_close(run_op("Tanh", {}, {x})[0], mapped(x, [](double v) { return std::tanh(v); }), 3);
    check_close(run_op("Sigmoid", {}, {x})[0], mapped(x, sigmoid), 3);
    check_close(run_op("Softplus", {}, {x})[0], mapped(x, [](double v) { return std::log1p(std::exp(v)); }), 2);
    check_close(run_op("Erf", {}, {x})[0], mapped(x, [](double v) { return std::erf(v); }), 5);
    check_close(run_op("Gelu", {}, {x})[0], mapped(x, [](double v) { return v * std::erfc(-v * M_SQRT1_2) / 2; }), 2, 8e-7f);
    check_close(run_op("Cos", {}, {x})[0], mapped(x, [](double v) { return std::cos(v); }), 1);
    check_close(run_op("Atan", {}, {x})[0], mapped(x, [](double v) { return std::atan(v); }), 1);
  }
}

TEST_CASE("unary: activations compute the formulas of ONNX with their parameters") {
  const Tensor x = random_f32({67}, 5, -4, 4);
  auto elu = [](double v, double a) { return v < 0 ? a * std::expm1(v) : v; };
  check_close(run_op("LeakyRelu", {{"alpha", 0.25f}}, {x})[0], mapped(x, [](double v) { return v < 0 ? 0.25 * v : v; }), 0);
  check_close(run_op("LeakyRelu", {}, {x})[0], mapped(x, [](double v) { return v < 0 ? 0.01f * v : v; }), 0);
  check_close(run_op("ThresholdedRelu", {{"alpha", 1.5f}}, {x})[0], mapped(x, [](double v) { return v > 1.5 ? v : 0; }), 0);
  check_close(run_op("Elu", {{"alpha", 2.0f}}, {x})[0], mapped(x, [&](double v) { return elu(v, 2); }), 2);
  check_close(run_op("Celu", {{"alpha", 0.5f}}, {x})[0], mapped(x, [](double v) { return v < 0 ? 0.5 * std::expm1(2 * v) : v; }), 2);
  check_close(run_op("Selu", {}, {x})[0], mapped(x, [&](double v) { return 1.05070102214813232421875 * elu(v, 1.67326319217681884765625); }), 2);
  check_close(run_op("Selu", {{"alpha", 3.0f}, {"gamma", 2.0f}}, {x})[0], mapped(x, [&](double v) { return 2 * elu(v, 3); }), 2);
  check_close(run_op("HardSigmoid", {}, {x})[0], mapped(x, [](double v) { return std::fmin(1, std::fmax(0, 0.2f * v + 0.5)); }), 1);
  check_close(run_op("HardSigmoid", {{"alpha", 0.5f}, {"beta", 0.25f}}, {x})[0],
              mapped(x, [](double v) { return std::fmin(1, std::fmax(0, 0.5 * v + 0.25)); }), 1);
  check_close(run_op("HardSwish", {}, {x})[0], mapped(x, [](double v) { return v * std::fmin(1, std::fmax(0, v / 6 + 0.5)); }), 2, 2e-7f);
  check_close(run_op("Softsign", {}, {x})[0], mapped(x, [](double v) { return v / (1 + std::fabs(v)); }), 2);
  check_close(run_op("Mish", {}, {x})[0], mapped(x, [](double v) { return v * std::tanh(std::log1p(std::exp(v))); }), 5);
  check_close(run_op("Swish", {{"alpha", 2.0f}}, {x})[0], mapped(x, [](double v) { return v * sigmoid(2 * v); }), 4);
  check_close(run_op("Swish", {}, {x})[0], mapped(x, [](double v) { return v * sigmoid(v); }), 4);
  check_close(run_op("Gelu", {{"approximate", std::string("tanh")}}, {x})[0],
              mapped(x, [](double v) { return v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))); }), 3, 6e-7f);
  check_close(run_op("Shrink", {{"lambd", 1.5f}, {"bias", 0.25f}}, {x})[0],
              mapped(x, [](double v) { return v < -1.5  ? v + 0.25
                                              : v > 1.5 ? v - 0.25
                                                        : 0; }), 0);
}

TEST_CASE("unary: NaN passes through every float operator") {
  for (const char* op : {"Abs",         "Neg",
                         "Sign",        "Reciprocal",
                         "Sqrt",        "Exp",
                         "Log",         "Floor",
                         "Ceil",        "Round",
                         "Sin",         "Cos",
                         "Tan",         "Asin",
                         "Acos",        "Atan",
                         "Sinh",        "Cosh",
                         "Asinh",       "Acosh",
                         "Atanh",       "Shrink",
                         "Celu",        "Elu",
                         "Erf",         "Gelu",
                         "HardSigmoid", "HardSwish",
                         "LeakyRelu",   "Mish",
                         "Relu",        "Selu",
                         "Sigmoid",     "Softplus",
                         "Softsign",    "Swish",
                         "Tanh",        "ThresholdedRelu",
                         "Clip"}) {
    CAPTURE(op);
    CHECK(std::isnan(at(op, kNan)));
    const Tensor wide = cast(f32({2}, {kNan, 1}), DType::f64), half = cast(f32({2}, {kNan, 1}), DType::f16);
    CHECK(std::isnan(run_op(op, {}, {wide})[0].data<double>()[0]));
    CHECK(std::isnan(to_f32(run_op(op, {}, {half})[0].data<f16>()[0])));
  }
}

TEST_CASE("unary: RoundF16 and RoundBF16 give what a Cast to that dtype and back gives, between bounds") {
  std::vector<float> v = {0, -0.0f, kInf, -kInf, kNan, 65504, 65519.996f, 65520, -65520, 3e38f, 3.4028235e38f, 1e-37f, 5.9604645e-8f, -2.9802322e-8f};
  uint32_t u = 1;
  for (int i = 0; i < 4000; ++i) {
    u = u * 1664525u + 1013904223u;
    uint32_t bits = u & ~((u >> 7 & 1) * 0xfffu);                             // half of them lie near the middle of two
    if (i % 2 == 0) bits = (bits & 0x8fffffffu) | (0x33u + u % 0x15u) << 23;  // what f16 holds, or less
    const float x = __builtin_bit_cast(float, bits);
    if (std::isnan(x) || std::isnormal(x)) v.push_back(x);
  }
  for (float tie : {1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 0x1p-14f - 0x1p-25f, 0x1p-14f - 3 * 0x1p-25f}) v.push_back(tie);
  const Tensor x = f32({static_cast<int64_t>(v.size())}, v);
  for (auto [op, dtype] : {std::pair("RoundF16", DType::f16), std::pair("RoundBF16", DType::bf16)}) {
    CAPTURE(op);
    std::vector<float> r;
    for (const float a : v) r.push_back(dtype == DType::f16 ? to_f32(to_f16(a)) : to_f32(to_bf16(a)));
    const Tensor rounded = f32(x.dims(), r);
    check_same(run_op(op, {}, {x})[0], rounded);
    check_same(run_op(op, {{"alpha", 0.0f}, {"beta", 1.5f}}, {x})[0], run_op("Clip", {}, {rounded, Tensor::scalar(0.0f), Tensor::scalar(1.5f)})[0]);
  }
}

TEST_CASE("unary: infinities saturate or give the limit") {
  CHECK(at("Exp", kInf) == kInf);
  CHECK(at("Exp", -kInf) == 0);
  CHECK(at("Exp", 88.72284f) == kInf);
  CHECK(at("Exp", 88.7228f) < kInf);
  CHECK(at("Exp", -87.5f) == 0);
  CHECK(at("Log", kInf) == kInf);
  CHECK(at("Log", 0) == -kInf);
  CHECK(at("Log", -0.0f) == -kInf);
  CHECK(at("Log", 1e-40f) == -kInf);  // a subnormal counts as zero
  CHECK(std::isnan(at("Log", -1)));
  CHECK(std::isnan(at("Log", -kInf)));
  CHECK(at("Log", 1) == 0);
  for (const char* op : {"Tanh", "Erf", "Softsign"}) {
    CAPTURE(op);
    CHECK(at(op, kInf) == 1);
    CHECK(at(op, -kInf) == -1);
    CHECK(at(op, 50) == doctest::Approx(1).epsilon(0.05));
    CHECK(std::signbit(at(op, -0.0f)));
  }
  CHECK(at("Sigmoid", kInf) == 1);
  CHECK(at("Sigmoid", -kInf) == 0);
  for (const char* op : {"Gelu", "Swish", "Mish", "HardSwish", "Relu", "Softplus"}) {
    CAPTURE(op);
    CHECK(at(op, -kInf) == 0);
    CHECK(at(op, kInf) == kInf);
  }
  CHECK(at("Elu", -kInf) == -1);
  CHECK(at("Reciprocal", 0) == kInf);
  CHECK(at("Reciprocal", -kInf) == 0);
  CHECK(std::isnan(at("Sqrt", -1)));
  for (const char* op : {"Sin", "Cos", "Tan"}) CHECK(std::isnan(at(op, kInf)));
  CHECK(at("Atan", kInf) == static_cast<float>(M_PI / 2));
  CHECK(at("Atanh", 1) == kInf);
  CHECK(std::isnan(at("Atanh", 1.5f)));
  CHECK(std::isnan(at("Acosh", 0.5f)));
  CHECK(std::isnan(at("Asin", 1.0001f)));
  CHECK(at("Acos", -1) == static_cast<float>(M_PI));
  CHECK(at("Sinh", -kInf) == -kInf);
  CHECK(at("Cosh", -kInf) == kInf);
}

TEST_CASE("unary: Round takes ties to even") {
  const Tensor x = f32({10}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 0.4999999f, 8388609, 3e9f, -0.2f});
  const Tensor y = run_op("Round", {}, {x})[0];
  check_same(y, f32({10}, {0, 2, 2, -0.0f, -2, -2, 0, 8388609, 3e9f, -0.0f}));
  check_same(cast(y, DType::f64), run_op("Round", {}, {cast(x, DType::f64)})[0]);
}

TEST_CASE("unary: sin and cos of huge arguments are right") {
  for (float v : {1e4f, 1.5e7f, 3.4e38f, -2.2e25f, 16777216.0f}) {
    CAPTURE(v);
    CHECK(ulp_distance(at("Sin", v), static_cast<float>(std::sin(static_cast<double>(v)))) <= 1);
    CHECK(ulp_distance(at("Cos", v), static_cast<float>(std::cos(static_cast<double>(v)))) <= 1);
  }
}

TEST_CASE("unary: integers wrap, and have absolute values and signs") {
  check_same(run_op("Abs", {}, {row_of<int8_t>({-128, -1, 0, 127})})[0], row_of<int8_t>({-128, 1, 0, 127}));
  check_same(run_op("Abs", {}, {row_of<uint32_t>({4000000000u, 0})})[0], row_of<uint32_t>({4000000000u, 0}));
  check_same(run_op("Neg", {}, {row_of<int32_t>({INT32_MIN, 5, 0})})[0], row_of<int32_t>({INT32_MIN, -5, 0}));
  check_same(run_op("Sign", {}, {row_of<int64_t>({INT64_MIN, 5, 0})})[0], row_of<int64_t>({-1, 1, 0}));
  check_same(run_op("Sign", {}, {row_of<uint64_t>({UINT64_MAX, 0})})[0], row_of<uint64_t>({1, 0}));
  check_same(run_op("Relu", {}, {row_of<int16_t>({-7, 0, 7})})[0], row_of<int16_t>({0, 0, 7}));
  check_same(run_op("BitwiseNot", {}, {row_of<uint16_t>({0, 0x00ff})})[0], row_of<uint16_t>({0xffff, 0xff00}));
  check_same(run_op("Shrink", {{"lambd", 1.5f}, {"bias", 1.0f}}, {row_of<int32_t>({-3, -1, 0, 1, 3})})[0], row_of<int32_t>({-2, 0, 0, 0, 2}));
  check_same(run_op("Not", {}, {boolean({3}, {true, false, true})})[0], boolean({3}, {false, true, false}));
  CHECK(op_error("Neg", {}, {row_of<uint8_t>({1})}) == "u8 inputs are not supported");
  CHECK(op_error("Exp", {}, {row_of<int32_t>({1})}) == "i32 inputs are not supported");
  CHECK(op_error("Not", {}, {f32({1}, {1})}) == "f32 inputs are not supported");
}

TEST_CASE("unary: IsNaN and IsInf tell the signs of infinity apart") {
  const Tensor x = f32({5}, {kInf, -kInf, kNan, 0, 3.3e38f});
  for (DType t : {DType::f32, DType::f64, DType::bf16}) {
    const Tensor y = t == DType::f32 ? x : cast(x, t);
    check_same(run_op("IsNaN", {}, {y})[0], boolean({5}, {false, false, true, false, false}));
    check_same(run_op("IsInf", {{"detect_positive", int64_t(0)}}, {y})[0], boolean({5}, {false, true, false, false, false}));
    check_same(run_op("IsInf", {{"detect_negative", int64_t(0)}}, {y})[0], boolean({5}, {true, false, false, false, false}));
  }
  check_same(run_op("IsInf", {}, {x})[0], boolean({5}, {true, true, false, false, false}));
}

TEST_CASE("unary: f16 and bf16 are computed wide and rounded once") {
  const Tensor x = random_f32({40}, 9, -3, 3);
  for (DType t : {DType::f16, DType::bf16}) {
    const Tensor narrow = cast(x, t), y = run_op("Tanh", {}, {narrow})[0];
    for (int64_t i = 0; i < 40; ++i) {
      if (t == DType::f16) CHECK(y.data<f16>()[i].bits == to_f16(std::tanh(static_cast<double>(to_f32(narrow.data<f16>()[i])))).bits);
      else CHECK(y.data<bf16>()[i].bits == to_bf16(std::tanh(static_cast<double>(to_f32(narrow.data<bf16>()[i])))).bits);
    }
  }
}

TEST_CASE("unary: f64 functions are within 16 ULP of the C library") {
  std::vector<double> v;
  for (int i = -300; i <= 300; ++i) v.push_back(i * 0.0123456789);
  const Tensor x = row_of(v);
  auto check = [&](const char* op, double (*f)(double)) {
    CAPTURE(op);
    const Tensor y = run_op(op, {}, {x})[0];
    for (size_t i = 0; i < v.size(); ++i) {
      const double e = f(v[i]);
      if (std::isnan(e)) CHECK(std::isnan(y.data<double>()[i]));
      else if (!std::isinf(e)) CHECK(std::fabs(y.data<double>()[i] - e) <= 16 * 2.3e-16 * std::fabs(e));
      else CHECK(y.data<double>()[i] == e);
    }
  };
  check("Exp", std::exp), check("Log", std::log), check("Sin", std::sin), check("Cos", std::cos), check("Tan", std::tan);
  check("Asin", std::asin), check("Acos", std::acos), check("Atan", std::atan), check("Sinh", std::sinh), check("Cosh", std::cosh);
  check("Tanh", std::tanh), check("Asinh", std::asinh), check("Acosh", std::acosh), check("Atanh", std::atanh), check("Erf", std::erf);
}

TEST_CASE("clip: bounds are optional, read at run time, and NaN passes") {
  const Tensor x = f32({5}, {-kInf, -1, kNan, 2, kInf}), low = f32({}, {-0.5f}), high = f32({}, {1.5f});
  check_same(run_op("Clip", {}, {x, low, high})[0], f32({5}, {-0.5f, -0.5f, kNan, 1.5f, 1.5f}));
  check_same(run_op("Clip", {}, {x, low})[0], f32({5}, {-0.5f, -0.5f, kNan, 2, kInf}));
  check_same(run_op("Clip", {}, {x, absent(), high})[0], f32({5}, {-kInf, -1, kNan, 1.5f, 1.5f}));
  check_same(run_op("Clip", {}, {x})[0], x);
  check_same(run_op("Clip", {}, {x, high, low})[0], f32({5}, {-0.5f, -0.5f, kNan, -0.5f, -0.5f}));  // low above high: high wins
  check_same(run_op("Clip", {}, {row_of<int8_t>({-128, 3, 127}), Tensor::scalar<int8_t>(-5), Tensor::scalar<int8_t>(5)})[0],
             row_of<int8_t>({-5, 3, 5}));
  check_same(run_op("Clip", {}, {row_of<uint64_t>({0, UINT64_MAX}), Tensor::scalar<uint64_t>(5)})[0], row_of<uint64_t>({5, UINT64_MAX}));
  CHECK(op_error("Clip", {}, {x, i64({}, {1})}) == "a bound is i64, the input f32");
  CHECK(op_error("Clip", {}, {x, f32({2}, {1, 2})}) == "a bound has the shape [2] and is no scalar");
}

TEST_CASE("unary: empty tensors and scalars") {
  CHECK(run_op("Exp", {}, {f32({0, 3}, {})})[0].dims() == Dims{0, 3});
  CHECK(run_op("Exp", {}, {f32({}, {0})})[0].data<float>()[0] == 1);
}

TEST_CASE("activation: names of operators, any case, with their defaults and attributes") {
  CHECK(parse_activation("leakyrelu")->activation == Activation::leaky_relu);
  CHECK(parse_activation("LeakyRelu")->alpha == 0.01f);
  CHECK(parse_activation("HardSigmoid")->beta == 0.5f);
  CHECK(parse_activation("")->activation == Activation::none);
  CHECK(!parse_activation("Softmax"));
  Attributes attrs;
  attrs.set("activation", std::string("Clip"));
  attrs.set("alpha", -1.0f);
  attrs.set("beta", 6.0f);
  CHECK(fused_activation({find_op("FusedConv")->attrs, attrs})->activation == Activation::clip);
  CHECK(fused_activation({find_op("FusedConv")->attrs, attrs})->beta == 6);
  CHECK(fused_activation({})->activation == Activation::none);
}

}  // namespace tern::test::in_elementwise_unary
