// The normalisations against plain double references written from the ONNX formulas. Contract: kernels/norm/norm.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test::in_norm {
namespace {

std::vector<double> doubles(const Tensor& t) {
  std::vector<double> v;
  for (int64_t i = 0; i < t.count(); ++i) {
    if (t.dtype() == DType::f64) v.push_back(t.data<double>()[i]);
    else if (t.dtype() == DType::f32) v.push_back(t.data<float>()[i]);
    else if (t.dtype() == DType::f16) v.push_back(to_f32(t.data<f16>()[i]));
    else v.push_back(to_f32(t.data<bf16>()[i]));
  }
  return v;
}

// Every element within `tolerance`, absolutely: normalised values are of size one.
void check_near(const Tensor& actual, const std::vector<double>& expected, double tolerance) {
  const std::vector<double> got = doubles(actual);
  REQUIRE(got.size() == expected.size());
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    REQUIRE(std::isnan(got[i]) == std::isnan(expected[i]));
    if (!std::isnan(got[i])) worst = std::max(worst, std::fabs(got[i] - expected[i]));
  }
  CHECK(worst <= tolerance);
}

constexpr double kTolerance = 2e-6;  // about 8 ULP of a value of size 2

std::vector<double> layer_norm(const Tensor& x, int64_t cols, const std::vector<double>& scale, const std::vector<double>& bias, double epsilon,
                               bool center) {
  std::vector<double> v = doubles(x), y;
  for (size_t r = 0; r < v.size() / static_cast<size_t>(cols); ++r) {
    const double* p = v.data() + r * static_cast<size_t>(cols);
    double mean = 0, var = 0;
    for (int64_t c = 0; c < cols && center; ++c) mean += p[c] / static_cast<double>(cols);
    for (int64_t c = 0; c < cols; ++c) var += (p[c] - mean) * (p[c] - mean) / static_cast<double>(cols);
    for (int64_t c = 0; c < cols; ++c) {
      const size_t i = static_cast<size_t>(c);
      y.push_back((p[c] - mean) / std::sqrt(var + epsilon) * scale[i % scale.size()] + (bias.empty() ? 0 : bias[i % bias.size()]));
    }
  }
  return y;
}

}  // namespace

TEST_CASE("layer norm: every tail length and every number of rows, with and without bias") {
  std::vector<int64_t> widths(83);
  std::iota(widths.begin(), widths.end(), 1);
  for (int64_t vectors = 6; vectors <= 25; ++vectors) widths.insert(widths.end(), {16 * vectors - 15, 16 * vectors - 2, 16 * vectors});
  for (int64_t cols : widths) {
    const int64_t rows = 1 + cols % 6;
    Tensor x = random_f32({rows, cols}, static_cast<uint32_t>(cols), -2, 5);
    Tensor scale = random_f32({cols}, 7, 0.5f, 1.5f), bias = random_f32({cols}, 8);
    check_near(run_op("LayerNormalization", {}, {x, scale, bias})[0], layer_norm(x, cols, doubles(scale), doubles(bias), 1e-5f, true), kTolerance);
    check_near(run_op("LayerNormalization", {{"epsilon", 0.1f}}, {x, scale})[0], layer_norm(x, cols, doubles(scale), {}, 0.1f, true), kTolerance);
    check_near(run_op("RMSNormalization", {}, {x, scale})[0], layer_norm(x, cols, doubles(scale), {}, 1e-5f, false), kTolerance);
  }
}

TEST_CASE("layer norm: a row has the same bits alone and among others") {
  for (int64_t cols : {45, 90, 133, 420}) {
    Tensor x = random_f32({7, cols}, 1), scale = random_f32({cols}, 2), bias = random_f32({cols}, 3);
    const auto row_of = [&](const Tensor& t, int64_t r) {
      return f32({1, cols}, std::vector<float>(t.data<float>() + r * cols, t.data<float>() + (r + 1) * cols));
    };
    Tensor layer = run_op("LayerNormalization", {}, {x, scale, bias})[0], rms = run_op("RMSNormalization", {}, {x, scale})[0];
    for (int64_t r = 0; r < 7; ++r) {
      check_same(run_op("LayerNormalization", {}, {row_of(x, r), scale, bias})[0], row_of(layer, r));
      check_same(run_op("RMSNormalization", {}, {row_of(x, r), scale})[0], row_of(rms, r));
    }
  }
}

