// Attention of ONNX against a plain reference in double. Contract: kernels/attention/general.h. The official cases are in tests/data/node.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "runtime/base/half.h"
#include "tests/support/cheap.h"
#include "tests/support/device.h"
#include "tests/support/heads.h"
#include "tests/support/op_test.h"

namespace tern::test::in_attention_general {
namespace {

// f32 in the order of kernels/attention/attention.h: 23 roundings of half an eps, of values up to 2, and what the exponential passes on of the
// roundings of scores up to 11.
constexpr float kClose = 4e-6f;
constexpr float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

struct Options {
  double scale = 0, softcap = 0;  // scale 0: 1 / sqrt(D)
  int mode = 0;
  std::function<double(int64_t b, int64_t h, int64_t s, int64_t j)> bias = [](int64_t, int64_t, int64_t, int64_t) { return 0.0; };
};
struct Known {
  Tensor y, qk;
};

// q [B, heads, S, D], k [B, kv_heads, T, D], v [B, kv_heads, T, Dv], past and new together.
Known reference(const Tensor& q, const Tensor& k, const Tensor& v, const Options& o = {}) {
  const int64_t B = q.dims()[0], heads = q.dims()[1], S = q.dims()[2], D = q.dims()[3], kv = k.dims()[1], T = k.dims()[2], Dv = v.dims()[3];
  Known known{*Tensor::allocate(DType::f32, {B, heads, S, Dv}), *Tensor::allocate(DType::f32, {B, heads, S, T})};
  for (int64_t row = 0; row < B * heads * S; ++row) {
    const int64_t s = row % S, h = row / S % heads, b = row / S / heads, at = (b * kv + h / (heads / kv)) * T;
    std::vector<double> weights;
    double most = -INFINITY, total = 0;
    for (int64_t j = 0; j < T; ++j) {
      double score = 0;
      for (int64_t d = 0; d < D; ++d) score += static_cast<double>(q.data<float>()[row * D + d]) * k.data<float>()[(at + j) * D + d];
      score *= o.scale == 0 ? 1 / std::sqrt(static_cast<double>(D)) : o.scale;
      const double capped = o.softcap == 0 ? score : o.softcap * std::tanh(score / o.softcap), masked = capped + o.bias(b, h, s, j);
      weights.push_back(masked);
      most = std::max(most, masked);
      if (o.mode < 3) known.qk.mutable_data<float>()[row * T + j] = static_cast<float>(o.mode == 0 ? score : o.mode == 1 ? capped : masked);
    }
    for (double& w : weights) total += w = most == -INFINITY ? 0 : std::exp(w - most);
    for (int64_t d = 0; d < Dv; ++d) {
      double sum = 0;
      for (int64_t j = 0; j < T && total > 0; ++j) sum += weights[static_cast<size_t>(j)] / total * v.data<float>()[(at + j) * Dv + d];
      known.y.mutable_data<float>()[row * Dv + d] = static_cast<float>(sum);
    }
    for (int64_t j = 0; j < T && o.mode == 3; ++j)
      known.qk.mutable_data<float>()[row * T + j] = static_cast<float>(total > 0 ? weights[static_cast<size_t>(j)] / total : 0);
  }
  return known;
}

// Places [from, to) of [B, heads, T, D].
Tensor places(const Tensor& x, int64_t from, int64_t to) {
  const int64_t T = x.dims()[2], D = x.dims()[3];
  Tensor y = *Tensor::allocate(DType::f32, {x.dims()[0], x.dims()[1], to - from, D});
  for (int64_t i = 0; i < y.count(); ++i)
    y.mutable_data<float>()[i] = x.data<float>()[(i / D / (to - from) * T + from + i / D % (to - from)) * D + i % D];
  return y;
}

Tensor attention(Attrs attrs, std::vector<Tensor> in) { return run_op("Attention", attrs, std::move(in))[0]; }

constexpr int64_t B = 2, heads = 4, kv = 2, S = 3, T = 5, D = 8, Dv = 6;
const Tensor& q() {
  static const Tensor t = random_f32({B, heads, S, D}, 1, -2, 2);
  return t;
}
const Tensor& k() {
  static const Tensor t = random_f32({B, kv, T, D}, 2, -2, 2);
  return t;
}
const Tensor& v() {
  static const Tensor t = random_f32({B, kv, T, Dv}, 3, -2, 2);
  return t;
}

}  // namespace

TEST_CASE("attention of onnx: grouped heads, a scale, a softcap, in both layouts") {
  for (double scale : {0.0, 0.75}) {
    for (double softcap : {0.0, 1.5}) {
      const Tensor known = reference(q(), k(), v(), {.scale = scale, .softcap = softcap}).y;
      // one rounding to f32, and the error of portable exp and tanh, far below it
      if (scale == 0) check_close(attention({{"softcap", static_cast<float>(softcap)}}, {q(), k(), v()}), known, 1, kClose);
      else
        check_close(attention({{"softcap", static_cast<float>(softcap)}, {"scale", static_cast<float>(scale)}}, {q(), k(), v()}), known, 1, kClose);
      if (scale == 0) {
        check_close(
            attention({{"softcap", static_cast<float>(softcap)}, {"q_num_heads", heads}, {"kv_num_heads", kv}}, {flat(q()), flat(k()), flat(v())}),
            flat(known), 1, kClose);
      }
    }
  }
}

TEST_CASE("attention of onnx: masks of bools and of floats broadcast, and a shorter one masks what is behind it") {
  const Tensor floats = random_f32({heads, 1, T}, 5, -3, 3), wide = random_f32({B, 1, S, 4}, 6, -3, 3),
               bools = boolean({S, T}, {1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0});
  const auto by_head = [&](int64_t, int64_t h, int64_t, int64_t j) -> double { return floats.data<float>()[h * T + j]; };
  check_close(attention({}, {q(), k(), v(), floats}), reference(q(), k(), v(), {.bias = by_head}).y, 1, kClose);
  const auto by_row = [&](int64_t b, int64_t, int64_t s, int64_t j) -> double { return j < 4 ? wide.data<float>()[(b * S + s) * 4 + j] : -INFINITY; };
  check_close(attention({}, {q(), k(), v(), wide}), reference(q(), k(), v(), {.bias = by_row}).y, 1, kClose);
  const auto allowed = [&](int64_t, int64_t, int64_t s, int64_t j) -> double { return bools.data<bool>()[s * T + j] ? 0 : -INFINITY; };
  check_close(attention({}, {q(), k(), v(), bools}), reference(q(), k(), v(), {.bias = allowed}).y, 1, kClose);
}

TEST_CASE("attention of onnx: causal rows see no later place, counted from behind the past") {
  const auto upto = [](int64_t past) { return [=](int64_t, int64_t, int64_t s, int64_t j) -> double { return j <= s + past ? 0 : -INFINITY; }; };
  check_close(attention({{"is_causal", int64_t(1)}}, {q(), k(), v()}), reference(q(), k(), v(), {.bias = upto(0)}).y, 1, kClose);
  for (int64_t past : {1, 2, 4}) {
    const auto y = run_op("Attention", {{"is_causal", int64_t(1)}},
                          {q(), places(k(), past, T), places(v(), past, T), absent(), places(k(), 0, past), places(v(), 0, past)}, 3);
    check_close(y[0], reference(q(), k(), v(), {.bias = upto(past)}).y, 1, kClose);
    check_same(y[1], k());
    check_same(y[2], v());
  }
}

TEST_CASE("attention of onnx: a window ends what a row sees on each side of its place") {
  for (int64_t left : {int64_t(-1), int64_t(0), int64_t(2), INT64_MAX}) {
    for (int64_t right : {int64_t(-1), int64_t(0), int64_t(1), INT64_MAX}) {
      for (int64_t causal : {0, 1}) {
        for (int64_t past : {0, 2}) {
          const auto window = [=](int64_t, int64_t, int64_t s, int64_t j) -> double {
            const int64_t place = s + past;
            return (left < 0 || place - j <= left) && (right < 0 || j - place <= right) && (causal == 0 || j <= place) ? 0 : -INFINITY;
          };
          const Attrs attrs = {{"left_window_size", left}, {"right_window_size", right}, {"is_causal", causal}};
          const std::vector<Tensor> whole = {q(), k(), v()}, in_parts = {q(),      places(k(), past, T), places(v(), past, T),
                                                                         absent(), places(k(), 0, past), places(v(), 0, past)};
          check_close(attention(attrs, past == 0 ? whole : in_parts), reference(q(), k(), v(), {.bias = window}).y, 1, kClose);
        }
      }
    }
  }
}

TEST_CASE("attention of onnx: keys behind nonpad_kv_seqlen are padding") {
  const int64_t valid[B] = {5, 2};
  const auto bias = [&](int64_t b, int64_t, int64_t, int64_t j) -> double { return j < valid[b] ? 0 : -INFINITY; };
  check_close(attention({}, {q(), k(), v(), absent(), absent(), absent(), i64({B}, {5, 2})}), reference(q(), k(), v(), {.bias = bias}).y, 1, kClose);
  const auto causal = [&](int64_t b, int64_t, int64_t s, int64_t j) -> double { return j < valid[b] && j <= s + valid[b] - S ? 0 : -INFINITY; };
  const Tensor y = attention({{"is_causal", int64_t(1)}}, {q(), k(), v(), absent(), absent(), absent(), i64({B}, {5, 2})});
  check_close(y, reference(q(), k(), v(), {.bias = causal}).y, 1, kClose);
  // lengths outside of the keys are the nearest end: nothing is read elsewhere
  check_same(attention({}, {q(), k(), v(), absent(), absent(), absent(), i64({B}, {5, INT64_MAX})}), attention({}, {q(), k(), v()}));
  const Tensor none = attention({}, {q(), k(), v(), absent(), absent(), absent(), i64({B}, {-1, INT64_MIN})});
  for (int64_t i = 0; i < none.count(); ++i) CHECK(none.data<float>()[i] == 0);
}

TEST_CASE("attention of onnx: the scores come out before and after the softcap, with the mask, and as weights") {
  const Tensor mask = random_f32({S, T}, 7, -1, 1);
  for (int mode = 0; mode < 4; ++mode) {
    const auto bias = [&](int64_t, int64_t, int64_t s, int64_t j) -> double { return mask.data<float>()[s * T + j]; };
    const Known known = reference(q(), k(), v(), {.softcap = 2, .mode = mode, .bias = bias});
    const auto y = run_op("Attention", {{"softcap", 2.0f}, {"qk_matmul_output_mode", int64_t(mode)}}, {q(), k(), v(), mask}, 4);
    check_close(y[0], known.y, 1, kClose);
    check_close(y[3], known.qk, 1, kClose);
  }
}

TEST_CASE("attention of onnx: a row that sees nothing is 0, and what is masked does not count even when it is NaN") {
  const Tensor x = f32({1, 1, 1, 2}, {1, 2}), keys = f32({1, 1, 2, 2}, {1, 0, kNaN, kInf}), values = f32({1, 1, 2, 1}, {7, 3});
  check_same(attention({}, {x, keys, values, boolean({1, 2}, {true, false})}), f32({1, 1, 1, 1}, {7}));
  check_same(attention({}, {x, keys, values, f32({1, 2}, {0, -kInf})}), f32({1, 1, 1, 1}, {7}));
  const auto y = run_op("Attention", {{"qk_matmul_output_mode", int64_t(3)}}, {x, keys, values, boolean({1, 2}, {false, false})}, 4);
  check_same(y[0], f32({1, 1, 1, 1}, {0}));
  check_same(y[3], f32({1, 1, 1, 2}, {0, 0}));
  CHECK(std::isnan(attention({}, {x, keys, values}).data<float>()[0]));
}

TEST_CASE("attention of onnx: in f32 as in double, around every tile, with heads that share keys, past ones, windows, masks and lengths") {
  int turn = 0;
  for (int64_t rows : {1, 2, 7, 16, 17, 40}) {
    for (int64_t keys : {1, 15, 16, 17, 50}) {
      for (int64_t past : {0, 1, 16, 31}) {
        if (++turn % (on_device() ? 3 : static_cast<int>(every(1))) != 0) continue;
        const int64_t seed = turn, group = turn % 3 + 1, depth = turn % 5 == 0 ? 17 : 8, width = turn % 4 == 0 ? 16 : turn % 4 == 1 ? 35 : 6;
        const auto x = [&](int64_t h, int64_t n, int64_t d, int64_t more) {
          return random_f32({2, h, n, d}, static_cast<uint32_t>(seed * 8 + more), -1, 1);
        };
        std::vector<Tensor> in = {x(2 * group, rows, depth, 0), x(2, keys, depth, 1), x(2, keys, width, 2), absent()};
        const int64_t all = past + keys, shorter = turn % 2 == 0 ? all : (all + 1) / 2;
        if (turn % 3 == 1) in[3] = random_f32({2 * group, rows, shorter}, static_cast<uint32_t>(seed), -2, 1);
        if (turn % 3 == 2) {
          Tensor allowed = *Tensor::allocate(DType::boolean, {2, 1, rows, shorter});
          for (int64_t i = 0; i < allowed.count(); ++i) allowed.mutable_data<bool>()[i] = (i * 7 + seed) % 5 > 1;
          in[3] = allowed;
        }
        if (past > 0) in.insert(in.end(), {x(2, past, depth, 3), x(2, past, width, 4)});
        else if (turn % 7 < 3) in.insert(in.end(), {absent(), absent(), i64({2}, {keys, keys / 2})});
        INFO("rows " << rows << " keys " << keys << " past " << past << " turn " << turn);
        for (size_t outputs : {3u, 4u}) {
          const auto run = [&](int64_t precision) {
            return run_op("Attention",
                          {{"is_causal", int64_t(turn % 2)},
                           {"left_window_size", int64_t(turn % 4 == 3 ? turn % 23 : -1)},
                           {"right_window_size", int64_t(turn % 4 == 2 ? turn % 5 : -1)},
                           {"softcap", turn % 5 == 1 ? 1.5f : 0.0f},
                           {"qk_matmul_output_mode", int64_t(turn % 4)},
                           {"softmax_precision", precision}},
                          in, outputs);
          };
          const auto y = run(1), exact = run(11);
          for (size_t o = 0; o < outputs; ++o) check_close(y[o], exact[o], 1, o == 0 || o == 3 ? 8e-6f : 0.0f);
        }
      }
    }
  }
}

TEST_CASE("attention of onnx: past keys and values give the bits of as many that are new, wherever they end") {
  const int64_t D = 8, E = 16, all = 21;
  const Tensor q = random_f32({1, 1, 3, D}, 1), k = random_f32({1, 1, all, D}, 2), v = random_f32({1, 1, all, E}, 3);
  const auto part = [](const Tensor& t, int64_t from, int64_t to) {
    const int64_t width = t.dims()[3];
    return f32({1, 1, to - from, width}, std::vector<float>(t.data<float>() + from * width, t.data<float>() + to * width));
  };
  const Tensor expected = attention({}, {q, k, v});
  for (int64_t past = 1; past < all; ++past) {
    INFO(past);
    check_same(run_op("Attention", {}, {q, part(k, past, all), part(v, past, all), absent(), part(k, 0, past), part(v, 0, past)}, 3)[0], expected);
  }
}

TEST_CASE("attention of onnx: keys that no row of a block may see are not read, on every ISA alike") {
  const int64_t rows = 40;
  const Tensor x = random_f32({1, 1, rows, 8}, 1), keys = random_f32({1, 1, rows, 8}, 2);
  Tensor values = random_f32({1, 1, rows, 8}, 3);
  for (int64_t i = 20 * 8; i < 21 * 8; ++i) values.mutable_data<float>()[i] = kNaN;  // of the second block of sixteen rows
  const Tensor y = attention({{"is_causal", int64_t(1)}}, {x, keys, values});
  for (int64_t i = 0; i < y.count(); ++i) CHECK(std::isnan(y.data<float>()[i]) == (i / 8 >= 16));
}

TEST_CASE("attention of onnx: other floats are the double result rounded once") {
  const Tensor x = cast(random_f32({1, 2, 3, 4}, 1, -2, 2), DType::bf16), y = cast(random_f32({1, 2, 5, 4}, 2, -2, 2), DType::bf16);
  auto wide = [](const Tensor& t) {  // exact
    Tensor f = *Tensor::allocate(DType::f32, t.dims());
    for (int64_t i = 0; i < t.count(); ++i) f.mutable_data<float>()[i] = to_f32(t.data<bf16>()[i]);
    return f;
  };
  const Tensor known = reference(wide(x), wide(y), wide(y)).y, got = attention({}, {x, y, y});
  const Tensor exact = attention({}, {cast(wide(x), DType::f64), cast(wide(y), DType::f64), cast(wide(y), DType::f64)});
  const Tensor half = attention({}, {cast(wide(x), DType::f16), cast(wide(y), DType::f16), cast(wide(y), DType::f16)});  // exact too: 8 bits, -2 to 2
  for (int64_t i = 0; i < known.count(); ++i) {
    const double e = known.data<float>()[i];
    CHECK(std::fabs(to_f32(got.data<bf16>()[i]) - e) <= 0x1p-8 * std::fabs(e));
    CHECK(std::fabs(to_f32(half.data<f16>()[i]) - e) <= 0x1p-10 * std::fabs(e) + 0x1p-20);
    CHECK(std::fabs(exact.data<double>()[i] - e) <= 0x1p-23 * std::fabs(e));
  }
}

TEST_CASE("attention of onnx: no rows, no keys, no features") {
  CHECK(attention({}, {f32({1, 2, 0, 4}, {}), random_f32({1, 2, 3, 4}, 1), random_f32({1, 2, 3, 4}, 2)}).dims() == Dims{1, 2, 0, 4});
  check_same(attention({}, {random_f32({1, 1, 2, 2}, 1), f32({1, 1, 0, 2}, {}), f32({1, 1, 0, 2}, {})}), f32({1, 1, 2, 2}, {0, 0, 0, 0}));
  CHECK(attention({}, {random_f32({1, 1, 2, 2}, 1), random_f32({1, 1, 3, 2}, 1), f32({1, 1, 3, 0}, {})}).dims() == Dims{1, 1, 2, 0});
}

TEST_CASE("attention of onnx: shapes, dtypes and attributes that do not fit are refused") {
  auto error = [](Attrs attrs, std::vector<Tensor> in) { return op_error("Attention", attrs, std::move(in)); };
  CHECK(error({}, {flat(q()), flat(k()), flat(v())}) == "inputs of 3 dimensions need q_num_heads and kv_num_heads");
  CHECK(!error({{"q_num_heads", int64_t(5)}, {"kv_num_heads", kv}}, {flat(q()), flat(k()), flat(v())}).empty());
  CHECK(!error({}, {q(), random_f32({B, 3, T, D}, 1), random_f32({B, 3, T, D}, 1)}).empty());  // 3 heads do not serve 4
  CHECK(!error({}, {q(), random_f32({B, kv, T, D + 1}, 1), v()}).empty());
  CHECK(!error({}, {q(), k(), random_f32({B, kv, T + 1, Dv}, 1)}).empty());
  CHECK(!error({}, {q(), k(), flat(v())}).empty());
  CHECK(!error({}, {q(), k(), v(), random_f32({S, T + 1}, 1)}).empty());
  CHECK(!error({}, {q(), k(), v(), random_f32({S + 1, T}, 1)}).empty());
  CHECK(error({}, {q(), k(), v(), absent(), k()}) == "past_key and past_value come together");
  CHECK(error({}, {q(), k(), v(), absent(), k(), v(), i64({B}, {1, 1})}) == "nonpad_kv_seqlen and past_key exclude each other");
  CHECK(!error({}, {q(), k(), v(), absent(), k(), random_f32({B, kv, T + 1, Dv}, 1)}).empty());
  CHECK(!error({}, {q(), k(), v(), absent(), absent(), absent(), i64({1}, {1})}).empty());
  CHECK(error({{"qk_matmul_output_mode", int64_t(4)}}, {q(), k(), v()}) == "qk_matmul_output_mode is 4, expected 0 to 3");
  CHECK(error({{"left_window_size", int64_t(-2)}}, {q(), k(), v()}) == "left_window_size is -2, expected -1 (no end) or more");
  CHECK(error({}, {q(), cast(k(), DType::f64), v()}).find("K is f64 and Q is f32") != std::string::npos);
  CHECK(!error({}, {cast(q(), DType::i32), cast(k(), DType::i32), cast(v(), DType::i32)}).empty());
}

}  // namespace tern::test::in_attention_general
