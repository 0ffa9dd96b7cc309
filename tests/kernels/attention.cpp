// FusedAttention against a double reference and a scalar model of its order of sums. Contract: kernels/attention/attention.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/op_test.h"

namespace tern::test::in_attention {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Case {
  int64_t B, H, T, S, D, E;
};

// In double; mask has the strides of the four axes of the scores (0: broadcast).
Tensor reference(const Case& c, const Tensor& q, const Tensor& k, const Tensor& v, float scale, const Tensor* mask = nullptr,
                 std::array<int64_t, 4> stride = {}) {
  Tensor y = *Tensor::allocate(DType::f32, {c.B, c.H, c.T, c.E});
  std::vector<double> s(static_cast<size_t>(c.S));
  for (int64_t h = 0; h < c.B * c.H; ++h) {
    for (int64_t t = 0; t < c.T; ++t) {
      double top = -INFINITY, sum = 0;
      for (int64_t j = 0; j < c.S; ++j) {
        double dot = 0;
        for (int64_t d = 0; d < c.D; ++d)
          dot += static_cast<double>(q.data<float>()[(h * c.T + t) * c.D + d]) * k.data<float>()[(h * c.S + j) * c.D + d];
        dot *= scale;
        if (mask) dot += mask->data<float>()[h / c.H * stride[0] + h % c.H * stride[1] + t * stride[2] + j * stride[3]];
        s[static_cast<size_t>(j)] = dot;
        top = std::max(top, dot);
      }
      for (double& e : s) sum += e = std::exp(e - top);
      for (int64_t i = 0; i < c.E; ++i) {
        double out = 0;
        for (int64_t j = 0; j < c.S; ++j) out += s[static_cast<size_t>(j)] * v.data<float>()[(h * c.S + j) * c.E + i];
        y.mutable_data<float>()[(h * c.T + t) * c.E + i] = static_cast<float>(out / sum);
      }
    }
  }
  return y;
}

// (S + D + 10) eps: half an eps a rounding, the exponential's 2 ULP, and the error of a score, which the exponential passes on.
void check(const Tensor& y, const Tensor& expected, const Case& c) { check_close(y, expected, 0, static_cast<float>(c.S + c.D + 10) * 0x1p-23f); }

}  // namespace

TEST_CASE("attention: every S up to 70 and odd sizes of T, D and E match the double reference, with the same bits on every ISA") {
  auto run = [](const Case& c) {
    const Tensor q = random_f32({c.B, c.H, c.T, c.D}, 1), k = random_f32({c.B, c.H, c.S, c.D}, 2), v = random_f32({c.B, c.H, c.S, c.E}, 3);
    INFO("T " << c.T << " S " << c.S << " D " << c.D << " E " << c.E);
    check(run_op("FusedAttention", {{"scale", 0.3f}}, {q, k, v})[0], reference(c, q, k, v, 0.3f), c);
  };
  for (int64_t S = 1; S <= 70; ++S) run({1, 2, 7, S, 8, 16});
  for (int64_t T = 1; T <= 20; ++T) run({1, 1, T, 33, 5, 7});
  for (int64_t D : {1, 3, 4, 16, 17, 64}) {
    for (int64_t E : {1, 15, 16, 17, 32, 33, 48, 64}) run({1, 3, 4, 21, D, E});
  }
}

TEST_CASE("attention: the mask broadcasts over every axis") {
  const Case c{2, 3, 5, 19, 8, 16};
  const Tensor q = random_f32({2, 3, 5, 8}, 1), k = random_f32({2, 3, 19, 8}, 2), v = random_f32({2, 3, 19, 16}, 3);
  auto run = [&](Dims dims, std::array<int64_t, 4> stride) {
    const Tensor mask = random_f32(dims, 4, -2, 2);
    check(run_op("FusedAttention", {{"scale", 0.5f}}, {q, k, v, mask})[0], reference(c, q, k, v, 0.5f, &mask, stride), c);
  };
  run({2, 3, 5, 19}, {3 * 5 * 19, 5 * 19, 19, 1});
  run({5, 19}, {0, 0, 19, 1});
  run({19}, {0, 0, 0, 1});
  run({}, {0, 0, 0, 0});
  run({2, 1, 1, 19}, {19, 0, 0, 1});
  run({1, 3, 5, 1}, {0, 5, 1, 0});
  run({2, 1, 5, 1}, {5, 0, 1, 0});
}

