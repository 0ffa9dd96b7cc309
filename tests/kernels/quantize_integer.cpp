// Products and convolutions of integers against sums in 64 bits. Contract: kernels/quantize/integer.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "kernels/quantize/integer.h"
#include "runtime/base/cpu_features.h"
#include "runtime/base/cpu_vnni.h"
#include "tests/support/cheap.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"

namespace tern::test::in_quantize_integer {
namespace {

Tensor random8(Dims dims, uint32_t seed, DType t) {
  std::mt19937 next(seed);
  Tensor x = *Tensor::allocate(t, dims);
  for (int64_t i = 0; i < x.count(); ++i) x.mutable_raw()[i] = static_cast<std::byte>(next());
  return x;
}
int64_t at(const Tensor& x, int64_t i) { return x.dtype() == DType::i8 ? x.data<int8_t>()[i] : x.data<uint8_t>()[i]; }
Tensor i32(Dims dims, const std::vector<int64_t>& v) {
  const std::vector<int32_t> narrow(v.begin(), v.end());
  return Tensor::of<int32_t>(dims, narrow);
}
Tensor scalar8(int64_t v, DType t) { return cast(f32({}, {static_cast<float>(v)}), t); }

// One matrix: sum (a - za)(b - zb), zb one or per column.
std::vector<int64_t> product(const Tensor& a, const Tensor& b, int64_t za, const Tensor& zb, int64_t m, int64_t n, int64_t k) {
  std::vector<int64_t> y;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (int64_t l = 0; l < k; ++l) sum += (at(a, i * k + l) - za) * (at(b, l * n + j) - at(zb, zb.count() == 1 ? 0 : j));
      y.push_back(sum);
    }
  }
  return y;
}

// x [N,C,H,W], w [OC,C/groups,KH,KW]: sums less both zero points, of channels `oc`.
struct Convolution {
  int64_t images, channels, height, width, outputs, kernel, groups, stride, pad, dilation = 1;
  int64_t out(int64_t in) const { return (in + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1; }
};
std::vector<int64_t> convolved(const Convolution& c, const Tensor& x, const Tensor& w, int64_t zx, int64_t zw) {
  std::vector<int64_t> y;
  const int64_t own = c.channels / c.groups, taps = c.kernel * c.kernel;
  for (int64_t i = 0; i < c.images * c.outputs * c.out(c.height) * c.out(c.width); ++i) {
    const int64_t v = i % c.out(c.width), h = i / c.out(c.width) % c.out(c.height), oc = i / (c.out(c.width) * c.out(c.height)) % c.outputs;
    const int64_t n = i / (c.out(c.width) * c.out(c.height)) / c.outputs, group = oc / (c.outputs / c.groups);
    int64_t sum = 0;
    for (int64_t k = 0; k < own * taps; ++k) {
      const int64_t row = h * c.stride + k / c.kernel % c.kernel * c.dilation - c.pad, column = v * c.stride + k % c.kernel * c.dilation - c.pad;
      if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
      sum += (at(x, ((n * c.channels + group * own + k / taps) * c.height + row) * c.width + column) - zx) * (at(w, oc * own * taps + k) - zw);
    }
    y.push_back(sum);
  }
  return y;
}
Tensor turned(const Tensor& x, std::vector<int64_t> perm) { return run_op("Transpose", {{"perm", std::move(perm)}}, {x})[0]; }

}  // namespace

TEST_CASE("integer product: every tail of rows, columns and depth, signed and not, is the exact sum") {
  for (DType s : {DType::u8, DType::i8}) {
    for (DType t : {DType::u8, DType::i8}) {
      for (int64_t m : {1, 2, 3, 4, 5, 9}) {
        for (int64_t n : {1, 7, 16, 17, 35}) {
          const int64_t k = (m * 13 + n) % 37;
          const Tensor a = random8({m, k}, 1, s), b = random8({k, n}, 2, t), za = random8({}, 3, s), zb = random8({n}, 4, t);
          check_same(run_op("MatMulInteger", {}, {a, b, za, zb})[0], i32({m, n}, product(a, b, at(za, 0), zb, m, n, k)));
        }
      }
    }
  }
}

