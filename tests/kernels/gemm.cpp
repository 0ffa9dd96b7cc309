// MatMul, Gemm and Linear: against a double oracle, against a scalar model of the documented order of sums (bit for bit), and
// against themselves in other batches. Contracts: kernels/gemm/gemm.h, kernels/gemm/panel.h.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include "kernels/gemm/panel.h"
#include "tests/support/matrices.h"
#include "tests/support/op_test.h"

namespace tern::test::in_gemm {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

// The order of sums that kernels/gemm/panel.h documents, for x [M,K] and w [K,N].
Tensor model(const Tensor& x, const Tensor& w, const float* bias = nullptr) {
  const int64_t m = x.dims()[0], k = x.dims()[1], n = w.dims()[1];
  Tensor y = *Tensor::allocate(DType::f32, {m, n});
  const int chains = gemm_chains(n, k);
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      const float start = bias ? bias[c] : 0;
      float s[16] = {chains == 0 ? 0 : start};
      const int64_t lanes = chains == 0 ? 16 : chains;
      for (int64_t i = 0; i < k; ++i) s[i % lanes] = std::fma(x.data<float>()[r * k + i], w.data<float>()[i * n + c], s[i % lanes]);
      float sum = s[0];
      if (chains == 2) sum = s[0] + s[1];
      if (chains == 4) sum = (s[0] + s[1]) + (s[2] + s[3]);
      if (chains == 0) {
        for (int width = 8; width > 0; width /= 2) {
          for (int l = 0; l < width; ++l) s[l] = s[l] + s[l + width];
        }
        sum = bias ? s[0] + start : s[0];
      }
      y.mutable_data<float>()[r * n + c] = sum;
    }
  }
  return y;
}

// Every element within (K + 2) eps sum |a b|: each of at most K roundings loses half an eps of a partial sum.
void check_bound(const Tensor& y, const Tensor& x, const Tensor& w) {
  const int64_t m = x.dims()[0], k = x.dims()[1], n = w.dims()[1];
  REQUIRE(y.count() == m * n);
  int64_t outside = 0;
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < k; ++i) {
        const double t = static_cast<double>(x.data<float>()[r * k + i]) * w.data<float>()[i * n + c];
        sum += t;
        size += std::fabs(t);
      }
      outside += !(std::fabs(y.data<float>()[r * n + c] - sum) <= static_cast<double>(k + 2) * 0x1p-24 * size);
    }
  }
  CHECK(outside == 0);
}

// On one ISA, B constant or not.
Tensor product(const Tensor& x, const Tensor& w, Isa isa, bool constant) {
  const Tensor in[] = {x, w};
  auto y = evaluate(*find_op("MatMul"), {}, in, 1, {.isa = isa, .constants = constant ? 2u : 0u});
  REQUIRE(y.ok());
  return (*y)[0];
}

}  // namespace

TEST_CASE("gemm: every N and K has the documented order of sums, on every ISA, with constant and computed weights") {
  for (int64_t n = 1; n <= 80; ++n) {
    for (int64_t k : {0, 1, 15, 16, 17, 63, 64, 65}) {
      const Tensor x = random_f32({7, k}, static_cast<uint32_t>(n * 100 + k)), w = random_f32({k, n}, static_cast<uint32_t>(k * 100 + n));
      const Tensor expected = model(x, w);
      INFO("N " << n << " K " << k);
      for (Isa isa : runnable_isas()) {
        for (bool constant : {true, false}) check_same(product(x, w, isa, constant), expected);
      }
      check_bound(expected, x, w);
    }
  }
}

TEST_CASE("gemm: wide and deep shapes have the documented order of sums") {
  for (const auto& shape : {std::array<int64_t, 3>{1, 112, 64},
                            {1, 128, 64},
                            {2, 113, 33},
                            {1, 144, 48},
                            {1, 400, 100},
                            {3, 225, 20},
                            {1, 512, 40},
                            {5, 16, 512},
                            {1, 9, 512},
                            {2, 17, 512},
                            {4, 5, 600},
                            {1, 1, 1000},
                            {49, 80, 80},
                            {60, 20, 40},
                            {40, 20, 1000},
                            {57, 70, 1000}}) {
    const int64_t m = shape[0], n = shape[1], k = shape[2];
    const Tensor x = random_f32({m, k}, 1), w = random_f32({k, n}, 2);
    INFO("M " << m << " N " << n << " K " << k);
    check_same(run_op("MatMul", {}, {x, w})[0], model(x, w));
  }
}