TEST_CASE("layer norm: axis counts from both ends, and Mean and InvStdDev keep the reduced dimensions") {
  Tensor x = random_f32({2, 3, 5}, 1), scale = random_f32({3, 5}, 2), bias = random_f32({3, 5}, 3);
  for (int64_t axis : {int64_t(1), int64_t(-2)}) {
    auto y = run_op("LayerNormalization", {{"axis", axis}}, {x, scale, bias}, 3);
    check_near(y[0], layer_norm(x, 15, doubles(scale), doubles(bias), 1e-5f, true), kTolerance);
    CHECK(y[1].dims() == Dims{2, 1, 1});
    CHECK(y[2].dims() == Dims{2, 1, 1});
    const std::vector<double> v = doubles(x);
    for (size_t r = 0; r < 2; ++r) {
      double mean = 0, var = 0;
      for (size_t c = 0; c < 15; ++c) mean += v[r * 15 + c] / 15;
      for (size_t c = 0; c < 15; ++c) var += (v[r * 15 + c] - mean) * (v[r * 15 + c] - mean) / 15;
      CHECK(y[1].data<float>()[r] == doctest::Approx(mean).epsilon(1e-5));
      CHECK(y[2].data<float>()[r] == doctest::Approx(1 / std::sqrt(var + 1e-5)).epsilon(1e-5));
    }
  }
  auto only_inv = run_op("LayerNormalization", {{"axis", int64_t(0)}}, {x, random_f32({2, 3, 5}, 2)}, 3);
  CHECK(only_inv[2].dims() == Dims{1, 1, 1});
}

TEST_CASE("layer norm: each of many rows has its own Mean and InvStdDev, whatever number of them is taken at once") {
  for (int64_t cols : {15, 90, 110, 300}) {
    Tensor x = random_f32({7, cols}, 1, -2, 5), scale = random_f32({cols}, 2);
    for (int64_t r = 0; r < 7; ++r) {
      for (int64_t c = 0; c < cols; ++c) x.mutable_data<float>()[r * cols + c] *= static_cast<float>(r + 1);
    }
    const auto y = run_op("LayerNormalization", {}, {x, scale}, 3);
    std::vector<double> means, inverses;
    for (int64_t r = 0; r < 7; ++r) {
      double mean = 0, var = 0;
      for (int64_t c = 0; c < cols; ++c) mean += x.data<float>()[r * cols + c] / static_cast<double>(cols);
      for (int64_t c = 0; c < cols; ++c) var += std::pow(x.data<float>()[r * cols + c] - mean, 2) / static_cast<double>(cols);
      means.push_back(mean);
      inverses.push_back(1 / std::sqrt(var + 1e-5));
    }
    check_near(y[1], means, 1e-5);
    check_near(y[2], inverses, kTolerance);
  }
}

TEST_CASE("layer norm: scale and bias broadcast over the normalised dimensions") {
  Tensor x = random_f32({4, 3, 5}, 1), bias = random_f32({1, 5}, 3), scale = f32({}, {1.5f});
  auto y = run_op("LayerNormalization", {{"axis", int64_t(1)}}, {x, scale, bias});
  check_near(y[0], layer_norm(x, 15, {1.5}, doubles(bias), 1e-5f, true), kTolerance);
  Tensor column = random_f32({3, 1}, 4);
  std::vector<double> spread;
  for (int i = 0; i < 15; ++i) spread.push_back(column.data<float>()[i / 5]);
  y = run_op("RMSNormalization", {{"axis", int64_t(1)}}, {x, column});
  check_near(y[0], layer_norm(x, 15, spread, {}, 1e-5f, false), kTolerance);
  CHECK(op_error("LayerNormalization", {}, {x, random_f32({3, 5}, 1)}).find("does not broadcast") != std::string::npos);
  CHECK(op_error("LayerNormalization", {}, {x, random_f32({4}, 1)}).find("does not broadcast") != std::string::npos);
  CHECK(op_error("LayerNormalization", {{"axis", int64_t(3)}}, {x, scale}).find("outside") != std::string::npos);
}

