// Constant weights in fewer bits: bf16 against the f32 product of weights that were rounded before, bit for bit; int8 against the documented formula in
// 64-bit integers, bit for bit. Contract: kernels/gemm/weights.h.
#include "kernels/gemm/weights.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "tests/support/cheap.h"
#include "tests/support/matrices.h"
#include "tests/support/op_test.h"

namespace tern::test::in_weights {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
constexpr WeightForm kForms[] = {WeightForm::bf16, WeightForm::int8};

Attributes attributes(Attrs list) {
  Attributes a;
  for (const auto& [name, value] : list) a.set(name, value);
  return a;
}
Tensor kept(const char* op, Attrs list, const std::vector<Tensor>& inputs, WeightForm form, Isa isa = Isa::avx512, int parts = 1,
            size_t outputs = 1) {
  auto y = evaluate(*find_op(op), attributes(list), inputs, outputs, {.isa = isa, .constants = ~1u, .products = {.weights = form}, .parts = parts});
  REQUIRE_MESSAGE(y.ok(), (y ? "" : y.error().message()));
  return (*y)[0];
}
// The same on every ISA, in 1, 2 and 3 parts.
Tensor on_all(const char* op, Attrs list, const std::vector<Tensor>& inputs, WeightForm form) {
  const Tensor first = kept(op, list, inputs, form, Isa::scalar);
  for (Isa isa : runnable_isas()) {
    for (int parts = 1; parts <= 3; ++parts) {
      CAPTURE(std::string(name(isa)));
      CAPTURE(parts);
      check_same(kept(op, list, inputs, form, isa, parts), first);
    }
  }
  return first;
}
std::string kernel(const char* op, Attrs list, std::vector<Tensor> inputs, WeightForm form) {
  const Attributes attrs = attributes(list);
  auto y = evaluate(*find_op(op), attrs, inputs, 1, {.constants = ~1u});
  REQUIRE(y.ok());
  std::vector<TensorView> in, out;
  for (const Tensor& t : inputs) in.push_back(t.view(&t != inputs.data()));
  for (Tensor& t : *y) out.push_back(t.view());
  auto bound = bind_op(*find_op(op), {.attrs = {find_op(op)->attrs, attrs}, .products = {.weights = form}, .inputs = in, .outputs = out});
  REQUIRE(bound.ok());
  const std::string row = bound->row->name;
  CHECK(bound->keeps_weights == (row.find("_weights_") != row.npos));
  return row.substr(0, row.find('/'));
}

// To the nearest of 8 bits, ties to even: by arithmetic, not by bits.
float to_8_bits(float x) {
  int exponent;
  const double mantissa = std::frexp(static_cast<double>(x), &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(mantissa * 256), exponent - 8));
}
Tensor rounded(const Tensor& t) {
  Tensor out = *Tensor::allocate(DType::f32, t.dims());
  for (int64_t i = 0; i < t.count(); ++i) out.mutable_data<float>()[i] = to_8_bits(t.data<float>()[i]);
  return out;
}
// What kernels/gemm/weights.h says of int8, for x [M,K], w [K,N] and a bias.
Tensor int8_model(const Tensor& x, const Tensor& w, const float* bias = nullptr) {
  const int64_t m = x.dims()[0], k = x.dims()[1], n = w.dims()[1];
  Tensor y = *Tensor::allocate(DType::f32, {m, n});
  for (int64_t r = 0; r < m; ++r) {
    const float* row = x.data<float>() + r * k;
    float most = 0;
    for (int64_t i = 0; i < k; ++i) most = std::max(most, std::fabs(row[i]));
    int exponent = 0;
    std::frexp(most, &exponent);  // most in [2^(exponent - 1), 2^exponent)
    const float factor = std::ldexp(1.0f, exponent - int8_bits(k));
    for (int64_t c = 0; c < n; ++c) {
      float size = 0;
      for (int64_t i = 0; i < k; ++i) size = std::max(size, std::fabs(w.data<float>()[i * n + c]));
      const float scale = size / 127;
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i) {
        const float q = std::nearbyint(w.data<float>()[i * n + c] / scale), v = std::nearbyint(row[i] / factor);
        sum += static_cast<int64_t>(q) * std::min<int64_t>(32767, std::max<int64_t>(-32767, static_cast<int64_t>(v)));
      }
      REQUIRE(std::abs(sum) < (int64_t(1) << 31));
      y.mutable_data<float>()[r * n + c] = std::fma(static_cast<float>(sum) * scale, factor, bias ? bias[c] : 0);
    }
  }
  return y;
}

