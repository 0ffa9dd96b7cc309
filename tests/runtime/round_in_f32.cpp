// round_in_f32: nets of 16 bits have the plans of f32, and the bits that the evaluator gives with a Cast to 16 bits behind every operator.
#include "runtime/round_in_f32.h"

#include <doctest/doctest.h>

#include <tuple>

#include "kernels/dtype_code.h"
#include "kernels/evaluate.h"
#include "runtime/assign_layouts.h"
#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "runtime/optimize.h"
#include "tests/support/graph_builder.h"
#include "tests/support/plans.h"

namespace tern::test::in_round_in_f32 {
namespace {

using Ints = std::vector<int64_t>;

Tensor as(const Tensor& t, DType to) {
  Attributes attrs;
  attrs.set("to", int64_t(code_of(to)));
  return (*evaluate(*find_op("Cast"), attrs, std::vector<Tensor>{t}, 1, {}))[0];
}
Tensor random(DType dtype, Dims dims, uint32_t seed) { return as(random_f32(dims, seed), dtype); }

struct Net {
  DType dtype;
  GraphBuilder b;
  ValueId random(Dims dims) { return b.constant(in_round_in_f32::random(dtype, dims, static_cast<uint32_t>(b.graph.values.size()))); }
  ValueId number(float x) { return b.constant(as(Tensor::scalar(x), dtype)); }
  ValueId conv(ValueId x, Dims w, Ints pads) { return b.node("Conv", {x, random(w), random({w[0]})}, {{"pads", pads}}); }
};

// Optimised, rounded in f32 and in blocks; its plans give what the evaluator gives before.
Graph planned(Net net, Dims dims) {
  Graph g = std::move(net.b.graph);
  const Status s = optimize(g, 1 << 24);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  const Tensor inputs[] = {random(net.dtype, dims, 3)};
  auto expected = evaluate_graph(g, inputs, {});
  REQUIRE_MESSAGE(expected.ok(), expected.error().message());
  round_in_f32(g);
  assign_layouts(g);
  check_plans(g, inputs, *expected);
  return g;
}
// What it runs between the Casts of what the caller gives and reads, and the roundings that stand alone.
std::string operators(const Graph& g) {
  std::string names;
  for (const Node& n : g.nodes) {
    const std::string_view op = n.op->name;
    if (op != "Cast" && !op.starts_with("Round")) names += std::string(op) + " ";
  }
  return names;
}
int64_t roundings(const Graph& g) { return GraphBuilder::count(g, "RoundF16") + GraphBuilder::count(g, "RoundBF16"); }

// A fire module of SqueezeNet: what is rounded is in blocks, pooled, joined.
Graph fire(DType dtype) {
  Net n{dtype, {}};
  ValueId v = n.b.node("Relu", {n.conv(n.b.input("x", {1, 3, 13, 11}, dtype), {32, 3, 3, 3}, {0, 0, 0, 0})});
  v = n.b.node("MaxPool", {v}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}});
  const ValueId squeezed = n.b.node("Clip", {n.conv(v, {16, 32, 1, 1}, {0, 0, 0, 0}), n.number(0), n.number(0.75f)});
  const ValueId one = n.b.node("Relu", {n.conv(squeezed, {32, 16, 1, 1}, {0, 0, 0, 0})});
  const ValueId three = n.b.node("Relu", {n.conv(squeezed, {32, 16, 3, 3}, {1, 1, 1, 1})});
  n.b.output(n.conv(n.b.node("Concat", {one, three}, {{"axis", int64_t(1)}}), {16, 64, 1, 1}, {0, 0, 0, 0}));
  return planned(std::move(n), {1, 3, 13, 11});
}
Graph tcn(DType dtype) {
  Net n{dtype, {}};
  ValueId v = n.b.input("x", {1, 16, 40}, dtype);
  for (int64_t dilation : {1, 2, 4}) {
    const ValueId padded = n.b.node("Pad", {v, n.b.ints({0, 0, 2 * dilation, 0, 0, 0})});
    v = n.b.node("Relu", {n.b.node("Conv", {padded, n.random({16, 16, 3}), n.random({16})}, {{"dilations", Ints{dilation}}})});
  }
  n.b.output(n.b.node("Slice", {v, n.b.ints({39}), n.b.ints({40}), n.b.ints({2})}));
  return planned(std::move(n), {1, 16, 40});
}
// An encoder's layer but for its norms: heads are moved, nothing is fused where f32 rounds less.
Graph attention(DType dtype) {
  Net n{dtype, {}};
  const ValueId x = n.b.input("x", {1, 6, 32}, dtype);
  const auto heads = [&](Ints perm) {
    const ValueId v = n.b.node("MatMul", {x, n.random({32, 32})});
    return n.b.node("Transpose", {n.b.node("Reshape", {v, n.b.ints({1, 6, 4, 8})})}, {{"perm", std::move(perm)}});
  };
  const ValueId scores = n.b.node("Tanh", {n.b.node("MatMul", {heads({0, 2, 1, 3}), heads({0, 2, 3, 1})})});
  const ValueId y = n.b.node("Transpose", {n.b.node("MatMul", {scores, heads({0, 2, 1, 3})})}, {{"perm", Ints{0, 2, 1, 3}}});
  n.b.output(n.b.node("MatMul", {n.b.node("Reshape", {y, n.b.ints({1, 6, 32})}), n.random({32, 24})}));
  return planned(std::move(n), {1, 6, 32});
}

}  // namespace