TEST_CASE("layer norm: a large mean does not cancel the variance away") {
  std::vector<float> v;
  for (int i = 0; i < 48; ++i) v.push_back(4096.0f + static_cast<float>(i % 3) * 0.5f);
  Tensor x = f32({1, 48}, v), scale = f32({1}, {1});
  check_near(run_op("LayerNormalization", {}, {x, scale})[0], layer_norm(x, 48, {1}, {}, 1e-5f, true), kTolerance);
}

TEST_CASE("layer norm: NaN and inf spoil their own row only, a constant row gives the bias, an empty one nothing") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (float bad : {nan, inf}) {
    auto y = run_op("LayerNormalization", {}, {f32({3, 2}, {1, bad, 3, 3, 4, 6}), f32({2}, {1, 1}), f32({2}, {5, 6})});
    CHECK(std::isnan(y[0].data<float>()[0]));
    CHECK(std::isnan(y[0].data<float>()[1]));
    CHECK(y[0].data<float>()[2] == 5);
    CHECK(y[0].data<float>()[3] == 6);
    CHECK(y[0].data<float>()[5] > 6);
  }
  CHECK(run_op("LayerNormalization", {}, {f32({0, 3}, {}), f32({3}, {1, 1, 1})})[0].count() == 0);
  CHECK(run_op("LayerNormalization", {}, {f32({3, 0}, {}), f32({0}, {})})[0].count() == 0);
}

TEST_CASE("layer norm: f64, f16, bf16 and mixed dtypes") {
  Tensor x = random_f32({3, 21}, 1, -3, 3), scale = random_f32({21}, 2), bias = random_f32({21}, 3);
  for (auto [t, tolerance] : {std::pair(DType::f64, 1e-12), std::pair(DType::f16, 2e-3), std::pair(DType::bf16, 1.6e-2)}) {
    Tensor xt = cast(x, t), st = cast(scale, t), bt = cast(bias, t);
    auto y = run_op("LayerNormalization", {}, {xt, st, bt}, 3);
    CHECK(y[0].dtype() == t);
    CHECK(y[1].dtype() == DType::f32);
    check_near(y[0], layer_norm(xt, 21, doubles(st), doubles(bt), 1e-5f, true), tolerance);
    check_near(run_op("RMSNormalization", {}, {xt, st})[0], layer_norm(xt, 21, doubles(st), {}, 1e-5f, false), tolerance);
  }
  Tensor half = cast(x, DType::f16);
  auto y = run_op("RMSNormalization", {}, {half, scale});
  CHECK(y[0].dtype() == DType::f32);
  check_near(y[0], layer_norm(half, 21, doubles(scale), {}, 1e-5f, false), kTolerance);
}

