// The kernels of products and convolutions on a device, each of them around the edges of its tiles, whatever shapes the launch would choose it for; and
// steps of recurrent layers that take a launch each. Against the CPU, byte for byte. Contracts: kernels/gemm/launch.h, kernels/conv/launch.h,
// kernels/attention/launch.h, kernels/rnn/launch.h. Runs where TERN_TEST_DEVICE names a device.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/conv/launch.h"
#include "kernels/gemm/launch.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"

namespace tern::test::in_products_device {
namespace {

using Ints = std::vector<int64_t>;
constexpr float kInf = std::numeric_limits<float>::infinity();

void check(const char* name_of_op, Attrs given, std::vector<Tensor> inputs, bool constants, size_t output_count = 1,
           const std::function<void(Launch&)>& change = {}) {
  const OpDef& op = *find_op(name_of_op);
  Attributes attrs;
  for (const auto& [name, value] : given) attrs.set(name, value);
  const uint32_t bits = constants ? ~0u : 0;
  auto here = evaluate(op, attrs, inputs, output_count, {.isa = runnable_isas().back(), .constants = bits});
  REQUIRE_MESSAGE(here.ok(), name_of_op << ": " << (here.ok() ? "" : here.error().message()));
  for (int times = 0; times < 2; ++times) {  // tests/support/device.h: every other run copies later, and takes warps in the other order
    const DeviceResult there = run_on_device(op, attrs, inputs, *here, bits, change);
    INFO(std::string(name_of_op) << " " << to_string(inputs[0].dims()) << " " << to_string(inputs[1].dims()) << ": " << there.why);
    REQUIRE(there.row != nullptr);
    CHECK(there.why.empty());
    for (size_t o = 0; o < here->size(); ++o) check_same(there.outputs[o], (*here)[o]);
  }
}

// Another kernel for the same launch: fewer blocks than tiles, so that a block has several, where `walk` says so.
void replace(Launch& l, const char* kernel, int64_t blocks, uint32_t threads, bool walk) {
  l.kernel = kernel;
  l.grid = {static_cast<uint32_t>(walk ? (blocks + 1) / 2 : blocks)};
  l.block = {threads};
}
int64_t tiles(int64_t n, int64_t of) { return (n + of - 1) / of; }

struct GemmKernel {
  const char* name;
  int64_t rows, columns;
  uint32_t threads;
  int chains;  // -1: any but dot
  bool wide;
};
constexpr GemmKernel kGemmKernels[] = {
    {"gemm_128x128_f32", 128, 128, 256, 1, true},
    {"gemm_64x64_f32", 64, 64, 256, 1, true},
    {"gemm_64x64_narrow_f32", 64, 64, 256, 1, false},
    {"gemm_32x32_f32", 32, 32, 128, 1, true},
    {"gemm_32x32_narrow_f32", 32, 32, 128, 1, false},
    {"gemm_64x32_2_chains_f32", 64, 32, 128, 2, true},
    {"gemm_64x32_2_chains_narrow_f32", 64, 32, 128, 2, false},
    {"gemm_64x32_4_chains_f32", 64, 32, 128, 4, true},
    {"gemm_64x32_4_chains_narrow_f32", 64, 32, 128, 4, false},
    {"gemm_few_rows_8_f32", 8, 8, 128, -1, true},
    {"gemm_few_rows_8_narrow_f32", 8, 8, 128, -1, false},
    {"gemm_few_rows_32_f32", 4, 32, 128, -1, true},
    {"gemm_few_rows_32_narrow_f32", 4, 32, 128, -1, false},
    {"gemm_dot_1_f32", 1, 1, 128, 0, false},
    {"gemm_dot_4_f32", 1, 4, 128, 0, false},
};
// The launch of another kernel, when it can compute this product; `used` counts.
void use(const GemmKernel& k, Launch& l, bool walk, int& used) {
  if (std::strncmp(l.kernel, "gemm_arrange", 12) == 0) return;
  cuda::ProductArgs a;
  std::memcpy(&a, l.args.data(), sizeof a);
  if ((k.chains >= 0 ? a.chains != k.chains : a.chains == 0) || (k.wide && !a.wide)) return;
  a.wide = k.wide;
  const int64_t rows = k.chains == -1 ? std::min(k.rows, 128 / k.columns / a.chains) : k.rows;
  if (rows == 0) return;
  const int64_t count = tiles(a.m, rows) * tiles(a.n, k.columns) * a.batches;
  replace(l, k.name, k.chains == 0 ? tiles(count, 8) : count, k.threads, walk);
  std::memcpy(l.args.data(), &a, sizeof a);
  ++used;
}

struct ConvKernel {
  const char* name;
  int64_t channels, pixels;
  uint32_t threads;
  bool spread;
};
constexpr ConvKernel kConvKernels[] = {
    {"conv_128x128_f32", 128, 128, 256, false}, {"conv_64x64_f32", 64, 64, 256, false},       {"conv_32x64_f32", 32, 64, 128, false},
    {"conv_32x32_f32", 32, 32, 128, false},     {"conv_64x64_spread_f32", 64, 64, 256, true}, {"conv_32x32_spread_f32", 32, 32, 128, true},
};

}  // namespace

TEST_CASE("device: every kernel of products around its tiles") {
  if (!on_device()) return;
  for (const GemmKernel& k : kGemmKernels) {
    CAPTURE(std::string(k.name));
    int used = 0, turn = 0;
    const Ints wide = {97, 128, 132}, middle = {34, 64, 95}, narrow = {3, 20, 32}, few = {1, 8, 13};
    const Ints& columns = k.chains == 1 ? wide : k.chains == 2 ? middle : k.chains == 4 ? narrow : k.chains == 0 ? few : wide;
    for (int64_t m : {int64_t(1), k.rows - 1, k.rows, k.rows + 1}) {
      for (int64_t n : columns) {
        for (int64_t depth : {1, 16, 23, 36}) {
          ++turn;
          if (m < 1 || (m > 16 && turn % 3 != 0)) continue;
          const int64_t d = k.chains == 0 ? depth + 512 : depth;
          const auto seed = static_cast<uint32_t>(turn);
          const Tensor x = random_f32({m, d}, seed), w = random_f32({d, n}, seed + 1), b = random_f32({n}, seed + 2),
                       r = random_f32({m, n}, seed + 3);
          const auto change = [&](Launch& l) { use(k, l, turn % 2 == 0, used); };
          const bool constants = turn % 4 < 2;
          if (turn % 5 == 0) check("MatMul", {}, {x, w}, constants, 1, change);
          if (turn % 5 == 1) check("Linear", {{"activation", std::string("Relu")}}, {x, w, b, r}, constants, 1, change);
          if (turn % 5 == 2) check("Linear", {{"activation", std::string("Gelu")}}, {x, w, b}, constants, 1, change);
          if (turn % 5 == 3) check("Gemm", {{"alpha", 0.5f}, {"beta", 3.0f}}, {x, w, r}, constants, 1, change);
          if (turn % 5 == 4) check("Linear", {{"transB", int64_t(1)}}, {x, random_f32({n, d}, seed), b, r}, constants, 1, change);
        }
      }
    }
    CHECK(used > 4);
  }
}

TEST_CASE("device: batches of products, broadcast on either side") {
  if (!on_device()) return;
  for (int64_t m : {1, 5, 40}) {
    for (int64_t n : {7, 50, 132}) {
      for (int64_t k : {5, 64}) {
        check("MatMul", {}, {random_f32({3, 1, m, k}, 1), random_f32({1, 2, k, n}, 2)}, m == 5);
        check("MatMul", {}, {random_f32({2, m, k}, 3), random_f32({2, k, n}, 4)}, m != 5);
      }
    }
  }
}

TEST_CASE("device: a sum of minus zeros stays one past the last whole stage") {
  if (!on_device()) return;
  for (const GemmKernel& k : kGemmKernels) {
    if (k.chains == 0) continue;  // there a CPU adds zeros too
    for (int64_t depth : {3, 20, 34}) {
      int used = 0;
      const int64_t n = k.chains == 4 ? 24 : k.chains == 2 ? 40 : 100;
      const Tensor x = f32({3, depth}, std::vector<float>(static_cast<size_t>(3 * depth), 0.0f)), w = random_f32({depth, n}, 1, -1, -0.5f),
                   b = f32({n}, std::vector<float>(static_cast<size_t>(n), -0.0f));
      check("Linear", {}, {x, w, b}, true, 1, [&](Launch& l) { use(k, l, false, used); });
    }
  }
  for (int64_t channels : {3, 20}) {
    const Tensor x = f32({1, channels, 4, 4}, std::vector<float>(static_cast<size_t>(16 * channels), 0.0f)),
                 w = random_f32({5, channels, 1, 1}, 1, -1, -0.5f), b = f32({5}, std::vector<float>(5, -0.0f));
    for (const ConvKernel& k : kConvKernels) {
      if (k.spread) continue;
      check("Conv", {}, {x, w, b}, true, 1, [&](Launch& l) { replace(l, k.name, 1, k.threads, false); });
    }
  }
}

TEST_CASE("device: every kernel of convolutions around its tiles: axes, groups, strides, dilations, padding, epilogues") {
  if (!on_device()) return;
  for (const ConvKernel& k : kConvKernels) {
    CAPTURE(std::string(k.name));
    int turn = 0;
    const auto change = [&](Launch& l) {
      if (std::strncmp(l.kernel, "conv_arrange", 12) == 0) return;
      cuda::ConvArgs a;
      std::memcpy(&a, l.args.data(), sizeof a);
      replace(l, k.name, tiles(a.ocs, k.channels) * tiles(a.columns, k.pixels) * a.groups, k.threads, turn % 2 == 0);
    };
    for (int64_t oc : {int64_t(1), int64_t(8), k.channels - 1, k.channels + 3}) {
      for (int64_t ic : {1, 15, 17, 32}) {
        ++turn;
        const auto seed = static_cast<uint32_t>(turn);
        const int64_t n = 1 + turn % 3, h = 3 + turn % 5, w = 4 + turn % 4;
        const bool constants = turn % 4 < 2;
        const Tensor x = random_f32({n, ic, h, w}, seed), b = random_f32({oc}, seed + 1), kernel = random_f32({oc, ic, 3, 2}, seed + 2);
        if (k.spread) {
          check("ConvTranspose", {{"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 0, 1}}, {"output_padding", Ints{1, 0}}, {"dilations", Ints{1, 2}}},
                {x, random_f32({ic, oc, 3, 2}, seed), b}, constants, 1, change);
          continue;
        }
        if (turn % 5 == 0) check("Conv", {{"pads", Ints{1, 1, 1, 1}}}, {x, kernel, b}, constants, 1, change);
        if (turn % 5 == 1) {
          check("Conv", {{"pads", Ints{2, 1, 2, 0}}, {"strides", Ints{2, 1}}, {"dilations", Ints{2, 1}}}, {x, kernel}, constants, 1, change);
        }
        if (turn % 5 == 2) {
          check("FusedConv", {{"pads", Ints{1, 1, 1, 0}}, {"activation", std::string(turn % 2 ? "Tanh" : "Relu")}},
                {x, kernel, b, random_f32({n, oc, h, w}, seed), random_f32({oc}, seed + 3), random_f32({oc}, seed + 4)}, constants, 1, change);
        }
        if (turn % 5 == 3) {
          check("Conv", {{"group", int64_t(2)}, {"pads", Ints{1, 1}}},
                {random_f32({n, ic * 2, h * w}, seed), random_f32({oc * 2, ic, 3}, seed), random_f32({oc * 2}, seed)}, constants, 1, change);
        }
        if (turn % 5 == 4) {
          check("Conv", {{"pads", Ints{1, 0, 1, 0, 1, 1}}, {"strides", Ints{1, 2, 1}}},
                {random_f32({n, ic, 2, h, w}, seed), random_f32({oc, ic, 2, 3, 2}, seed), b}, constants, 1, change);
        }
      }
    }
  }
}

TEST_CASE("device: depthwise convolutions, and dense ones of few channels") {
  if (!on_device()) return;
  for (int64_t channels : {2, 33}) {
    for (bool constants : {false, true}) {
      const Tensor x = random_f32({2, channels, 9, 8}, 1), w = random_f32({channels, 1, 3, 3}, 2), b = random_f32({channels}, 3);
      check("Conv", {{"group", channels}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 1}}}, {x, w, b}, constants);
      check("FusedConv", {{"group", channels}, {"pads", Ints{1, 1, 1, 1}}, {"activation", std::string("Tanh")}}, {x, w, b}, !constants);
      check("ConvTranspose", {{"group", channels}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}}, {x, w, b}, constants);
      check("Conv", {{"pads", Ints{1, 1, 1, 1}}}, {x, random_f32({3, channels, 3, 3}, 4)}, constants);
    }
  }
}

