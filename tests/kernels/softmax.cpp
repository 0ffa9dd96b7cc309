// Softmax, LogSoftmax and Hardmax against double references, on every ISA. Contract: kernels/softmax/softmax.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "runtime/base/half.h"
#include "tests/support/cheap.h"
#include "tests/support/op_test.h"

namespace tern::test::in_softmax {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

Tensor reference(const Tensor& x, int axis, bool log = false) {
  Tensor y = *Tensor::allocate(DType::f32, x.dims());
  const int64_t cols = x.dims()[axis], inner = x.dims().count(axis + 1, x.dims().rank);
  for (int64_t o = 0; o < x.dims().count(0, axis); ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      const float* from = x.data<float>() + o * cols * inner + i;
      double m = -INFINITY, sum = 0;
      for (int64_t c = 0; c < cols; ++c) m = std::max(m, static_cast<double>(from[c * inner]));
      for (int64_t c = 0; c < cols; ++c) sum += std::exp(from[c * inner] - m);
      for (int64_t c = 0; c < cols; ++c) {
        const double centred = from[c * inner] - m;
        y.mutable_data<float>()[o * cols * inner + i + c * inner] = static_cast<float>(log ? centred - std::log(sum) : std::exp(centred) / sum);
      }
    }
  }
  return y;
}

}  // namespace

TEST_CASE("softmax: every tail length is within 4 ULP of the double reference") {
  for (int64_t cols = 1; cols <= 67; ++cols) {
    Tensor x = random_f32({3, cols}, static_cast<uint32_t>(cols), -8, 8);
    check_close(run_op("Softmax", {}, {x})[0], reference(x, 1), 4);
  }
}

TEST_CASE("softmax: short rows have the same bits alone and among any number of others") {
  for (int64_t cols : {1, 5, 16}) {
    for (int64_t rows : {15, 16, 17, 33, 50}) {
      const Tensor x = random_f32({rows, cols}, 3, -8, 8), y = run_op("Softmax", {}, {x})[0];
      for (int64_t r = 0; r < rows; ++r) {
        const auto row = [&](const Tensor& t) {
          return f32({1, cols}, std::vector<float>(t.data<float>() + r * cols, t.data<float>() + (r + 1) * cols));
        };
        check_same(run_op("Softmax", {}, {row(x)})[0], row(y));
      }
    }
  }
}

TEST_CASE("softmax: the largest value may stand anywhere, and all others be far below it") {
  for (int64_t cols : {16, 17, 31, 40}) {
    for (int64_t at = 0; at < cols; ++at) {
      std::vector<float> row(static_cast<size_t>(cols), -60.0f);
      row[static_cast<size_t>(at)] = 90;
      const Tensor y = run_op("Softmax", {}, {f32({1, cols}, row)})[0];
      for (int64_t c = 0; c < cols; ++c) CHECK(y.data<float>()[c] == (c == at ? 1.0f : 0.0f));
    }
  }
}

TEST_CASE("softmax: every axis, also negative, with every tail across") {
  for (int64_t inner = 1; inner <= 35; ++inner) {
    const Tensor x = random_f32({2, 5, inner}, static_cast<uint32_t>(inner), -8, 8);
    for (int axis = 0; axis < 3; ++axis) {
      const Tensor expected = reference(x, axis);
      check_close(run_op("Softmax", {{"axis", int64_t(axis)}}, {x})[0], expected, 4);
      check_close(run_op("Softmax", {{"axis", int64_t(axis - 3)}}, {x})[0], expected, 4);
    }
  }
}

TEST_CASE("log softmax: within 4 ULP or 4e-7 of the double reference, along and across") {
  // the relative error of s (2 ULP of an exponential, one of the sum: 3.6e-7) is an absolute error of ln s
  for (int64_t cols : {1, 2, 15, 16, 17, 31, 32, 33, 50}) {
    const Tensor x = random_f32({3, cols, 18}, static_cast<uint32_t>(cols), -8, 8);
    check_close(run_op("LogSoftmax", {{"axis", int64_t(1)}}, {x})[0], reference(x, 1, true), 4, 4e-7f);
    const Tensor y = random_f32({4, cols}, static_cast<uint32_t>(cols), -8, 8);
    check_close(run_op("LogSoftmax", {}, {y})[0], reference(y, 1, true), 4, 4e-7f);
  }
}