TEST_CASE("group norm: groups, single channels and every tail, against the formula") {
  for (int64_t inner = 1; inner <= 35; ++inner) {
    for (int64_t groups : {1, 2, 3, 6}) {
      Tensor x = random_f32({2, 6, inner}, static_cast<uint32_t>(inner), -1, 3), scale = random_f32({6}, 2), bias = random_f32({6}, 3);
      std::vector<double> expected = layer_norm(x, 6 / groups * inner, {1}, {}, 1e-3f, true);
      for (size_t i = 0; i < expected.size(); ++i) {
        const size_t c = i / static_cast<size_t>(inner) % 6;
        expected[i] = expected[i] * scale.data<float>()[c] + bias.data<float>()[c];
      }
      check_near(run_op("GroupNormalization", {{"num_groups", groups}, {"epsilon", 1e-3f}}, {x, scale, bias})[0], expected, kTolerance);
      if (groups == 6) check_near(run_op("InstanceNormalization", {{"epsilon", 1e-3f}}, {x, scale, bias})[0], expected, kTolerance);
      if (inner == 9) {
        Tensor d = run_op("GroupNormalization", {{"num_groups", groups}, {"epsilon", 1e-3f}},
                          {cast(x, DType::f64), cast(scale, DType::f64), cast(bias, DType::f64)})[0];
        check_near(d, expected, 1e-12);
      }
    }
  }
  Tensor x = random_f32({1, 6, 4}, 1), six = random_f32({6}, 1);
  CHECK(op_error("GroupNormalization", {{"num_groups", int64_t(4)}}, {x, six, six}).find("divide") != std::string::npos);
  CHECK(op_error("GroupNormalization", {{"num_groups", int64_t(0)}}, {x, six, six}).find("num_groups") != std::string::npos);
  CHECK(op_error("InstanceNormalization", {}, {x, random_f32({5}, 1), six}).find("one element a channel") != std::string::npos);
}

TEST_CASE("group norm: an image has the same bits alone and among others") {
  const int64_t size = 6 * 35;
  Tensor x = random_f32({3, 6, 35}, 1), scale = random_f32({6}, 2), bias = random_f32({6}, 3);
  Tensor all = run_op("GroupNormalization", {{"num_groups", int64_t(3)}}, {x, scale, bias})[0];
  for (int64_t image = 0; image < 3; ++image) {
    auto part = [&](const Tensor& t) {
      return f32({1, 6, 35}, std::vector<float>(t.data<float>() + image * size, t.data<float>() + (image + 1) * size));
    };
    check_same(run_op("GroupNormalization", {{"num_groups", int64_t(3)}}, {part(x), scale, bias})[0], part(all));
  }
}

TEST_CASE("batch norm: columns and planes of every tail, against the formula") {
  for (int64_t inner = 1; inner <= 35; ++inner) {
    for (int64_t channels : {1, 3, 17}) {
      Tensor x = random_f32({3, channels, inner}, static_cast<uint32_t>(inner), -1, 3), scale = random_f32({channels}, 2),
             bias = random_f32({channels}, 3), mean = random_f32({channels}, 4), var = random_f32({channels}, 5, 0.1f, 2);
      std::vector<double> expected = doubles(x);
      for (size_t i = 0; i < expected.size(); ++i) {
        const size_t c = i / static_cast<size_t>(inner) % static_cast<size_t>(channels);
        expected[i] = (expected[i] - mean.data<float>()[c]) / std::sqrt(var.data<float>()[c] + static_cast<double>(1e-3f)) * scale.data<float>()[c] +
                      bias.data<float>()[c];
      }
      check_near(run_op("BatchNormalization", {{"epsilon", 1e-3f}}, {x, scale, bias, mean, var})[0], expected, 4e-6);
      if (inner == 1)
        check_near(run_op("BatchNormalization", {{"epsilon", 1e-3f}}, {x.reshaped({3, channels}), scale, bias, mean, var})[0], expected, 4e-6);
      if (inner == 5) {
        Tensor xd = cast(x, DType::f64);
        check_near(run_op("BatchNormalization", {{"epsilon", 1e-3f}},
                          {xd, cast(scale, DType::f64), cast(bias, DType::f64), cast(mean, DType::f64), cast(var, DType::f64)})[0],
                   expected, 1e-12);
      }
    }
  }
  Tensor x = random_f32({2, 3}, 1), p = random_f32({3}, 2, 1, 2);
  CHECK(op_error("BatchNormalization", {{"training_mode", int64_t(1)}}, {x, p, p, p, p}).find("training_mode") != std::string::npos);
  CHECK(op_error("BatchNormalization", {}, {x, p, random_f32({2}, 1), p, p}).find("one element a channel") != std::string::npos);
  auto half = run_op("BatchNormalization", {}, {cast(x, DType::f16), p, p, p, p});  // f32 statistics of an f16 net
  CHECK(half[0].dtype() == DType::f16);
  check_near(half[0], doubles(run_op("BatchNormalization", {}, {x, p, p, p, p})[0]), 4e-3);
}

