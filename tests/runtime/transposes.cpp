// move_transposes: what it takes out, what it leaves, and that results keep their bits and no more elements are transposed than before.
#include "runtime/transposes/transposes.h"

#include <doctest/doctest.h>

#include <random>

#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "runtime/optimize.h"
#include "runtime/simplify.h"
#include "runtime/verify.h"
#include "tests/support/cheap.h"
#include "tests/support/graph_builder.h"
#include "tests/support/transposes.h"

namespace tern::test::in_transposes {
namespace {

using Ints = std::vector<int64_t>;
const Ints kToFirst = {0, 3, 1, 2}, kToLast = {0, 2, 3, 1};

ValueId permute(GraphBuilder& b, ValueId x, const Ints& perm) { return b.node("Transpose", {x}, {{"perm", perm}}); }
ValueId weights(GraphBuilder& b, Dims dims, uint32_t seed = 5) { return b.constant(random_f32(dims, seed)); }
// As loaders of channels-last formats have it.
ValueId conv(GraphBuilder& b, ValueId x, Dims w, Ints pads = {1, 1, 1, 1}) {
  return permute(b, b.node("Conv", {permute(b, x, kToFirst), weights(b, w)}, {{"pads", pads}}), kToLast);
}
ValueId number(GraphBuilder& b, float v) { return b.constant(Tensor::scalar(v)); }

// The graph after the pass. Both forms are evaluated: the bits are the same.
Graph moved(const GraphBuilder& b, const std::vector<Tensor>& inputs) {
  Graph before = b.graph, after = b.graph;
  Status s = optimize(before, 1 << 24, Stage::fold);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  INFO("before: " << to_text(before));
  s = optimize(after, 1 << 24, Stage::transpose);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  INFO("after: " << to_text(after));
  s = verify(after);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  s = verify_types(after);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  CHECK(moved_elements(after) <= moved_elements(before));
  auto expected = evaluate_graph(before, inputs, {});
  auto actual = evaluate_graph(after, inputs, {});
  REQUIRE(expected.ok() == actual.ok());
  if (!expected.ok()) return after;  // sizes that only a run tells do not fit
  for (size_t o = 0; o < expected->size(); ++o) check_same((*actual)[o], (*expected)[o]);
  return after;
}

int64_t transposes(const Graph& g) { return GraphBuilder::count(g, "Transpose"); }
const Node& only(const Graph& g, std::string_view op) {
  const Node* found = nullptr;
  for (const Node& n : g.nodes) {
    if (n.op->name == op) found = &n;
  }
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("transposes: between convolutions of channels-last images all of them go, through activations, biases, sums and batch normalization") {
  GraphBuilder b;
  ValueId v = conv(b, b.input("x", {Dim::symbol("batch"), 6, 7, 3}), {4, 3, 3, 3});
  v = b.node("Relu", {b.node("Add", {v, weights(b, {4})})});
  const ValueId skip = v;
  v = b.node("Mul", {conv(b, v, {4, 4, 3, 3}), weights(b, {1, 1, 1, 4}, 6)});
  v = b.node("BatchNormalization",
             {permute(b, v, kToFirst), weights(b, {4}), weights(b, {4}), weights(b, {4}), b.constant(random_f32({4}, 3, 1, 2))});
  v = b.node("Add", {permute(b, v, kToLast), skip});
  v = b.node("Clip", {v, number(b, 0), number(b, 6)});
  v = permute(b, b.node("MaxPool", {permute(b, v, kToFirst)}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}), kToLast);
  b.output(conv(b, b.node("Mul", {v, b.node("Sigmoid", {v})}), {2, 4, 3, 3}));
  const Graph g = moved(b, {random_f32({2, 6, 7, 3}, 1)});
  CHECK(transposes(g) == 2);
  CHECK(g.nodes.front().op->name == std::string("Transpose"));
  CHECK(g.nodes.back().op->name == std::string("Transpose"));
}

TEST_CASE("transposes: one that remains stands behind what can be computed before it, so that it fuses with its producer") {
  GraphBuilder b;
  const ValueId v = b.node("Relu", {conv(b, b.input("x", {1, 4, 4, 3}), {4, 3, 3, 3})});
  b.output(b.node("Flatten", {v}));
  const Graph g = moved(b, {random_f32({1, 4, 4, 3}, 1)});
  CHECK(transposes(g) == 2);
  CHECK(g.nodes[2].op->name == std::string("Relu"));
  CHECK(g.nodes[3].op->name == std::string("Transpose"));
}

TEST_CASE("transposes: concatenations, splits, slices, padding and tiles are along the axis where it lies") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 5, 6, 4});
  const ValueId v = conv(b, x, {4, 4, 3, 3});
  const auto parts = b.nodes("Split", {v, b.ints({1, 3})}, 2, {{"axis", int64_t(-1)}});
  ValueId joined = b.node("Concat", {parts[1], parts[0], v}, {{"axis", int64_t(3)}});
  joined = b.node("Slice", {joined, b.ints({1, 5}), b.ints({6, 0}), b.ints({-1, 1}), b.ints({2, -1})});
  joined = b.node("Pad", {joined, b.ints({0, 1, 0, 0, 0, 0, 2, 1}), number(b, 0.5f)});
  joined = b.node("Pad", {joined, b.ints({1, 2}), kNone, b.ints({2})}, {{"mode", std::string("edge")}});
  joined = b.node("Tile", {joined, b.ints({1, 1, 2, 1})});
  b.output(conv(b, joined, {2, 4, 3, 3}));
  const Graph g = moved(b, {random_f32({1, 5, 6, 4}, 1)});
  CHECK(transposes(g) == 2);
  CHECK(only(g, "Concat").attrs.i("axis") == 1);
}