TEST_CASE("log softmax: a value far below the largest keeps its distance") {
  const Tensor y = run_op("LogSoftmax", {}, {f32({1, 2}, {0, -200})})[0];
  CHECK(y.data<float>()[0] == 0);
  CHECK(y.data<float>()[1] == -200);
}

TEST_CASE("softmax: large values do not overflow and tiny probabilities become zero") {
  check_same(run_op("Softmax", {}, {f32({1, 3}, {3e38f, 3e38f, -3e38f})})[0], f32({1, 3}, {0.5f, 0.5f, 0}));
  check_same(run_op("Softmax", {}, {f32({1, 2}, {-kInf, 5})})[0], f32({1, 2}, {0, 1}));
}

TEST_CASE("softmax: a row of -inf is NaN, and leaves its neighbours alone") {
  auto y = run_op("Softmax", {}, {f32({2, 2}, {-kInf, -kInf, 0, 0})});
  CHECK(std::isnan(y[0].data<float>()[0]));
  CHECK(y[0].data<float>()[2] == 0.5f);
}

TEST_CASE("softmax: a NaN or +inf anywhere makes its whole row NaN, and no other") {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    for (float bad : {kNan, kInf}) {
      for (int64_t cols : {3, 16, 40}) {
        for (int64_t at : {int64_t(0), cols - 1}) {
          Tensor x = random_f32({2, cols}, 1);
          x.mutable_data<float>()[at] = bad;
          const Tensor y = run_op(op, {}, {x})[0], across = run_op(op, {{"axis", int64_t(0)}}, {x})[0];
          for (int64_t c = 0; c < cols; ++c) {
            CHECK(std::isnan(y.data<float>()[c]));
            CHECK(!std::isnan(y.data<float>()[cols + c]));
            CHECK(std::isnan(across.data<float>()[c]) == (c == at));
          }
        }
      }
    }
  }
}

TEST_CASE("hardmax: the first of the largest is one") {
  check_same(run_op("Hardmax", {}, {f32({3, 3}, {1, 3, 3, -1, -2, -3, -kInf, -kInf, -kInf})})[0], f32({3, 3}, {0, 1, 0, 1, 0, 0, 1, 0, 0}));
  check_same(run_op("Hardmax", {{"axis", int64_t(0)}}, {f32({2, 2}, {1, 5, 2, 4})})[0], f32({2, 2}, {0, 1, 1, 0}));
  check_same(run_op("Hardmax", {}, {f32({1, 4}, {1, kNan, 3, kNan})})[0], f32({1, 4}, {0, 1, 0, 0}));
  for (DType t : {DType::f64, DType::f16, DType::bf16}) {
    check_same(run_op("Hardmax", {}, {cast(f32({1, 3}, {1, 4, 2}), t)})[0], cast(f32({1, 3}, {0, 1, 0}), t));
  }
}

TEST_CASE("hardmax: lines of any length, along and across, of any dtype") {
  for (int64_t cols : {1, 2, 15, 16, 17, 255, 256, 257, 600}) {
    for (int64_t inner : {1, 2, 300}) {
      if (kSanitized && cols > 17 && inner > 2) continue;
      Tensor x = random_f32({2, cols, inner}, 7, -9, 9), expected = random_f32({2, cols, inner}, 8, 0, 0);
      for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[i] = std::round(x.data<float>()[i]);  // many are equal
      for (int64_t line = 0; line < 2 * inner; ++line) {
        const float* from = x.data<float>() + line / inner * cols * inner + line % inner;
        int64_t best = 0;
        for (int64_t c = 1; c < cols; ++c) best = from[c * inner] > from[best * inner] ? c : best;
        expected.mutable_data<float>()[line / inner * cols * inner + line % inner + best * inner] = 1;
      }
      for (DType t : {DType::f32, DType::f64, DType::f16, DType::bf16})
        check_same(run_op("Hardmax", {{"axis", int64_t(1)}}, {cast(x, t)})[0], cast(expected, t));
    }
  }
}