// N and K of every chain count, group width and tail.
constexpr std::array<int64_t, 2> kShapes[] = {{16, 256}, {17, 241}, {24, 300}, {20, 206}, {32, 131}, {33, 126},  {48, 87}, {64, 64},  {65, 65},
                                              {80, 60},  {96, 43},  {112, 37}, {113, 64}, {150, 28}, {400, 100}, {512, 9}, {4100, 1}, {250, 17}};

}  // namespace

TEST_CASE("weights: bf16 gives the bits of the f32 product of rounded weights, for every shape, ISA, share and batch") {
  for (const auto& shape : kShapes) {
    const int64_t n = shape[0], k = shape[1];
    const Tensor x = random_f32({9, k}, 1), w = random_f32({k, n}, 2), as_rounded = rounded(w);
    for (int64_t m : {1, 2, 3, 4, 5, 9}) {
      INFO("M " << m << " N " << n << " K " << k);
      const Tensor rows = first_rows(x, m);
      check_same(on_all("MatMul", {}, {rows, w}, WeightForm::bf16), run_op("MatMul", {}, {rows, as_rounded})[0]);
    }
  }
}

TEST_CASE("weights: int8 is the documented sum of integers, for every shape, ISA, share and batch") {
  for (const auto& shape : kShapes) {
    const int64_t n = shape[0], k = shape[1];
    const Tensor x = random_f32({9, k}, 3, -3, 3), w = random_f32({k, n}, 4);
    const Tensor model = int8_model(x, w);
    for (int64_t m : {1, 2, 3, 4, 5, 9}) {
      INFO("M " << m << " N " << n << " K " << k);
      check_same(on_all("MatMul", {}, {first_rows(x, m), w}, WeightForm::int8), first_rows(model, m));
    }
  }
}

TEST_CASE("weights: long sums of int8 keep fewer bits of x and do not overflow") {
  for (int64_t k : {516, 517, 1033, 8200, 16384}) {
    std::vector<float> ones(static_cast<size_t>(k), 1.99999f), w(static_cast<size_t>(k) * 20, -0.75f);
    const Tensor x = f32({1, k}, ones), of = f32({k, 20}, w);
    CAPTURE(k);
    check_same(on_all("MatMul", {}, {x, of}, WeightForm::int8), int8_model(x, of));
  }
  CHECK(int8_bits(516) == 15);
  CHECK(int8_bits(517) == 14);
  CHECK(int8_bits(kMostInt8Terms) == 10);
  CHECK(kernel("MatMul", {}, {random_f32({1, 16385}, 1), random_f32({16385, 20}, 2)}, WeightForm::int8) == "gemm_row");
}