TEST_CASE("transposes: one-dimensional convolutions that are spelled with two axes, and reshapes that add extents of 1") {
  GraphBuilder b;
  auto conv_1d = [&](ValueId v, Dims w) { return b.node("Squeeze", {conv(b, b.node("Unsqueeze", {v, b.ints({1})}), w, {0, 1, 0, 1}), b.ints({1})}); };
  ValueId v = b.node("Tanh", {conv_1d(b.input("x", {Dim::symbol("n"), 9, 3}), {4, 3, 1, 3})});
  v = conv_1d(v, {5, 4, 1, 3});
  v = b.node("Reshape", {b.node("Relu", {v}), b.ints({0, 1, 9, 5})});
  b.output(conv(b, v, {2, 5, 1, 3}, {0, 1, 0, 1}));
  CHECK(transposes(moved(b, {random_f32({2, 9, 3}, 1)})) == 2);
}

TEST_CASE("transposes: squeeze and excite has none") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {1, 6, 5, 3}), {8, 3, 3, 3});
  ValueId s = b.node("Squeeze", {permute(b, b.node("GlobalAveragePool", {permute(b, v, kToFirst)}), kToLast), b.ints({1, 2})});
  s = b.node("Relu", {b.node("MatMul", {s, weights(b, {8, 4})})});
  s = b.node("Reshape", {b.node("Sigmoid", {b.node("MatMul", {s, weights(b, {4, 8})})}), b.ints({-1, 1, 1, 8})});
  b.output(conv(b, b.node("Mul", {v, s}), {2, 8, 3, 3}));
  CHECK(transposes(moved(b, {random_f32({1, 6, 5, 3}, 1)})) == 2);
}

TEST_CASE("transposes: a sum in the order of the elements stays as it was written, a maximum of numbers without rounding does not") {
  for (const char* op : {"ReduceMean", "ReduceMax"}) {
    for (DType dtype : {DType::f32, DType::i32}) {
      if (dtype == DType::i32 && op == std::string("ReduceMean")) continue;
      GraphBuilder b;
      ValueId v = conv(b, b.input("x", {1, 8, 9, 3}), {4, 3, 3, 3});
      if (dtype == DType::i32) v = b.node("Cast", {b.node("Mul", {v, number(b, 100)})}, {{"to", int64_t(6)}});
      b.output(b.node(op, {v, b.ints({1, 2})}, {{"keepdims", int64_t(0)}}));
      CHECK(transposes(moved(b, {random_f32({1, 8, 9, 3}, 1)})) == (dtype == DType::f32 ? 2 : 1));
    }
  }
}

TEST_CASE("transposes: softmax moves where its axis keeps its place, and the largest of a line always") {
  for (int64_t axis : {1, 3}) {
    GraphBuilder b;  // in the order in which it is computed axis 1 has axes behind it either way, axis 3 has not
    const ValueId v = b.node("Softmax", {conv(b, b.input("x", {1, 8, 9, 3}), {4, 3, 3, 3})}, {{"axis", axis}});
    b.output(conv(b, v, {4, 4, 3, 3}));
    CHECK(transposes(moved(b, {random_f32({1, 8, 9, 3}, 1)})) == (axis == 1 ? 2 : 4));
  }
  GraphBuilder b;
  b.output(b.node("ArgMax", {conv(b, b.input("x", {1, 8, 9, 3}), {4, 3, 3, 3})}, {{"axis", int64_t(-1)}, {"keepdims", int64_t(0)}}));
  CHECK(transposes(moved(b, {random_f32({1, 8, 9, 3}, 1)})) == 1);
}

