// verify, fold_constants, simplify: what they keep, what they drop, what they refuse.
#include <doctest/doctest.h>

#include "runtime/fold_constants.h"
#include "runtime/infer_shapes.h"
#include "runtime/optimize.h"
#include "runtime/simplify.h"
#include "runtime/verify.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_passes {

TEST_CASE("verify: a value read before it is computed is refused") {
  GraphBuilder b;
  auto x = b.input("x", {4});
  auto y = b.node("Softmax", {x});
  b.output(b.node("Softmax", {y}));
  CHECK(verify(b.graph).ok());
  std::swap(b.graph.nodes[0], b.graph.nodes[1]);
  Status s = verify(b.graph);
  REQUIRE(!s.ok());
  CHECK(s.error().message().find("read before it is computed") != std::string::npos);
}

TEST_CASE("verify: a value produced twice, a missing input, an unknown attribute and a wrong attribute kind are refused") {
  GraphBuilder twice;
  auto x = twice.input("x", {4});
  twice.output(twice.node("Softmax", {x}));
  twice.graph.nodes.push_back(twice.graph.nodes[0]);
  CHECK(!verify(twice.graph).ok());

  GraphBuilder missing;
  missing.input("x", {4});
  missing.output(missing.node("Softmax", {kNone}));
  CHECK(!verify(missing.graph).ok());

  GraphBuilder attribute;
  x = attribute.input("x", {4});
  attribute.output(attribute.node("Softmax", {x}, {{"axes", int64_t(0)}}));
  CHECK(verify(attribute.graph).error().code() == Code::kUnsupported);

  GraphBuilder kind;
  x = kind.input("x", {4});
  kind.output(kind.node("Softmax", {x}, {{"axis", 1.0f}}));
  CHECK(verify(kind.graph).error().code() == Code::kInvalid);
}

TEST_CASE("verify: of every operator the outputs that its kernels write are required, the others are not") {
  for (const OpDef* op : all_ops()) {
    if (std::string_view(op->name) == "If") continue;  // subgraphs
    INFO(std::string(op->name));
    Node node;
    node.op = op;
    node.inputs.assign(static_cast<size_t>(op->inputs.min), 0);
    for (const AttrSpec& a : op->attrs) {
      const Attributes::Value values[] = {int64_t(1), 1.0f, std::string(), std::vector<int64_t>(), std::vector<float>(), std::vector<std::string>(),
                                          Tensor()};
      if (a.required()) node.attrs.set(a.name, values[static_cast<size_t>(a.kind)]);
    }
    node.outputs.assign(static_cast<size_t>(std::max(op->outputs.max, op->outputs.min)), 1);
    CHECK(verify_node(node).ok());
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      Node absent = node;
      absent.outputs[o] = kNone;
      CHECK(verify_node(absent).ok() == !requires_output(*op, o));
    }
  }
  for (const char* op : {"LayerNormalization", "MaxPool", "Dropout", "BatchNormalization", "Relu"}) CHECK(requires_output(*find_op(op), 0));
  for (const char* op : {"TopK", "Split", "LSTM"}) CHECK(!requires_output(*find_op(op), 0));
  for (const char* op : {"LayerNormalization", "MaxPool", "Dropout"}) CHECK(!requires_output(*find_op(op), 1));
}

TEST_CASE("verify: an absent input among any number of them, and values of nine dimensions, are refused") {
  GraphBuilder b;
  auto x = b.input("x", {4});
  b.output(b.node("Concat", {x, kNone, x}, {{"axis", int64_t(0)}}));
  CHECK(verify(b.graph).error().message() == "n0 (Concat): input 1 is required");
  GraphBuilder nine;
  nine.output(nine.node("Relu", {nine.input("x", Shape(std::vector<Dim>(9, Dim(1))))}));
  CHECK(verify(nine.graph).error().message().find("value x has 9 dimensions") == 0);
}

