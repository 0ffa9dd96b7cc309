// Special functions: what TensorFlow answers is in tests/loaders/tensorflow_ops.cpp; here what lies outside of their domains, and what is refused.
// Contract: kernels/special/special.h.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_test.h"

namespace tern::test::in_special {
namespace {

Tensor f64(std::vector<double> values) {
  auto t = Tensor::allocate(DType::f64, {static_cast<int64_t>(values.size())});
  REQUIRE(t.ok());
  std::copy(values.begin(), values.end(), t->mutable_data<double>());
  return std::move(*t);
}

double value(const char* function, std::vector<double> x) {
  std::vector<Tensor> in;
  for (double v : x) in.push_back(f64({v}));
  return run_op("Special", {{"function", std::string(function)}}, in)[0].data<double>()[0];
}

}  // namespace

TEST_CASE("special: outside of its domain a function is NaN, at its edges its limit") {
  CHECK(std::isnan(value("P", {-1, 2})));
  CHECK(std::isnan(value("Q", {1, -2})));
  CHECK(value("P", {2, INFINITY}) == 1);
  CHECK(value("Q", {2, INFINITY}) == 0);
  CHECK(std::isnan(value("Betainc", {1, 1, 1.5})));
  CHECK(value("Betainc", {3, 2, 1}) == 1);
  CHECK(value("Zeta", {1, 3}) == INFINITY);
  CHECK(std::isnan(value("Zeta", {0.5, 3})));
  CHECK(value("K0", {0}) == INFINITY);
  CHECK(std::isnan(value("K1", {-1})));
  CHECK(value("Expint", {0}) == -INFINITY);
  CHECK(value("Expint", {INFINITY}) == INFINITY);
  CHECK(std::isnan(value("Expint", {-1})));
  CHECK(value("Spence", {0}) == doctest::Approx(1.6449340668482264).epsilon(1e-15));
  CHECK(value("Spence", {INFINITY}) == -INFINITY);
  CHECK(std::isnan(value("Spence", {-1})));
  CHECK(value("Dawsn", {-INFINITY}) == 0);
  CHECK(value("FresnelSin", {INFINITY}) == 0.5);
  CHECK(value("FresnelCos", {-INFINITY}) == -0.5);
  for (const char* function : {"I0", "I0e", "I1", "J0", "J1", "K0", "Y0", "Y1", "Dawsn", "Expint", "Spence", "FresnelSin", "FresnelCos"}) {
    CHECK_MESSAGE(std::isnan(value(function, {NAN})), function);
  }
}

TEST_CASE("special: both sides of every border say the same") {
  for (const char* function : {"I0e", "I1e", "J0", "J1", "Y0", "Y1"}) {
    const double below = value(function, {std::nextafter(12.0, 0)}), above = value(function, {12});
    CHECK(std::fabs(below - above) < 1e-10);
  }
  for (const char* function : {"K0e", "K1e"}) {
    const double below = value(function, {std::nextafter(1.0, 0)}), above = value(function, {1});
    CHECK(std::fabs(below - above) < 1e-13);
  }
  const std::pair<const char*, double> borders[] = {{"Dawsn", 7},  {"Expint", 50},      {"Spence", 0.5},    {"Spence", 1},
                                                    {"Spence", 2}, {"FresnelSin", 1.5}, {"FresnelCos", 1.5}};
  for (const auto& [function, x] : borders) {
    const double below = value(function, {std::nextafter(x, 0)}), above = value(function, {x});
    CHECK_MESSAGE(std::fabs(below - above) <= 2e-14 * std::fmax(1, std::fabs(above)), function << " " << x);
  }
  CHECK(std::fabs(value("P", {5, std::nextafter(6.0, 0)}) - value("P", {5, 6})) < 1e-13);
}

TEST_CASE("special: what is left of a whole keeps its digits") {
  const auto off = [](double have, double want) { return std::fabs(have / want - 1); };
  for (const double x : {3.0, 25.0, 200.0}) CHECK(off(value("Q", {1, x}), std::exp(-x)) < 1e-11);  // Q(1, x) = e^-x
  CHECK(off(value("P", {1, 1e-9}), -std::expm1(-1e-9)) < 1e-11);
  CHECK(off(value("Betainc", {1, 40, 1e-9}), -std::expm1(40 * std::log1p(-1e-9))) < 1e-11);  // 1 - (1 - x)^b
}

TEST_CASE("special: functions that are not there, and numbers that do not fit, are refused") {
  const Tensor x = f64({1, 2}), y = f64({1});
  CHECK(op_error("Special", {{"function", std::string("Airy")}}, {x}).find("there is no function 'Airy'") != std::string::npos);
  CHECK(op_error("Special", {{"function", std::string("P")}}, {x}).find("takes 2 numbers") != std::string::npos);
  CHECK(op_error("Special", {{"function", std::string("I0")}}, {x, x}).find("takes 1 numbers") != std::string::npos);
  CHECK(op_error("Special", {{"function", std::string("P")}}, {x, y}).find("different shapes") != std::string::npos);
  CHECK(op_error("Special", {{"function", std::string("I0")}}, {f32({1}, {1})}).find("not supported") != std::string::npos);
}

}  // namespace tern::test::in_special