TEST_CASE("transposes: a value and its transposed self in one sum are left alone") {
  GraphBuilder b;
  const ValueId x = b.input("x", {3, 3});
  const ValueId sum = b.node("Add", {x, b.node("Transpose", {x})});
  b.output(b.node("MatMul", {b.node("Transpose", {b.node("Relu", {sum})}), x}));
  CHECK(transposes(moved(b, {random_f32({3, 3}, 1)})) == 2);
}

TEST_CASE("transposes: they stand where the value is smallest") {
  for (bool grows : {false, true}) {
    GraphBuilder b;
    ValueId v = b.input("x", {2, grows ? 3 : 8, 5});
    if (!grows) v = permute(b, v, {2, 1, 0});
    v = b.node("Exp", {v});
    v = grows ? b.node("Tile", {v, b.ints({1, 4, 1})}) : b.node("Slice", {v, b.ints({0}), b.ints({3}), b.ints({1})});
    v = b.node("Neg", {v});
    if (grows) v = permute(b, v, {2, 1, 0});
    b.output(b.node("MatMul", {v, weights(b, {grows ? 2 : 2, 4})}));
    const Graph g = moved(b, {random_f32({2, grows ? 3 : 8, 5}, 1)});
    CHECK(transposes(g) == 1);
    CHECK(moved_elements(g) == 30);
  }
}

TEST_CASE("transposes: extents of 1 move for nothing") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 5, 4});
  b.output(b.node("MatMul", {permute(b, x, {1, 0, 2}), weights(b, {5, 4, 3})}));
  CHECK(transposes(moved(b, {random_f32({1, 5, 4}, 1)})) == 0);
}

TEST_CASE("transposes: who asks for a shape asks for no order") {
  GraphBuilder b;
  const ValueId x = b.input("x", {Dim::symbol("n"), Dim::symbol("h"), 6, 3});
  const ValueId v = b.node("Relu", {conv(b, x, {4, 3, 3, 3})});
  b.output(conv(b, v, {4, 4, 3, 3}));
  b.output(b.node("Shape", {v}));
  b.output(b.node("Shape", {v}, {{"start", int64_t(-3)}, {"end", int64_t(3)}}));
  CHECK(transposes(moved(b, {random_f32({2, 5, 6, 3}, 1)})) == 2);
}

TEST_CASE("transposes: a value that is wanted in both orders is transposed once") {
  GraphBuilder b;
  const ValueId v = b.node("Relu", {conv(b, b.input("x", {1, 5, 6, 3}), {4, 3, 3, 3})});
  b.output(conv(b, v, {4, 4, 3, 3}));
  b.output(v);
  b.output(b.node("MatMul", {v, weights(b, {4, 2})}));
  b.output(b.node("Exp", {v}));
  CHECK(transposes(moved(b, {random_f32({1, 5, 6, 3}, 1)})) == 3);  // the input, relu, the second convolution
}

TEST_CASE("transposes: inputs of a lower rank and constants come with the extents of 1 that they need") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {2, 5, 6, 3}), {4, 3, 3, 3});
  ValueId w = b.node("Mul", {v, b.input("row", {6, 1})});
  w = b.node("Sub", {w, b.input("channel", {4})});
  w = b.node("PRelu", {w, weights(b, {6, 4})});
  w = b.node("Where", {b.node("Greater", {w, number(b, 0)}), w, b.node("Expand", {b.input("one", {1, 1}), b.ints({5, 6, 4})})});
  b.output(conv(b, w, {4, 4, 3, 3}));
  const Graph g = moved(b, {random_f32({2, 5, 6, 3}, 1), random_f32({6, 1}, 2), random_f32({4}, 3), random_f32({1, 1}, 4)});
  CHECK(transposes(g) == 2);
}

TEST_CASE("transposes: quantized values move with the axis of their scales") {
  for (bool per_axis : {false, true}) {
    GraphBuilder b;
    auto quantize = [&](ValueId v, int64_t n) {
      const ValueId scale = per_axis ? b.constant(random_f32({n}, 2, 0.1f, 1)) : number(b, 0.25f);
      const Attrs axis = {{"axis", int64_t(3)}};
      return b.node("DequantizeLinear", {b.node("QuantizeLinear", {v, scale}, axis), scale}, axis);
    };
    ValueId v = quantize(conv(b, b.input("x", {1, 4, 5, 3}), {4, 3, 3, 3}), 4);
    b.output(conv(b, v, {4, 4, 3, 3}));
    CHECK(transposes(moved(b, {random_f32({1, 4, 5, 3}, 1)})) == 2);
  }
}

