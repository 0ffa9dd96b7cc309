// Graphs in the making: names, sizes, and the first error. Contract: runtime/graph_builder.h.
#include "runtime/graph_builder.h"

#include <doctest/doctest.h>

#include "runtime/verify.h"

namespace tern::in_graph_builder {
namespace {

const Dim kBatch = Dim::symbol("batch");

}  // namespace

TEST_CASE("graph builder: names are those of the scope, and never the same twice") {
  GraphBuilder b;
  const ValueId x = b.input("x", {DType::f32, Shape{kBatch, 4}});
  CHECK(b.name(b.emit("Relu", {x})) == "Relu");
  b.enter("layers.0");
  b.enter("act");
  CHECK(b.name(b.emit("Relu", {x})) == "layers.0.act.Relu");
  CHECK(b.name(b.emit("Relu", {x})) == "layers.0.act.Relu_1");
  CHECK(b.name(b.ints({1})) == "layers.0.act.constant");
  b.leave();
  b.leave();
  CHECK(b.name(b.emit("Relu", {x})) == "Relu_1");
  CHECK(b.name(b.emit("TopK", {x, b.ints({2})}, {}, 2)[1]) == "TopK:1");
}

TEST_CASE("graph builder: sizes stay numbers and symbols where they can, and are computed elsewhere") {
  GraphBuilder b;
  const ValueId x = b.input("x", {DType::f32, Shape{kBatch, 6}});
  CHECK(b.size(x, 1).value() == 6);
  CHECK(b.size(x, 0).dim == kBatch);
  CHECK(b.mul(b.size(x, 0), 3).dim.text() == "3*batch");
  CHECK(b.floor_div(-7, 2).value() == -4);
  CHECK(b.mod(-7, 2).value() == 1);
  CHECK(b.graph.nodes.empty());
  const Int half = b.floor_div(b.size(x, 0), 2);
  CHECK(half.node != kNone);
  CHECK(b.dtype(half.node) == DType::i64);
  CHECK(b.shape(b.reshape(x, {Int(-1), 3})).text() == "[2*batch,3]");
  const ValueId folded = b.reshape(x, {b.mul(b.size(x, 0), 2), 3});  // one open size is -1, and nothing computes it
  CHECK(b.contents(b.producer(folded)->inputs[1])->data<int64_t>()[0] == -1);
  CHECK(b.floor_div(1, 0).value() == 0);
  CHECK(b.status().error().message() == "an integer is divided by zero");
}

TEST_CASE("graph builder: subgraphs capture what they read by name from around, and all of a node get the same inputs") {
  GraphBuilder b;
  const ValueId x = b.input("x", {DType::f32, Shape{kBatch, 6}}), y = b.input("y", {DType::i64, Shape{2}}), w = b.constant(Tensor::scalar(1.0f), "w");
  for (auto [name, v] : {std::pair("x", x), {"y", y}, {"w", w}}) REQUIRE(b.define(name, v).ok());
  CHECK(b.define("x", y).error().message() == "value 'x' is defined twice");
  CHECK(*b.find("x") == x);
  CHECK(*b.find("z") == kNone);

  GraphBuilder first("", &b), second("", &b);
  GraphBuilder inner("", &first);
  const ValueId own = first.input("own", {DType::f32, Shape{3}});
  REQUIRE(first.define("own", own).ok());
  const ValueId deep = *inner.find("y");
  const ValueId late = first.input("late", {DType::f32, Shape{3}});  // before what is captured already
  CHECK(inner.graph.inputs == std::vector{deep});
  CHECK(*inner.find("y") == deep);     // once
  CHECK(first.defined("y") != kNone);  // through the graph between
  CHECK(first.type(first.defined("y")) == b.type(y));
  CHECK(*second.find("x") != kNone);
  CHECK(second.contents(*second.find("w"))->raw() == b.contents(w)->raw());  // shared, no input
  CHECK(*second.find("z") == kNone);
  CHECK(second.defined("y") == kNone);

  GraphBuilder* const subgraphs[] = {&first, &second};
  CHECK(*b.close(subgraphs) == std::vector{y, x});
  const Graph &f = first.graph, &s = second.graph;
  REQUIRE(f.inputs.size() == 4);
  CHECK(f.inputs[0] == own);
  CHECK(f.inputs[1] == late);
  REQUIRE(s.inputs.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(f.value(f.inputs[i + 2]).name == (i == 0 ? "y" : "x"));
    CHECK(s.value(s.inputs[i]).name == (i == 0 ? "y" : "x"));
    CHECK(s.value(s.inputs[i]).type == b.type(i == 0 ? y : x));
  }
}

TEST_CASE("graph builder: the first error stays, says where it was, and nothing follows") {
  GraphBuilder b;
  const ValueId x = b.input("x", {DType::f32, Shape{2, 3}}), y = b.input("y", {DType::f32, Shape{4, 5}});
  b.enter("fc");
  CHECK(b.emit("MatMul", {x, y}) == kNone);
  CHECK(b.status().error().message().starts_with("fc: (MatMul): "));
  const size_t nodes = b.graph.nodes.size();
  CHECK(b.emit("Relu", {x}) == kNone);
  CHECK(b.graph.nodes.size() == nodes);
  CHECK(b.finish({{"y", x}}).error().message().starts_with("fc: (MatMul): "));
}

TEST_CASE("graph builder: a finished graph is legal, and an output must be there") {
  auto half = [](bool there) {
    GraphBuilder b("by hand");
    const ValueId x = b.input("x", {DType::f32, Shape{kBatch, 4}});
    return b.finish({{"y", there ? b.emit("Mul", {x, b.scalar_like(x, 0.5)}) : kNone}});
  };
  auto graph = half(true);
  REQUIRE(graph.ok());
  CHECK(verify(*graph).ok());
  CHECK(graph->format == "by hand");
  CHECK(graph->output_names[0] == "y");
  CHECK(half(false).error().message() == "output y is no tensor");
}

}  // namespace tern::in_graph_builder
