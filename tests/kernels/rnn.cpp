// LSTM, GRU and RNN against plain double references written from the ONNX formulas, all options crossed. Contract: kernels/rnn/rnn.h.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test::in_rnn {
namespace {

using Function = std::function<double(double)>;

struct Options {
  std::string op = "LSTM", direction = "forward";
  int64_t steps = 4, batch = 2, inputs = 3, hidden = 5;
  int64_t layout = 0;
  bool bias = true, initial = true, peepholes = false, input_forget = false, before_reset = false;
  double clip = 0;
  std::vector<int32_t> lengths;
  std::vector<std::string> names;  // of activations, with what they are:
  std::vector<Function> functions;
  std::vector<float> alphas, betas;
  DType dtype = DType::f32;
  uint32_t seed = 1;
  int64_t directions() const { return direction == "bidirectional" ? 2 : 1; }
  int64_t gates() const { return op == "LSTM" ? 4 : op == "GRU" ? 3 : 1; }
  size_t function_count() const { return op == "LSTM" ? 3 : op == "GRU" ? 2 : 1; }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double tanh_of(double x) { return std::tanh(x); }

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

// The inputs of a node with these options; absent ones are absent.
std::vector<Tensor> make_inputs(const Options& o) {
  const int64_t D = o.directions(), n = o.gates() * o.hidden;
  const float range = 1.5f / std::sqrt(static_cast<float>(o.hidden));
  const Dims state = o.layout ? Dims{o.batch, D, o.hidden} : Dims{D, o.batch, o.hidden};
  auto make = [&](bool present, Dims dims, uint32_t seed, float r) {
    return present ? cast(random_f32(dims, o.seed + seed, -r, r), o.dtype) : absent();
  };
  std::vector<Tensor> in = {make(true, o.layout ? Dims{o.batch, o.steps, o.inputs} : Dims{o.steps, o.batch, o.inputs}, 1, 2),
                            make(true, {D, n, o.inputs}, 2, 0.7f),
                            make(true, {D, n, o.hidden}, 3, range),
                            make(o.bias, {D, 2 * n}, 4, 0.5f),
                            o.lengths.empty() ? absent() : Tensor::of<int32_t>({o.batch}, o.lengths),
                            make(o.initial, state, 5, 0.8f)};
  if (o.op == "LSTM") {
    in.push_back(make(o.initial, state, 6, 0.8f));
    in.push_back(make(o.peepholes, {D, 3 * o.hidden}, 7, 0.5f));
  }
  return in;
}

std::vector<Tensor> run(const Options& o, const std::vector<Tensor>& in) {
  std::vector<std::pair<const char*, Attributes::Value>> attrs = {{"direction", o.direction}, {"hidden_size", o.hidden}, {"layout", o.layout}};
  if (o.clip > 0) attrs.emplace_back("clip", static_cast<float>(o.clip));
  if (!o.names.empty()) attrs.emplace_back("activations", o.names);
  if (!o.alphas.empty()) attrs.emplace_back("activation_alpha", o.alphas);
  if (!o.betas.empty()) attrs.emplace_back("activation_beta", o.betas);
  if (o.op == "LSTM") attrs.emplace_back("input_forget", int64_t(o.input_forget));
  if (o.op == "GRU") attrs.emplace_back("linear_before_reset", int64_t(o.before_reset));
  const size_t outputs = o.op == "LSTM" ? 3 : 2;
  // run_op takes a fixed list of attributes: padded by repeating the first, which sets the same value again.
  auto at = [&](size_t i) { return i < attrs.size() ? attrs[i] : attrs[0]; };
  return run_op(o.op.c_str(), {at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)}, in, outputs);
}

// Y, Y_h, Y_c by the formulas, in double.
std::vector<std::vector<double>> reference(const Options& o, const std::vector<Tensor>& in) {
  const int64_t T = o.steps, B = o.batch, I = o.inputs, H = o.hidden, D = o.directions(), G = o.gates(), n = G * H;
  std::vector<std::vector<double>> v;
  for (const Tensor& t : in) v.push_back(t.present() && t.dtype() != DType::i32 ? doubles(t) : std::vector<double>());
  v.resize(8);
  std::vector<double> y(static_cast<size_t>(T * D * B * H)), y_h(static_cast<size_t>(D * B * H)), y_c = y_h;
  for (int64_t d = 0; d < D; ++d) {
    auto f = [&](size_t i, double x) {
      if (o.clip > 0 && i < 2) x = std::min(std::max(x, -o.clip), o.clip);  // not h(c): onnxruntime, OpenVINO
      if (!o.functions.empty()) return o.functions[static_cast<size_t>(d) * o.function_count() + i](x);
      return i == 0 && o.op != "RNN" ? sigmoid(x) : std::tanh(x);
    };
    for (int64_t b = 0; b < B; ++b) {
      const int64_t length = o.lengths.empty() ? T : o.lengths[static_cast<size_t>(b)];
      const bool backwards = d == 1 || o.direction == "reverse";
      auto state_at = [&](int64_t u) { return static_cast<size_t>(o.layout ? (b * D + d) * H + u : (d * B + b) * H + u); };
      std::vector<double> h(static_cast<size_t>(H)), c = h;
      for (int64_t u = 0; u < H && o.initial; ++u) {
        h[static_cast<size_t>(u)] = v[5][state_at(u)];
        if (o.op == "LSTM") c[static_cast<size_t>(u)] = v[6][state_at(u)];
      }
      for (int64_t s = 0; s < length; ++s) {
        const int64_t t = backwards ? length - 1 - s : s;
        auto x = [&](int64_t j) {
          double sum = o.bias ? v[3][static_cast<size_t>(d * 2 * n + j)] : 0;
          for (int64_t k = 0; k < I; ++k) {
            sum += v[0][static_cast<size_t>((o.layout ? b * T + t : t * B + b) * I + k)] * v[1][static_cast<size_t>((d * n + j) * I + k)];
          }
          return sum;
        };
        auto r = [&](int64_t j, const std::vector<double>& state) {
          double sum = o.bias ? v[3][static_cast<size_t>(d * 2 * n + n + j)] : 0;
          for (int64_t k = 0; k < H; ++k) sum += state[static_cast<size_t>(k)] * v[2][static_cast<size_t>((d * n + j) * H + k)];
          return sum;
        };
        auto p = [&](int64_t gate, int64_t u) { return o.peepholes ? v[7][static_cast<size_t>((d * 3 + gate) * H + u)] : 0; };
        std::vector<double> next(static_cast<size_t>(H)), reset = h, cells = c;
        if (o.op == "GRU") {
          for (int64_t u = 0; u < H; ++u) reset[static_cast<size_t>(u)] *= f(0, x(H + u) + r(H + u, h));
        }
        for (int64_t u = 0; u < H; ++u) {
          const size_t at = static_cast<size_t>(u);
          if (o.op == "RNN") next[at] = f(0, x(u) + r(u, h));
          if (o.op == "GRU") {
            const double z = f(0, x(u) + r(u, h)), gate = f(0, x(H + u) + r(H + u, h));
            const double candidate = f(1, o.before_reset ? x(2 * H + u) + gate * r(2 * H + u, h) : x(2 * H + u) + r(2 * H + u, reset));
            next[at] = (1 - z) * candidate + z * h[at];
          }
          if (o.op == "LSTM") {
            const double i = f(0, x(u) + r(u, h) + p(0, u) * c[at]);
            const double forget = o.input_forget ? 1 - i : f(0, x(2 * H + u) + r(2 * H + u, h) + p(2, u) * c[at]);
            cells[at] = forget * c[at] + i * f(1, x(3 * H + u) + r(3 * H + u, h));
            next[at] = f(0, x(H + u) + r(H + u, h) + p(1, u) * cells[at]) * f(2, cells[at]);
          }
        }
        h = next;
        c = cells;
        for (int64_t u = 0; u < H; ++u)
          y[static_cast<size_t>((o.layout ? (b * T + t) * D + d : (t * D + d) * B + b) * H + u)] = h[static_cast<size_t>(u)];
      }
      for (int64_t u = 0; u < H; ++u) {
        y_h[state_at(u)] = h[static_cast<size_t>(u)];
        y_c[state_at(u)] = c[static_cast<size_t>(u)];
      }
    }
  }
  return {y, y_h, y_c};
}

// Results are of size one; sums of a few dozen products of size one carry a few 1e-7 each, and steps feed them forward.
void check(const Options& o, double tolerance = 3e-6) {
  const std::vector<Tensor> in = make_inputs(o);
  const auto actual = run(o, in);
  const auto expected = reference(o, in);
  INFO(o.op << " " << o.direction << " layout " << o.layout << " steps " << o.steps << " batch " << o.batch << " inputs " << o.inputs << " hidden "
            << o.hidden << " lengths " << o.lengths.size() << " bias " << o.bias << " initial " << o.initial);
  for (size_t i = 0; i < actual.size(); ++i) {
    const std::vector<double> got = doubles(actual[i]);
    REQUIRE(got.size() == expected[i].size());
    double worst = 0;
    for (size_t k = 0; k < got.size(); ++k) worst = std::max(worst, std::fabs(got[k] - expected[i][k]));
    CHECK(worst <= tolerance);
    CHECK(!got.empty());
  }
}

// Row `b` of a tensor whose batch is dimension `axis`.
Tensor batch_row(const Tensor& t, int axis, int64_t b) {
  Dims dims = t.dims();
  const int64_t outer = dims.count(0, axis), extent = dims[axis], inner = dims.count(axis + 1, dims.rank);
  dims[axis] = 1;
  Tensor out = *Tensor::allocate(t.dtype(), dims);
  for (int64_t i = 0; i < outer; ++i) {
    std::copy_n(t.data<float>() + (i * extent + b) * inner, inner, out.mutable_data<float>() + i * inner);
  }
  return out;
}

const char* const kOps[] = {"LSTM", "GRU", "RNN"};

}  // namespace