TEST_CASE("transposes: recurrent operators take the batch first") {
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    for (int64_t directions : {1, 2}) {
      GraphBuilder b;
      const int64_t gates = op == std::string("LSTM") ? 4 : op == std::string("GRU") ? 3 : 1;
      const ValueId x = permute(b, b.input("x", {Dim::symbol("n"), 7, 3}), {1, 0, 2});
      std::vector<ValueId> inputs = {x, weights(b, {directions, gates * 5, 3}), weights(b, {directions, gates * 5, 5}), kNone, kNone};
      if (directions == 2) inputs.push_back(b.constant(random_f32({2, 4, 5}, 3)));
      const Attrs attrs = {{"hidden_size", int64_t(5)}, {"direction", std::string(directions == 2 ? "bidirectional" : "forward")}};
      const auto y = b.nodes(op, inputs, 2, attrs);
      if (directions == 1) b.output(permute(b, b.node("Tanh", {b.node("Squeeze", {y[0], b.ints({1})})}), {1, 0, 2}));
      else b.output(b.node("Reshape", {permute(b, y[0], {2, 0, 1, 3}), b.ints({0, 0, 10})}));
      b.output(b.node("Squeeze", {b.node("Slice", {y[1], b.ints({0}), b.ints({1}), b.ints({0})}), b.ints({0})}));
      const Graph g = moved(b, {random_f32({4, 7, 3}, 1)});
      CHECK(transposes(g) == 0);
      CHECK(only(g, op).attrs.i("layout") == 1);
    }
  }
}

TEST_CASE("transposes: both directions of stacked recurrent operators stay side by side, the batch first") {
  for (const char* op : {"LSTM", "GRU"}) {
    for (bool last_steps : {false, true}) {
      GraphBuilder b;
      const int64_t gates = op == std::string("LSTM") ? 4 : 3;
      ValueId x = permute(b, b.input("x", {Dim::symbol("n"), 7, 3}), {1, 0, 2}), state = kNone;
      for (int64_t features : {3, 10, 10}) {
        const Attrs attrs = {{"hidden_size", int64_t(5)}, {"direction", std::string("bidirectional")}};
        const auto y = b.nodes(op, {x, weights(b, {2, gates * 5, features}), weights(b, {2, gates * 5, 5})}, 2, attrs);
        x = b.node("Reshape", {permute(b, y[0], {0, 2, 1, 3}), b.ints({0, 0, -1})});
        state = y[1];
      }
      b.output(permute(b, x, {1, 0, 2}));
      if (last_steps) b.output(state);
      const Graph g = moved(b, {random_f32({4, 7, 3}, 1)});
      CHECK(transposes(g) == (last_steps ? 1 : 0));  // of the states alone, which are directions first
    }
  }
}

TEST_CASE("transposes: two axes that a Reshape joins stay where they are joined") {
  for (int64_t width : {2, 3}) {
    GraphBuilder b;
    ValueId v = b.node("Relu", {conv(b, b.input("x", {2, 5, width, 3}), {6, 3, 3, 3})});  // width and channels are joined
    v = b.node("Sigmoid", {b.node("Reshape", {v, b.ints({2, 5, 6 * width})})});
    b.output(conv(b, b.node("Reshape", {v, b.ints({2, 5, 1, 6 * width})}), {4, 6 * width, 1, 1}, {0, 0, 0, 0}));
    moved(b, {random_f32({2, 5, width, 3}, 1)});
  }
}

TEST_CASE("transposes: a constant that the budget cannot hold twice is transposed when it is needed") {
  GraphBuilder b;
  ValueId v = conv(b, b.input("x", {1, 4, 5, 3}), {4, 3, 3, 3});
  v = b.node("Add", {v, weights(b, {4, 5, 4})});
  b.output(conv(b, v, {4, 4, 3, 3}));
  Graph g = b.graph;
  REQUIRE(optimize(g, 1 << 24, Stage::fold).ok());
  FoldBudget none{.bytes = 16, .work = 1 << 20};
  move_transposes(g, none);
  simplify(g);
  REQUIRE(verify(g).ok());
  CHECK(transposes(g) == 3);
  CHECK(none.bytes == 16);
}