TEST_CASE("integer product: around the edges of a device's tiles of 64 by 64 by 16") {
  const std::array<int64_t, 3> shapes[] = {{8, 64, 16},  {9, 63, 15},  {63, 65, 17}, {64, 64, 16}, {65, 1, 33},
                                           {64, 129, 0}, {1, 257, 40}, {8, 256, 1},  {130, 67, 3}, {127, 128, 31}};
  for (const auto& [m, n, k] : shapes) {
    const Tensor a = random8({m, k}, 1, DType::u8), b = random8({k, n}, 2, DType::i8), za = random8({}, 3, DType::u8),
                 zb = random8({n}, 4, DType::i8);
    check_same(run_op("MatMulInteger", {}, {a, b, za, zb})[0], i32({m, n}, product(a, b, at(za, 0), zb, m, n, k)));
  }
}

TEST_CASE("integer product: batches, vectors, a zero point for each row") {
  const Tensor a = random8({2, 3, 5, 9}, 1, DType::u8), b = random8({3, 9, 4}, 2, DType::i8), none = scalar8(0, DType::i8);
  std::vector<int64_t> y;
  for (int64_t i = 0; i < 6; ++i) {
    const Tensor x = *Tensor::allocate(DType::u8, {5, 9}), w = *Tensor::allocate(DType::i8, {9, 4});
    std::copy_n(a.raw() + i * 45, 45, const_cast<std::byte*>(x.raw()));
    std::copy_n(b.raw() + i % 3 * 36, 36, const_cast<std::byte*>(w.raw()));
    for (int64_t v : product(x, w, 7, none, 5, 4, 9)) y.push_back(v);
  }
  check_same(run_op("MatMulInteger", {}, {a, b, scalar8(7, DType::u8)})[0], i32({2, 3, 5, 4}, y));
  const Tensor rows = cast(f32({2, 2}, {1, 2, 3, 4}), DType::u8), columns = cast(f32({2, 2}, {1, 0, 0, 1}), DType::u8);
  check_same(run_op("MatMulInteger", {}, {rows, columns, cast(f32({2}, {1, 3}), DType::u8)})[0], i32({2, 2}, {0, 1, 0, 1}));
  check_same(run_op("MatMulInteger", {}, {cast(f32({2}, {1, 2}), DType::u8), columns})[0], i32({2}, {1, 2}));
  CHECK(op_error("MatMulInteger", {}, {rows, columns, cast(f32({3}, {1, 3, 1}), DType::u8)}) != "");
  CHECK(op_error("MatMulInteger", {}, {rows, columns, scalar8(1, DType::i8)}) != "");
  CHECK(op_error("MatMulInteger", {}, {rows, f32({2, 2}, {1, 0, 0, 1})}) != "");
  CHECK(op_error("MatMulInteger", {}, {rows, random8({3, 2}, 1, DType::u8)}).find("inner dimensions") != std::string::npos);
}

// Expected values: onnxruntime 1.32; the mixed dtypes, which it has not, by the formula.
TEST_CASE("quantised product: ties go to even, ends saturate, a NaN scale gives the lowest value") {
  const Tensor a = cast(f32({1, 4}, {1, 2, 3, 100}), DType::u8), b = cast(f32({4, 4}, {1, 3, 5, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100}), DType::u8);
  auto q = [&](float scale, DType y, int64_t zero) {
    const Tensor one = f32({}, {1}), none = scalar8(0, DType::u8);
    return run_op("QLinearMatMul", {}, {a, f32({}, {scale}), none, b, one, none, one, scalar8(zero, y)})[0];
  };
  check_same(q(0.5f, DType::u8, 0), cast(f32({1, 4}, {0, 2, 2, 255}), DType::u8));
  check_same(q(-0.5f, DType::i8, 3), cast(f32({1, 4}, {3, 1, 1, -128}), DType::i8));
  check_same(q(NAN, DType::u8, 9), cast(f32({1, 4}, {0, 0, 0, 0}), DType::u8));
}