// The CPU leaves some taps over padding out (kernels/conv/conv.h). Where the zeros are elements of x it has them all, as a device always does.
TEST_CASE("device: an infinite weight over padding gives NaN") {
  if (!on_device()) return;
  for (int64_t channels : {2, 33}) {
    for (const int64_t groups : {int64_t(1), channels}) {
      const Tensor x = random_f32({2, channels, 9, 8}, 1);
      const Tensor padded = run_op("Pad", {}, {x, i64({8}, {0, 0, 1, 1, 0, 0, 1, 1})})[0];
      Tensor w = random_f32({3 * groups, channels / groups, 3, 3}, 2);
      w.mutable_data<float>()[4] = w.mutable_data<float>()[0] = kInf;
      const auto with_pads = [&](const Ints& pads) {
        Attributes attrs;
        attrs.set("group", groups);
        attrs.set("pads", pads);
        return attrs;
      };
      const OpDef& conv = *find_op("Conv");
      auto here = evaluate(conv, with_pads({0, 0, 0, 0}), std::vector<Tensor>{padded, w}, 1, {.isa = runnable_isas().back()});
      REQUIRE(here.ok());
      const float* y = (*here)[0].data<float>();
      CHECK(std::any_of(y, y + (*here)[0].count(), [](float v) { return v != v; }));
      const std::vector<Tensor> inputs = {x, w};
      const DeviceResult there = run_on_device(conv, with_pads({1, 1, 1, 1}), inputs, *here, 0, {});
      REQUIRE(there.row != nullptr);
      CHECK(there.why.empty());
      check_same(there.outputs[0], (*here)[0]);
    }
  }
}