TEST_CASE("weights: bias, residual, activations, transposed and scaled weights") {
  const Tensor x = random_f32({5, 60}, 1), w = random_f32({60, 80}, 2), b = random_f32({80}, 3), residual = random_f32({5, 80}, 4);
  const Tensor back = transposed(w);
  for (const char* activation : {"", "Relu", "Tanh", "Gelu"}) {
    CAPTURE(activation);
    const Attrs list = {{"activation", std::string(activation)}}, turned = {{"activation", std::string(activation)}, {"transB", int64_t(1)}};
    const Tensor y = run_op("Linear", list, {x, rounded(w), b, residual})[0];
    check_same(on_all("Linear", list, {x, w, b, residual}, WeightForm::bf16), y);
    check_same(on_all("Linear", turned, {x, back, b, residual}, WeightForm::bf16), y);
    // After the sums of integers come f32 operations, one by one.
    const Tensor sums = run_op("Add", {}, {int8_model(x, w, b.data<float>()), residual})[0];
    const Tensor z = *activation ? run_op(activation, {}, {sums})[0] : sums;
    check_same(on_all("Linear", list, {x, w, b, residual}, WeightForm::int8), z);
    check_same(on_all("Linear", turned, {x, back, b, residual}, WeightForm::int8), z);
  }
  // alpha is multiplied into w before it is rounded: a power of two commutes with that.
  const Attrs half = {{"alpha", 0.5f}};
  check_same(on_all("Gemm", half, {x, w, b}, WeightForm::bf16), run_op("Gemm", half, {x, rounded(w), b})[0]);
  const Tensor rows = random_f32({5, 80}, 5);  // a bias for each row
  check_same(on_all("Gemm", {}, {x, w, rows}, WeightForm::bf16), run_op("Gemm", {}, {x, rounded(w), rows})[0]);
}

TEST_CASE("weights: each matrix of a batch is kept, and one of all is") {
  const Tensor x = random_f32({2, 3, 4, 64}, 1), w = random_f32({3, 64, 70}, 2), one = random_f32({64, 70}, 3);
  for (const Tensor& of : {w, one}) check_same(on_all("MatMul", {}, {x, of}, WeightForm::bf16), run_op("MatMul", {}, {x, rounded(of)})[0]);
  const Tensor all = on_all("MatMul", {}, {x, w}, WeightForm::int8);
  for (int64_t b = 0; b < 6; ++b) {
    const Tensor rows = f32({4, 64}, std::vector<float>(x.data<float>() + b * 256, x.data<float>() + (b + 1) * 256));
    const float* matrix = w.data<float>() + b % 3 * 64 * 70;
    const Tensor of = f32({64, 70}, std::vector<float>(matrix, matrix + 64 * 70));
    check_same(f32({4, 70}, std::vector<float>(all.data<float>() + b * 280, all.data<float>() + (b + 1) * 280)), int8_model(rows, of));
  }
}

TEST_CASE("weights: the error is within what is stated") {
  for (const auto& shape : kShapes) {
    const int64_t n = shape[0], k = shape[1];
    const Tensor x = random_f32({2, k}, 5, -4, 4), w = random_f32({k, n}, 6);
    for (WeightForm form : kForms) {
      const Tensor y = kept("MatMul", {}, {x, w}, form);
      int64_t outside = 0;
      for (int64_t i = 0; i < 2 * n; ++i) {
        const int64_t r = i / n, c = i % n;
        double sum = 0, size = 0, terms = 0, most_x = 0, most_w = 0;
        for (int64_t j = 0; j < k; ++j) {
          const double a = x.data<float>()[r * k + j], b = w.data<float>()[j * n + c];
          sum += a * b, size += std::fabs(a * b), terms += std::fabs(a), most_x = std::max(most_x, std::fabs(a)),
                                                                         most_w = std::max(most_w, std::fabs(b));
        }
        const double f32_error = static_cast<double>(k + 2) * 0x1p-24 * size;
        const double bound =
            form == WeightForm::bf16 ? 0x1p-8 * size : terms * most_w / 254 + static_cast<double>(k) * std::ldexp(most_x * most_w, -int8_bits(k));
        outside += !(std::fabs(y.data<float>()[i] - sum) <= bound + 2 * f32_error + 1e-6 * std::fabs(sum));
      }
      CHECK(outside == 0);
    }
  }
}