TEST_CASE("integer convolution: groups, strides, dilation and padding by the zero point") {
  const DType u8 = DType::u8, i8 = DType::i8;
  const Tensor x = random8({2, 4, 7, 6}, 1, u8), w = random8({6, 2, 3, 2}, 2, i8), zero = scalar8(130, u8);
  const int64_t H = 5, W = 3;  // (7 + 1 + 1 - 5) / 1 + 1, (6 + 1 - 2) / 2 + 1
  std::vector<int64_t> sums;
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t oc = 0; oc < 6; ++oc) {
      for (int64_t p = 0; p < H * W; ++p) {
        int64_t sum = 0;
        for (int64_t t = 0; t < 12; ++t) {
          const int64_t c = oc / 3 * 2 + t / 6, h = p / W + t / 2 % 3 * 2 - 1, v = p % W * 2 + t % 2 - 1;
          if (h >= 0 && h < 7 && v >= 0 && v < 6) sum += (at(x, ((n * 4 + c) * 7 + h) * 6 + v) - 130) * (at(w, oc * 12 + t) - oc);
        }
        sums.push_back(sum);
      }
    }
  }
  const Attrs attrs{{"group", int64_t(2)},
                    {"dilations", std::vector<int64_t>{2, 1}},
                    {"strides", std::vector<int64_t>{1, 2}},
                    {"pads", std::vector<int64_t>{1, 1, 1, 0}}};
  const Tensor w_zero = cast(f32({6}, {0, 1, 2, 3, 4, 5}), i8);
  check_same(run_op("ConvInteger", attrs, {x, w, zero, w_zero})[0], i32({2, 6, H, W}, sums));
  const Tensor scales = f32({6}, {0.5f, 1, 2, 0.25f, 1, 1}), bias = i32({6}, {100, -100, 0, 7, 1000, -3});
  std::vector<float> y;
  for (size_t i = 0; i < sums.size(); ++i) {
    const int64_t oc = static_cast<int64_t>(i) / (H * W) % 6;
    const float v = static_cast<float>(sums[i] + bias.data<int32_t>()[oc]) * (0.125f * scales.data<float>()[oc] / 16.0f);
    y.push_back(std::fmin(std::fmax(std::nearbyint(v) + 120, 0.0f), 255.0f));
  }
  check_same(run_op("QLinearConv", attrs, {x, f32({1}, {0.125f}), zero, w, scales, w_zero, f32({}, {16}), scalar8(120, u8), bias})[0],
             cast(f32({2, 6, H, W}, y), u8));
  CHECK(op_error("QLinearConv", attrs, {x, f32({2}, {1, 1}), zero, w, scales, w_zero, f32({}, {16}), scalar8(120, u8)}) != "");
  CHECK(op_error("QLinearConv", attrs, {x, f32({}, {1}), zero, w, f32({3}, {1, 1, 1}), w_zero, f32({}, {16}), scalar8(120, u8)}) != "");
  CHECK(op_error("ConvInteger", attrs, {x, random8({6, 3, 3, 2}, 2, i8)}) != "");
}

