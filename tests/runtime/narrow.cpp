// narrow: what no output needs is not computed, and what is has the bits that it had.
#include "runtime/narrow/narrow.h"

#include <doctest/doctest.h>

#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "runtime/optimize.h"
#include "runtime/verify.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_narrow {
namespace {

using Ints = std::vector<int64_t>;

ValueId weights(GraphBuilder& b, Dims dims, uint32_t seed = 5) { return b.constant(random_f32(dims, seed)); }
ValueId index(GraphBuilder& b, int64_t i) { return b.constant(Tensor::scalar(i)); }
ValueId last(GraphBuilder& b, ValueId v, int64_t axis) { return b.node("Gather", {v, index(b, -1)}, {{"axis", axis}}); }
ValueId cut(GraphBuilder& b, ValueId v, Ints starts, Ints ends, Ints axes, Ints steps) {
  return b.node("Slice", {v, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(steps)});
}

Graph optimized(Graph g, Stage stage) {
  Status s = optimize(g, 1 << 24, stage);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  return g;
}

// The graph after the pass. It and the one before it are evaluated: the bits are the same.
Graph narrowed(const Graph& given, const std::vector<Tensor>& inputs) {
  const Graph before = optimized(given, Stage::fuse), after = optimized(given, Stage::narrow);
  INFO("before: " << to_text(before));
  INFO("after: " << to_text(after));
  Status s = verify(after);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  s = verify_types(after);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  auto expected = evaluate_graph(before, inputs, {}), actual = evaluate_graph(after, inputs, {});
  REQUIRE_MESSAGE(expected.ok(), expected.error().message());
  REQUIRE_MESSAGE(actual.ok(), actual.error().message());
  for (size_t o = 0; o < expected->size(); ++o) check_same((*actual)[o], (*expected)[o]);
  return after;
}
Graph narrowed(const GraphBuilder& b, const std::vector<Tensor>& inputs) { return narrowed(b.graph, inputs); }

int64_t count(const Graph& g, std::string_view op) { return GraphBuilder::count(g, op); }
// The shapes of what nodes of this operator give, in order.
std::vector<std::string> shapes(const Graph& g, std::string_view op) {
  std::vector<std::string> all;
  for (const Node& n : g.nodes) {
    if (n.op->name == op) all.push_back(g.value(n.outputs[0]).type.shape.text());
  }
  return all;
}
const Node& node(const Graph& g, std::string_view op, int64_t which = 0) {
  for (const Node& n : g.nodes) {
    if (n.op->name == op && which-- == 0) return n;
  }
  FAIL("no such node: " << std::string(op));
  return g.nodes[0];
}

}  // namespace

TEST_CASE("narrow: of dilated convolutions with residuals the last step needs a stack of strides over few elements") {
  GraphBuilder b;
  ValueId v = b.input("x", {2, 16, 64});
  for (int64_t dilation : {1, 2, 4, 8}) {
    ValueId w = b.node("Pad", {v, b.ints({0, 0, 2 * dilation, 0, 0, 0})});
    w = b.node("Conv", {w, weights(b, {16, 16, 3}, static_cast<uint32_t>(dilation)), weights(b, {16})}, {{"dilations", Ints{dilation}}});
    v = b.node("Relu", {b.node("Add", {w, v})});
  }
  b.output(b.node("MatMul", {last(b, v, 2), weights(b, {16, 3})}));
  const Graph g = narrowed(b, {random_f32({2, 16, 64}, 1)});
  CHECK(shapes(g, "FusedConv") == std::vector<std::string>{"[2,16,15]", "[2,16,7]", "[2,16,3]", "[2,16,1]"});
  CHECK(node(g, "FusedConv", 1).read().ints("dilations") == Ints{1});
  CHECK(node(g, "FusedConv", 1).read().ints("strides") == Ints{2});
  CHECK(count(g, "Gather") == 0);
}

TEST_CASE("narrow: padding at the edges is padding of the outputs that see it") {
  for (int64_t at : {0, 1, 2, 5, 9}) {
    GraphBuilder b;
    ValueId v = b.node("Conv", {b.input("x", {1, 3, 10, 12}), weights(b, {4, 3, 5, 3})}, {{"pads", Ints{2, 1, 2, 1}}, {"strides", Ints{1, 2}}});
    v = b.node("Conv", {v, weights(b, {4, 1, 3, 2})}, {{"auto_pad", std::string("SAME_LOWER")}, {"group", int64_t(4)}});
    v = b.node("MaxPool", {v}, {{"kernel_shape", Ints{3, 2}}, {"pads", Ints{1, 0, 1, 1}}, {"ceil_mode", int64_t(1)}, {"strides", Ints{1, 2}}});
    b.output(cut(b, v, {at, -1}, {at + 1, -9}, {2, 3}, {1, -2}));
    const Graph g = narrowed(b, {random_f32({1, 3, 10, 12}, 1)});
    CHECK(g.value(node(g, "MaxPool").outputs[0]).type.shape[2] == Dim(1));
  }
}

