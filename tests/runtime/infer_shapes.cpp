// Symbolic shapes, and the contents of tensors that compute shapes. Contract: runtime/infer_shapes.h.
#include "runtime/infer_shapes.h"

#include <doctest/doctest.h>

#include "runtime/optimize.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_infer_shapes {

TEST_CASE("infer_shapes: the Shape, Gather, Unsqueeze, Concat, Reshape chain of exported models resolves symbolically") {
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), 12});
  auto shape = b.node("Shape", {x});
  auto batch = b.node("Gather", {shape, b.constant(Tensor::scalar(int64_t(0)))});
  auto seq = b.node("Gather", {shape, b.constant(Tensor::scalar(int64_t(1)))});
  auto wanted =
      b.node("Concat", {b.node("Unsqueeze", {batch, b.ints({0})}), b.node("Unsqueeze", {seq, b.ints({0})}), b.ints({3, 4})}, {{"axis", int64_t(0)}});
  auto y = b.node("Reshape", {x, wanted});
  b.output(y);
  REQUIRE(infer_shapes(b.graph).ok());
  CHECK(b.graph.value(y).type.shape.text() == "[batch,seq,3,4]");
}

TEST_CASE("infer_shapes: sums of symbols stay linear through Concat and Slice") {
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("n"), 4});
  auto two = b.node("Concat", {x, x}, {{"axis", int64_t(0)}});
  b.output(two);
  REQUIRE(infer_shapes(b.graph).ok());
  CHECK(b.graph.value(two).type.shape.text() == "[2*n,4]");
}

TEST_CASE("infer_shapes: operands that cannot fit are an error that names the node and both shapes") {
  GraphBuilder b;
  auto x = b.input("x", {8, 512});
  b.output(b.node("MatMul", {x, b.constant(random_f32({256, 10}, 1))}));
  Status s = infer_shapes(b.graph);
  REQUIRE(!s.ok());
  CHECK(s.error().message().find("n0 (MatMul)") == 0);
  CHECK(s.error().message().find("[8,512]") != std::string::npos);
  CHECK(s.error().message().find("[256,10]") != std::string::npos);
}

TEST_CASE("infer_shapes: the condition of an If is one bool, or it may still be one") {
  auto error = [](DType dtype, Shape shape) {
    GraphBuilder b;
    auto condition = b.input("c", shape, dtype);
    auto x = b.input("x", {2});
    for (int branch = 0; branch < 2; ++branch) {
      GraphBuilder g;
      g.output(g.node("Relu", {g.input("x", {2})}));
      b.graph.subgraphs.push_back(g.graph);
    }
    b.output(b.nodes("If", {condition, x}, 1, {}, {0, 1})[0]);
    Status s = infer_shapes(b.graph);
    return s ? std::string() : s.error().message();
  };
  const Dim n = Dim::symbol("n");
  for (const Shape& one : {Shape(std::vector<Dim>()), Shape{1}, Shape{1, 1}, Shape{n}, Shape{1, n}, Shape()}) CHECK(error(DType::boolean, one) == "");
  CHECK(error(DType::boolean, {2}) == "n0 (If): the condition is bool[2], it must be one bool");
  CHECK(error(DType::boolean, {n, 0}) == "n0 (If): the condition is bool[n,0], it must be one bool");
  for (DType t : {DType::u8, DType::i64, DType::f32, DType::string}) CHECK(error(t, {}).find("it must be one bool") != std::string::npos);
}

TEST_CASE("infer_shapes: a view to more than eight dimensions is refused, wherever the shape comes from") {
  GraphBuilder b;
  auto x = b.input("x", {1});
  b.output(b.node("Relu", {b.node("Reshape", {x, b.ints(std::vector<int64_t>(20, 1))})}));
  CHECK(infer_shapes(b.graph).error().message().find("n0 (Reshape): the output shape") == 0);
  GraphBuilder u;
  auto eight = u.input("x", Shape(std::vector<Dim>(8, Dim(1))));
  u.output(u.node("Unsqueeze", {eight, u.ints({0})}));
  CHECK(infer_shapes(u.graph).error().code() == Code::kUnsupported);
}