TEST_CASE("integer convolution: depthwise, pointwise, strided, of few and many channels, signed and not, is the exact sum") {
  int turn = 0;  // where calls take their time, each shape has one of the four pairs of types
  for (const Convolution& c :
       {Convolution{1, 16, 5, 5, 16, 3, 16, 1, 1},    Convolution{2, 37, 6, 9, 37, 3, 37, 2, 1},   Convolution{1, 32, 8, 8, 32, 3, 32, 1, 0},
        Convolution{2, 64, 9, 7, 40, 1, 1, 1, 0},     Convolution{1, 7, 9, 9, 70, 1, 1, 2, 0},     Convolution{1, 3, 11, 10, 20, 7, 1, 2, 3},
        Convolution{1, 24, 9, 9, 12, 3, 4, 1, 1},     Convolution{1, 4, 1, 3, 3, 3, 1, 1, 2},      Convolution{1, 2, 2, 2, 4, 5, 2, 1, 12},
        Convolution{1, 16, 9, 8, 16, 3, 16, 1, 2, 2}, Convolution{1, 5, 9, 8, 6, 3, 1, 1, 2, 2},   Convolution{2, 40, 9, 33, 40, 3, 40, 1, 1},
        Convolution{1, 21, 11, 68, 21, 5, 21, 1, 2},  Convolution{1, 32, 13, 11, 32, 5, 32, 2, 2}, Convolution{1, 18, 8, 8, 18, 2, 18, 1, 0},
        Convolution{1, 16, 9, 9, 16, 7, 16, 4, 3},    Convolution{1, 16, 10, 10, 16, 3, 16, 3, 1}, Convolution{1, 16, 4, 5, 16, 1, 16, 2, 0},
        Convolution{1, 8, 9, 20, 6, 3, 1, 1, 2, 2},   Convolution{1, 16, 9, 20, 20, 3, 4, 1, 1}}) {
    ++turn;
    for (DType s : {DType::u8, DType::i8}) {
      for (DType t : {DType::u8, DType::i8}) {
        if ((kSanitized || on_device()) && turn % 4 != 2 * (s == DType::i8) + (t == DType::i8)) continue;
        const int64_t zw = t == DType::i8 ? 0 : s == DType::i8 ? 128 : 3;  // the last leaves w no bytes
        const Tensor x = random8({c.images, c.channels, c.height, c.width}, 5, s),
                     w = random8({c.outputs, c.channels / c.groups, c.kernel, c.kernel}, 6, t);
        const std::vector<int64_t> sums = convolved(c, x, w, 100, zw);
        const Dims dims{c.images, c.outputs, c.out(c.height), c.out(c.width)};
        const Attrs attrs{{"group", c.groups},
                          {"strides", std::vector<int64_t>{c.stride, c.stride}},
                          {"pads", std::vector<int64_t>(4, c.pad)},
                          {"dilations", std::vector<int64_t>(2, c.dilation)}};
        check_same(run_op("ConvInteger", attrs, {x, w, scalar8(100, s), scalar8(zw, t)})[0], i32(dims, sums));
        // In f32, with a bias and limits: the bits of the operators one by one.
        std::vector<float> real;
        const Tensor bias = random_f32({c.outputs}, 9, -40, 40), channel_scales = random_f32({c.outputs}, 8, 0.001f, 0.01f);
        const int64_t pixels = c.out(c.height) * c.out(c.width);
        for (size_t i = 0; i < sums.size(); ++i) {
          const int64_t oc = static_cast<int64_t>(i) / pixels % c.outputs;
          const float v = static_cast<float>(sums[i]) * (0.5f * channel_scales.data<float>()[oc]) + bias.data<float>()[oc];
          real.push_back(std::fmin(std::fmax(v, -3.0f), 60.0f));
        }
        const Attrs clipped{{"group", c.groups},
                            {"strides", std::vector<int64_t>{c.stride, c.stride}},
                            {"pads", std::vector<int64_t>(4, c.pad)},
                            {"dilations", std::vector<int64_t>(2, c.dilation)},
                            {"activation", std::string("Clip")},
                            {"alpha", -3.0f},
                            {"beta", 60.0f}};
        check_same(run_op("ConvIntegerToFloat", clipped, {x, f32({}, {0.5f}), scalar8(100, s), w, channel_scales, scalar8(zw, t), bias})[0],
                   f32(dims, real));
        // Channels last, on either side: the bytes of QLinearConv, which are those of the formula.
        const Tensor one = f32({}, {1}), y_scale = f32({}, {300}), zero = scalar8(7, DType::i8);
        std::vector<float> scaled;
        for (int64_t v : sums) scaled.push_back(std::fmin(std::fmax(std::nearbyint(static_cast<float>(v) * (1.0f / 300.0f)) + 7, -128.0f), 127.0f));
        const Tensor y = cast(f32(dims, scaled), DType::i8), x_last = turned(x, {0, 2, 3, 1}), y_last = turned(y, {0, 2, 3, 1});
        check_same(run_op("QLinearConv", attrs, {x, one, scalar8(100, s), w, one, scalar8(zw, t), y_scale, zero})[0], y);
        for (int64_t last : {1, 2, 3}) {
          const Attrs fused{{"group", c.groups},
                            {"strides", std::vector<int64_t>{c.stride, c.stride}},
                            {"pads", std::vector<int64_t>(4, c.pad)},
                            {"dilations", std::vector<int64_t>(2, c.dilation)},
                            {"channels_last", last}};
          check_same(run_op("FusedQLinearConv", fused, {last & 1 ? x_last : x, one, scalar8(100, s), w, one, scalar8(zw, t), y_scale, zero})[0],
                     last & 2 ? y_last : y);
        }
      }
    }
  }
}