TEST_CASE("rnn: every direction, layout, bias and initial state of every operator") {
  for (const char* op : kOps) {
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      for (int64_t layout : {0, 1}) {
        for (bool bias : {false, true}) {
          for (bool initial : {false, true}) {
            for (bool before : {false, true}) {
              if (before && std::string(op) != "GRU") continue;
              Options o;
              o.op = op, o.direction = direction, o.layout = layout, o.bias = bias, o.initial = initial, o.before_reset = before;
              check(o);
              o.lengths = {2, 4};
              check(o);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("rnn: hidden and input sizes with every tail") {
  for (const char* op : kOps) {
    for (int64_t hidden : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 31, 32, 33, 36, 64, 70}) {
      for (bool before : {false, true}) {
        if (before && std::string(op) != "GRU") continue;
        Options o;
        o.op = op, o.hidden = hidden, o.inputs = 1 + hidden % 19, o.steps = 3, o.before_reset = before, o.batch = 1 + hidden % 3;
        check(o);
        o.clip = 0.4;  // the general path has its own tails
        check(o);
      }
    }
  }
}

TEST_CASE("LSTM: peepholes, clip and input_forget, crossed") {
  for (bool peepholes : {false, true}) {
    for (bool input_forget : {false, true}) {
      for (double clip : {0.0, 0.25}) {
        for (const char* direction : {"forward", "bidirectional"}) {
          Options o;
          o.peepholes = peepholes, o.input_forget = input_forget, o.clip = clip, o.direction = direction, o.hidden = 18;
          check(o);
          o.lengths = {1, 3};
          check(o);
        }
      }
    }
  }
}

TEST_CASE("rnn: activations by name, with their parameters consumed in order and their defaults") {
  Options o;
  o.names = {"HardSigmoid", "Softsign", "ScaledTanh"};
  o.functions = {[](double x) { return std::min(std::max(0.25 * x + 0.4, 0.0), 1.0); }, [](double x) { return x / (1 + std::fabs(x)); },
                 [](double x) { return 1.2 * std::tanh(0.7 * x); }};
  o.alphas = {0.25f, 1.2f};
  o.betas = {0.4f, 0.7f};
  check(o);
  o.direction = "bidirectional";  // the second direction has functions of its own
  o.names = {"Sigmoid", "Tanh", "Relu", "hardsigmoid", "LeakyRelu", "Affine"};
  o.functions = {sigmoid,
                 tanh_of,
                 [](double x) { return std::max(x, 0.0); },
                 [](double x) { return std::min(std::max(0.3 * x + 0.5, 0.0), 1.0); },
                 [](double x) { return x < 0 ? 0.1 * x : x; },
                 [](double x) { return 0.5 * x + 0.1; }};
  o.alphas = {0.3f, 0.1f, 0.5f};
  o.betas = {0.5f, 0.1f};
  check(o);

  Options g;
  g.op = "GRU";
  g.names = {"HardSigmoid", "Elu"};  // defaults: 0.2 x + 0.5; alpha 1
  g.functions = {[](double x) { return std::min(std::max(0.2 * x + 0.5, 0.0), 1.0); }, [](double x) { return x < 0 ? std::expm1(x) : x; }};
  check(g);
  g.before_reset = true;
  check(g);

  const std::pair<const char*, Function> functions[] = {{"Sigmoid", sigmoid},
                                                        {"Softplus", [](double x) { return std::log1p(std::exp(x)); }},
                                                        {"ThresholdedRelu", [](double x) { return x > 1 ? x : 0; }},
                                                        {"LeakyRelu", [](double x) { return x < 0 ? 0.01 * x : x; }},
                                                        {"Relu", [](double x) { return std::max(x, 0.0); }}};
  for (const auto& [name, function] : functions) {
    Options r;
    r.op = "RNN", r.names = {name}, r.functions = {function}, r.steps = 2;
    check(r, 1e-5);  // these are not bounded by one
    r.dtype = DType::f64;
    r.alphas = r.betas = {};
    check(r, 1e-6);
  }
}

TEST_CASE("rnn: T calls of one step give the bits of one call of T steps") {
  for (const char* op : kOps) {
    for (bool before : {false, true}) {
      Options o;
      o.op = op, o.before_reset = before, o.hidden = 37, o.inputs = 21, o.steps = 6, o.batch = 3;
      std::vector<Tensor> in = make_inputs(o);
      const auto window = run(o, in);
      Options one = o;
      one.steps = 1;
      std::vector<Tensor> step = in;
      std::vector<Tensor> last;
      for (int64_t t = 0; t < o.steps; ++t) {
        step[0] = batch_row(in[0], 0, t);
        last = run(one, step);
        check_same(last[0], batch_row(window[0], 0, t));
        step[5] = last[1];
        if (o.op == "LSTM") step[6] = last[2];
      }
      for (size_t i = 1; i < last.size(); ++i) check_same(last[i], window[i]);
    }
  }
}

TEST_CASE("rnn: a row has the same bits alone and in a batch of eight, in both layouts") {
  for (const char* op : kOps) {
    for (int64_t layout : {0, 1}) {
      for (bool lengths : {false, true}) {
        Options o;
        o.op = op, o.layout = layout, o.hidden = 20, o.inputs = 18, o.batch = 8, o.direction = "bidirectional";
        if (lengths) o.lengths = {4, 3, 2, 1, 0, 1, 2, 3};
        const std::vector<Tensor> in = make_inputs(o);
        const auto all = run(o, in);
        for (int64_t b = 0; b < o.batch; ++b) {
          Options single = o;
          single.batch = 1;
          if (lengths) single.lengths = {o.lengths[static_cast<size_t>(b)]};
          std::vector<Tensor> row = in;
          row[0] = batch_row(in[0], layout ? 0 : 1, b);
          if (lengths) row[4] = Tensor::of<int32_t>({1}, single.lengths);
          row[5] = batch_row(in[5], layout ? 0 : 1, b);
          if (o.op == "LSTM") row[6] = batch_row(in[6], layout ? 0 : 1, b);
          const auto alone = run(single, row);
          check_same(alone[0], batch_row(all[0], layout ? 0 : 2, b));
          check_same(alone[1], batch_row(all[1], layout ? 0 : 1, b));
        }
      }
    }
  }
}

// Constant weights are read by units, and on AVX-512 the x part of later steps is computed on the way where R is larger than L1; others are read as of
// a batch. run() wants the same bits of both, and of every ISA.
TEST_CASE("rnn: a window of a row alone, with blocks of units of every kind and steps ahead") {
  for (const char* op : {"LSTM", "GRU"}) {
    for (int64_t hidden : {3, 17, 20, 32, 52, 57, 66, 80}) {
      for (int64_t inputs : {7, 90}) {
        for (int64_t steps : {15, 16, 27}) {
          Options o;
          o.op = op, o.hidden = hidden, o.inputs = inputs, o.steps = steps, o.batch = 1, o.before_reset = true;
          o.direction = steps == 16 ? "forward" : "bidirectional", o.layout = steps == 27;
          check(o);
        }
      }
    }
  }
}

TEST_CASE("rnn: lengths of zero leave zeros and the initial state; lengths out of range are refused") {
  for (const char* op : kOps) {
    for (const char* direction : {"forward", "reverse"}) {
      Options o;
      o.op = op, o.direction = direction, o.lengths = {0, 4};
      check(o);
      std::vector<Tensor> in = make_inputs(o);
      in[4] = Tensor::of<int32_t>({2}, std::vector<int32_t>{-3, 1000});
      CHECK(op_error(op, {{"direction", o.direction}}, in, 2) == "a sequence length was out of range [0, 4]");
    }
  }
}

TEST_CASE("rnn: what lies past the end of a sequence does not matter, not even NaN") {
  for (const char* op : kOps) {
    for (const char* direction : {"forward", "bidirectional"}) {
      Options o;
      o.op = op, o.direction = direction, o.lengths = {2, 4};
      std::vector<Tensor> in = make_inputs(o);
      const auto clean = run(o, in);
      Tensor dirty = batch_row(in[0], 0, 0);
      std::vector<float> x(in[0].data<float>(), in[0].data<float>() + in[0].count());
      for (int64_t t = 2; t < 4; ++t) {
        for (int64_t k = 0; k < 3; ++k) x[static_cast<size_t>(t * 6 + k)] = std::numeric_limits<float>::quiet_NaN();
      }
      in[0] = f32({4, 2, 3}, x);
      const auto again = run(o, in);
      for (size_t i = 0; i < clean.size(); ++i) check_same(again[i], clean[i]);
    }
  }
}

TEST_CASE("rnn: NaN in a row spoils that row from its step on, and no other") {
  for (const char* op : kOps) {
    Options o;
    o.op = op;
    std::vector<Tensor> in = make_inputs(o);
    std::vector<float> x(in[0].data<float>(), in[0].data<float>() + in[0].count());
    const auto clean = run(o, in);
    x[1 * 6 + 3] = std::numeric_limits<float>::quiet_NaN();  // step 1, row 1
    in[0] = f32({4, 2, 3}, x);
    const auto y = run(o, in);
    for (int64_t t = 0; t < 4; ++t) {
      for (int64_t u = 0; u < 5; ++u) {
        const int64_t row0 = (t * 2) * 5 + u, row1 = (t * 2 + 1) * 5 + u;
        CHECK(y[0].data<float>()[row0] == clean[0].data<float>()[row0]);
        CHECK(std::isnan(y[0].data<float>()[row1]) == (t >= 1));
      }
    }
  }
}

TEST_CASE("rnn: an empty window gives the initial states, an empty batch nothing") {
  for (const char* op : kOps) {
    Options o;
    o.op = op, o.steps = 0;
    const std::vector<Tensor> in = make_inputs(o);
    const auto y = run(o, in);
    CHECK(y[0].count() == 0);
    check_same(y[1], in[5]);
    if (o.op == "LSTM") check_same(y[2], in[6]);
    o.steps = 4, o.batch = 0;
    CHECK(run(o, make_inputs(o))[1].count() == 0);
  }
}

TEST_CASE("rnn: f64, f16 and bf16, with every option") {
  for (const char* op : kOps) {
    for (auto [dtype, tolerance] : {std::pair(DType::f64, 1e-12), std::pair(DType::f16, 4e-3), std::pair(DType::bf16, 3e-2)}) {
      for (const char* direction : {"forward", "reverse", "bidirectional"}) {
        for (int64_t layout : {0, 1}) {
          Options o;
          o.op = op, o.dtype = dtype, o.direction = direction, o.layout = layout, o.before_reset = layout == 1;
          check(o, tolerance);
          o.lengths = {1, 3};
          o.peepholes = o.op == "LSTM";
          o.input_forget = layout == 1;
          o.clip = 0.5;
          check(o, tolerance);
        }
      }
    }
  }
}

TEST_CASE("rnn: dims, dtypes and attributes that do not fit are refused by name") {
  Options o;
  auto error = [&](size_t input, Tensor t) {
    std::vector<Tensor> in = make_inputs(o);
    in[input] = std::move(t);
    return op_error("LSTM", {{"hidden_size", int64_t(5)}}, in, 3);
  };
  CHECK(error(1, random_f32({1, 20, 4}, 1)).find("W is [1,20,4]") != std::string::npos);
  CHECK(error(2, random_f32({1, 20, 6}, 1)).find("hidden_size is 5") != std::string::npos);
  CHECK(error(3, random_f32({1, 20}, 1)).find("B is") != std::string::npos);
  CHECK(error(4, Tensor::of<int32_t>({3}, std::vector<int32_t>{1, 1, 1})).find("sequence_lens") != std::string::npos);
  CHECK(error(4, i64({2}, {1, 1})).find("i32") != std::string::npos);
  CHECK(error(5, random_f32({2, 1, 5}, 1)).find("initial_h") != std::string::npos);
  CHECK(error(6, random_f32({1, 1, 5}, 1)).find("initial_c") != std::string::npos);
  CHECK(error(7, random_f32({1, 20}, 1)).find("P is") != std::string::npos);
  CHECK(error(0, random_f32({4, 6}, 1)).find("3 dimensions") != std::string::npos);
  const std::vector<Tensor> in = make_inputs(o);
  CHECK(op_error("LSTM", {{"direction", std::string("sideways")}}, in).find("sideways") != std::string::npos);
  CHECK(op_error("LSTM", {{"activations", std::vector<std::string>{"Sigmoid"}}}, in).find("3 are needed") != std::string::npos);
  for (const char* name : {"Wave", "RoundF16", "RoundBF16"}) {  // roundings are of plans alone
    CHECK(op_error("LSTM", {{"activations", std::vector<std::string>{"Sigmoid", "Tanh", name}}}, in).find(name) != std::string::npos);
  }
  std::vector<Tensor> doubles;
  for (const Tensor& t : in) doubles.push_back(t.dtype() == DType::f32 ? cast(t, DType::f64) : t);
  CHECK(op_error("LSTM", {{"activations", std::vector<std::string>{"Sigmoid", "Gelu", "Tanh"}}}, doubles).find("recurrent layer of f64") !=
        std::string::npos);
  CHECK(op_error("LSTM", {{"direction", std::string("bidirectional")}}, in).find("it must be [2,") != std::string::npos);
}

TEST_CASE("rnn: without attributes it runs forward, steps first, with sigmoid and tanh, the size read from R") {
  for (const char* op : kOps) {
    Options o;
    o.op = op;
    const std::vector<Tensor> in = make_inputs(o);
    const auto said = run(o, in), unsaid = run_op(op, {}, in, o.op == "LSTM" ? 3 : 2);
    for (size_t i = 0; i < said.size(); ++i) check_same(unsaid[i], said[i]);
  }
}

TEST_CASE("rnn: outputs may be left out") {
  for (const char* op : kOps) {
    Options o;
    o.op = op, o.direction = "bidirectional";
    const std::vector<Tensor> in = make_inputs(o);
    check_same(run_op(op, {{"direction", o.direction}}, in, 1)[0], run(o, in)[0]);
  }
}

TEST_CASE("LSTM: saturated gates, infinities and huge weights give no NaN of their own") {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor w = f32({1, 4, 1}, {1, 1, 1, 1}), r = f32({1, 4, 1}, {0, 0, 0, 0});
  for (float x : {3e38f, -3e38f, inf, -inf, 1000.0f, -1000.0f}) {
    const auto y = run_op("LSTM", {}, {f32({1, 1, 1}, {x}), w, r}, 3);
    CHECK(y[0].data<float>()[0] == doctest::Approx(x > 0 ? std::tanh(1.0) : 0.0));
  }
}

}  // namespace tern::test::in_rnn