TEST_CASE("device: attention around its tiles, scores in shared memory and in the workspace, every mask") {
  if (!on_device()) return;
  int turn = 0;
  for (int64_t rows : {1, 16, 17}) {
    for (int64_t keys : {1, 15, 64, 65, 577}) {
      for (int64_t depth : {1, 33, 64}) {
        const auto seed = static_cast<uint32_t>(++turn);
        const int64_t width = turn % 3 == 0 ? 65 : 7;
        std::vector<Tensor> in = {random_f32({1, 2, rows, depth}, seed), random_f32({1, 2, keys, depth}, seed + 1),
                                  random_f32({1, 2, keys, width}, seed + 2)};
        if (turn % 4 == 1) in.push_back(random_f32({1, 1, rows, keys}, seed));
        if (turn % 4 == 2) {
          in.push_back(random_f32({keys}, seed));
          in.back().mutable_data<float>()[0] = -kInf;
        }
        if (turn % 4 == 3) in.push_back(random_f32({2, 1, 1}, seed));
        check("FusedAttention", {{"scale", 0.37f}}, in, false);
      }
    }
  }
}

TEST_CASE("device: recurrent layers of many units take a launch a step, and give the bits of those that take one") {
  if (!on_device()) return;
  int turn = 0;
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    const int64_t gates = op[0] == 'L' ? 4 : op[0] == 'G' ? 3 : 1;
    for (int64_t hidden : {130, 259, 515}) {
      for (int64_t batch : {1, 9}) {
        const auto seed = static_cast<uint32_t>(++turn);
        const int64_t steps = turn % 3, inputs = 3 + turn % 2, directions = turn % 2 + 1;
        const std::string direction = directions == 2 ? "bidirectional" : turn % 4 == 0 ? "reverse" : "forward";
        Tensor lengths = *Tensor::allocate(DType::i32, {batch});
        for (int64_t b = 0; b < batch; ++b) lengths.mutable_data<int32_t>()[b] = static_cast<int32_t>((b * 7 + turn) % (steps + 1));
        std::vector<Tensor> in = {random_f32({steps, batch, inputs}, seed),
                                  random_f32({directions, gates * hidden, inputs}, seed + 1, -0.3f, 0.3f),
                                  random_f32({directions, gates * hidden, hidden}, seed + 2, -0.2f, 0.2f),
                                  turn % 5 ? random_f32({directions, 2 * gates * hidden}, seed + 3) : absent(),
                                  turn % 2 ? lengths : absent(),
                                  random_f32({directions, batch, hidden}, seed + 4)};
        if (gates == 4) {
          in.push_back(random_f32({directions, batch, hidden}, seed + 5));
          in.push_back(turn % 2 ? random_f32({directions, 3 * hidden}, seed + 6) : absent());
          check(op, {{"direction", direction}}, in, turn % 4 < 2, 3);
        } else if (gates == 3) {
          for (int64_t linear : {0, 1}) check(op, {{"direction", direction}, {"linear_before_reset", linear}}, in, turn % 4 < 2, 2);
        } else {
          check(op, {{"direction", direction}}, in, turn % 4 < 2, 2);
        }
      }
    }
  }
}