TEST_CASE("attention: a causal mask of -inf hides the future, and a row that hides all is NaN alone") {
  const Tensor q = random_f32({1, 1, 4, 8}, 1), k = random_f32({1, 1, 4, 8}, 2), v = random_f32({1, 1, 4, 8}, 3);
  Tensor mask = *Tensor::allocate(DType::f32, {4, 4});
  for (int64_t i = 0; i < 16; ++i) mask.mutable_data<float>()[i] = i % 4 > i / 4 ? -kInf : 0;
  const Tensor y = run_op("FusedAttention", {{"scale", 1.0f}}, {q, k, v, mask})[0];
  for (int64_t i = 0; i < 8; ++i) CHECK(y.data<float>()[i] == v.data<float>()[i]);  // the first sees itself alone, with weight one
  check(y, reference({1, 1, 4, 4, 8, 8}, q, k, v, 1, &mask, {0, 0, 4, 1}), {1, 1, 4, 4, 8, 8});
  for (int64_t j = 0; j < 4; ++j) mask.mutable_data<float>()[8 + j] = -kInf;
  const Tensor z = run_op("FusedAttention", {{"scale", 1.0f}}, {q, k, v, mask})[0];
  for (int64_t i = 0; i < 32; ++i) CHECK(std::isnan(z.data<float>()[i]) == (i / 8 == 2));
}

TEST_CASE("attention: a row has the same bits alone and among others") {
  const Tensor q = random_f32({1, 2, 13, 16}, 1), k = random_f32({1, 2, 50, 16}, 2), v = random_f32({1, 2, 50, 16}, 3);
  const Tensor all = run_op("FusedAttention", {{"scale", 0.25f}}, {q, k, v})[0];
  for (int64_t t = 0; t < 13; ++t) {
    Tensor one = *Tensor::allocate(DType::f32, {1, 2, 1, 16}), expected = *Tensor::allocate(DType::f32, {1, 2, 1, 16});
    for (int64_t h = 0; h < 2; ++h) {
      std::copy_n(q.data<float>() + (h * 13 + t) * 16, 16, one.mutable_data<float>() + h * 16);
      std::copy_n(all.data<float>() + (h * 13 + t) * 16, 16, expected.mutable_data<float>() + h * 16);
    }
    check_same(run_op("FusedAttention", {{"scale", 0.25f}}, {one, k, v})[0], expected);
  }
}

TEST_CASE("attention: a mask of bools hides what it does not show, NaN too, and keys behind all that is seen are not read") {
  for (int64_t T : {1, 5, 40}) {
    INFO(T << " rows");
    const int64_t S = T + 9, D = 4;
    const Tensor q = random_f32({1, 2, T, D}, 1), v = random_f32({1, 2, S, D}, 3);
    Tensor k = random_f32({1, 2, S, D}, 2), mask = *Tensor::allocate(DType::boolean, {T, S}), bias = *Tensor::allocate(DType::f32, {T, S});
    for (int64_t i = 0; i < T * S; ++i) {
      const bool seen = i % S <= i / S + 9;
      mask.mutable_data<uint8_t>()[i] = seen;
      bias.mutable_data<float>()[i] = seen ? 0 : -kInf;
    }
    const Tensor expected = run_op("FusedAttention", {{"scale", 0.3f}}, {q, k, v, bias})[0];
    check_same(run_op("FusedAttention", {{"scale", 0.3f}}, {q, k, v, mask})[0], expected);
    check_same(run_op("FusedAttention", {{"scale", 0.3f}, {"after", int64_t(9)}}, {q, k, v, mask})[0], expected);
    if (T == 1) continue;
    Tensor last = f32(k.dims(), std::vector<float>(k.data<float>(), k.data<float>() + k.count()));
    for (int64_t h = 0; h < 2; ++h) last.mutable_data<float>()[(h * S + S - 1) * D] = std::numeric_limits<float>::quiet_NaN();
    const Tensor y = run_op("FusedAttention", {{"scale", 0.3f}}, {q, last, v, mask})[0];
    for (int64_t h = 0; h < 2; ++h) {  // the last row alone sees the last key
      for (int64_t i = 0; i < T * D; ++i) CHECK(std::isnan(y.data<float>()[h * T * D + i]) == (i >= (T - 1) * D));
    }
  }
  Tensor column = *Tensor::allocate(DType::boolean, {2, 1});
  column.mutable_data<uint8_t>()[0] = column.mutable_data<uint8_t>()[1] = 1;
  const Tensor x = random_f32({1, 1, 2, 3}, 1);
  CHECK(op_error("FusedAttention", {}, {x, x, x, column}).find("for each key") != std::string::npos);
}