TEST_CASE("weights: NaN, infinities, zeros and tiny rows of x") {
  std::vector<float> values(6 * 64, 0.0f);
  for (size_t i = 0; i < 64; ++i) values[2 * 64 + i] = values[3 * 64 + i] = 0.25f, values[4 * 64 + i] = 1e-33f, values[5 * 64 + i] = 3e36f;
  values[2 * 64 + 63] = kNan, values[3 * 64] = -kInf, values[64 + 5] = -0.0f;
  const Tensor x = f32({6, 64}, values), w = random_f32({64, 64}, 2), b = random_f32({64}, 3);
  const Tensor y = on_all("Linear", {}, {x, w, b}, WeightForm::int8);
  check_same(on_all("Linear", {}, {x, w, b}, WeightForm::bf16), run_op("Linear", {}, {x, rounded(w), b})[0]);
  for (int64_t c = 0; c < 64; ++c) {
    const float bias = b.data<float>()[c];
    for (int64_t r : {0, 1, 4}) CHECK(y.data<float>()[r * 64 + c] == bias);
    for (int64_t r : {2, 3}) CHECK(std::isnan(y.data<float>()[r * 64 + c]));
    CHECK(std::isfinite(y.data<float>()[5 * 64 + c]));
  }
  // 2^-101 and 2^-100, with nothing added to them.
  const Tensor small = f32({2, 64}, [] {
    std::vector<float> rows(128, 0x1p-101f);
    std::fill(rows.begin() + 64, rows.end(), 0x1p-100f);
    return rows;
  }());
  const Tensor z = on_all("MatMul", {}, {small, w}, WeightForm::int8), one = int8_model(small, w);
  for (int64_t c = 0; c < 64; ++c) CHECK(z.data<float>()[c] == 0);
  for (int64_t c = 64; c < 128; ++c) CHECK(z.data<float>()[c] == one.data<float>()[c]);
}

TEST_CASE("weights: a column that is not finite is NaN, one of zeros is the bias") {
  Tensor w = random_f32({64, 64}, 2);
  for (int64_t k = 0; k < 64; ++k) w.mutable_data<float>()[k * 64 + 3] = 0;
  w.mutable_data<float>()[7] = kNan;
  w.mutable_data<float>()[64 + 8] = kInf;
  const Tensor x = random_f32({1, 64}, 1), b = random_f32({64}, 3), y = on_all("Linear", {}, {x, w, b}, WeightForm::int8);
  for (int64_t c = 0; c < 64; ++c) {
    if (c == 3) CHECK(y.data<float>()[c] == b.data<float>()[c]);
    else CHECK(std::isnan(y.data<float>()[c]) == (c == 7 || c == 8));
  }
}