TEST_CASE("verify: an output that nothing computes is refused") {
  GraphBuilder b;
  b.input("x", {4});
  b.output(b.graph.add_value("nowhere"));
  CHECK(!verify(b.graph).ok());
}

TEST_CASE("fold_constants: what depends on constants alone becomes a constant with the operator's own bits") {
  GraphBuilder b;
  auto x = b.input("x", {2, 3});
  auto w = b.constant(random_f32({3, 3}, 7));
  auto soft = b.node("Softmax", {w});
  b.output(b.node("MatMul", {x, soft}));
  REQUIRE(optimize(b.graph, 1 << 20, Stage::fold).ok());
  CHECK(GraphBuilder::count(b.graph, "Softmax") == 0);
  const ValueId folded = b.graph.nodes[0].inputs[1];
  check_same(b.graph.value(folded).constant, run_op("Softmax", {}, {random_f32({3, 3}, 7)})[0]);
}

TEST_CASE("fold_constants: a constant goes with its last reader; one that another node or an output reads stays") {
  GraphBuilder b;
  auto x = b.input("x", {256, 256});
  auto once = b.constant(random_f32({256, 256}, 1)), twice = b.constant(random_f32({256, 256}, 2)), out = b.constant(random_f32({256, 256}, 3));
  auto sum = b.node("Add", {x, b.node("Softmax", {once})});
  sum = b.node("Add", {b.node("Add", {sum, b.node("Softmax", {twice})}), twice});
  b.output(b.node("Add", {sum, b.node("Softmax", {out})}));
  b.output(out);
  REQUIRE(infer_shapes(b.graph).ok());
  FoldBudget budget;
  REQUIRE(fold_constants(b.graph, budget).ok());
  CHECK(verify(b.graph).ok());
  CHECK(GraphBuilder::count(b.graph, "Softmax") == 0);
  CHECK(!b.graph.value(once).constant.present());
  check_same(b.graph.value(twice).constant, random_f32({256, 256}, 2));  // retired, and what it was
  check_same(b.graph.value(out).constant, random_f32({256, 256}, 3));
}

TEST_CASE("fold_constants: a result much larger than its inputs stays a node") {
  GraphBuilder b;
  auto big = b.node("Expand", {b.constant(Tensor::scalar(1.0f)), b.ints({1024, 1024})});
  b.output(big);
  REQUIRE(optimize(b.graph, int64_t(64) << 20, Stage::fold).ok());
  CHECK(GraphBuilder::count(b.graph, "Expand") == 1);
}

TEST_CASE("simplify: equal nodes are computed once, unread ones not at all, and views that change nothing go") {
  GraphBuilder b;
  auto x = b.input("x", {4, 4});
  auto a = b.node("Softmax", {x}), same = b.node("Softmax", {x}), other = b.node("Softmax", {x}, {{"axis", int64_t(0)}});
  b.node("Softmax", {a});  // nobody reads it
  auto view = b.node("Reshape", {same, b.ints({4, 4})});
  b.output(b.node("MatMul", {a, view}));
  b.output(other);
  REQUIRE(infer_shapes(b.graph).ok());
  simplify(b.graph);
  CHECK(verify(b.graph).ok());
  CHECK(GraphBuilder::count(b.graph, "Softmax") == 2);
  CHECK(GraphBuilder::count(b.graph, "Reshape") == 0);
  CHECK(b.graph.nodes.back().inputs[0] == b.graph.nodes.back().inputs[1]);
}

TEST_CASE("simplify: a Split keeps the places of outputs that nobody reads, an optional output that nobody reads goes") {
  GraphBuilder b;
  auto x = b.input("x", {6, 2});
  auto parts = b.nodes("Split", {x, b.ints({1, 2, 3})}, 3);
  b.output(parts[1]);
  auto pooled = b.nodes("MaxPool", {b.input("z", {1, 1, 4})}, 2, {{"kernel_shape", std::vector<int64_t>{2}}});
  b.output(pooled[0]);
  REQUIRE(optimize(b.graph, 1 << 20).ok());
  CHECK(b.graph.nodes[0].outputs.size() == 3);
  CHECK(b.graph.nodes[0].outputs[2] == kNone);
  CHECK(b.graph.nodes[1].outputs.size() == 1);
  CHECK(b.graph.value(b.graph.outputs[0]).type.shape.text() == "[2,2]");
}