TEST_CASE("LRN: odd and even windows, every power, windows wider than the channels") {
  for (int64_t size : {1, 2, 3, 4, 5, 20}) {
    for (float beta : {0.5f, 0.75f, 1.0f, 0.6f}) {
      Tensor x = random_f32({2, 5, 3, 7}, static_cast<uint32_t>(size), -3, 3);
      std::vector<double> v = doubles(x), expected;
      for (int64_t i = 0; i < 210; ++i) {
        const int64_t c = i / 21 % 5;
        double sum = 0;
        for (int64_t k = std::max<int64_t>(0, c - (size - 1) / 2); k <= std::min<int64_t>(4, c + size / 2); ++k) {
          const double at = v[static_cast<size_t>(i + (k - c) * 21)];
          sum += at * at;
        }
        expected.push_back(v[static_cast<size_t>(i)] /
                           std::pow(2.0 + static_cast<double>(0.3f) / static_cast<double>(size) * sum, static_cast<double>(beta)));
      }
      const Attrs attrs = {{"size", size}, {"alpha", 0.3f}, {"beta", beta}, {"bias", 2.0f}};
      check_near(run_op("LRN", attrs, {x})[0], expected, 1e-6);
      check_near(run_op("LRN", attrs, {cast(x, DType::f64)})[0], expected, 1e-12);
    }
  }
  CHECK(op_error("LRN", {{"size", int64_t(0)}}, {random_f32({1, 2, 3, 4}, 1)}).find("size") != std::string::npos);
}

TEST_CASE("LpNormalization: more lines side by side than a block has, f64 to the bit in the order of the axis") {
  const int64_t rows = 5, cols = 300;
  Tensor x = *Tensor::allocate(DType::f64, {rows, cols}), expected = *Tensor::allocate(DType::f64, {rows, cols});
  for (int64_t i = 0; i < rows * cols; ++i) x.mutable_data<double>()[i] = std::sin(static_cast<double>(i));
  for (int64_t j = 0; j < cols; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < rows; ++i) sum += x.data<double>()[i * cols + j] * x.data<double>()[i * cols + j];
    for (int64_t i = 0; i < rows; ++i) expected.mutable_data<double>()[i * cols + j] = x.data<double>()[i * cols + j] / std::sqrt(sum);
  }
  check_same(run_op("LpNormalization", {{"axis", int64_t(0)}}, {x})[0], expected);
}

TEST_CASE("LpNormalization: f32 is divided as doubles are, to the bit") {
  for (int64_t axis : {0, 1}) {
    for (int64_t p : {1, 2}) {
      const int64_t rows = 37, cols = 41;
      Tensor x = random_f32({rows, cols}, static_cast<uint32_t>(axis + p), -3, 3), expected = *Tensor::allocate(DType::f32, {rows, cols});
      for (int64_t i = 0; i < rows * cols; ++i) x.mutable_data<float>()[i] *= std::pow(2.0f, static_cast<float>(i * 31 % 60 - 30));
      x.mutable_data<float>()[5] = std::numeric_limits<float>::infinity();
      for (int64_t l = 0; l < (axis == 0 ? cols : rows); ++l) {
        const int64_t n = axis == 0 ? rows : cols, step = axis == 0 ? cols : 1, first = axis == 0 ? l : l * cols;
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) {
          const double v = x.data<float>()[first + i * step];
          sum += p == 1 ? std::fabs(v) : v * v;
        }
        const double length = p == 1 ? sum : std::sqrt(sum);
        for (int64_t i = 0; i < n; ++i)
          expected.mutable_data<float>()[first + i * step] = static_cast<float>(static_cast<double>(x.data<float>()[first + i * step]) / length);
      }
      check_same(run_op("LpNormalization", {{"axis", axis}, {"p", p}}, {x})[0], expected);
    }
  }
}