TEST_CASE("integer product: more rows than a block of 56, more columns than the panels of a tile") {
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{57, 40, 12}, {113, 33, 8}, {1, 200, 64}, {15, 65, 7}}) {
    const Tensor a = random8({m, k}, 1, DType::u8), b = random8({k, n}, 2, DType::i8), none = scalar8(0, DType::i8);
    check_same(run_op("MatMulInteger", {}, {a, b, scalar8(9, DType::u8), none})[0], i32({m, n}, product(a, b, 9, none, m, n, k)));
  }
}

TEST_CASE("quantised product: a scale and a zero point for each row of A") {
  const int64_t m = 17, n = 18, k = 12;
  const Tensor a = random8({m, k}, 1, DType::u8), b = random8({k, n}, 2, DType::i8), none = scalar8(0, DType::i8);
  const Tensor scales = random_f32({m}, 3, 0.1f, 2), zeros = random8({m}, 4, DType::u8);
  std::vector<float> y;
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += (at(a, r * k + i) - at(zeros, r)) * at(b, i * n + j);
      const float v = static_cast<float>(sum) * (scales.data<float>()[r] * 0.5f / 64.0f);
      y.push_back(std::fmin(std::fmax(std::nearbyint(v) + 5, 0.0f), 255.0f));
    }
  }
  check_same(run_op("QLinearMatMul", {}, {a, scales, zeros, b, f32({}, {0.5f}), none, f32({}, {64}), scalar8(5, DType::u8)})[0],
             cast(f32({m, n}, y), DType::u8));
}

TEST_CASE("quantised product: a bias, and weights as their columns lie") {
  const Tensor a = random8({5, 30}, 1, DType::u8), b = random8({30, 18}, 2, DType::i8), none = scalar8(0, DType::i8), za = scalar8(128, DType::u8);
  const Tensor one = f32({}, {1}), y_scale = f32({}, {512});
  std::vector<int64_t> bias, sums = product(a, b, 128, none, 5, 18, 30);
  for (int64_t j = 0; j < 18; ++j) bias.push_back(1000 * j - 7000);
  std::vector<float> y;
  for (size_t i = 0; i < sums.size(); ++i)
    y.push_back(std::fmin(std::fmax(std::nearbyint(static_cast<float>(sums[i] + bias[i % 18]) / 512.0f) + 5, 0.0f), 255.0f));
  const Tensor expected = cast(f32({5, 18}, y), DType::u8), zy = scalar8(5, DType::u8), c = i32({18}, bias);
  check_same(run_op("FusedQLinearMatMul", {}, {a, one, za, b, one, none, y_scale, zy, c})[0], expected);
  check_same(run_op("FusedQLinearMatMul", {{"transB", int64_t(1)}}, {a, one, za, turned(b, {1, 0}), one, none, y_scale, zy, c})[0], expected);
  CHECK(op_error("FusedQLinearMatMul", {}, {a, one, za, b, one, none, y_scale, zy, i32({1}, {3})}) != "");
}