TEST_CASE("attention: heads that share keys and values have the bits of each with its own") {
  const int64_t B = 2, H = 6, S = 19, D = 5, E = 7;
  for (int64_t T : {1, 4}) {
    for (int64_t KV : {1, 2, 3}) {
      INFO(T << " rows, " << KV << " of " << H << " heads");
      const Tensor q = random_f32({B, H, T, D}, 1), k = random_f32({B, KV, S, D}, 2), v = random_f32({B, KV, S, E}, 3),
                   mask = random_f32({H, T, S}, 4);
      auto each = [&](const Tensor& once, int64_t width) {
        Tensor all = *Tensor::allocate(DType::f32, {B, H, S, width});
        for (int64_t h = 0; h < B * H; ++h)
          std::copy_n(once.data<float>() + h / (H / KV) * S * width, S * width, all.mutable_data<float>() + h * S * width);
        return all;
      };
      check_same(run_op("FusedAttention", {{"scale", 0.3f}}, {q, k, v, mask})[0],
                 run_op("FusedAttention", {{"scale", 0.3f}}, {q, each(k, D), each(v, E), mask})[0]);
    }
  }
  // as many as share evenly, the same for keys and values
  const Tensor q = random_f32({1, 6, 2, 3}, 1), four = random_f32({1, 4, 2, 3}, 2), two = random_f32({1, 2, 2, 3}, 3),
               three = random_f32({1, 3, 2, 3}, 4);
  CHECK(!op_error("FusedAttention", {}, {q, four, four}).empty());
  CHECK(!op_error("FusedAttention", {}, {q, two, three}).empty());
  CHECK(!op_error("FusedAttention", {}, {two, q, q}).empty());
}

TEST_CASE("attention: no keys give zero, no queries give nothing, shapes that do not fit are refused") {
  auto empty = [](Dims d) { return *Tensor::allocate(DType::f32, d); };
  check_same(run_op("FusedAttention", {}, {random_f32({1, 1, 2, 3}, 1), empty({1, 1, 0, 3}), empty({1, 1, 0, 2})})[0],
             f32({1, 1, 2, 2}, {0, 0, 0, 0}));
  CHECK(run_op("FusedAttention", {}, {empty({1, 1, 0, 3}), random_f32({1, 1, 2, 3}, 1), random_f32({1, 1, 2, 4}, 1)})[0].dims() == Dims{1, 1, 0, 4});
  // no depth: all scores are zero, so y is the mean of v
  check_same(run_op("FusedAttention", {}, {empty({1, 1, 1, 0}), empty({1, 1, 2, 0}), f32({1, 1, 2, 1}, {1, 3})})[0], f32({1, 1, 1, 1}, {2}));
  CHECK(!op_error("FusedAttention", {}, {random_f32({1, 1, 2, 3}, 1), random_f32({1, 1, 2, 4}, 1), random_f32({1, 1, 2, 4}, 1)}).empty());
  CHECK(!op_error("FusedAttention", {}, {random_f32({1, 1, 2, 3}, 1), random_f32({1, 1, 2, 3}, 1), random_f32({1, 1, 2, 4}, 1), random_f32({3}, 1)})
             .empty());
}

}  // namespace tern::test::in_attention
