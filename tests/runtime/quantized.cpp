// Quantised graphs: what becomes a product of integers, what does not, and that tables, pairs and channels that lie last keep the bits.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "kernels/evaluate.h"
#include "kernels/layouts.h"
#include "runtime/conv_ends.h"
#include "runtime/evaluator.h"
#include "runtime/fuse/passes.h"
#include "runtime/infer_shapes.h"
#include "runtime/last_channels.h"
#include "runtime/optimize.h"
#include "runtime/simplify.h"
#include "runtime/verify.h"
#include "tests/support/graph_builder.h"
#include "tests/support/sessions.h"

namespace tern::test::in_quantized {
namespace {

int64_t count(const Graph& g, std::string_view op) { return GraphBuilder::count(g, op); }

class Quantiser : public GraphBuilder {
 public:
  ValueId scalar(float v) { return graph.add_constant("s", Tensor::scalar(v)); }
  ValueId zero(int v, DType t) { return graph.add_constant("z", t == DType::i8 ? Tensor::scalar(int8_t(v)) : Tensor::scalar(uint8_t(v))); }
  ValueId to_bytes(ValueId x, float scale, int z, DType t = DType::u8) { return node("QuantizeLinear", {x, scalar(scale), zero(z, t)}); }
  ValueId to_real(ValueId q, float scale, int z, DType t = DType::u8) { return node("DequantizeLinear", {q, scalar(scale), zero(z, t)}); }
  // Rounded and back.
  ValueId fenced(ValueId x, float scale, int z, DType t = DType::u8) { return to_real(to_bytes(x, scale, z, t), scale, z, t); }
  ValueId weights(Dims dims, uint32_t seed, float scale) {
    const Tensor w = test::cast(random_f32(dims, seed, -127, 127), DType::i8);
    return node("DequantizeLinear", {graph.add_constant("w", w), scalar(scale), zero(0, DType::i8)});
  }
  // What onnxruntime's quantize_dynamic writes for x W: x as bytes once, then the product of bytes, scaled.
  struct Dynamic {
    ValueId bytes, scale, zero;
  };
  Dynamic dynamic(ValueId x) {
    const std::vector<ValueId> made = nodes("DynamicQuantizeLinear", {x}, 3);
    return {made[0], made[1], made[2]};
  }
  ValueId product(const Dynamic& x, ValueId w, ValueId w_scale, ValueId w_zero) {
    const ValueId real = node("Cast", {node("MatMulInteger", {x.bytes, w, x.zero, w_zero})}, {{"to", int64_t(1)}});
    return node("Mul", {real, node("Mul", {x.scale, w_scale})});
  }
  ValueId bias(int64_t n, float scale) {
    std::vector<int32_t> v;
    for (int64_t i = 0; i < n; ++i) v.push_back(static_cast<int32_t>(300 * i - 700));
    return node("DequantizeLinear", {graph.add_constant("b", Tensor::of<int32_t>({n}, v)), scalar(scale)});
  }
};

Graph optimized(const Graph& given) {
  Graph g = given;
  const Status s = optimize(g, 1 << 24);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  return g;
}
// As a plan of the CPU has it.
Graph planned(const Graph& given) {
  Graph g = optimized(given);
  fuse_dynamic_products(g);
  fuse_quantized_maps(g);
  last_channels(g);
  simplify(g);
  REQUIRE(verify(g).ok());
  const Status s = verify_types(g);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  return g;
}
// The bytes of the plan are those of the graph that the passes of a plan have not seen, evaluated without its packs: the model's own evaluator shares these.
void check_bits(const Graph& given, const std::vector<Tensor>& inputs) {
  const std::vector<Array> y = run_both(model_of(given), inputs);
  const auto expected = evaluate_graph(optimized(given), inputs, {});
  REQUIRE(expected.ok());
  for (size_t o = 0; o < y.size(); ++o) {
    const Tensor& e = (*expected)[o];
    REQUIRE(y[o].bytes.size() == e.bytes());
    CHECK((e.bytes() == 0 || std::memcmp(y[o].bytes.data(), e.raw(), e.bytes()) == 0));
  }
}

}  // namespace

TEST_CASE("quantised: a convolution between its fences is one of integers, its Relu a limit of bytes or nothing") {
  for (int z : {0, 20}) {
    Quantiser b;
    const ValueId x = b.fenced(b.input("x", {1, 4, 6, 6}), 0.02f, 128);
    const ValueId y = b.node("Relu", {b.node("Conv", {x, b.weights({5, 4, 3, 3}, 1, 0.01f), b.bias(5, 0.02f * 0.01f)})});
    b.output(b.fenced(y, 0.05f, z));
    const Graph g = optimized(b.graph);
    CHECK(count(g, "QLinearConv") == 1);
    CHECK(count(g, "Conv") == 0);
    CHECK(count(g, "Clip") == (z != 0));
    const Tensor in = random_f32({1, 4, 6, 6}, 2, -3, 3);
    check_bits(b.graph, {in});
    // The plain graph in f32: equal but for ties.
    auto expected = evaluate_graph(b.graph, std::vector<Tensor>{in}, {}), actual = evaluate_graph(g, std::vector<Tensor>{in}, {});
    REQUIRE((expected.ok() && actual.ok()));
    check_close((*actual)[0], (*expected)[0], 0, 0.0501f);
    int64_t differ = 0;
    for (int64_t i = 0; i < (*actual)[0].count(); ++i) differ += (*actual)[0].data<float>()[i] != (*expected)[0].data<float>()[i];
    CHECK(differ <= 1);
  }
}

TEST_CASE("quantised: a transposed convolution is one of integers that gives the pixels of a pixel as channels") {
  struct Case {
    int64_t kernel, pad, extra, outputs;
    bool fused;
  };
  for (const Case& c :
       {Case{2, 0, 0, 5, true}, {4, 1, 0, 6, true}, {3, 1, 1, 1, true}, {2, 0, 0, 1, true}, {3, 0, 0, 4, false}, {5, 2, 1, 3, true}}) {
    for (DType t : {DType::i8, DType::u8}) {
      CAPTURE(c.kernel);
      Quantiser b;
      const ValueId x = b.fenced(b.input("x", {2, 4, 5, 6}), 0.02f, 128);
      const Tensor w = test::cast(random_f32({4, c.outputs, c.kernel, c.kernel}, 1, t == DType::i8 ? -127 : 0, t == DType::i8 ? 127 : 255), t);
      std::vector<float> scales, zeros;
      for (int64_t i = 0; i < c.outputs; ++i) scales.push_back(0.01f + 0.002f * static_cast<float>(i)), zeros.push_back(static_cast<float>(i + 3));
      const ValueId real = b.node("DequantizeLinear",
                                  {b.graph.add_constant("w", w), b.graph.add_constant("s", f32({c.outputs}, scales)),
                                   b.graph.add_constant("z", test::cast(f32({c.outputs}, zeros), t))},
                                  {{"axis", int64_t(1)}});
      const ValueId bias = b.graph.add_constant("c", random_f32({c.outputs}, 8));
      const ValueId y = b.node(
          "ConvTranspose", {x, real, bias},
          {{"strides", std::vector<int64_t>{2, 2}}, {"pads", std::vector<int64_t>(4, c.pad)}, {"output_padding", std::vector<int64_t>(2, c.extra)}});
      b.output(b.fenced(b.node("Relu", {y}), 0.07f, 20));
      const Graph g = optimized(b.graph);
      CHECK(count(g, "QLinearConv") == c.fused);
      CHECK(count(g, "DepthToSpace") == c.fused);
      const Tensor in = random_f32({2, 4, 5, 6}, 2, -3, 3);
      check_bits(b.graph, {in});
      auto expected = evaluate_graph(b.graph, std::vector<Tensor>{in}, {}), actual = evaluate_graph(g, std::vector<Tensor>{in}, {});
      REQUIRE((expected.ok() && actual.ok()));
      check_close((*actual)[0], (*expected)[0], 0, 0.0701f);
      int64_t differ = 0;
      for (int64_t i = 0; i < (*actual)[0].count(); ++i) differ += (*actual)[0].data<float>()[i] != (*expected)[0].data<float>()[i];
      CHECK(differ <= 2 + (*actual)[0].count() / 50);  // the bias is rounded to steps of the sums
    }
  }
}

TEST_CASE("quantised: weights that two transposed convolutions read are not spread for each, nor weights of no element") {
  for (int64_t channels : {4, 0}) {
    for (bool dequantized_once : {false, true}) {
      Quantiser b;
      const ValueId x = b.fenced(b.input("x", {1, channels, 5, 6}), 0.02f, 128);
      const ValueId w = b.graph.add_constant("w", test::cast(random_f32({channels, 3, 2, 2}, 1, -127, 127), DType::i8));
      auto real = [&] { return b.node("DequantizeLinear", {w, b.scalar(0.01f), b.zero(0, DType::i8)}); };
      const ValueId first = real(), second = dequantized_once ? first : real();
      const Attrs by_two{{"strides", std::vector<int64_t>{2, 2}}};
      b.output(b.fenced(b.node("ConvTranspose", {x, first}, by_two), 0.07f, 20));
      if (channels != 0) b.output(b.fenced(b.node("ConvTranspose", {x, second}, by_two), 0.08f, 20));
      CHECK(count(optimized(b.graph), "QLinearConv") == 0);
      check_bits(b.graph, {random_f32({1, channels, 5, 6}, 2, -3, 3)});
    }
  }
}

TEST_CASE("quantised: products of matrices, with a bias that is rounded to steps when the file has it in f32") {
  Quantiser b;
  const ValueId x = b.fenced(b.input("x", {3, 8}), 0.02f, 100);
  const ValueId plain = b.graph.add_constant("c", random_f32({7}, 9));
  const ValueId g1 = b.fenced(b.node("Gemm", {x, b.weights({7, 8}, 3, 0.01f), plain}, {{"transB", int64_t(1)}}), 0.03f, 7, DType::i8);
  const ValueId m = b.fenced(b.node("MatMul", {g1, b.weights({7, 5}, 4, 0.02f)}), 0.1f, 3);
  b.output(b.fenced(b.node("MatMul", {b.node("Transpose", {m}, {{"perm", std::vector<int64_t>{1, 0}}}), x}), 0.5f, 99));  // two that vary
  const Graph g = optimized(b.graph);
  CHECK(count(g, "FusedQLinearMatMul") == 1);
  CHECK(count(g, "QLinearMatMul") == 1);
  check_bits(b.graph, {random_f32({3, 8}, 2, -2, 2)});
}

TEST_CASE("quantised: what is read elsewhere, unquantised, or of scales that are not known stays as it is") {
  {  // the sum is an output too
    Quantiser b;
    const ValueId y = b.node("Conv", {b.fenced(b.input("x", {1, 2, 5, 5}), 0.02f, 0), b.weights({3, 2, 3, 3}, 1, 0.01f)});
    b.output(b.fenced(y, 0.05f, 0));
    b.output(y);
    CHECK(count(optimized(b.graph), "QLinearConv") == 0);
  }
  {  // a scale that is an input
    Quantiser b;
    const ValueId q = b.to_bytes(b.input("x", {1, 2, 5, 5}), 0.02f, 0);
    const ValueId x = b.node("DequantizeLinear", {q, b.input("s", Shape(std::vector<Dim>{})), b.zero(0, DType::u8)});
    b.output(b.fenced(b.node("Conv", {x, b.weights({3, 2, 3, 3}, 1, 0.01f)}), 0.05f, 0));
    CHECK(count(optimized(b.graph), "QLinearConv") == 0);
  }
  {  // a bias beyond 2^30 steps, of steps of 0, and a negative scale behind a Relu
    for (const auto& [bias, x_scale, y_scale] :
         std::initializer_list<std::array<float, 3>>{{1e9f, 0.01f, 0.05f}, {1, 0, 0.05f}, {NAN, 0.01f, 0.05f}, {1, 0.01f, -0.05f}}) {
      Quantiser b;
      const ValueId c = b.graph.add_constant("c", f32({3}, {bias, 1, 1}));
      const ValueId y = b.node("Conv", {b.fenced(b.input("x", {1, 2, 5, 5}), x_scale, 0), b.weights({3, 2, 3, 3}, 1, 0.01f), c});
      b.output(b.fenced(b.node("Relu", {y}), y_scale, 0));
      CHECK(count(optimized(b.graph), "QLinearConv") == 0);
    }
  }
  {  // a bias between steps that are coarser than those of the result
    for (const auto& [bias, products] : {std::pair{0.5f, 1}, std::pair{0.5005f, 0}}) {
      Quantiser b;
      const ValueId c = b.graph.add_constant("c", f32({3}, {bias, 1, 1}));
      const ValueId y = b.node("Conv", {b.fenced(b.input("x", {1, 2, 5, 5}), 0.5f, 0), b.weights({3, 2, 3, 3}, 1, 0.5f), c});
      b.output(b.fenced(y, 0.0005f, 0));
      CHECK(count(optimized(b.graph), "QLinearConv") == products);
    }
  }
  {  // sums that i32 might not hold
    for (const auto& [k, products] : {std::pair<int64_t, int>{32000, 1}, {33000, 0}}) {
      Quantiser gemm, matmul, conv;
      gemm.output(gemm.fenced(gemm.node("Gemm", {gemm.fenced(gemm.input("x", {2, k}), 0.02f, 0), gemm.weights({k, 1}, 1, 0.01f)}), 9.0f, 0));
      CHECK(count(optimized(gemm.graph), "FusedQLinearMatMul") == products);
      matmul.output(
          matmul.fenced(matmul.node("MatMul", {matmul.fenced(matmul.input("x", {2, k}), 0.02f, 0), matmul.weights({k, 1}, 1, 0.01f)}), 9.0f, 0));
      CHECK(count(optimized(matmul.graph), "QLinearMatMul") == products);
      conv.output(conv.fenced(conv.node("Conv", {conv.fenced(conv.input("x", {1, k / 4, 2, 2}), 0.02f, 0), conv.weights({1, k / 4, 2, 2}, 1, 0.01f)}),
                              9.0f, 0));
      CHECK(count(optimized(conv.graph), "QLinearConv") == products);
    }
  }
  {  // weights whose scales are of another axis
    Quantiser b;
    const ValueId w = b.graph.add_constant("w", cast(random_f32({2, 2, 3, 3}, 1, -99, 99), DType::i8));
    const ValueId scales = b.graph.add_constant("s", f32({2}, {0.1f, 0.2f}));
    const ValueId real = b.node("DequantizeLinear", {w, scales}, {{"axis", int64_t(1)}});
    b.output(b.fenced(b.node("Conv", {b.fenced(b.input("x", {1, 2, 5, 5}), 0.02f, 0), real}), 0.05f, 0));
    const Graph g = optimized(b.graph);
    CHECK(count(g, "QLinearConv") == 0);
    CHECK(count(g, "DequantizeLinear") == 2);  // not of weights: these are f32 now
  }
}

TEST_CASE("quantised: functions of one value become tables, sums and products of two stay on bytes, with the bits of f32") {
  Quantiser b;
  const ValueId x = b.fenced(b.input("x", {2, 40}), 0.03f, 100), y = b.fenced(b.input("y", {2, 40}), 0.02f, -5, DType::i8);
  const ValueId half = b.scalar(0.5f);
  const ValueId s = b.fenced(b.node("Sigmoid", {b.node("Mul", {x, half})}), 1.0f / 256, 0);
  b.output(b.fenced(b.node("Mul", {y, s}), 0.01f, 80));
  b.output(b.fenced(b.node("Relu", {b.node("Add", {x, y})}), 0.05f, 3, DType::i8));
  b.output(b.to_bytes(x, 0.07f, 9, DType::i8));  // another scale
  b.output(b.fenced(b.node("Concat", {x, y, s}, {{"axis", int64_t(1)}}), 0.03f, 100));
  const Graph g = planned(b.graph);
  CHECK(count(g, "Lookup8") == 4);
  CHECK(count(g, "QuantizedMul") == 1);
  CHECK(count(g, "QuantizedAdd") == 1);
  CHECK(count(g, "Sigmoid") == 0);
  CHECK(count(g, "Concat") == 1);
  check_bits(b.graph, {random_f32({2, 40}, 1, -4, 4), random_f32({2, 40}, 2, -3, 3)});
}

TEST_CASE("quantised: what moves elements between two scales moves bytes, and a table stands on its shorter side") {
  using Ints = std::vector<int64_t>;
  Quantiser b;
  auto ints = [&](Ints v) { return b.graph.add_constant("i", Tensor::ints(v)); };
  const ValueId x = b.fenced(b.input("x", {1, 8, 6, 4}), 0.03f, 100);
  auto end = [&](ValueId v) { b.output(b.to_bytes(v, 0.02f, -7, DType::i8)); };
  end(b.node("DepthToSpace", {b.node("Relu", {x})}, {{"blocksize", int64_t(2)}}));
  end(b.node("Sigmoid", {b.node("Reshape", {b.node("Transpose", {x}, {{"perm", Ints{0, 2, 1, 3}}}), ints({6, 32})})}));
  end(b.node("Slice", {x, ints({1}), ints({5}), ints({1})}));
  end(b.node("Gather", {x, ints({3, 3, 0})}, {{"axis", int64_t(1)}}));
  const ValueId scales = b.graph.add_constant("f", f32({4}, {1, 1, 2, 2})), wider = b.graph.add_constant("f", f32({4}, {1, 1, 1, 2}));
  end(b.node("Resize", {x, kNone, scales}, {{"mode", std::string("nearest")}}));
  b.output(b.to_bytes(b.node("Resize", {x, kNone, wider}, {{"mode", std::string("nearest")}}), 0.03f, 100));  // of one scale: no table
  end(b.node("Resize", {x, kNone, scales}, {{"mode", std::string("linear")}}));                               // makes values of its own
  const ValueId roi = b.graph.add_constant("r", f32({8}, {0, 0, -1, 0, 1, 1, 2, 1}));
  end(b.node(
      "Resize", {x, roi, scales},
      {{"mode", std::string("nearest")}, {"coordinate_transformation_mode", std::string("tf_crop_and_resize")}, {"extrapolation_value", 1.0f}}));
  const Graph g = planned(b.graph);
  CHECK(count(g, "DequantizeLinear") == 1);
  CHECK(count(g, "QuantizeLinear") == 3);  // of x, and what is interpolated or begins outside x
  CHECK(count(g, "Lookup8") == 5);
  for (const Node& node : g.nodes) {
    if (node.op == find_op("Lookup8")) CHECK(g.value(node.outputs[0]).type.shape.concrete().count() <= 192);
    if (node.op == find_op("Resize"))
      CHECK((g.value(node.inputs[0]).type.dtype == DType::f32) == (node.read().s("mode") == "linear" || node.inputs[1] != kNone));
  }
  check_bits(b.graph, {random_f32({1, 8, 6, 4}, 1, -4, 4)});
}

TEST_CASE("quantised: a product of two functions of one value is a table, with its limits and the bits of f32") {
  for (DType t : {DType::u8, DType::i8}) {
    Quantiser b;
    const ValueId x = b.fenced(b.input("x", {3, 100}), 0.05f, t == DType::u8 ? 120 : -3, t);
    const ValueId s = b.fenced(b.node("Sigmoid", {x}), 1.0f / 256, 0);
    b.output(b.fenced(b.node("Mul", {x, s}), 0.02f, 10));
    b.output(b.fenced(b.node("Relu", {b.node("Add", {s, x})}), 0.03f, 7, DType::i8));
    b.output(b.fenced(b.node("Clip", {b.node("Mul", {x, x}), b.scalar(0.5f), b.scalar(3)}), 0.02f, 0));
    const Graph g = planned(b.graph);
    CHECK(count(g, "Lookup8") == 3);
    CHECK(count(g, "QuantizedMul") == 0);
    CHECK(count(g, "QuantizedAdd") == 0);
    check_bits(b.graph, {random_f32({3, 100}, 1, -8, 8)});
  }
}

TEST_CASE("quantised: squeeze and excite stays on bytes, its means and factors of channels, wherever these lie") {
  for (int64_t channels : {5, 16, 90}) {
    Quantiser b;
    ValueId x = b.fenced(b.input("x", {2, channels, 7, 3}), 0.02f, 128);
    const ValueId plain = b.fenced(b.node("GlobalAveragePool", {x}), 0.004f, 130);
    b.output(plain);
    b.output(b.fenced(b.node("Mul", {plain, x}), 0.01f, 128));
    const ValueId a = b.fenced(b.node("Conv", {x, b.weights({channels, channels, 1, 1}, 1, 0.01f)}), 0.05f, 60, DType::i8);
    const ValueId m = b.fenced(b.node("Relu", {b.node("GlobalAveragePool", {a})}), 0.01f, 3);
    const ValueId e = b.fenced(b.node("Conv", {m, b.weights({channels, channels, 1, 1}, 2, 0.01f)}), 0.02f, 128);
    const ValueId f = b.fenced(b.node("Sigmoid", {e}), 1.0f / 256, 0);
    const ValueId scaled = b.fenced(b.node("Add", {f, b.fenced(b.node("Mul", {f, a}), 0.03f, 66)}), 0.03f, 60);
    b.output(b.fenced(b.node("Conv", {scaled, b.weights({6, channels, 1, 1}, 3, 0.01f)}), 0.1f, 100));
    const Graph g = planned(b.graph);
    CHECK(count(g, "QuantizedMean") == 2);
    CHECK(count(g, "QuantizedMul") == 2);
    CHECK(count(g, "QuantizedAdd") == 1);
    CHECK(count(g, "Transpose") == 0);
    CHECK(count(g, "QLinearConv") == 0);
    check_bits(b.graph, {random_f32({2, channels, 7, 3}, 1, -3, 3)});
  }
}

TEST_CASE("quantised: means of windows stay on bytes, with channels last on the side where a convolution is") {
  for (int64_t channels : {3, 16, 90}) {
    for (int z : {128, 20}) {
      Quantiser b;
      const std::vector<int64_t> three(2, 3), two(2, 2), one(4, 1);
      const ValueId x = b.fenced(b.input("x", {2, channels, 12, 9}), 0.02f, 128);
      const Attrs pool{{"kernel_shape", three}, {"strides", two}, {"pads", one}};
      const ValueId first = b.fenced(b.node("AveragePool", {x}, pool), 0.015f, 100);
      const ValueId a = b.fenced(b.node("Conv", {first, b.weights({channels, channels, 1, 1}, 1, 0.01f)}), 0.05f, 60, DType::i8);
      const ValueId m = b.fenced(b.node("Relu", {b.node("AveragePool", {a}, pool)}), 0.03f, z);
      b.output(b.fenced(b.node("Conv", {m, b.weights({channels, channels, 1, 1}, 2, 0.01f)}), 0.02f, 128));
      b.output(b.node("Flatten", {b.fenced(b.node("AveragePool", {m}, pool), 0.04f, 128)}));
      b.output(b.node("Flatten", {b.fenced(b.node("GlobalAveragePool", {a}), 0.01f, 128)}));
      const Graph g = planned(b.graph);
      CHECK(count(g, "QuantizedAveragePool") == 3);
      CHECK(count(g, "QuantizedMean") == 1);
      CHECK(count(g, "AveragePool") == 0);
      CHECK(count(g, "Transpose") == 0);
      CHECK(count(g, "Clip") == 1);
      check_bits(b.graph, {random_f32({2, channels, 12, 9}, 1, -3, 3)});
    }
  }
}

TEST_CASE("quantised: pixels that lie as channels become pixels with channels last") {
  for (const char* mode : {"DCR", "CRD"}) {
    Quantiser b;
    const ValueId x = b.fenced(b.input("x", {2, 5, 7, 6}), 0.02f, 128);
    const ValueId a = b.fenced(b.node("Conv", {x, b.weights({36, 5, 1, 1}, 1, 0.01f)}), 0.05f, 60);
    const ValueId d = b.fenced(b.node("DepthToSpace", {a}, {{"blocksize", int64_t(2)}, {"mode", std::string(mode)}}), 0.04f, 60);
    b.output(b.fenced(b.node("Conv", {d, b.weights({7, 9, 3, 3}, 2, 0.01f)}), 0.1f, 100));
    const Graph g = planned(b.graph);
    CHECK(count(g, "DepthToSpaceLast") == 1);
    CHECK(count(g, "Transpose") == 0);
    check_bits(b.graph, {random_f32({2, 5, 7, 6}, 5, -3, 3)});
  }
}

TEST_CASE("quantised: channels lie last from one convolution to the next, and as they were for everybody else") {
  for (bool pooled : {false, true}) {
    Quantiser b;
    const ValueId x = b.fenced(b.input("x", {2, 3, 12, 10}), 0.02f, 128);
    const std::vector<int64_t> one(4, 1);
    ValueId a = b.fenced(b.node("Conv", {x, b.weights({18, 3, 3, 3}, 1, 0.01f)}, {{"pads", one}}), 0.05f, 60);
    if (pooled) a = b.fenced(b.node("MaxPool", {a}, {{"kernel_shape", std::vector<int64_t>{2, 2}}}), 0.05f, 60);
    const ValueId c = b.fenced(b.node("Conv", {a, b.weights({18, 1, 3, 3}, 2, 0.01f)}, {{"pads", one}, {"group", int64_t(18)}}), 0.02f, 100);
    const ValueId d = b.fenced(b.node("Add", {a, c}), 0.06f, 70);
    const ValueId j = b.fenced(b.node("Concat", {d, c}, {{"axis", int64_t(1)}}), 0.06f, 70);
    const ValueId e = b.fenced(b.node("Conv", {j, b.weights({5, 36, 1, 1}, 3, 0.01f)}), 0.1f, 50);
    b.output(e);
    b.output(d);  // a reader that wants it as it was
    const Graph g = planned(b.graph);
    CHECK(count(g, "QLinearConv") == 0);
    CHECK(count(g, "FusedQLinearConv") == 3);
    CHECK(count(g, "MaxPoolLast") == pooled);
    CHECK(count(g, "Transpose") == 1);
    CHECK(count(g, "QuantizedAdd") == 1);
    check_bits(b.graph, {random_f32({2, 3, 12, 10}, 5, -3, 3)});
  }
}

TEST_CASE("quantised: maps of one and three spatial axes lie channels last, too, and a Concat may count its axis from the end") {
  for (const Dims& spatial : {Dims{9}, Dims{3, 4, 5}}) {
    Quantiser b;
    Dims x_dims = {2, 6}, w1 = {20, 6}, w2 = {4, 40};
    for (int64_t d : spatial.span()) x_dims.push_back(d), w1.push_back(1), w2.push_back(1);
    const ValueId x = b.fenced(b.input("x", Shape(x_dims)), 0.02f, 128);
    const ValueId a = b.fenced(b.node("Conv", {x, b.weights(w1, 1, 0.01f)}), 0.05f, 60);
    const ValueId t = b.fenced(b.node("Sigmoid", {a}), 0.05f, 60);
    const ValueId j = b.fenced(b.node("Concat", {a, t}, {{"axis", int64_t(1 - x_dims.rank)}}), 0.05f, 60);
    b.output(b.fenced(b.node("Conv", {j, b.weights(w2, 2, 0.01f)}), 0.1f, 100));
    b.output(b.node("Concat", {j, j}, {{"axis", int64_t(2)}}));
    const Graph g = planned(b.graph);
    CHECK(count(g, "FusedQLinearConv") == 2);
    CHECK(count(g, "Transpose") == 1);
    check_bits(b.graph, {random_f32(x_dims, 5, -3, 3)});
  }
}

TEST_CASE("quantised: of two of which one lies channels last, and of rows that are joined, both are as they were") {
  Quantiser b;
  const ValueId x = b.fenced(b.input("x", {1, 20, 6, 5}), 0.02f, 128), other = b.fenced(b.input("other", {1, 20, 6, 5}), 0.03f, 100);
  const ValueId v = b.fenced(b.node("Conv", {x, b.weights({20, 20, 1, 1}, 1, 0.01f)}), 0.05f, 60);
  const ValueId sum = b.fenced(b.node("Add", {v, other}), 0.06f, 90);
  b.output(b.fenced(b.node("Conv", {sum, b.weights({7, 20, 3, 3}, 2, 0.01f)}), 0.05f, 60));
  const ValueId rows = b.fenced(b.node("Concat", {v, v}, {{"axis", int64_t(2)}}), 0.05f, 60);
  b.output(b.fenced(b.node("Conv", {rows, b.weights({7, 20, 3, 3}, 3, 0.01f)}), 0.05f, 60));
  CHECK(count(planned(b.graph), "QuantizedAdd") == 1);
  check_bits(b.graph, {random_f32({1, 20, 6, 5}, 4, -3, 3), random_f32({1, 20, 6, 5}, 5, -3, 3)});
}

TEST_CASE("quantised: what no convolution reads keeps its channels, and a maximum whose places are asked for does") {
  Quantiser b;
  const ValueId x = b.fenced(b.input("x", {1, 5, 6, 6}), 0.02f, 128);
  const ValueId a = b.fenced(b.node("Conv", {x, b.weights({18, 5, 1, 1}, 1, 0.01f)}), 0.05f, 60);
  b.output(b.fenced(b.node("Sigmoid", {a}), 0.01f, 0));
  const Graph g = planned(b.graph);
  CHECK(count(g, "FusedQLinearConv") == 0);
  CHECK(count(g, "Transpose") == 0);
  check_bits(b.graph, {random_f32({1, 5, 6, 6}, 5, -3, 3)});
}

TEST_CASE("quantised: an integer convolution reads and writes channels last where Transposes stand beside it") {
  using Ints = std::vector<int64_t>;
  for (bool read_twice : {false, true}) {
    Quantiser b;
    const ValueId x = b.input("x", {2, 5, 4, 6}, DType::u8);
    const ValueId w = b.graph.add_constant("w", test::cast(random_f32({3, 6, 3, 1}, 2, -127, 127), DType::i8));
    const ValueId first = b.node("Transpose", {x}, {{"perm", Ints{0, 3, 1, 2}}});
    const ValueId y = b.node("QLinearConv", {first, b.scalar(0.02f), b.zero(9, DType::u8), w, b.scalar(0.01f), b.zero(0, DType::i8), b.scalar(0.5f),
                                             b.zero(100, DType::u8)});
    b.output(b.node("Transpose", {y}, {{"perm", Ints{0, 2, 3, 1}}}));
    if (read_twice) b.output(first);
    Graph g = b.graph;
    REQUIRE(infer_shapes(g).ok());
    absorb_transposes(g);
    CHECK(verify(g).ok());
    CHECK(verify_types(g).ok());
    CHECK(count(g, "Transpose") == read_twice);
    CHECK(g.nodes.back().attrs.i("channels_last") == kLastX + kLastY);
    check_bits(b.graph, {test::cast(random_f32({2, 5, 4, 6}, 5, 0, 255), DType::u8)});
  }
}

TEST_CASE("quantised: products of what is quantised as it comes are one step each, with the bits of the chain") {
  Quantiser b;
  const ValueId x = b.input("x", {5, 24});
  const auto q = b.dynamic(x);
  auto w = [&](Dims dims, uint32_t seed, DType t) { return b.graph.add_constant("w", test::cast(random_f32(dims, seed, -127, 127), t)); };
  const ValueId rows = b.graph.add_constant("s", random_f32({40}, 3, 0.001f, 0.02f)),
                zeros = b.graph.add_constant("z", *Tensor::allocate(DType::i8, {40}));
  const ValueId wide = b.product(q, w({24, 40}, 1, DType::i8), rows, zeros);
  const ValueId hidden = b.node("Relu", {b.node("Add", {wide, b.graph.add_constant("b", random_f32({40}, 4))})});
  const ValueId last = b.product(b.dynamic(hidden), w({40, 24}, 2, DType::u8), b.scalar(0.01f), b.zero(99, DType::u8));
  b.output(b.node("Add", {x, b.node("Add", {b.graph.add_constant("c", random_f32({24}, 5)), last})}));
  b.output(b.product(q, w({24, 7}, 6, DType::i8), b.scalar(0.01f), kNone));
  const Graph g = planned(b.graph);
  CHECK(count(g, "MatMulIntegerToFloat") == 3);
  CHECK(count(g, "DynamicQuantizeLinear") == 2);
  CHECK(g.nodes.size() == 5);
  check_bits(b.graph, {random_f32({5, 24}, 7, -3, 3)});
  for (float odd : {NAN, INFINITY, -INFINITY, 0.0f}) {
    Tensor in = random_f32({5, 24}, 7, odd == 0 ? 0 : -3, odd == 0 ? 0 : 3);
    in.mutable_data<float>()[17] = odd;
    check_bits(b.graph, {in});
  }
}

TEST_CASE("quantised: convolutions of what is quantised as it comes are one step each, with the bits of the chain") {
  Quantiser b;
  const ValueId x = b.input("x", {2, 20, 9, 7});
  const auto q = b.dynamic(x);
  auto w = [&](Dims dims, uint32_t seed, DType t) {
    return b.graph.add_constant("w", test::cast(random_f32(dims, seed, t == DType::i8 ? -127 : 0, t == DType::i8 ? 127 : 255), t));
  };
  auto conv = [&](const Quantiser::Dynamic& of, ValueId weights, ValueId scale, ValueId zero, Attrs attrs) {
    const ValueId real = b.node("Cast", {b.node("ConvInteger", {of.bytes, weights, of.zero, zero}, attrs)}, {{"to", int64_t(1)}});
    return b.node("Mul", {real, b.node("Mul", {of.scale, scale})});
  };
  const Attrs padded{{"pads", std::vector<int64_t>(4, 1)}};
  const ValueId bias = b.graph.add_constant("b", random_f32({1, 20, 1, 1}, 3)), limits[] = {b.scalar(0), b.scalar(0.5f)};
  const ValueId dw = conv(q, w({20, 1, 3, 3}, 1, DType::u8), b.scalar(0.004f), b.zero(131, DType::u8),
                          {{"pads", std::vector<int64_t>(4, 1)}, {"group", int64_t(20)}});
  const ValueId first = b.node("Clip", {b.node("Add", {dw, bias}), limits[0], limits[1]});
  b.output(b.node("Add", {first, x}));
  const ValueId channels = b.graph.add_constant("s", random_f32({35, 1, 1}, 4, 0.001f, 0.02f));
  b.output(b.node("Relu", {conv(b.dynamic(first), w({35, 20, 3, 3}, 2, DType::i8), channels, kNone, padded)}));
  b.output(b.node("Relu", {b.node("Add", {conv(q, w({7, 20, 1, 1}, 5, DType::i8), b.scalar(0.01f), kNone, {}), b.scalar(1)})}));
  const ValueId columns = b.graph.add_constant("c", random_f32({7}, 4, 0.001f, 0.02f));  // scales by column of pixels are no channels'
  b.output(conv(q, w({4, 20, 3, 3}, 6, DType::i8), columns, kNone, padded));
  b.output(
      b.node("Clip", {b.node("Relu", {conv(q, w({7, 20, 1, 1}, 8, DType::i8), b.scalar(0.01f), kNone, {})}), b.scalar(0.1f)}));  // one of the two
  const Graph g = planned(b.graph);
  CHECK(count(g, "ConvIntegerToFloat") == 4);
  CHECK(count(g, "ConvInteger") == 1);
  CHECK(count(g, "Relu") == 1);
  CHECK(count(g, "Clip") == 1);
  check_bits(b.graph, {random_f32({2, 20, 9, 7}, 7, -3, 3)});
  for (float odd : {NAN, INFINITY, 0.0f}) {
    Tensor in = random_f32({2, 20, 9, 7}, 7, odd == 0 ? 0 : -3, odd == 0 ? 0 : 3);
    in.mutable_data<float>()[17] = odd;
    check_bits(b.graph, {in});
  }
}

TEST_CASE("quantised: bounds of a Clip that are turned round, or NaN, are taken in its order behind products of integers, too") {
  for (const auto& [low, high] :
       {std::pair{0.5f, -0.5f}, std::pair{NAN, 0.5f}, std::pair{-0.5f, NAN}, std::pair{NAN, NAN}, std::pair{INFINITY, 0.2f}}) {
    CAPTURE(low);
    Quantiser b;
    const ValueId x = b.input("x", {1, 6, 5, 5}), w = b.graph.add_constant("w", test::cast(random_f32({9, 6, 3, 3}, 1, -127, 127), DType::i8));
    const auto q = b.dynamic(x);
    const ValueId real = b.node("Cast", {b.node("ConvInteger", {q.bytes, w, q.zero})}, {{"to", int64_t(1)}});
    b.output(b.node("Clip", {b.node("Mul", {real, b.node("Mul", {q.scale, b.scalar(0.01f)})}), b.scalar(low), b.scalar(high)}));
    const ValueId fenced = b.fenced(x, 0.02f, 128);
    const ValueId y = b.node("Conv", {fenced, b.weights({5, 6, 3, 3}, 2, 0.01f)});
    b.output(b.fenced(b.node("Clip", {y, b.scalar(low), b.scalar(high)}), 0.05f, 60));
    b.output(b.fenced(b.node("Clip", {b.node("Add", {fenced, fenced}), b.scalar(low), b.scalar(high)}), 0.05f, 60));
    CHECK(count(planned(b.graph), "ConvIntegerToFloat") == 1);
    Tensor in = random_f32({1, 6, 5, 5}, 7, -3, 3);
    check_bits(b.graph, {in});
    in.mutable_data<float>()[17] = NAN;
    check_bits(b.graph, {in});
  }
}

TEST_CASE("quantised: weights of two convolutions, whose windows are read in other runs, are packed twice") {
  const std::vector<Tensor> in{random_f32({1, 7, 12, 20}, 2, -3, 3)};
  const auto run = [&](const std::vector<int64_t>& dilations) {
    Quantiser b;
    const ValueId x = b.fenced(b.input("x", {1, 7, 12, 20}), 0.02f, 128), w = b.weights({18, 7, 3, 3}, 1, 0.01f);
    for (int64_t d : dilations) b.output(b.fenced(b.node("Conv", {x, w}, {{"dilations", std::vector<int64_t>(2, d)}}), 0.05f, 60));
    CHECK(count(optimized(b.graph), "QLinearConv") == static_cast<int64_t>(dilations.size()));
    return run_both(model_of(b.graph), in);
  };
  const auto both = run({1, 2});
  CHECK(both[0].bytes == run({1})[0].bytes);  // of models that have one pack each
  CHECK(both[1].bytes == run({2})[0].bytes);
}

TEST_CASE("quantised: weights of two products are packed twice where one of them needs the sums of its rows") {
  Quantiser b;
  const ValueId x = b.input("x", {5, 24}, DType::u8);
  const ValueId w = b.graph.add_constant("w", test::cast(random_f32({24, 7}, 1, 0, 255), DType::u8));
  for (int z : {128, 3, 0}) b.output(b.node("MatMulInteger", {x, w, b.zero(9, DType::u8), b.zero(z, DType::u8)}));
  check_bits(b.graph, {test::cast(random_f32({5, 24}, 2, 0, 255), DType::u8)});
}

TEST_CASE("quantised: a product of bytes that is read as integers, or scaled by rows, stays a chain") {
  Quantiser b;
  const auto q = b.dynamic(b.input("x", {5, 24}));
  const ValueId w = b.graph.add_constant("w", test::cast(random_f32({24, 5}, 1, -127, 127), DType::i8));
  const ValueId sum = b.node("MatMulInteger", {q.bytes, w, q.zero});
  const ValueId real = b.node("Cast", {sum}, {{"to", int64_t(1)}});
  b.output(b.node("Mul", {real, b.node("Mul", {q.scale, b.scalar(0.1f)})}));
  b.output(sum);
  const ValueId other = b.node("Cast", {b.node("MatMulInteger", {q.bytes, w, q.zero, b.zero(3, DType::i8)})}, {{"to", int64_t(1)}});
  b.output(b.node("Mul", {other, b.graph.add_constant("s", random_f32({5, 1}, 3))}));
  CHECK(count(planned(b.graph), "MatMulIntegerToFloat") == 0);
  check_bits(b.graph, {random_f32({5, 24}, 7, -3, 3)});
}

TEST_CASE("quantised: weights stay bytes while they are folded, and are folded when no product takes them") {
  Quantiser b;
  const ValueId w = b.weights({4, 3}, 1, 0.5f);
  b.output(b.node("MatMul", {b.input("x", {2, 4}), w}));
  const Graph g = optimized(b.graph);
  CHECK(count(g, "DequantizeLinear") == 0);
  CHECK(g.nodes.size() == 1);
}

}  // namespace tern::test::in_quantized
