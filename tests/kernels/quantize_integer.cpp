// Products and convolutions of integers against sums in 64 bits. Contract: kernels/quantize/integer.h.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <random>

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

}  // namespace tern::test::in_quantize_integer