TEST_CASE("specialize: binding the symbols makes every shape a number, and unknown names are refused") {
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("batch"), 12});
  auto shape = b.node("Shape", {x});
  auto first = b.node("Gather", {shape, b.ints({0})});
  b.output(b.node("Reshape", {x, b.node("Concat", {first, b.ints({3, 4})}, {{"axis", int64_t(0)}})}));
  auto bound = specialize(b.graph, {{"batch", 5}}, 1 << 20);
  REQUIRE(bound.ok());
  CHECK(bound->value(bound->outputs[0]).type.shape.text() == "[5,3,4]");
  CHECK(bound->nodes.size() == 1);  // only the Reshape is left: its shape is a constant now
  auto wrong = specialize(b.graph, {{"bacth", 5}}, 1 << 20);
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().code() == Code::kUsage);
  CHECK(!specialize(b.graph, {{"batch", -1}}, 1 << 20).ok());
}

TEST_CASE("solve_dims: symbols follow from the dims of arrays, expressions are checked") {
  GraphBuilder b;
  b.input("x", {Dim::symbol("n"), 3});
  b.input("z", {*add(*mul(Dim::symbol("n"), 2), 1)});
  const Dims fitting[] = {{4, 3}, {9}}, wrong_number[] = {{4, 3}, {8}}, wrong_rank[] = {{4}, {9}};
  auto dims = solve_dims(b.graph, fitting);
  REQUIRE(dims.ok());
  CHECK(dims->at("n") == 4);
  CHECK(!solve_dims(b.graph, wrong_number).ok());
  CHECK(!solve_dims(b.graph, wrong_rank).ok());
}

TEST_CASE("infer_shapes: contents that double with every node stop at the stated room") {
  GraphBuilder b;
  std::vector<ValueId> shapes;
  for (int i = 0; i < 64; ++i) shapes.push_back(b.node("Shape", {b.input("x" + std::to_string(i), {Dim::symbol("s" + std::to_string(i))})}));
  ValueId all = b.node("Concat", shapes, {{"axis", int64_t(0)}});
  for (int i = 0; i < 4; ++i) all = b.node("Concat", {all, all}, {{"axis", int64_t(0)}});
  CHECK(all != kNone);
  const ValueId long_one = all;  // 1,024 elements
  ValueId too_long = b.node("Concat", {all, all}, {{"axis", int64_t(0)}});
  std::vector<ValueId> sums;
  for (int i = 0; i < 2000; ++i) sums.push_back(b.node("Add", {long_one, long_one}));
  for (ValueId v : sums) b.output(v);
  b.output(too_long);
  REQUIRE(infer_shapes(b.graph).ok());
  CHECK(b.graph.value(long_one).ints->size() == 1024);
  CHECK(!b.graph.value(too_long).ints);
  CHECK(b.graph.value(too_long).type.shape.text() == "[2048]");
  int64_t elements = 0;
  for (const Value& v : b.graph.values) elements += v.ints ? static_cast<int64_t>(v.ints->size()) : 0;
  CHECK(elements <= Graph::kSymbolRoom + 64 * 16);
  CHECK(!b.graph.value(sums.back()).ints);
}

TEST_CASE("infer_shapes: a sum of nine symbols is a fresh one") {
  GraphBuilder b;
  ValueId all = b.input("x0", {Dim::symbol("s0"), 2});
  for (int i = 1; i < 9; ++i) {
    all = b.node("Concat", {all, b.input("x" + std::to_string(i), {Dim::symbol("s" + std::to_string(i)), 2})}, {{"axis", int64_t(0)}});
  }
  b.output(all);
  REQUIRE(infer_shapes(b.graph).ok());
  CHECK(b.graph.value(all).type.shape.text() == "[?0,2]");
}

}  // namespace tern::test::in_infer_shapes
