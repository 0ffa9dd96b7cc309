// Every family of kernels at the edges of its tiles: 0, 1, one less, the whole, one more, primes; the CPU's bytes, and nothing that the simulator finds,
// each buffer in an allocation of its own. Contract: kernels/launch.h, <family>/launch.cpp.
#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

#include "runtime/cuda/modules.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"

namespace tern::test::in_edges {
namespace {

using Ints = std::vector<int64_t>;

// One case on the CPU and on the device. The device must have a kernel for it, unless there is nothing to compute.
void compare(const char* op_name, Attrs list, const std::vector<Tensor>& inputs, uint32_t constants = 0, size_t outputs = 1) {
  const OpDef& op = *find_op(op_name);
  Attributes attrs;
  std::string text = op_name;
  for (const auto& [name, value] : list) attrs.set(name, value);
  for (const Tensor& t : inputs) text += t.present() ? " " + to_string(t.dims()) : " _";
  CAPTURE(text);
  auto here = evaluate(op, attrs, inputs, outputs, {.isa = best_isa(), .constants = constants});
  REQUIRE_MESSAGE(here.ok(), (here.ok() ? "" : here.error().message()));
  const DeviceResult there = run_on_device(op, attrs, inputs, *here, constants);
  if (there.row == nullptr) {
    CHECK(there.why == "nothing to do");
    return;
  }
  CHECK(there.why == "");
  for (size_t o = 0; o < outputs; ++o) {
    if ((*here)[o].present()) check_same(there.outputs[o], (*here)[o]);
  }
}

template <class T>
const T& pick(const std::vector<T>& from, std::mt19937& engine) {
  return from[engine() % from.size()];
}
// This build has no kernels. The simulator, where the environment names no other device.
bool none() {
  setenv("TERN_TEST_DEVICE", "ptxsim", 0);
  return cuda::ptx_modules().empty();
}

}  // namespace

TEST_CASE("edges: products, whatever form their tiles have") {
  if (none()) return;
  std::mt19937 engine(1);
  const Ints ms = {1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 129},
             ns = {1, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 112, 113, 129, 130},
             ks = {1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 97, 131};
  uint32_t seed = 0;
  for (int i = 0; i < 400; ++i) {
    const int64_t m = pick(ms, engine), n = pick(ns, engine), k = pick(ks, engine);
    const bool residual = engine() % 2 != 0, transposed = engine() % 3 == 0;
    const std::string activation = pick<std::string>({"", "Relu", "Tanh", "Gelu"}, engine);
    std::vector<Tensor> inputs = {random_f32({m, k}, ++seed), random_f32(transposed ? Dims{n, k} : Dims{k, n}, ++seed),
                                  engine() % 4 == 0 ? absent() : random_f32({n}, ++seed)};
    if (residual) inputs.push_back(random_f32({m, n}, ++seed));
    compare("Linear", {{"transB", int64_t(transposed)}, {"activation", activation}}, inputs, engine() % 2 ? 6 : 0);
  }
  // As many tiles as a large card wants before it takes the large ones.
  compare("MatMul", {}, {random_f32({1409, 9}, 1), random_f32({9, 1409}, 2)}, 2);
  compare("Linear", {{"activation", std::string("Relu")}},
          {random_f32({1408, 8}, 1), random_f32({8, 1412}, 2), random_f32({1412}, 3), random_f32({1408, 1412}, 4)}, 6);
  compare("MatMul", {}, {random_f32({1408, 20}, 1), random_f32({20, 1408}, 2)}, 2);
  compare("MatMul", {}, {random_f32({705, 18}, 1), random_f32({18, 705}, 2)}, 0);
  compare("Linear", {}, {random_f32({700, 17}, 1), random_f32({17, 701}, 2), absent(), random_f32({700, 701}, 4)}, 2);
  for (const auto& [a, b] : std::vector<std::pair<Dims, Dims>>{
           {{3, 5, 7}, {3, 7, 9}}, {{2, 1, 65, 33}, {1, 3, 33, 17}}, {{7}, {7, 130}}, {{4, 1, 129}, {129}}, {{0, 4}, {4, 3}}, {{3, 0}, {0, 5}}}) {
    compare("MatMul", {}, {random_f32(a, 1), random_f32(b, 2)}, 0);
    compare("MatMul", {}, {random_f32(a, 1), random_f32(b, 2)}, 2);
  }
  for (const auto& [ta, tb] : std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
    for (const Dims& c : {Dims{33, 70}, Dims{70}, Dims{33, 1}, Dims{}}) {
      compare("Gemm", {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", 2.0f}},
              {random_f32(ta ? Dims{19, 33} : Dims{33, 19}, 1), random_f32(tb ? Dims{70, 19} : Dims{19, 70}, 2), random_f32(c, 3)});
    }
  }
}

TEST_CASE("edges: convolutions") {
  if (none()) return;
  std::mt19937 engine(2);
  uint32_t seed = 100;
  for (int i = 0; i < 250; ++i) {
    const int axes = 1 + static_cast<int>(engine() % 3);
    const int64_t groups = pick<int64_t>({1, 1, 1, 2, 3}, engine), ic = pick<int64_t>({1, 3, 4, 15, 16, 17, 33}, engine),
                  oc = pick<int64_t>({1, 2, 15, 16, 17, 31, 65}, engine), batch = pick<int64_t>({1, 1, 2}, engine);
    const bool depthwise = engine() % 4 == 0;
    const int64_t g = depthwise ? pick<int64_t>({1, 5, 16, 33}, engine) : groups;
    Dims x{batch, depthwise ? g : g * ic}, w{depthwise ? g : g * oc, depthwise ? 1 : ic};
    Ints pads, strides, dilations;
    for (int d = 0; d < axes; ++d) {
      const int64_t taps = pick<int64_t>(axes == 3 ? Ints{1, 2, 3} : Ints{1, 2, 3, 5}, engine), dilation = pick<int64_t>({1, 1, 2}, engine),
                    size = (taps - 1) * dilation + pick<int64_t>(axes == 3   ? Ints{1, 2, 5}
                                                                 : axes == 2 ? Ints{1, 2, 7, 16, 17}
                                                                             : Ints{1, 2, 31, 64, 65},
                                                                 engine);
      x.push_back(size);
      w.push_back(taps);
      pads.push_back(pick<int64_t>({0, 1, 2}, engine));
      strides.push_back(pick<int64_t>({1, 1, 2, 3}, engine));
      dilations.push_back(dilation);
    }
    Ints both = pads;
    for (int d = 0; d < axes; ++d) both.push_back(pick<int64_t>({0, 1}, engine));
    compare("Conv", {{"group", g}, {"pads", both}, {"strides", strides}, {"dilations", dilations}},
            {random_f32(x, ++seed), random_f32(w, ++seed), engine() % 2 ? random_f32({w[0]}, ++seed) : absent()}, engine() % 3 ? 6 : 0);
    if (depthwise || axes == 3 || i % 2) continue;
    Dims back{x[1], oc};  // [C, OC / groups, taps]
    for (int d = 0; d < axes; ++d) back.push_back(w[2 + d]);
    compare("ConvTranspose", {{"group", g}, {"strides", strides}}, {random_f32(x, ++seed), random_f32(back, ++seed), random_f32({g * oc}, ++seed)},
            engine() % 2 ? 6 : 0);
  }
  compare("Conv", {{"pads", Ints{1, 1, 1, 1}}}, {random_f32({1, 16, 31, 64}, 1), random_f32({130, 16, 3, 3}, 2), random_f32({130}, 3)}, 6);
  compare("Conv", {}, {random_f32({1, 3, 150, 151}, 1), random_f32({128, 3, 1, 1}, 2), absent()}, 2);
}

TEST_CASE("edges: rows of softmax, of norms and of reductions") {
  if (none()) return;
  const Ints columns = {1, 2, 15, 16, 17, 31, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1009, 4095, 4096, 4097, 8193, 11999, 12000, 12001, 20011};
  uint32_t seed = 300;
  for (int64_t n : columns) {
    for (int64_t rows : n > 1000 ? Ints{1, 3} : Ints{1, 7, 8, 9, 65}) {
      const Tensor x = random_f32({rows, n}, ++seed, -3, 3);
      compare("Softmax", {}, {x});
      compare("LogSoftmax", {}, {x});
      compare("Hardmax", {}, {x});
      compare("LayerNormalization", {}, {x, random_f32({n}, 2), random_f32({n}, 3)}, 6);
      compare("RMSNormalization", {}, {x, random_f32({n}, 2)}, 2);
      compare("LpNormalization", {}, {x});
      for (const char* op :
           {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"}) {
        compare(op, {}, {x, i64({1}, {1})}, 2);
        compare(op, {}, {x, i64({1}, {0})}, 2);
      }
      for (int64_t axis : {0, 1}) {
        compare("ArgMax", {{"axis", axis}}, {x});
        compare("CumSum", {}, {x, i64({}, {axis})}, 2);
      }
      if (n > 5000) continue;
      for (int64_t k : {int64_t(1), std::min<int64_t>(n, 5), n}) compare("TopK", {}, {x, i64({1}, {k})}, 2, 2);
    }
  }
  for (int64_t inner : {2, 3, 31, 128, 129, 1023}) {
    const Tensor x = random_f32({3, 17, inner}, ++seed);
    for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) compare(op, {{"axis", int64_t(1)}}, {x});
    compare("ReduceSum", {}, {x, i64({1}, {1})}, 2);
    compare("ReduceMax", {}, {x, i64({2}, {0, 2})}, 2);
    compare("LpNormalization", {{"axis", int64_t(1)}, {"p", int64_t(1)}}, {x});
    compare("InstanceNormalization", {}, {x, random_f32({17}, 1), random_f32({17}, 2)}, 6);
    compare("BatchNormalization", {}, {x, random_f32({17}, 1), random_f32({17}, 2), random_f32({17}, 3), random_f32({17}, 4, 0.5f, 1)}, 30);
    compare("LRN", {{"size", int64_t(3)}}, {x});
    compare("MeanVarianceNormalization", {{"axes", Ints{0, 2}}}, {x});
  }
  for (int64_t side : {1, 4, 5, 64, 67}) {
    compare("GroupNormalization", {{"num_groups", int64_t(3)}}, {random_f32({2, 6, side, side}, ++seed), random_f32({6}, 1), random_f32({6}, 2)}, 6);
  }
  compare("ReduceSum", {}, {random_f32({2, 70001}, 1), i64({1}, {1})}, 2);
  compare("ReduceMean", {}, {random_f32({5, 3, 4099}, 1), i64({2}, {0, 2})}, 2);
  compare("Softmax", {}, {random_f32({0, 5}, 1)});
  compare("ReduceSum", {}, {random_f32({4, 0}, 1), i64({1}, {1})}, 2);
}

TEST_CASE("edges: elements, broadcast and not") {
  if (none()) return;
  uint32_t seed = 500;
  for (int64_t n : {0, 1, 3, 4, 5, 255, 256, 257, 1023, 1024, 1025, 4099}) {
    const Tensor x = random_f32({n}, ++seed, -3, 3), y = random_f32({n}, ++seed, 0.5f, 2);
    for (const char* op : {"Relu", "Exp", "Tanh", "Sigmoid", "Erf", "Gelu", "Sin", "Sqrt", "Neg", "Floor", "HardSwish", "Log"}) compare(op, {}, {y});
    for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Less", "PRelu", "Mod"}) {
      if (std::string(op) == "Mod") compare(op, {{"fmod", int64_t(1)}}, {x, y});
      else compare(op, {}, {x, y});
    }
    compare("Where", {}, {boolean({n}, std::vector<bool>(static_cast<size_t>(n), true)), x, y});
    for (DType to : {DType::i64, DType::i32, DType::f64, DType::f16, DType::u8, DType::boolean}) {
      compare("Cast",
              {{"to", int64_t(to == DType::i64   ? 7
                              : to == DType::i32 ? 6
                              : to == DType::f64 ? 11
                              : to == DType::f16 ? 10
                              : to == DType::u8  ? 2
                                                 : 9)}},
              {x});
    }
    compare("QuantizeLinear", {}, {x, f32({}, {0.05f})}, 2);
    compare("DynamicQuantizeLinear", {}, {n == 0 ? random_f32({1}, 1) : x}, 0, 3);
  }
  for (const auto& [a, b] : std::vector<std::pair<Dims, Dims>>{{{7, 1, 5}, {1, 6, 5}},
                                                               {{2, 3, 4, 5}, {3, 1, 1}},
                                                               {{1}, {257}},
                                                               {{33, 1}, {1, 65}},
                                                               {{2, 1, 3, 1, 5}, {1, 4, 1, 6, 1}},
                                                               {{64, 256}, {256}},
                                                               {{}, {9}},
                                                               {{3, 0}, {1, 1}}}) {
    compare("Add", {}, {random_f32(a, ++seed), random_f32(b, ++seed)});
    compare("Div", {}, {random_f32(b, ++seed), random_f32(a, ++seed)});
    compare("Where", {}, {boolean({1}, {false}), random_f32(a, ++seed), random_f32(b, ++seed)});
  }
}

TEST_CASE("edges: elements that move") {
  if (none()) return;
  std::mt19937 engine(6);
  uint32_t seed = 700;
  for (const Dims& d : {Dims{1, 1}, Dims{7, 8}, Dims{8, 7}, Dims{31, 33}, Dims{32, 32}, Dims{33, 31}, Dims{65, 129}, Dims{1, 257}, Dims{0, 3}}) {
    compare("Transpose", {{"perm", Ints{1, 0}}}, {random_f32(d, ++seed)});
    compare("Pad", {{"mode", std::string("constant")}}, {random_f32(d, ++seed), i64({4}, {1, 2, 3, 0}), f32({}, {7})}, 6);
    if (d[0] > 2 && d[1] > 2) {
      for (const char* mode : {"reflect", "edge", "wrap"})
        compare("Pad", {{"mode", std::string(mode)}}, {random_f32(d, ++seed), i64({4}, {2, 1, 1, 2})}, 2);
    }
    compare("Slice", {}, {random_f32(d, ++seed), i64({2}, {0, -1}), i64({2}, {1000, -1000}), i64({2}, {0, 1}), i64({2}, {2, -1})}, 30);
    compare("Concat", {{"axis", int64_t(1)}}, {random_f32(d, ++seed), random_f32(d, ++seed), random_f32(d, ++seed)});
    compare("Concat", {{"axis", int64_t(0)}}, {random_f32(d, ++seed), random_f32(d, ++seed)});
    compare("Tile", {}, {random_f32(d, ++seed), i64({2}, {2, 3})}, 2);
    compare("Trilu", {}, {random_f32(d, ++seed), i64({}, {1})}, 2);
    compare("Expand", {}, {random_f32({d[0], 1}, ++seed), i64({3}, {2, d[0], 5})}, 2);
  }
  for (const Ints& perm : {Ints{0, 2, 1}, Ints{2, 1, 0}, Ints{1, 0, 2}, Ints{1, 2, 0}, Ints{2, 0, 1}}) {
    for (const Dims& d : {Dims{2, 33, 65}, Dims{5, 8, 31}, Dims{3, 1, 7}}) {
      compare("Transpose", {{"perm", perm}}, {random_f32(d, ++seed)});
      compare("Transpose", {{"perm", perm}}, {cast(random_f32(d, ++seed, 0, 100), DType::i64)});
      compare("Transpose", {{"perm", perm}}, {cast(random_f32(d, ++seed, 0, 100), DType::u8)});
    }
  }
  compare("DepthToSpace", {{"blocksize", int64_t(2)}}, {random_f32({2, 12, 5, 7}, ++seed)});
  compare("SpaceToDepth", {{"blocksize", int64_t(3)}}, {random_f32({2, 3, 6, 9}, ++seed)});
  for (int64_t rows : {1, 5, 257}) {
    for (int64_t inner : {1, 3, 4, 64, 257}) {
      std::vector<int64_t> at;
      for (int i = 0; i < 37; ++i) at.push_back(static_cast<int64_t>(engine() % static_cast<uint32_t>(2 * rows)) - rows);
      compare("Gather", {}, {random_f32({rows, inner}, ++seed), i64({37}, at)});
      std::vector<int64_t> elements;
      for (int64_t i = 0; i < rows * inner; ++i) elements.push_back(static_cast<int64_t>(engine() % static_cast<uint32_t>(rows)));
      compare("GatherElements", {}, {random_f32({rows, inner}, ++seed), i64({rows, inner}, elements)});
      for (const char* reduction : {"none", "add", "mul", "max"}) {
        compare("ScatterElements", {{"reduction", std::string(reduction)}},
                {random_f32({rows, inner}, ++seed), i64({rows, inner}, elements), random_f32({rows, inner}, ++seed)});
      }
    }
  }
}

TEST_CASE("edges: ranges and ones among zeros") {
  if (none()) return;
  for (int64_t n : {0, 1, 255, 256, 257, 1000}) {
    compare("Range", {}, {i64({}, {3}), i64({}, {3 + 2 * n}), i64({}, {2})}, 7);
    compare("Range", {}, {f32({}, {0}), f32({}, {0.5f * static_cast<float>(n)}), f32({}, {0.5f})}, 7);
  }
  std::mt19937 engine(9);
  for (const Dims& d : {Dims{1}, Dims{5}, Dims{2, 3}, Dims{3, 1, 7}, Dims{17, 31}}) {
    for (int64_t axis : {-1, 0, 1}) {
      for (int64_t depth : {1, 2, 13}) {
        std::vector<int64_t> at;  // some outside: no one there
        for (int64_t i = 0; i < d.count(); ++i) at.push_back(static_cast<int64_t>(engine() % static_cast<uint32_t>(2 * depth + 2)) - depth - 1);
        compare("OneHot", {{"axis", axis}}, {i64(d, at), i64({}, {depth}), f32({2}, {-1, 4})}, 2);
      }
    }
  }
}

TEST_CASE("edges: windows, resizing, attention and recurrence") {
  if (none()) return;
  std::mt19937 engine(8);
  uint32_t seed = 900;
  for (int i = 0; i < 60; ++i) {
    const int64_t h = pick<int64_t>({3, 7, 16, 17, 33}, engine), w = pick<int64_t>({3, 8, 31, 32, 65}, engine), k = pick<int64_t>({1, 2, 3}, engine),
                  s = pick<int64_t>({1, 2, 3}, engine);
    const Tensor x = random_f32({pick<int64_t>({1, 2}, engine), pick<int64_t>({1, 3, 17}, engine), h, w}, ++seed);
    const int64_t pad = k / 2, ceil = engine() % 2, include = engine() % 2;
    compare("MaxPool", {{"kernel_shape", Ints{k, k}}, {"strides", Ints{s, s}}, {"pads", Ints{pad, pad, 0, pad}}, {"ceil_mode", ceil}}, {x}, 0, 2);
    compare("AveragePool",
            {{"kernel_shape", Ints{k, k}},
             {"strides", Ints{s, s}},
             {"pads", Ints{pad, 0, pad, pad}},
             {"count_include_pad", include},
             {"ceil_mode", ceil}},
            {x});
    compare("GlobalAveragePool", {}, {x});
    compare("GlobalMaxPool", {}, {x});
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      compare("Resize", {{"mode", std::string(mode)}},
              {x, absent(), absent(), i64({4}, {x.dims()[0], x.dims()[1], pick<int64_t>({1, 5, 40}, engine), pick<int64_t>({2, 33, 64}, engine)})},
              8);
    }
  }
  for (int64_t t : {1, 15, 16, 17, 33}) {
    for (int64_t s : {1, 63, 64, 65, 130, 577}) {
      for (int64_t d : {1, 16, 31, 33, 64}) {
        if (engine() % 3 != 0) continue;
        std::vector<Tensor> inputs = {random_f32({1, 2, t, d}, ++seed), random_f32({1, 2, s, d}, ++seed),
                                      random_f32({1, 2, s, pick<int64_t>({1, 17, 64}, engine)}, ++seed)};
        if (engine() % 2) inputs.push_back(random_f32({t, s}, ++seed));
        compare("FusedAttention", {{"scale", 0.25f}}, inputs);
      }
    }
  }
  for (int64_t hidden : {1, 3, 16, 31, 64, 65, 130}) {
    for (int64_t batch : {1, 2, 5, 9}) {
      if (hidden * batch > 300) continue;
      const int64_t steps = pick<int64_t>({1, 2, 5}, engine), inputs = pick<int64_t>({1, 4, 17}, engine), d = 1 + static_cast<int64_t>(engine() % 2);
      const std::string direction = d == 2 ? "bidirectional" : engine() % 2 ? "forward" : "reverse";
      for (const auto& [op, gates] : std::vector<std::pair<const char*, int64_t>>{{"LSTM", 4}, {"GRU", 3}, {"RNN", 1}}) {
        std::vector<Tensor> in = {random_f32({steps, batch, inputs}, ++seed), random_f32({d, gates * hidden, inputs}, ++seed),
                                  random_f32({d, gates * hidden, hidden}, ++seed), random_f32({d, 2 * gates * hidden}, ++seed)};
        compare(op, {{"hidden_size", hidden}, {"direction", direction}}, in, engine() % 2 ? 14 : 0, gates == 4 ? 3 : 2);
      }
    }
  }
}

}  // namespace tern::test::in_edges