TEST_CASE("gemm: a row has the same bits in every batch size from 1 to 33") {
  for (const auto& shape : {std::pair<int64_t, int64_t>{3, 64},
                            {4, 20},
                            {7, 9},
                            {16, 64},
                            {20, 64},
                            {32, 8},
                            {48, 33},
                            {64, 64},
                            {70, 31},
                            {80, 15},
                            {96, 20},
                            {112, 40},
                            {150, 24}}) {
    const int64_t n = shape.first, k = shape.second;
    const Tensor x = random_f32({33, k}, 5), w = random_f32({k, n}, 6);
    const Tensor all = model(x, w);
    for (Isa isa : runnable_isas()) {
      for (int64_t m = 1; m <= 33; ++m) {
        INFO("M " << m << " N " << n << " K " << k << " on " << std::string(name(isa)));
        check_same(product(first_rows(x, m), w, isa, true), first_rows(all, m));
        check_same(product(first_rows(x, m), w, isa, false), first_rows(all, m));
      }
    }
  }
}

TEST_CASE("gemm: transposed operands give the bits of plain ones") {
  for (const auto& shape : {std::array<int64_t, 3>{1, 3, 64}, {5, 4, 3}, {7, 33, 17}, {13, 64, 40}, {2, 16, 520}, {9, 120, 21}}) {
    const int64_t m = shape[0], n = shape[1], k = shape[2];
    const Tensor x = random_f32({m, k}, 3), w = random_f32({k, n}, 4), expected = model(x, w);
    const int64_t one = 1;
    check_same(run_op("Gemm", {}, {x, w})[0], expected);
    check_same(run_op("Gemm", {{"transB", one}}, {x, transposed(w)})[0], expected);
    check_same(run_op("Gemm", {{"transA", one}}, {transposed(x), w})[0], expected);
    check_same(run_op("Gemm", {{"transA", one}, {"transB", one}}, {transposed(x), transposed(w)})[0], expected);
  }
}

TEST_CASE("gemm: C broadcasts from a scalar, a row, a column and a matrix, and starts the first chain") {
  auto with_c = [&](const Tensor& c, std::vector<float> (*row)(const Tensor&, int64_t), int64_t m = 5, int64_t k = 20) {
    const Tensor x = random_f32({m, k}, 7), w = random_f32({k, 35}, 8);
    const Tensor y = run_op("Gemm", {}, {x, w, c})[0];
    for (int64_t r = 0; r < m; ++r) {
      const Tensor one = f32({1, k}, std::vector<float>(x.data<float>() + r * k, x.data<float>() + (r + 1) * k));
      const Tensor got = f32({1, 35}, std::vector<float>(y.data<float>() + r * 35, y.data<float>() + r * 35 + 35));
      check_same(got, model(one, w, row(c, r).data()));
    }
  };
  auto row_of = [](const Tensor& c, int64_t r) { return std::vector<float>(c.data<float>() + r * 35, c.data<float>() + r * 35 + 35); };
  with_c(f32({}, {2.5f}), [](const Tensor&, int64_t) { return std::vector<float>(35, 2.5f); });
  with_c(f32({1, 1}, {-2}), [](const Tensor&, int64_t) { return std::vector<float>(35, -2.0f); });
  with_c(random_f32({35}, 9), [](const Tensor& c, int64_t) { return std::vector<float>(c.data<float>(), c.data<float>() + 35); });
  with_c(random_f32({1, 35}, 9), [](const Tensor& c, int64_t) { return std::vector<float>(c.data<float>(), c.data<float>() + 35); });
  with_c(random_f32({5, 1}, 9), [](const Tensor& c, int64_t r) { return std::vector<float>(35, c.data<float>()[r]); });
  with_c(random_f32({5, 35}, 9), row_of);
  with_c(random_f32({40, 35}, 9), row_of, 40, 1000);  // more rows than are read at a time
}

TEST_CASE("gemm: alpha scales the product and beta scales C; beta 0 does not read C") {
  const Tensor x = f32({1, 2}, {1, 2}), w = f32({2, 2}, {3, 4, 5, 6}), c = f32({2}, {10, kNan});
  check_same(run_op("Gemm", {{"alpha", 0.5f}, {"beta", 2.0f}}, {x, w, f32({2}, {10, 20})})[0], f32({1, 2}, {26.5f, 48}));
  check_same(run_op("Gemm", {{"alpha", 2.0f}, {"beta", 0.0f}}, {x, w, c})[0], f32({1, 2}, {26, 32}));
  check_same(run_op("Gemm", {{"alpha", 0.0f}}, {x, w, f32({1, 2}, {7, 8})})[0], f32({1, 2}, {7, 8}));
}