TEST_CASE("softmax: f64, f16 and bf16 are the double result rounded once") {
  const Tensor x = cast(random_f32({3, 4, 5}, 3, -4, 4), DType::bf16);  // bf16 values are exact in f32
  Tensor wide = *Tensor::allocate(DType::f32, {3, 4, 5});
  for (int64_t i = 0; i < 60; ++i) wide.mutable_data<float>()[i] = to_f32(x.data<bf16>()[i]);
  const Tensor expected = reference(wide, 1), y = run_op("Softmax", {{"axis", int64_t(1)}}, {x})[0];
  const Tensor d = run_op("Softmax", {{"axis", int64_t(1)}}, {cast(wide, DType::f64)})[0],
               h = run_op("Softmax", {{"axis", int64_t(1)}}, {cast(wide, DType::f16)})[0];
  for (int64_t i = 0; i < 60; ++i) {
    const float e = expected.data<float>()[i];
    CHECK(std::fabs(to_f32(y.data<bf16>()[i]) - e) <= 0x1p-8f * e);
    CHECK(std::fabs(d.data<double>()[i] - e) <= 0x1p-23 * e);
    CHECK(std::fabs(to_f32(h.data<f16>()[i]) - e) <= 0x1p-9f * e);  // the input was rounded to f16 too, by at most 4 * 2^-11
  }
  const Tensor logs = run_op("LogSoftmax", {{"axis", int64_t(1)}}, {cast(wide, DType::f64)})[0];
  for (int64_t i = 0; i < 60; ++i) CHECK(std::fabs(std::exp(logs.data<double>()[i]) - d.data<double>()[i]) < 1e-14);
}

TEST_CASE("softmax: doubles of every tail length, along and across") {
  for (int64_t cols : {1, 2, 3, 7, 8, 9, 17, 255, 256, 257, 300}) {
    for (int64_t inner : {1, 3, 8, 257}) {
      const Tensor x = cast(random_f32({2, cols, inner}, 5, -30, 30), DType::f64);
      const Tensor y = run_op("Softmax", {{"axis", int64_t(1)}}, {x})[0], logs = run_op("LogSoftmax", {{"axis", int64_t(1)}}, {x})[0];
      for (int64_t line = 0; line < 2 * inner; ++line) {
        const int64_t first = line / inner * cols * inner + line % inner;
        double top = -1000, sum = 0;
        for (int64_t c = 0; c < cols; ++c) top = std::max(top, x.data<double>()[first + c * inner]);
        for (int64_t c = 0; c < cols; ++c) sum += std::exp(x.data<double>()[first + c * inner] - top);
        for (int64_t c = 0; c < cols; ++c) {
          const int64_t at = first + c * inner;
          const double e = std::exp(x.data<double>()[at] - top) / sum;
          REQUIRE(std::fabs(y.data<double>()[at] - e) <= 1e-14 * e);
          REQUIRE(std::fabs(logs.data<double>()[at] - (x.data<double>()[at] - top - std::log(sum))) <= 1e-13);
        }
      }
    }
  }
}

TEST_CASE("softmax: an empty tensor and an axis outside are handled") {
  CHECK(run_op("Softmax", {}, {*Tensor::allocate(DType::f32, {3, 0})})[0].dims() == Dims{3, 0});
  CHECK(run_op("Softmax", {}, {*Tensor::allocate(DType::f32, {0, 3})})[0].dims() == Dims{0, 3});
  CHECK(op_error("Softmax", {{"axis", int64_t(2)}}, {random_f32({2, 2}, 1)}) == "axis 2 is outside of [2,2]");
  CHECK(!op_error("Softmax", {}, {i64({2}, {1, 2})}).empty());
}

}  // namespace tern::test::in_softmax