TEST_CASE("narrow: windows of which one sees padding alone are computed whole") {
  GraphBuilder b;
  ValueId v = b.node("Conv", {b.input("x", {1, 2, 6}), weights(b, {2, 2, 2})}, {{"pads", Ints{4, 0}}});
  b.output(cut(b, v, {0}, {1}, {2}, {1}));
  CHECK(shapes(narrowed(b, {random_f32({1, 2, 6}, 1)}), "Conv") == std::vector<std::string>{"[1,2,9]"});
}

TEST_CASE("narrow: means of windows count their padding as before") {
  for (int64_t include : {0, 1}) {
    GraphBuilder b;
    ValueId v = b.node("AveragePool", {b.input("x", {2, 3, 11})},
                       {{"kernel_shape", Ints{4}}, {"pads", Ints{2, 1}}, {"strides", Ints{2}}, {"count_include_pad", include}});
    b.output(cut(b, v, {0}, {2}, {2}, {1}), "front");
    CHECK(shapes(narrowed(b, {random_f32({2, 3, 11}, 1)}), "AveragePool") == std::vector<std::string>{"[2,3,2]"});
  }
}

TEST_CASE("narrow: of a transformer's last layer the last row alone is computed, keys and values of all") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 10, 16});
  auto heads = [&](uint32_t seed) {
    const ValueId v = b.node("Add", {b.node("MatMul", {x, weights(b, {16, 16}, seed)}), weights(b, {16}, seed)});
    return b.node("Transpose",
                  {
                      b.node("Reshape", {v, b.ints({0, 0, 4, 4})}),
                  },
                  {{"perm", Ints{0, 2, 1, 3}}});
  };
  const ValueId q = heads(1), k = heads(2), v = heads(3);
  ValueId s = b.node("MatMul", {q, b.node("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}})});
  s = b.node("Softmax", {b.node("Add", {b.node("Mul", {s, b.constant(Tensor::scalar(0.5f))}), weights(b, {10, 10})})});
  s = b.node("Transpose", {b.node("MatMul", {s, v})}, {{"perm", Ints{0, 2, 1, 3}}});
  s = b.node("MatMul", {b.node("Reshape", {s, b.ints({0, 0, 16})}), weights(b, {16, 16}, 7)});
  s = b.node("LayerNormalization", {b.node("Add", {s, x}), weights(b, {16}), weights(b, {16})});
  b.output(last(b, b.node("Gelu", {b.node("MatMul", {s, weights(b, {16, 5})})}), 1));
  const Graph g = narrowed(b, {random_f32({2, 10, 16}, 1)});
  CHECK(shapes(g, "FusedAttention") == std::vector<std::string>{"[2,4,1,4]"});
  CHECK(shapes(g, "LayerNormalization") == std::vector<std::string>{"[2,1,16]"});
  CHECK(shapes(g, "Linear") == std::vector<std::string>{"[2,1,16]", "[2,10,16]", "[2,10,16]"});
}

TEST_CASE("narrow: the last step of a recurrent layer is its last state") {
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    for (const char* direction : {"forward", "reverse"}) {
      const int64_t gates = op == std::string("LSTM") ? 4 : op == std::string("GRU") ? 3 : 1;
      const bool reverse = direction == std::string("reverse");
      GraphBuilder b;
      const ValueId x = b.input("x", {Dim::symbol("batch"), 7, 3});
      ValueId v = b.node(op, {b.node("Transpose", {x}, {{"perm", Ints{1, 0, 2}}}), weights(b, {1, gates * 5, 3}), weights(b, {1, gates * 5, 5})},
                         {{"hidden_size", int64_t(5)}, {"direction", std::string(direction)}});
      v = b.node("Transpose", {b.node("Squeeze", {v, b.ints({1})})}, {{"perm", Ints{1, 0, 2}}});
      b.output(b.node("Gather", {v, index(b, reverse ? 0 : -1)}, {{"axis", int64_t(1)}}));
      const Graph g = narrowed(b, {random_f32({2, 7, 3}, 1)});
      CHECK(node(g, op).outputs[0] == kNone);
      CHECK(count(g, "Gather") == 0);
      CHECK(count(g, "Slice") == 0);
    }
  }
}

TEST_CASE("narrow: rows of a recurrent layer that end early have no last state at the last step") {
  GraphBuilder b;
  const Tensor lengths = Tensor::of<int32_t>({2}, std::vector<int32_t>{3, 7});
  const ValueId y = b.node("GRU", {b.input("x", {7, 2, 3}), weights(b, {1, 15, 3}), weights(b, {1, 15, 5}), kNone, b.constant(lengths)},
                           {{"hidden_size", int64_t(5)}});
  b.output(last(b, y, 0));
  CHECK(node(narrowed(b, {random_f32({7, 2, 3}, 1)}), "GRU").outputs[0] != kNone);
}

TEST_CASE("narrow: several readers share what covers them, and one of everything leaves all as it was") {
  for (bool everything : {false, true}) {
    GraphBuilder b;
    const ValueId v = b.node("Exp", {b.node("MatMul", {b.input("x", {20, 8}), weights(b, {8, 8})})});
    b.output(b.node("Gather", {v, b.ints({-2, 2})}, {{"axis", int64_t(0)}}));
    b.output(cut(b, v, {6}, {15}, {0}, {4}));
    if (everything) b.output(b.node("ReduceSum", {v}));
    const Graph g = narrowed(b, {random_f32({20, 8}, 1)});
    CHECK(shapes(g, "Exp") == std::vector<std::string>{everything ? "[20,8]" : "[5,8]"});
  }
}

TEST_CASE("narrow: an axis of unknown extent is cut when a session binds it, others before") {
  GraphBuilder b;
  const ValueId x = b.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), 12, 4});
  const ValueId v = b.node("Relu", {b.node("MatMul", {x, weights(b, {4, 4})})});
  b.output(last(b, last(b, v, 2), 1));
  const Graph symbolic = optimized(b.graph, Stage::narrow);
  CHECK(shapes(symbolic, "MatMul") == std::vector<std::string>{"[batch,seq,1,4]"});
  auto bound = bind_dims(symbolic, {{"batch", 3}, {"seq", 6}});
  REQUIRE(bound.ok());
  CHECK(shapes(narrowed(*bound, {random_f32({3, 6, 12, 4}, 1)}), "MatMul") == std::vector<std::string>{"[3,1,1,4]"});
}