TEST_CASE("integer product: to f32, each step rounded: scaled, a bias, a residual, no less than 0") {
  for (DType t : {DType::u8, DType::i8}) {
    for (const auto& [m, n, k] : {std::array<int64_t, 3>{1, 70, 64}, {5, 18, 30}, {58, 33, 12}, {3, 5, 0}}) {
      const Tensor a = random8({m, k}, 1, DType::u8), b = random8({k, n}, 2, t), zb = random8({n}, 3, t), za = scalar8(200, DType::u8);
      const Tensor one_scale = f32({}, {0.03f}), scales = random_f32({n}, 4, 0.01f, 0.2f), bias = random_f32({n}, 5, -9, 9);
      const Tensor residual = random_f32({m, n}, 6, -9, 9);
      const std::vector<int64_t> sums = product(a, b, 200, zb, m, n, k);
      std::vector<float> plain, all;
      for (size_t i = 0; i < sums.size(); ++i) {
        const size_t j = i % static_cast<size_t>(n);
        const float v = static_cast<float>(sums[i]) * (0.03f * scales.data<float>()[j]), biased = v + bias.data<float>()[j];
        plain.push_back(v);
        all.push_back(std::fmax(biased + residual.data<float>()[i], 0.0f));
      }
      check_same(run_op("MatMulIntegerToFloat", {}, {a, one_scale, za, b, scales, zb})[0], f32({m, n}, plain));
      check_same(run_op("MatMulIntegerToFloat", {{"activation", std::string("Relu")}}, {a, one_scale, za, b, scales, zb, bias, residual})[0],
                 f32({m, n}, all));
    }
  }
  const Tensor a = random8({2, 4}, 1, DType::u8), b = random8({4, 3}, 2, DType::i8), za = scalar8(1, DType::u8), zb = scalar8(0, DType::i8);
  const Tensor one = f32({}, {1});
  const std::vector<Tensor> nan = run_op("MatMulIntegerToFloat", {{"activation", std::string("Relu")}}, {a, f32({}, {NAN}), za, b, one, zb});
  for (int64_t i = 0; i < 6; ++i) CHECK(std::isnan(nan[0].data<float>()[i]));
  CHECK(op_error("MatMulIntegerToFloat", {}, {a, one, za, b, f32({2}, {1, 1}), zb}) != "");
  CHECK(op_error("MatMulIntegerToFloat", {}, {a, one, za, b, one, zb, f32({2}, {1, 1})}) != "");
  CHECK(op_error("MatMulIntegerToFloat", {}, {a, one, za, b, one, zb, f32({3}, {1, 1, 1}), f32({3}, {1, 1, 1})}) != "");
  CHECK(op_error("MatMulIntegerToFloat", {{"activation", std::string("Gelu")}}, {a, one, za, b, one, zb}) != "");
}

#if defined(__x86_64__)
TEST_CASE("integer product: AVX2's tiles give the same with vpdpbusd and without") {
  if (!has_avx_vnni() || best_isa() == Isa::scalar) return;  // there is one of them
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{1, 70, 64}, {5, 18, 31}, {58, 33, 12}, {14, 16, 4}}) {
    const Tensor x = random8({m, k}, 1, DType::u8), w = random8({k, n}, 2, DType::i8);
    const IntegerBatch batch{};
    IntegerArgs a{};
    a.x = x.raw(), a.w = w.raw(), a.w_signed = true;
    a.batch = &batch, a.matrices = 1;
    a.m = a.end = m, a.n = a.w_k = a.w_matrix = a.y_row = n, a.k = a.run = k;
    a.w_column = a.y_column = 1;
    a.y_dtype = DType::i32;
    std::vector<int8_t> work(static_cast<size_t>(a.panels() * a.panel() + 64));
    std::vector<uint8_t> rows(static_cast<size_t>(kBlockRows * 4 * a.quads() + 16));
    std::vector<int32_t> offset(static_cast<size_t>(a.panels() * kTileColumns)), y[2];
    a.work = work.data(), a.rows = rows.data(), a.offset = offset.data();
    for (bool vnni : {false, true}) {
      y[vnni].resize(static_cast<size_t>(m * n));
      a.vnni = vnni, a.y = y[vnni].data();
      avx2::integer_product_i8.run(&a);
    }
    CHECK(y[0] == y[1]);
    CHECK(std::count(y[0].begin(), y[0].end(), 0) < m * n);
  }
}
#endif

TEST_CASE("integer product: an AVX-512 without VNNI runs AVX2's code") {
  CHECK(integer_isa(Isa::avx512, false) == Isa::avx2);
  CHECK(integer_isa(Isa::avx512, true) == Isa::avx512);
  CHECK(integer_isa(Isa::avx2, true) == Isa::avx2);
  CHECK(integer_isa(Isa::neon, false) == Isa::neon);
}

}  // namespace tern::test::in_quantize_integer