// Steps and states that bytes hold exactly: the integers are then what f32 computes, one step at a time. Columns with scales of their own, an H that
// leaves units over, a row alone and two, weights too few to be kept so; scales that are not the columns' own, which fewer bits would show.
TEST_CASE("weights: an LSTM of 8 bits multiplies the integers of its file, by their scales") {
  for (const auto& [batch, hidden] : {std::pair<int64_t, int64_t>{1, 66}, {1, 64}, {2, 66}, {2, 9}, {1, 9}}) {
    for (bool both : {false, true}) {
      const int64_t D = both ? 2 : 1, n = 4 * hidden, inputs = 70;
      std::mt19937 next(9);
      const auto multiples = [&](Dims dims, int most, float step) {
        Tensor t = *Tensor::allocate(DType::f32, dims);
        for (int64_t i = 0; i < t.count(); ++i)
          t.mutable_data<float>()[i] = static_cast<float>(static_cast<int>(next() % (2u * most + 1)) - most) * step;
        return t;
      };
      const auto scaled = [&](int64_t k, Tensor& bytes, Tensor& scales) {  // by powers of two: exact
        Tensor w = multiples({D, n, k}, 127, 1);
        for (int64_t i = 0; i < w.count(); ++i) w.mutable_data<float>()[i] *= i / k % (D * n) % 7 == 0 ? 0.0f : 1.0f;
        bytes = test::cast(w, DType::i8);
        scales = *Tensor::allocate(DType::f32, {D, n});
        for (int64_t c = 0; c < D * n; ++c) {
          scales.mutable_data<float>()[c] = std::ldexp(1.0f, -static_cast<int>(12 + next() % 3));
          for (int64_t i = 0; i < k; ++i) w.mutable_data<float>()[c * k + i] *= scales.data<float>()[c];
        }
        return w;
      };
      Tensor w_scales, r_scales, w_bytes, r_bytes;
      const Tensor w = scaled(inputs, w_bytes, w_scales), r = scaled(hidden, r_bytes, r_scales), bias = multiples({D, 2 * n}, 100, 0x1p-14f);
      const Tensor x = multiples({1, batch, inputs}, 127, 0x1p-7f), h = multiples({D, batch, hidden}, 127, 0x1p-7f), none;
      const Attrs list{{"hidden_size", hidden}, {"direction", std::string(both ? "bidirectional" : "forward")}};
      const Tensor exact = run_op("LSTM", list, {x, w, r, bias, none, h}, 3)[2];
      for (Isa isa : runnable_isas()) {
        const std::vector<Tensor> in{x, w_bytes, r_bytes, bias, none, h, none, none, w_scales, r_scales};
        auto y = evaluate(*find_op("DynamicQuantizeLSTM"), attributes(list), in, 3, {.isa = isa, .constants = ~1u});
        REQUIRE(y.ok());
        check_same((*y)[2], exact);
      }
    }
  }
  CHECK(op_error("DynamicQuantizeLSTM", {},
                 {random_f32({1, 1, 3}, 1),
                  test::cast(random_f32({1, 8, 3}, 2), DType::i8),
                  test::cast(random_f32({1, 8, 2}, 3), DType::i8),
                  {},
                  {},
                  {},
                  {},
                  {},
                  random_f32({1, 8}, 4),
                  random_f32({1, 8}, 5)}) != "");  // not constant
}

TEST_CASE("weights: what gains nothing stays f32") {
  auto of = [](int64_t m, int64_t k, int64_t n) { return std::vector<Tensor>{random_f32({m, k}, 1), random_f32({k, n}, 2)}; };
  for (WeightForm form : kForms) {
    CHECK(kernel("MatMul", {}, of(1, 63, 65), form) == "gemm");   // 4095 of them
    CHECK(kernel("MatMul", {}, of(2, 512, 16), form) == "gemm");  // dot products
    CHECK(kernel("Gemm", {{"transA", int64_t(1)}}, {random_f32({64, 3}, 1), random_f32({64, 64}, 2)}, form) == "gemm");
    CHECK(kernel("MatMul", {}, of(1, 64, 64), form) == (form == WeightForm::bf16 ? "gemm_weights_bf16" : "gemm_weights_int8"));
  }
}

namespace {

// X, W, R, B of a window.
std::vector<Tensor> window(int64_t gates, int64_t steps, int64_t batch, int64_t inputs, int64_t hidden, int64_t directions) {
  const int64_t n = gates * hidden;
  return {random_f32({steps, batch, inputs}, 1, -2, 2), random_f32({directions, n, inputs}, 2, -0.1f, 0.1f),
          random_f32({directions, n, hidden}, 3, -0.1f, 0.1f), random_f32({directions, 2 * n}, 4, -0.5f, 0.5f)};
}
// The rows of a recurrent layer's weights as they are multiplied, and what kernels/gemm/weights.h and kernels/rnn/rnn.h say of a sum, start + sum_k x w,
// of each row of w.
struct KeptRows {
  WeightForm form;
  int64_t k;
  std::vector<float> w, scales;  // bf16: rounded; int8: integers