TEST_CASE("narrow: parts of a split, of a concatenation and of reshaped axes") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 12, 6});
  const auto parts = b.nodes("Split", {b.node("Tanh", {x}), b.ints({2, 7, 3})}, 3, {{"axis", int64_t(1)}});
  ValueId v = b.node("Concat", {parts[0], b.node("Sin", {parts[1]}), b.node("Cos", {parts[2]})}, {{"axis", int64_t(1)}});
  v = b.node("Reshape", {b.node("Abs", {b.node("Reshape", {v, b.ints({24, 6})})}), b.ints({2, 12, 3, 2})});
  b.output(b.node("Gather", {v, index(b, 4)}, {{"axis", int64_t(1)}}));
  const Graph g = narrowed(b, {random_f32({2, 12, 6}, 1)});
  CHECK(count(g, "Cos") == 0);
  CHECK(shapes(g, "Abs") == std::vector<std::string>{"[2,6]"});
  CHECK(shapes(g, "Tanh") == std::vector<std::string>{"[2,1,6]"});
}

TEST_CASE("narrow: no axis is cut of which the order of a sum depends") {
  GraphBuilder b;
  const ValueId x = b.input("x", {4, 40, 10});
  b.output(last(b, b.node("Softmax", {x}, {{"axis", int64_t(1)}}), 2));
  b.output(last(b, b.node("ReduceMean", {x, b.ints({1})}, {{"keepdims", int64_t(0)}}), 1));
  b.output(last(b, b.node("MatMul", {x, weights(b, {10, 40})}), 2));
  const Graph g = narrowed(b, {random_f32({4, 40, 10}, 1)});
  CHECK(shapes(g, "Softmax") == std::vector<std::string>{"[4,40,10]"});
  CHECK(shapes(g, "ReduceMean") == std::vector<std::string>{"[4,10]"});
  CHECK(shapes(g, "MatMul") == std::vector<std::string>{"[4,40,40]"});
}

TEST_CASE("narrow: a shape that is asked for is the one of the whole value") {
  GraphBuilder b;
  const ValueId v = b.node("Relu", {b.input("x", {Dim::symbol("batch"), 9, 4})});
  b.output(last(b, v, 1));
  b.output(b.node("Shape", {v}));
  narrowed(b, {random_f32({2, 9, 4}, 1)});
}

TEST_CASE("narrow: who computes nearly everything is left alone") {
  GraphBuilder b;
  b.output(cut(b, b.node("Exp", {b.input("x", {64, 4})}), {1}, {64}, {0}, {1}));
  CHECK(shapes(narrowed(b, {random_f32({64, 4}, 1)}), "Exp") == std::vector<std::string>{"[64,4]"});
}

TEST_CASE("narrow: within the branches of an If, whose outputs are whole") {
  GraphBuilder then_branch, else_branch, b;
  for (GraphBuilder* branch : {&then_branch, &else_branch}) {
    const ValueId x = branch->input("x", {10, 4});
    branch->output(last(*branch, branch->node(branch == &then_branch ? "Exp" : "Tanh", {x}), 0));
  }
  const ValueId c = b.input("c", {}, DType::boolean), x = b.input("x", {10, 4});
  b.graph.subgraphs = {then_branch.graph, else_branch.graph};
  b.output(b.nodes("If", {c, b.node("Relu", {x})}, 1, {}, {0, 1})[0]);
  const Graph g = narrowed(b, {boolean({}, {true}), random_f32({10, 4}, 1)});
  CHECK(shapes(g.subgraphs[0], "Exp") == std::vector<std::string>{"[1,4]"});
}

}  // namespace tern::test::in_narrow