TEST_CASE("gemm: no terms (K 0) give C, or zero; no rows and no columns give nothing") {
  const Tensor none = *Tensor::allocate(DType::f32, {2, 0}), w = *Tensor::allocate(DType::f32, {0, 3});
  check_same(run_op("Gemm", {}, {none, w, f32({3}, {1, 2, 3})})[0], f32({2, 3}, {1, 2, 3, 1, 2, 3}));
  check_same(run_op("MatMul", {}, {none, w})[0], f32({2, 3}, {0, 0, 0, 0, 0, 0}));
  CHECK(run_op("MatMul", {}, {w, f32({3, 1}, {1, 2, 3})})[0].dims() == Dims{0, 1});
  CHECK(run_op("MatMul", {}, {f32({1, 2}, {1, 2}), none})[0].dims() == Dims{1, 0});
}

TEST_CASE("gemm: NaN and infinity reach their rows and columns, and no others") {
  for (int64_t n : {3, 16, 33, 128}) {
    for (int64_t k : {5, 64}) {
      Tensor x = random_f32({3, k}, 1, 0.5f, 1), w = random_f32({k, n}, 2, 0.5f, 1);
      x.mutable_data<float>()[1 * k + k - 1] = kNan;
      w.mutable_data<float>()[(k - 1) * n + n - 1] = kInf;
      const Tensor y = run_op("Linear", {{"activation", std::string("Relu")}}, {x, w})[0];
      for (int64_t c = 0; c < n; ++c) {
        CHECK(std::isnan(y.data<float>()[n + c]));  // relu too
        CHECK(std::isinf(y.data<float>()[c]) == (c == n - 1));
        CHECK(std::isinf(y.data<float>()[2 * n + c]) == (c == n - 1));
      }
    }
  }
}

TEST_CASE("matmul: batches broadcast on both sides, as in NumPy") {
  // [2,1,3,4] x [5,4,6]: y[i,j] = a[i,0] b[j]
  const Tensor a = random_f32({2, 1, 3, 4}, 11), b = random_f32({5, 4, 6}, 12);
  const Tensor y = run_op("MatMul", {}, {a, b})[0];
  REQUIRE(y.dims() == Dims{2, 5, 3, 6});
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t j = 0; j < 5; ++j) {
      const Tensor x = f32({3, 4}, std::vector<float>(a.data<float>() + i * 12, a.data<float>() + i * 12 + 12));
      const Tensor w = f32({4, 6}, std::vector<float>(b.data<float>() + j * 24, b.data<float>() + j * 24 + 24));
      const float* at = y.data<float>() + (i * 5 + j) * 18;
      check_same(f32({3, 6}, std::vector<float>(at, at + 18)), model(x, w));
    }
  }
  // one matrix for all of a batch of A, and the other way round
  const Tensor w = random_f32({4, 6}, 13), rows = run_op("MatMul", {}, {a.reshaped({6, 4}), w})[0];
  check_same(run_op("MatMul", {}, {a, w})[0], rows.reshaped({2, 1, 3, 6}));
  const Tensor x = random_f32({3, 4}, 14), z = run_op("MatMul", {}, {x, b})[0];
  REQUIRE(z.dims() == Dims{5, 3, 6});
  check_same(f32({3, 6}, std::vector<float>(z.data<float>() + 72, z.data<float>() + 90)),
             model(x, f32({4, 6}, std::vector<float>(b.data<float>() + 96, b.data<float>() + 120))));
}

TEST_CASE("matmul: one-dimensional operands are a row and a column, which the result drops") {
  const Tensor v = f32({2}, {1, 2}), w = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  check_same(run_op("MatMul", {}, {v, w})[0], f32({3}, {9, 12, 15}));
  check_same(run_op("MatMul", {}, {f32({3, 2}, {1, 2, 3, 4, 5, 6}), v})[0], f32({3}, {5, 11, 17}));
  check_same(run_op("MatMul", {}, {v, v})[0], f32({}, {5}));
  check_same(run_op("MatMul", {}, {v, f32({2, 2, 1}, {1, 2, 3, 4})})[0], f32({2, 1}, {5, 11}));
}