  KeptRows(WeightForm f, const float* from, int64_t n, int64_t terms) : form(f), k(terms), w(from, from + n * terms) {
    for (int64_t r = 0; r < n; ++r) {
      float most = 0;
      for (int64_t i = 0; i < k; ++i) most = std::max(most, std::fabs(from[r * k + i]));
      scales.push_back(most / 127);
      for (int64_t i = 0; i < k; ++i) {
        float& e = w[static_cast<size_t>(r * k + i)];
        e = form == WeightForm::bf16 ? to_8_bits(e) : std::nearbyint(e / scales.back());
      }
    }
  }
  float sum(const float* x, int bits, int64_t row, float start) const {
    const float* of = w.data() + row * k;
    if (form == WeightForm::bf16) {
      for (int64_t i = 0; i < k; ++i) start = std::fma(to_8_bits(x[i]), of[i], start);
      return start;
    }
    float most = 0;
    for (int64_t i = 0; i < k; ++i) most = std::max(most, std::fabs(x[i]));
    int exponent = 0;
    std::frexp(most, &exponent);
    const float factor = std::ldexp(1.0f, exponent - bits), limit = bits == 7 ? 127 : 32767;
    int64_t total = 0;
    for (int64_t i = 0; i < k; ++i)
      total += static_cast<int64_t>(of[i]) * static_cast<int64_t>(std::clamp(std::nearbyint(x[i] / factor), -limit, limit));
    return std::fma(static_cast<float>(total) * scales[static_cast<size_t>(row)], most == 0 ? 0 : factor, start);
  }
};

std::vector<float> applied(const char* op, const std::vector<float>& x) {
  const Tensor y = run_op(op, {}, {f32({static_cast<int64_t>(x.size())}, x)})[0];
  return {y.data<float>(), y.data<float>() + x.size()};
}

// A row of one direction, step by step: y of each step, in the order of time. Gates as ONNX orders them.
struct RowModel {
  const char* op;
  int64_t gates, inputs, hidden;
  bool linear_before_reset;
  KeptRows w, r;
  const float* bias;  // [2 * gates * hidden]