TEST_CASE("round_in_f32: nets of 16 bits run the operators of f32, cast what the caller gives and reads, and round within operators") {
  for (auto* net : {fire, tcn, attention}) {
    const std::string f32 = operators(net(DType::f32));
    for (DType dtype : {DType::f16, DType::bf16}) {
      CAPTURE(name(dtype));
      const Graph g = net(dtype);
      INFO(to_text(g));
      CHECK(operators(g) == (net == tcn ? "Slice " + f32 : f32));  // of what the caller gives in 16 bits a Reorder cannot read a part
      CHECK(GraphBuilder::count(g, "Cast") == 2);
      CHECK(roundings(g) == (net == attention ? 6 : 0));
    }
  }
}

TEST_CASE("round_in_f32: a residual is added to what was rounded, and what others read of 16 bits is there") {
  for (DType dtype : {DType::f16, DType::bf16}) {
    Net n{dtype, {}};
    const ValueId x = n.b.input("x", {1, 16, 7, 5}, dtype);
    const ValueId v = n.conv(x, {16, 16, 3, 3}, {1, 1, 1, 1});
    const ValueId sum = n.b.node("Relu", {n.b.node("Add", {v, n.conv(x, {16, 16, 1, 1}, {0, 0, 0, 0})})});
    const ValueId y = n.conv(sum, {16, 16, 1, 1}, {0, 0, 0, 0});
    n.b.output(n.b.node("Sigmoid", {n.b.node("Clip", {y, n.number(-0.1f), n.number(0.3f)})}));
    n.b.output(n.b.node("Transpose", {y}));
    n.b.output(y);
    n.b.output(sum);
    const Graph g = planned(std::move(n), {1, 16, 7, 5});
    INFO(to_text(g));
    CHECK(GraphBuilder::count(g, "Add") == 0);  // a map of blocks
    CHECK(roundings(g) == 0);
  }
}

TEST_CASE("round_in_f32: a bound that 16 bits do not hold is rounded behind it, and so is what was rounded to the other 16 bits") {
  for (auto [low, high, dtype] : {std::tuple(-0.3f, 1.0f, DType::bf16), {-0.5f, 1.001f, DType::bf16}, {-0.5f, 1.0f, DType::f16}}) {
    CAPTURE(low);
    Net n{DType::bf16, {}};
    const ValueId product = n.b.node("MatMul", {n.b.input("x", {4, 8}, DType::bf16), n.random({8, 24})});
    const ValueId f32 = n.b.node("Cast", {product}, {{"to", int64_t(1)}});
    const ValueId clipped = n.b.node("Clip", {f32, n.b.constant(Tensor::scalar(low)), n.b.constant(Tensor::scalar(high))});
    const ValueId v = n.b.node("Cast", {clipped}, {{"to", int64_t(code_of(dtype))}});
    n.b.output(n.b.node("MatMul", {v, n.b.constant(random(dtype, {24, 5}, 9))}));
    planned(std::move(n), {4, 8});
  }
  Net n{DType::f16, {}};  // f16 has more digits than bf16
  const ValueId wide = n.b.node("Cast", {n.b.node("MatMul", {n.b.input("x", {4, 8}, DType::f16), n.random({8, 24})})}, {{"to", int64_t(1)}});
  const ValueId v = n.b.node("Cast", {wide}, {{"to", int64_t(code_of(DType::bf16))}});
  n.b.output(n.b.node("MatMul", {v, n.b.constant(random(DType::bf16, {24, 5}, 9))}));
  planned(std::move(n), {4, 8});
}

TEST_CASE("round_in_f32: of two bounds behind each other both hold, and the larger of a rounded and another number is rounded") {
  Net n{DType::bf16, {}};
  const ValueId x = n.b.input("x", {4, 8}, DType::bf16), product = n.b.node("MatMul", {x, n.random({8, 24})});
  n.b.output(n.b.node("Clip", {n.b.node("Relu", {n.b.node("MatMul", {x, n.random({8, 7})})}), n.number(-1), n.number(0.5f)}));
  const ValueId f32 = n.b.node("Cast", {product}, {{"to", int64_t(1)}});
  const ValueId most = n.b.node("Max", {f32, n.b.constant(Tensor::scalar(0.3f))});
  n.b.output(n.b.node("Cast", {most}, {{"to", int64_t(code_of(DType::bf16))}}));
  n.b.output(n.b.node("MatMul", {n.b.node("Cast", {most}, {{"to", int64_t(code_of(DType::bf16))}}), n.random({24, 5})}));
  planned(std::move(n), {4, 8});
}

}  // namespace tern::test::in_round_in_f32