// Expected values: onnx.reference 1.23.
TEST_CASE("gemm: integers under a fraction are scaled in double and truncated") {
  const Tensor a = cast(f32({2, 3}, {0, 1, 2, 3, 4, 5}), DType::i32), b = cast(f32({3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), DType::i32);
  check_same(run_op("Gemm", {{"alpha", 0.5f}}, {a, b})[0], cast(f32({2, 4}, {10, 11, 13, 14, 28, 34, 40, 46}), DType::i32));
  check_same(run_op("Gemm", {{"alpha", -0.5f}, {"beta", 0.25f}}, {a, b, cast(f32({4}, {1, 2, 3, -7}), DType::i32)})[0],
             cast(f32({2, 4}, {-9, -11, -12, -16, -27, -33, -39, -47}), DType::i32));
  check_same(run_op("Gemm", {{"alpha", 2.0f}, {"beta", -1.0f}}, {a, b, cast(f32({1}, {1}), DType::i32)})[0],
             cast(f32({2, 4}, {39, 45, 51, 57, 111, 135, 159, 183}), DType::i32));
}

TEST_CASE("matmul: integers wrap around, halves are summed in f32 and rounded once") {
  const Tensor a = f32({2, 3}, {1, -2, 3, 4, 5, 6}), b = f32({3, 2}, {7, 8, 9, 1, 2, 3}), y = f32({2, 2}, {-5, 15, 85, 55});
  for (DType t : {DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64}) {
    check_same(run_op("MatMul", {}, {cast(a, t), cast(b, t)})[0], cast(y, t));
  }
  const Tensor u = f32({1, 2}, {3, 5}), one = f32({2, 1}, {1, 1});
  for (DType t : {DType::u32, DType::u64}) check_same(run_op("MatMul", {}, {cast(u, t), cast(one, t)})[0], cast(f32({1, 1}, {8}), t));
  const Tensor big = Tensor::of<int32_t>({1, 2}, std::array<int32_t, 2>{INT32_MAX, 1});
  const Tensor ones = Tensor::of<int32_t>({2, 1}, std::array<int32_t, 2>{1, 1});
  CHECK(run_op("MatMul", {}, {big, ones})[0].data<int32_t>()[0] == INT32_MIN);
  // 2048 + 1 + 1 is 2050 in f32; a sum in f16 would stay at 2048
  check_same(run_op("MatMul", {}, {cast(f32({1, 3}, {2048, 1, 1}), DType::f16), cast(f32({3, 1}, {1, 1, 1}), DType::f16)})[0],
             cast(f32({1, 1}, {2050}), DType::f16));
}

TEST_CASE("gemm: other dtypes take transposes, alpha, beta and C too") {
  const Tensor a = f32({3, 2}, {1, 4, -2, 5, 3, 6}), b = f32({2, 3}, {7, 9, 2, 8, 1, 3}), c = f32({2, 1}, {1, 2});
  const int64_t one = 1;
  for (DType t : {DType::f64, DType::i64, DType::i32}) {
    check_same(run_op("Gemm", {{"transA", one}, {"transB", one}, {"alpha", 2.0f}, {"beta", 3.0f}}, {cast(a, t), cast(b, t), cast(c, t)})[0],
               cast(f32({2, 2}, {-7, 33, 176, 116}), t));
  }
}

TEST_CASE("gemm: doubles are summed in order, around every edge of blocks and tiles, whichever way the operands lie") {
  for (const auto& [m, k, n] : {std::array<int64_t, 3>{1, 65, 19}, {5, 64, 16}, {64, 1, 33}, {67, 130, 19}}) {
    const Tensor a = cast(random_f32({m, k}, 1), DType::f64), b = cast(random_f32({k, n}, 2), DType::f64);
    Tensor at = *Tensor::allocate(DType::f64, {k, m}), bt = *Tensor::allocate(DType::f64, {n, k}), y = *Tensor::allocate(DType::f64, {m, n});
    for (int64_t i = 0; i < m * k; ++i) at.mutable_data<double>()[i % k * m + i / k] = a.data<double>()[i];
    for (int64_t i = 0; i < k * n; ++i) bt.mutable_data<double>()[i % n * k + i / n] = b.data<double>()[i];
    for (int64_t i = 0; i < m * n; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < k; ++j) sum += a.data<double>()[i / n * k + j] * b.data<double>()[j * n + i % n];
      y.mutable_data<double>()[i] = sum;
    }
    const int64_t one = 1;
    check_same(run_op("Gemm", {}, {a, b})[0], y);
    check_same(run_op("Gemm", {{"transB", one}}, {a, bt})[0], y);
    check_same(run_op("Gemm", {{"transA", one}}, {at, b})[0], y);
    check_same(run_op("Gemm", {{"transA", one}, {"transB", one}}, {at, bt})[0], y);
  }
}