TEST_CASE("transposes: a value in more orders than are weighed stays as it is") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3, 4, 5});
  const ValueId v = b.node("Relu", {x});
  Ints perm = {0, 1, 2, 3};
  for (int i = 0; i < 10; ++i) {
    std::next_permutation(perm.begin(), perm.end());
    b.output(b.node("Flatten", {permute(b, v, perm)}));
  }
  CHECK(transposes(moved(b, {random_f32({2, 3, 4, 5}, 1)})) == 10);
}

TEST_CASE("transposes: the bodies of branches have theirs moved as well") {
  GraphBuilder inner;
  const ValueId y = inner.input("y", {2, 3});
  inner.output(inner.node("Transpose", {inner.node("Neg", {inner.node("Transpose", {y})})}));
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3}), c = b.input("c", Shape(std::vector<Dim>{}), DType::boolean);
  b.graph.subgraphs = {inner.graph, inner.graph};
  b.output(b.nodes("If", {c, x}, 1, {}, {0, 1})[0]);
  const Graph g = moved(b, {random_f32({2, 3}, 1), Tensor::scalar(true)});
  for (const Graph& body : g.subgraphs) CHECK(transposes(body) == 0);
}

// Operators of every rule and some that have none, and Transposes between, at random.
TEST_CASE("transposes: random graphs keep their bits") {
  for (uint32_t seed = 0; seed < (kSanitized ? 100 : 400); ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    auto below = [&](size_t n) { return static_cast<int64_t>(random() % n); };
    GraphBuilder b;
    const bool symbolic = below(2) == 0;
    Shape in{symbolic ? Dim::symbol("n") : Dim(2), Dim(below(3) + 1), Dim(below(4) + 1), 3};
    std::vector<ValueId> values = {b.input("x", in), b.input("y", in)};
    Dims dims{2, in[1].value(), in[2].value(), 3};
    REQUIRE(infer_shapes(b.graph).ok());
    for (int i = 0; i < 14; ++i) {
      const ValueId v = values[static_cast<size_t>(below(values.size()))], w = values[static_cast<size_t>(below(values.size()))];
      const int rank = b.shape(v).rank();
      if (rank == 0) continue;
      const int64_t axis = below(static_cast<size_t>(rank));
      Ints perm(static_cast<size_t>(rank));
      for (size_t a = 0; a < perm.size(); ++a) perm[a] = static_cast<int64_t>(a);
      std::shuffle(perm.begin(), perm.end(), random);
      const Dim& extent = b.shape(v)[static_cast<int>(axis)];
      ValueId made = kNone;
      const size_t nodes = b.graph.nodes.size();
      switch (below(20)) {
        case 0: made = b.node("Neg", {v}); break;
        case 1:
        case 2: made = b.node("Add", {v, w}); break;
        case 3: made = b.node("Mul", {v, b.constant(random_f32({extent.known() && axis == rank - 1 ? extent.value() : 1}, seed))}); break;
        case 4: made = b.node("Concat", {v, w, v}, {{"axis", axis}}); break;
        case 5: made = b.node("Slice", {v, b.ints({0}), b.ints({2}), b.ints({axis})}); break;
        case 6: made = b.node("Pad", {v, b.ints({1, 0}), kNone, b.ints({axis})}); break;
        case 7: made = b.node("ReduceMean", {v, b.ints({axis})}, {{"keepdims", below(2)}}); break;
        case 8: made = b.node("ReduceMax", {v, b.ints({axis})}, {{"keepdims", below(2)}}); break;
        case 9: made = b.node("Softmax", {v}, {{"axis", axis}}); break;
        case 10: made = rank < 5 ? b.node("Unsqueeze", {v, b.ints({axis})}) : kNone; break;
        case 11: made = extent.is(1) ? b.node("Squeeze", {v, b.ints({axis})}) : kNone; break;
        case 12: made = b.node("Tile", {v, b.constant(Tensor::ints(Ints(static_cast<size_t>(rank), 1 + below(2))))}); break;
        case 13: made = b.node("CumSum", {v, b.constant(Tensor::scalar(axis))}); break;
        default: made = permute(b, v, perm);
      }
      if (made == kNone) continue;
      Graph trial = b.graph;
      if (infer_shapes(trial).ok() && trial.value(made).type.shape.ranked()) {
        b.graph = std::move(trial);
        values.push_back(made);
      } else {
        b.graph.nodes.resize(nodes);
      }
    }
    b.output(values.back());
    b.output(values[values.size() / 2]);
    moved(b, {random_f32(dims, seed), random_f32(dims, seed + 1)});
  }
}

}  // namespace tern::test::in_transposes