// if (condition) softmax(x) else x
GraphBuilder conditional(bool constant_condition, bool value) {
  GraphBuilder b;
  auto x = b.input("x", {2, 3});
  ValueId condition = constant_condition ? b.constant(boolean({}, {value})) : b.input("c", Shape(std::vector<Dim>()), DType::boolean);
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    auto inner = g.input("x", {2, 3});
    g.output(branch == 0 ? g.node("Softmax", {inner}) : g.node("Softmax", {inner}, {{"axis", int64_t(0)}}));
    b.graph.subgraphs.push_back(g.graph);
  }
  b.output(b.nodes("If", {condition, x}, 1, {}, {0, 1})[0]);
  return b;
}

TEST_CASE("fold_constants: an If whose condition is known disappears, and its taken branch stays") {
  for (bool value : {true, false}) {
    GraphBuilder b = conditional(true, value);
    REQUIRE(optimize(b.graph, 1 << 20).ok());
    REQUIRE(b.graph.nodes.size() == 1);
    CHECK(b.graph.nodes[0].attrs.i("axis", -1) == (value ? -1 : 0));
    CHECK(b.graph.subgraphs.empty());
  }
  GraphBuilder live = conditional(false, true);
  REQUIRE(optimize(live.graph, 1 << 20).ok());
  CHECK(GraphBuilder::count(live.graph, "If") == 1);
  CHECK(live.graph.value(live.graph.outputs[0]).type.shape.text() == "[2,3]");
}

TEST_CASE("fold_constants: work comes out of one budget, and what is over it stays") {
  GraphBuilder b;
  auto x = b.input("x", {64, 64});
  ValueId w = b.constant(random_f32({64, 64}, 5));
  for (int i = 0; i < 8; ++i) w = b.node("MatMul", {w, w});
  b.output(b.node("MatMul", {x, w}));
  REQUIRE(infer_shapes(b.graph).ok());
  FoldBudget budget{1 << 20, 3 * 64 * 64 * 64};  // three products
  REQUIRE(fold_constants(b.graph, budget).ok());
  CHECK(GraphBuilder::count(b.graph, "MatMul") == 6);
  CHECK(budget.work == 0);
  REQUIRE(fold_constants(b.graph, budget).ok());
  CHECK(GraphBuilder::count(b.graph, "MatMul") == 6);
  CHECK(fold_budget(b.graph, 1000).work >= 4 * 1000 + 16 * 64 * 64 * 4);
}

// relu(x), relu(relu(x)), …: each of the size that the one before turns out to have, which inference alone cannot tell.
ValueId resized_chain(GraphBuilder& b, ValueId x, int length) {
  for (int i = 0; i < length; ++i) {
    auto size = b.node("Shape", {x});
    auto wanted = b.node("Where", {b.node("Equal", {size, b.ints({-1})}), b.ints({1}), size});
    x = b.node("Relu", {b.node("Expand", {x, wanted})});
  }
  return x;
}

TEST_CASE("fold_constants: a chain of sizes that hang on each other resolves in one pass, also in a branch that may run") {
  GraphBuilder b;
  b.output(resized_chain(b, b.input("x", {4}), 20));
  REQUIRE(optimize(b.graph, 1 << 20, Stage::fold).ok());
  CHECK(b.graph.value(b.graph.outputs[0]).type.shape.text() == "[4]");
  CHECK(GraphBuilder::count(b.graph, "Where") == 0);

  GraphBuilder around;
  auto x = around.input("x", {4}), c = around.input("c", Shape(std::vector<Dim>()), DType::boolean);
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    g.output(resized_chain(g, g.input("x", {4}), 10 + branch));
    around.graph.subgraphs.push_back(g.graph);
  }
  around.output(around.nodes("If", {c, x}, 1, {}, {0, 1})[0]);
  REQUIRE(optimize(around.graph, 1 << 20, Stage::fold).ok());
  for (const Graph& g : around.graph.subgraphs) CHECK(GraphBuilder::count(g, "Where") == 0);
  CHECK(around.graph.value(around.graph.outputs[0]).type.shape.text() == "[4]");
}