TEST_CASE("device: recurrent layers of few units and more rows than a card has room for take several rows a block, each from its own states") {
  if (!on_device()) return;
  uint32_t seed = 0;
  for (const auto& [op, gates] : {std::pair<const char*, int64_t>{"LSTM", 4}, {"GRU", 3}, {"RNN", 1}}) {
    for (int64_t hidden : {1, 17}) {
      const int64_t batch = 67;
      Tensor lengths = *Tensor::allocate(DType::i32, {batch});
      for (int64_t b = 0; b < batch; ++b) lengths.mutable_data<int32_t>()[b] = static_cast<int32_t>(b % 4);
      std::vector<Tensor> in = {random_f32({3, batch, 2}, ++seed),
                                random_f32({2, gates * hidden, 2}, ++seed),
                                random_f32({2, gates * hidden, hidden}, ++seed, -0.2f, 0.2f),
                                random_f32({2, 2 * gates * hidden}, ++seed),
                                hidden == 1 ? lengths : absent(),
                                random_f32({2, batch, hidden}, ++seed)};
      if (gates == 4) in.push_back(random_f32({2, batch, hidden}, ++seed));
      if (gates == 3) check(op, {{"direction", std::string("bidirectional")}, {"linear_before_reset", int64_t(1)}}, in, false, 2);
      check(op, {{"direction", std::string("bidirectional")}}, in, hidden == 1, gates == 4 ? 3 : 2);
    }
  }
}