  std::vector<float> part(const KeptRows& of, const std::vector<float>& x, int bits, int64_t gate, const std::vector<float>& start) const {
    std::vector<float> y;
    for (int64_t u = 0; u < hidden; ++u) y.push_back(of.sum(x.data(), bits, gate * hidden + u, start[static_cast<size_t>(u)]));
    return y;
  }
  std::vector<float> bias_of(int64_t gate, bool w_part, bool r_part) const {
    std::vector<float> y;
    for (int64_t j = gate * hidden; j < (gate + 1) * hidden; ++j) {
      const float wb = bias[j], rb = bias[gates * hidden + j];
      y.push_back(w_part && r_part ? wb + rb : w_part ? wb : rb);
    }
    return y;
  }
  void step(const std::vector<float>& x, std::vector<float>& h, std::vector<float>& c) const {
    const int x_bits = 7, h_bits = 7;
    const auto gate = [&](int64_t g) { return part(r, h, h_bits, g, part(w, x, x_bits, g, bias_of(g, true, true))); };
    const size_t n = h.size();
    if (gates == 1) {
      h = applied("Tanh", gate(0));
    } else if (gates == 4) {
      const auto i = applied("Sigmoid", gate(0)), o = applied("Sigmoid", gate(1)), f = applied("Sigmoid", gate(2)), g = applied("Tanh", gate(3));
      for (size_t u = 0; u < n; ++u) c[u] = f[u] * c[u] + i[u] * g[u];
      const auto t = applied("Tanh", c);
      for (size_t u = 0; u < n; ++u) h[u] = o[u] * t[u];
    } else {
      const auto z = applied("Sigmoid", gate(0)), reset = applied("Sigmoid", gate(1));
      std::vector<float> t = part(w, x, x_bits, 2, bias_of(2, true, !linear_before_reset)), rh = h;
      if (linear_before_reset) {
        const auto linear = part(r, h, h_bits, 2, bias_of(2, false, true));
        for (size_t u = 0; u < n; ++u) t[u] = t[u] + reset[u] * linear[u];
      } else {
        for (size_t u = 0; u < n; ++u) rh[u] = reset[u] * h[u];
        t = part(r, rh, h_bits, 2, t);
      }
      t = applied("Tanh", t);
      for (size_t u = 0; u < n; ++u) h[u] = (1 - z[u]) * t[u] + z[u] * h[u];
    }
  }
};

// Every row alone and in a batch of three, in both directions, as the model says.
void check_recurrent(const char* op, int64_t gates, int64_t inputs, int64_t hidden, int64_t steps, WeightForm form, bool linear = false) {
  INFO(op << " of " << hidden << " units, " << inputs << " inputs, " << (form == WeightForm::bf16 ? "bf16" : "int8") << (linear ? ", linear" : ""));
  const int64_t batch = 3, n = gates * hidden;
  auto in = window(gates, steps, batch, inputs, hidden, 2);
  for (int64_t i = 0; i < in[0].count(); ++i)
    in[0].mutable_data<float>()[i] /= static_cast<float>(1 << i / inputs % 5);  // each row has its own scale
  std::vector<float> wanted(static_cast<size_t>(steps * 2 * batch * hidden));
  for (int64_t d = 0; d < 2; ++d) {
    const RowModel model{op,
                         gates,
                         inputs,
                         hidden,
                         linear,
                         KeptRows(form, in[1].data<float>() + d * n * inputs, n, inputs),
                         KeptRows(form, in[2].data<float>() + d * n * hidden, n, hidden),
                         in[3].data<float>() + d * 2 * n};
    for (int64_t row = 0; row < batch; ++row) {
      std::vector<float> h(static_cast<size_t>(hidden)), c = h;
      for (int64_t i = 0; i < steps; ++i) {
        const int64_t t = d == 1 ? steps - 1 - i : i;
        const float* x = in[0].data<float>() + (t * batch + row) * inputs;
        model.step({x, x + inputs}, h, c);
        std::copy(h.begin(), h.end(), wanted.begin() + ((t * 2 + d) * batch + row) * hidden);
      }
    }
  }
  const Attrs plain = {{"hidden_size", hidden}, {"direction", std::string("bidirectional")}};
  const Attrs of_gru = {{"hidden_size", hidden}, {"direction", std::string("bidirectional")}, {"linear_before_reset", int64_t(linear)}};
  const Attrs& list = gates == 3 ? of_gru : plain;
  check_same(on_all(op, list, in, form), f32({steps, 2, batch, hidden}, wanted));
  auto one = in;
  std::vector<float> x, of_row;
  for (int64_t t = 0; t < steps; ++t) {
    x.insert(x.end(), in[0].data<float>() + t * batch * inputs, in[0].data<float>() + (t * batch + 1) * inputs);
    for (int64_t d = 0; d < 2; ++d) {
      const auto at = wanted.begin() + (t * 2 + d) * batch * hidden;
      of_row.insert(of_row.end(), at, at + hidden);
    }
  }
  one[0] = f32({steps, 1, inputs}, x);
  check_same(on_all(op, list, one, form), f32({steps, 2, 1, hidden}, of_row));
}

}  // namespace

TEST_CASE("weights: recurrent layers round x, h and weights as documented; rows alone have the bits of rows in a batch") {
  for (WeightForm form : kForms) {
    // Units with blocks of every kind; windows with steps ahead (kernels/rnn/interleaved.h) where R is larger than L1, inputs that are odd.
    for (const auto& [hidden, inputs, steps] :
         {std::array<int64_t, 3>{100, 17, 19}, {67, 18, 3}, {64, 31, 2}, {21, 300, 2}, {3, 1501, 2}, {96, 9, 17}}) {
      if (!kSanitized || steps < 4) check_recurrent("LSTM", 4, inputs, hidden, steps, form);
    }
    for (const auto& [hidden, inputs, steps] : {std::array<int64_t, 3>{101, 19, 18}, {67, 18, 3}, {3, 2001, 2}}) {
      if (kSanitized && steps > 3) continue;
      for (bool linear : {false, true}) check_recurrent("GRU", 3, inputs, hidden, steps, form, linear);
    }
    check_recurrent("RNN", 1, 180, 67, 3, form);
  }
}

}  // namespace tern::test::in_weights