TEST_CASE("linear: bias, then residual, then activation") {
  for (const auto& shape : {std::pair<int64_t, int64_t>{3, 64}, {20, 16}, {70, 10}, {130, 9}, {20, 1000}}) {
    const int64_t n = shape.first, k = shape.second;
    for (int64_t m : {1, 6, 40}) {
      const Tensor x = random_f32({m, k}, 1), w = random_f32({k, n}, 2), bias = random_f32({n}, 3), residual = random_f32({m, n}, 4);
      Tensor expected = model(x, w, bias.data<float>());
      check_same(run_op("Linear", {}, {x, w, bias})[0], expected);
      for (int64_t i = 0; i < m * n; ++i) expected.mutable_data<float>()[i] += residual.data<float>()[i];
      check_same(run_op("Linear", {}, {x, w, bias, residual})[0], expected);
      check_same(run_op("Linear", {{"transB", int64_t(1)}}, {x.reshaped({1, m, k}), transposed(w), bias, residual.reshaped({1, m, n})})[0],
                 expected.reshaped({1, m, n}));
      Tensor relu = expected, leaky = expected;
      relu = f32({m, n}, std::vector<float>(expected.data<float>(), expected.data<float>() + m * n));
      leaky = f32({m, n}, std::vector<float>(expected.data<float>(), expected.data<float>() + m * n));
      for (int64_t i = 0; i < m * n; ++i) {
        float &r = relu.mutable_data<float>()[i], &l = leaky.mutable_data<float>()[i];
        r = r < 0 ? 0 : r;
        l = l < 0 ? l * 0.25f : l;
      }
      check_same(run_op("Linear", {{"activation", std::string("Relu")}}, {x, w, bias, residual})[0], relu);
      check_same(run_op("Linear", {{"activation", std::string("LeakyRelu")}, {"alpha", 0.25f}}, {x, w, bias, residual})[0], leaky);
    }
  }
}

TEST_CASE("linear: the activations that fuse are within 4 ULP of the double reference") {
  const Tensor x = random_f32({3, 20}, 1), w = random_f32({20, 21}, 2), sums = model(x, w);
  auto check = [&](const char* activation, float alpha, float beta, double (*f)(double)) {
    Tensor expected = *Tensor::allocate(DType::f32, {3, 21});
    for (int64_t i = 0; i < 63; ++i) expected.mutable_data<float>()[i] = static_cast<float>(f(sums.data<float>()[i]));
    INFO(std::string(activation));
    check_close(run_op("Linear", {{"activation", std::string(activation)}, {"alpha", alpha}, {"beta", beta}}, {x, w})[0], expected, 4, 1e-6f);
  };
  check("Sigmoid", 0, 0, [](double v) { return 1 / (1 + std::exp(-v)); });
  check("Tanh", 0, 0, [](double v) { return std::tanh(v); });
  check("Gelu", 0, 0, [](double v) { return v / 2 * (1 + std::erf(v / std::sqrt(2.0))); });
  check("HardSigmoid", 0.2f, 0.5f, [](double v) { return std::min(1.0, std::max(0.0, 0.2 * v + 0.5)); });
  check("HardSwish", 0, 0, [](double v) { return v * std::min(1.0, std::max(0.0, v / 6 + 0.5)); });
  check("Clip", -0.5f, 0.25f, [](double v) { return std::min(0.25, std::max(-0.5, v)); });
  check("Elu", 0.5f, 0, [](double v) { return v < 0 ? 0.5 * std::expm1(v) : v; });
  check("Softplus", 0, 0, [](double v) { return std::log1p(std::exp(v)); });
}

TEST_CASE("gemm: shapes that do not fit are refused, and the message names both") {
  const Tensor a = random_f32({2, 3}, 1), b = random_f32({4, 5}, 2);
  CHECK(op_error("MatMul", {}, {a, b}) == "A is [2,3] and B is [4,5]: inner dimensions differ");
  CHECK(op_error("Gemm", {}, {a, b}) == "A is [2,3] and B is [4,5]: inner dimensions differ");
  CHECK(op_error("Linear", {}, {a, b}) == "A is [2,3] and B is [4,5]: inner dimensions differ");
  CHECK(op_error("MatMul", {}, {f32({}, {1}), b}).find("scalar") != std::string::npos);
  CHECK(op_error("Gemm", {}, {a, random_f32({3, 4}, 1), random_f32({3}, 1)}) == "C is [3], which does not broadcast to [2,4]");
  CHECK(!op_error("MatMul", {}, {random_f32({2, 3, 4}, 1), random_f32({3, 4, 5}, 1)}).empty());
  CHECK(!op_error("Linear", {{"activation", std::string("Sin")}}, {a, random_f32({3, 4}, 1)}).empty());
}

}  // namespace tern::test::in_gemm
