// widen: what is f16 or bf16 is computed in f32, and every operator rounds what it gives.
#include "runtime/widen.h"

#include <doctest/doctest.h>

#include "kernels/dtype_code.h"
#include "kernels/evaluate.h"
#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "runtime/optimize.h"
#include "runtime/verify.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_widen {
namespace {

ValueId cast(GraphBuilder& b, ValueId v, DType to) { return b.node("Cast", {v}, {{"to", int64_t(code_of(to))}}); }
Tensor as(const Tensor& t, DType to) {
  Attributes attrs;
  attrs.set("to", int64_t(code_of(to)));
  return (*evaluate(*find_op("Cast"), attrs, std::vector<Tensor>{t}, 1, {}))[0];
}
Tensor random(DType dtype, Dims dims, uint32_t seed) { return as(random_f32(dims, seed), dtype); }

Graph widened(const Graph& given) {
  Graph g = given;
  Status s = optimize(g, 1 << 24, Stage::fold);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  s = verify(g);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  s = verify_types(g);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  return g;
}
std::vector<Tensor> results(const Graph& g, const std::vector<Tensor>& inputs) {
  auto out = evaluate_graph(g, inputs, {});
  REQUIRE_MESSAGE(out.ok(), out.error().message());
  return std::move(*out);
}
int64_t count(const Graph& g, std::string_view op) { return GraphBuilder::count(g, op); }
DType dtype_of_first(const Graph& g, std::string_view op) {
  for (const Node& n : g.nodes) {
    if (n.op->name == op) return g.value(n.outputs[0]).type.dtype;
  }
  return DType::none;
}

// x [4,8] W [8,8] + b, tanh, sum with x: in `dtype`, or in f32 with the same numbers, which Casts round after every node.
Graph net(DType dtype, DType weights) {
  GraphBuilder b;
  const auto rounded = [&](ValueId v) { return dtype == weights ? v : cast(b, cast(b, v, weights), dtype); };
  const ValueId x = b.input("x", {4, 8}, dtype);
  ValueId v = b.node("MatMul", {x, b.constant(as(random(weights, {8, 8}, 1), dtype))});
  v = rounded(b.node("Add", {rounded(v), b.constant(as(random(weights, {8}, 2), dtype))}));
  v = rounded(b.node("Tanh", {v}));
  b.output(b.node("Softmax", {b.node("Reshape", {rounded(b.node("Add", {v, x})), b.ints({2, 16})})}));
  return b.graph;
}

}  // namespace

TEST_CASE("widen: a graph of f16 or bf16 has the bits of the same graph in f32, rounded after every operator") {
  for (DType narrow : {DType::f16, DType::bf16}) {
    CAPTURE(name(narrow));
    const Graph g = widened(net(narrow, narrow));
    CHECK(count(g, "Cast") == 10);  // x, two behind each of four nodes, and what the caller reads
    for (const char* op : {"MatMul", "Tanh", "Add", "Softmax"}) CHECK(dtype_of_first(g, op) == DType::f32);
    CHECK(dtype_of_first(g, "Reshape") == narrow);
    CHECK(g.value(g.outputs[0]).type.dtype == narrow);
    const Tensor x = random(narrow, {4, 8}, 3);
    check_same(results(g, {x})[0], as(results(widened(net(DType::f32, narrow)), {as(x, DType::f32)})[0], narrow));
  }
}

TEST_CASE("widen: what asks for the element reads one that is rounded") {
  GraphBuilder b;
  const ValueId x = b.input("x", {3}, DType::f16), third = b.node("Div", {x, b.constant(as(Tensor::scalar(3.0f), DType::f16))});
  b.output(cast(b, third, DType::i32));
  const Graph g = widened(b.graph);
  CHECK(dtype_of_first(g, "Div") == DType::f32);
  const Tensor in = as(Tensor::of<float>({3}, std::vector<float>{1, 2, 6140}), DType::f16);
  // 6140 / 3 is 2046.67 and, as a half, 2047
  const auto out = results(g, {in});
  CHECK(out[0].span<int32_t>()[2] == 2047);
  const Tensor rounded =
      (*evaluate(*find_op("Div"), {}, std::vector<Tensor>{in, as(Tensor::of<float>({1}, std::vector<float>{3}), DType::f16)}, 1, {}))[0];
  check_same(out[0], as(rounded, DType::i32));
}

TEST_CASE("widen: a Cast of the file rounds, also between two operators in f32") {
  GraphBuilder b;
  const ValueId x = b.input("x", {4});
  b.output(b.node("Neg", {cast(b, cast(b, b.node("Exp", {x}), DType::f16), DType::f32)}));
  const Graph g = widened(b.graph);
  CHECK(count(g, "Cast") == 2);
  const Tensor in = random_f32({4}, 9);
  const Tensor exp = (*evaluate(*find_op("Exp"), {}, std::vector<Tensor>{in}, 1, {}))[0];
  const Tensor rounded = as(as(exp, DType::f16), DType::f32);
  check_same(results(g, {in})[0], (*evaluate(*find_op("Neg"), {}, std::vector<Tensor>{rounded}, 1, {}))[0]);
}

TEST_CASE("widen: what only moves elements stays narrow") {
  GraphBuilder b;
  const ValueId x = b.input("x", {4, 6}, DType::bf16);
  const ValueId moved = b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0}}});
  b.output(moved);
  b.output(b.node("Concat", {b.node("Relu", {moved}), moved}, {{"axis", int64_t(1)}}));
  const Graph g = widened(b.graph);
  CHECK(dtype_of_first(g, "Transpose") == DType::bf16);
  CHECK(dtype_of_first(g, "Concat") == DType::bf16);
  CHECK(dtype_of_first(g, "Relu") == DType::f32);
  CHECK(g.value(g.outputs[1]).type.dtype == DType::bf16);
}

TEST_CASE("widen: contents that an operator must know stay as they are, and so does an output dtype that a node names") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 2, 2}, DType::f16);
  const ValueId scales = b.constant(as(Tensor::of<float>({4}, std::vector<float>{1, 1, 2, 2}), DType::f16));
  b.output(b.node("Resize", {b.node("Relu", {x}), kNone, scales}));
  b.output(b.node("EyeLike", {b.node("Reshape", {x, b.ints({2, 2})})}, {{"dtype", int64_t(code_of(DType::f16))}}));
  const Graph g = widened(b.graph);
  for (const Node& n : g.nodes) {
    if (n.op->name == std::string_view("Resize")) CHECK(g.value(n.inputs[2]).type.dtype == DType::f16);
  }
  CHECK(g.value(g.outputs[1]).type.dtype == DType::f16);
}

TEST_CASE("widen: a second time changes nothing") {
  Graph g = widened(net(DType::f16, DType::f16));
  const std::string once = to_text(g);
  REQUIRE(optimize(g, 1 << 24, Stage::fold).ok());
  CHECK(to_text(g) == once);
}

}  // namespace tern::test::in_widen