TEST_CASE("fold_constants: a chain of Ifs of which each one's condition hangs on the size that the one before gives resolves in one pass") {
  GraphBuilder b;
  auto x = b.input("x", {1, 4});
  for (int i = 0; i < 20; ++i) {  // squeezes, where axis 0 has one element; and gives the axis back
    for (int branch = 0; branch < 2; ++branch) {
      GraphBuilder g;
      auto inner = g.input("x", {});
      g.output(branch == 0 ? g.node("Squeeze", {inner, g.ints({0})}) : g.node("Identity", {inner}));
      b.graph.subgraphs.push_back(g.graph);
    }
    auto one =
        b.node("Equal", {b.node("Gather", {b.node("Shape", {x}), b.constant(Tensor::scalar(int64_t(0)))}), b.constant(Tensor::scalar(int64_t(1)))});
    x = b.nodes("If", {one, x}, 1, {}, {2 * i, 2 * i + 1})[0];
    x = b.node("Unsqueeze", {b.node("Relu", {x}), b.ints({0})});
  }
  b.output(x);
  REQUIRE(optimize(b.graph, 1 << 20, Stage::fold).ok());
  CHECK(GraphBuilder::count(b.graph, "If") == 0);
  CHECK(b.graph.value(b.graph.outputs[0]).type.shape.text() == "[1,4]");
}

TEST_CASE("simplify: equal nodes among thousands that differ in an attribute") {
  GraphBuilder b;
  auto x = b.input("x", {4});
  for (int i = 0; i < 20000; ++i) b.output(b.node("Elu", {x}, {{"alpha", static_cast<float>(i % 10000)}}));
  REQUIRE(infer_shapes(b.graph).ok());
  simplify(b.graph);
  CHECK(b.graph.nodes.size() == 10000);
  CHECK(b.graph.outputs[0] == b.graph.outputs[10000]);
}

TEST_CASE("simplify: small constants of the same bytes are one only where their dtypes and dims are the same too") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 2});
  const float ones[] = {1, 1};
  const auto constant = [&](Dims dims) { return b.constant(Tensor::of<float>(dims, ones)); };
  b.output(b.node("Add", {x, constant({2, 1})}));
  b.output(b.node("Add", {x, constant({2, 1})}));
  b.output(b.node("Add", {x, constant({1, 2})}));
  simplify(b.graph);
  CHECK(GraphBuilder::count(b.graph, "Add") == 2);
  CHECK(b.graph.outputs[0] == b.graph.outputs[1]);
  CHECK(b.graph.outputs[0] != b.graph.outputs[2]);
}

TEST_CASE("simplify: views that lead back to the first shape are none") {
  GraphBuilder b;
  const ValueId x = b.input("x", {Dim::symbol("n"), 4, 1, 1});
  const ValueId flat = b.node("Squeeze", {x, b.ints({2, 3})});
  b.output(b.node("Relu", {b.node("Unsqueeze", {b.node("Unsqueeze", {flat, b.ints({2})}), b.ints({3})})}));
  b.output(b.node("Neg", {b.node("Unsqueeze", {flat, b.ints({1})})}));
  REQUIRE(infer_shapes(b.graph).ok());
  simplify(b.graph);
  CHECK(b.graph.nodes.size() == 4);
  for (const Node& n : b.graph.nodes) {
    if (std::string_view(n.op->name) == "Relu") CHECK(n.inputs[0] == b.graph.inputs[0]);
  }
}

}  // namespace tern::test::in_passes