TEST_CASE("device: a block that takes several rows begins the next when all its threads have done with the last") {
  if (!on_device()) return;
  int used = 0;
  const auto two_blocks = [&](Launch& l) {
    for (const char* walks : {"attention_general_f32", "attention_long_rows_f32", "lstm_f64", "gru_f64"}) {
      if (std::strcmp(l.kernel, walks) == 0) l.grid = {2}, ++used;
    }
  };
  check("Attention", {{"softmax_precision", int64_t(11)}}, {random_f32({2, 3, 5, 8}, 1), random_f32({2, 3, 40, 8}, 2), random_f32({2, 3, 40, 70}, 3)},
        false, 1, two_blocks);
  check("FusedAttention", {}, {random_f32({1, 2, 40, 8}, 1), random_f32({1, 2, 600, 8}, 2), random_f32({1, 2, 600, 70}, 3)}, false, 1, two_blocks);
  for (const char* op : {"LSTM", "GRU"}) {
    const int64_t gates = op[0] == 'L' ? 4 : 3;
    const std::vector<Tensor> in = {cast(random_f32({3, 5, 4}, 1), DType::f64), cast(random_f32({1, gates * 40, 4}, 2), DType::f64),
                                    cast(random_f32({1, gates * 40, 40}, 3), DType::f64)};
    check(op, {}, in, false, 2, two_blocks);
  }
  CHECK(used == 8);
}

}  // namespace tern::test::in_products_device