TEST_CASE("LpNormalization: both norms along every axis; a zero vector stays zero, NaN stays") {
  Tensor x = random_f32({3, 4, 5}, 9, -2, 2);
  const std::vector<double> v = doubles(x);
  const int64_t extent[] = {3, 4, 5}, stride[] = {20, 5, 1};
  for (int64_t p : {1, 2}) {
    for (int64_t axis = -3; axis < 3; ++axis) {
      const int64_t a = axis < 0 ? axis + 3 : axis;
      std::vector<double> expected;
      for (int64_t i = 0; i < 60; ++i) {
        const int64_t start = i - i / stride[a] % extent[a] * stride[a];
        double sum = 0;
        for (int64_t k = 0; k < extent[a]; ++k) sum += std::pow(std::fabs(v[static_cast<size_t>(start + k * stride[a])]), static_cast<double>(p));
        expected.push_back(v[static_cast<size_t>(i)] / std::pow(sum, 1.0 / static_cast<double>(p)));
      }
      check_near(run_op("LpNormalization", {{"axis", axis}, {"p", p}}, {x})[0], expected, 1e-7);
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  auto y = run_op("LpNormalization", {}, {f32({3, 2}, {0, 0, 3, 4, nan, 1})});
  CHECK(y[0].data<float>()[0] == 0);
  CHECK(y[0].data<float>()[2] == 0.6f);
  CHECK(std::isnan(y[0].data<float>()[5]));
  CHECK(op_error("LpNormalization", {{"p", int64_t(3)}}, {x}).find("p is 3") != std::string::npos);
}

TEST_CASE("MeanVarianceNormalization: by channel as the default says, and over any axes") {
  Tensor x = random_f32({2, 3, 4, 5}, 4, -1, 4);
  const std::vector<double> v = doubles(x);
  auto expected = [&](uint32_t reduced) {
    const int64_t extent[] = {2, 3, 4, 5}, stride[] = {60, 20, 5, 1};
    auto key = [&](int64_t i) {
      int64_t k = 0;
      for (int d = 0; d < 4; ++d) k = k * 10 + (reduced >> d & 1 ? 0 : i / stride[d] % extent[d]);
      return k;
    };
    std::vector<double> y;
    for (int64_t i = 0; i < 120; ++i) {
      double mean = 0, square = 0, n = 0;
      for (int64_t j = 0; j < 120; ++j) {
        if (key(i) == key(j)) mean += v[static_cast<size_t>(j)], square += v[static_cast<size_t>(j)] * v[static_cast<size_t>(j)], n += 1;
      }
      mean /= n;
      y.push_back((v[static_cast<size_t>(i)] - mean) / (std::sqrt(square / n - mean * mean) + 1e-9));
    }
    return y;
  };
  check_near(run_op("MeanVarianceNormalization", {}, {x})[0], expected(0b1101), 1e-6);
  check_near(run_op("MeanVarianceNormalization", {{"axes", std::vector<int64_t>{-1, 1}}}, {x})[0], expected(0b1010), 1e-6);
  check_near(run_op("MeanVarianceNormalization", {{"axes", std::vector<int64_t>{0, 1, 2, 3}}}, {x})[0], expected(0b1111), 1e-6);
  CHECK(op_error("MeanVarianceNormalization", {{"axes", std::vector<int64_t>{4}}}, {x}).find("outside") != std::string::npos);
}

TEST_CASE("norms: the default epsilon is 1e-5, which decides when the variance is small") {
  Tensor x = random_f32({2, 3, 8}, 5, -0.004f, 0.004f), ones = f32({3}, {1, 1, 1}), zeros = f32({3}, {0, 0, 0}),
         row = f32({8}, std::vector<float>(8, 1));
  const std::vector<double> by_row = layer_norm(x, 8, {1}, {}, 1e-5f, true), by_batch = layer_norm(x, 24, {1}, {}, 1e-5f, true);
  check_near(run_op("LayerNormalization", {}, {x, row})[0], by_row, kTolerance);
  check_near(run_op("RMSNormalization", {}, {x, row})[0], layer_norm(x, 8, {1}, {}, 1e-5f, false), kTolerance);
  check_near(run_op("InstanceNormalization", {}, {x, ones, zeros})[0], by_row, kTolerance);
  check_near(run_op("GroupNormalization", {{"num_groups", int64_t(1)}}, {x, ones, zeros})[0], by_batch, kTolerance);
  std::vector<double> expected = doubles(x);
  for (double& v : expected) v /= std::sqrt(1e-6 + 1e-5);
  check_near(run_op("BatchNormalization", {}, {x, ones, zeros, zeros, f32({3}, {1e-6f, 1e-6f, 1e-6f})})[0], expected, kTolerance);
}

TEST_CASE("LRN: the defaults are alpha 1e-4, beta 3/4 and bias 1") {
  Tensor x = random_f32({1, 2, 3}, 3, 20, 60);
  std::vector<double> v = doubles(x), expected;
  for (size_t i = 0; i < 6; ++i) {
    const double sum = v[i] * v[i] + (i < 3 ? v[i + 3] * v[i + 3] : 0);  // size 2: this channel and the next
    expected.push_back(v[i] / std::pow(1 + 1e-4 / 2 * sum, 0.75));
  }
  check_near(run_op("LRN", {{"size", int64_t(2)}}, {x})[0], expected, 2e-5);
}

TEST_CASE("norms: f16 and bf16 are the rounded results of the same numbers in f64") {
  Tensor x = random_f32({2, 4, 5}, 6, -2, 2), p = random_f32({4}, 7, 0.5f, 1.5f);
  for (DType t : {DType::f16, DType::bf16}) {
    const double tolerance = t == DType::f16 ? 2e-3 : 1.6e-2;
    auto both = [&](const char* op, Attrs attrs, std::vector<Tensor> in) {
      std::vector<Tensor> narrow, wide;
      for (const Tensor& i : in) {
        narrow.push_back(cast(i, t));
        std::vector<double> values = doubles(narrow.back());
        wide.push_back(Tensor::of<double>(i.dims(), values));
      }
      INFO(op);
      check_near(run_op(op, attrs, narrow)[0], doubles(run_op(op, attrs, wide)[0]), tolerance);
    };
    both("GroupNormalization", {{"num_groups", int64_t(2)}}, {x, p, p});
    both("InstanceNormalization", {}, {x, p, p});
    both("BatchNormalization", {}, {x, p, p, p, p});
    both("LRN", {{"size", int64_t(3)}, {"alpha", 0.5f}}, {x});
    both("LpNormalization", {{"axis", int64_t(1)}}, {x});
    both("MeanVarianceNormalization", {{"axes", std::vector<int64_t>{0, 2}}}, {x});
  }
}

TEST_CASE("norms: a channel that holds NaN or inf leaves the others alone") {
  std::vector<float> v(2 * 3 * 5);
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i % 7);
  v[7] = std::numeric_limits<float>::quiet_NaN();  // batch 0, channel 1
  Tensor x = f32({2, 3, 5}, v), ones = f32({3}, {1, 1, 1});
  Tensor instance = run_op("InstanceNormalization", {}, {x, ones, ones})[0], batch = run_op("BatchNormalization", {}, {x, ones, ones, ones, ones})[0];
  Tensor lrn = run_op("LRN", {{"size", int64_t(1)}}, {x})[0];
  for (int64_t i = 0; i < 30; ++i) {
    CHECK(std::isnan(instance.data<float>()[i]) == (i >= 5 && i < 10));
    CHECK(std::isnan(batch.data<float>()[i]) == (i == 7));
    CHECK(std::isnan(lrn.data<float>()[i]) == (i == 7));
  }
}

}  // namespace tern::test::in_norm
