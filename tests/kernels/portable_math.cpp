// The functions of double: what NaN of any payload, infinities, zeros of both signs and the ends of the range give. Their errors are checked where
// operators use them (elementwise_unary.cpp). Under sanitizers no intermediate number may leave what C++ defines, whatever comes in.
#include "kernels/portable_math.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "tern/flush_subnormals.h"

namespace tern::test::in_portable_math {
namespace {

using Function = double (*)(double);
constexpr Function kFunctions[] = {portable::exp,      portable::expm1,      portable::log,   portable::log1p, portable::sin,  portable::cos,
                                   portable::tan,      portable::asin,       portable::acos,  portable::atan,  portable::sinh, portable::cosh,
                                   portable::tanh,     portable::asinh,      portable::acosh, portable::atanh, portable::erf,  portable::sigmoid,
                                   portable::softplus, portable::round_even, portable::floor, portable::ceil};
constexpr double kInf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("portable math: a NaN of any payload and sign is a NaN to every function") {
  for (const uint64_t sign : {uint64_t(0), uint64_t(1) << 63}) {
    for (int bit = 0; bit < 52; ++bit) {
      const double nan = std::bit_cast<double>(sign | uint64_t(0x7ff) << 52 | uint64_t(1) << bit | (bit > 30 ? 0x5a5a5a : 0));
      for (const Function f : kFunctions) CHECK(std::isnan(f(nan)));
      CHECK(std::isnan(portable::pow(nan, 2.5)));
      CHECK(std::isnan(portable::pow(2.5, nan)));
      CHECK(portable::pow(nan, 0) == 1);
    }
  }
}

TEST_CASE("portable math: sine, cosine and tangent of a float's value are those of any double, and rounded to floats have their bits") {
  auto check = [](double of_float, double of_any, double x) {
    CAPTURE(x);
    CHECK((std::bit_cast<uint32_t>(static_cast<float>(of_float)) == std::bit_cast<uint32_t>(static_cast<float>(of_any)) || of_any != of_any));
    CHECK((of_float != of_float) == (of_any != of_any));
    if (of_any == of_any) CHECK(std::fabs(of_float - of_any) <= 0x1p-49 * std::fabs(of_any));
  };
  uint32_t state = 1;
  for (uint32_t exponent = 0; exponent <= 0xff; ++exponent) {
    for (int i = 0; i < 40; ++i) {
      state = state * 1664525 + 1013904223;
      const uint32_t mantissa = i == 0 ? 0 : i == 1 ? 0x7fffff : state >> 9;
      const double x = std::bit_cast<float>(state << 31 | exponent << 23 | mantissa);
      check(portable::sin_of_float(x), portable::sin(x), x);
      check(portable::cos_of_float(x), portable::cos(x), x);
      check(portable::tan_of_float(x), portable::tan(x), x);
    }
  }
  // Of the floats below 2^31, 2^63, 2^95 and 2^128 those that lie next to a multiple of pi/2: found by trying all.
  for (const float x : {0x1.f9cbe2p+7f, 0x1.47d0fep+34f, 0x1.32ede2p+85f, 0x1.f37c8ap+95f}) {
    check(portable::sin_of_float(x), portable::sin(x), x);
    check(portable::cos_of_float(x), portable::cos(x), x);
  }
}

TEST_CASE("portable math: every exponent of either sign has an answer of the right kind") {
  const FlushSubnormals as_run_has_it;
  for (uint64_t exponent = 0; exponent < 0x7ff; ++exponent) {
    for (const uint64_t rest : {uint64_t(0), uint64_t(1), (uint64_t(1) << 52) - 1}) {
      const double x = std::bit_cast<double>(exponent << 52 | rest);
      for (const double v : {x, -x}) {
        CHECK(portable::exp(v) >= 0);
        CHECK(portable::expm1(v) >= -1);
        CHECK(std::isnan(portable::log(v)) == (v < 0 && exponent > 0));
        CHECK(std::fabs(portable::sin(v)) <= 1);
        CHECK(std::fabs(portable::cos(v)) <= 1);
        CHECK(std::fabs(portable::tanh(v)) <= 1);
        CHECK(std::fabs(portable::erf(v)) <= 1);
        CHECK(std::fabs(portable::atan(v)) < 1.5707963267948968);
        CHECK((portable::sigmoid(v) >= 0 && portable::sigmoid(v) <= 1));
        CHECK(portable::softplus(v) >= 0);
        CHECK(std::isnan(portable::asin(v)) == (std::fabs(v) > 1));
        CHECK(std::isnan(portable::pow(v, 0.5)) == (v < 0 && exponent > 0));
      }
    }
  }
}

TEST_CASE("portable math: infinities are limits") {
  CHECK(portable::exp(kInf) == kInf);
  CHECK(portable::exp(-kInf) == 0);
  CHECK(portable::expm1(-kInf) == -1);
  CHECK(portable::log(kInf) == kInf);
  CHECK(portable::log(0) == -kInf);
  CHECK(portable::log(-0.0) == -kInf);
  CHECK(portable::tanh(-kInf) == -1);
  CHECK(portable::erf(kInf) == 1);
  CHECK(portable::atan(kInf) == doctest::Approx(1.5707963267948966));
  CHECK(std::isnan(portable::sin(kInf)));
  CHECK(std::isnan(portable::cos(-kInf)));
  CHECK(portable::pow(kInf, -1) == 0);
  CHECK(portable::pow(0.5, kInf) == 0);
}

}  // namespace tern::test::in_portable_math
