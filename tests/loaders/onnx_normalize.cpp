// Old opsets become the newest: every rule of loaders/onnx/normalize/table.cpp, each on both sides of its last opset.
#include <doctest/doctest.h>

#include <limits>

#include "loaders/load.h"
#include "runtime/base/half.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_onnx_normalize {
namespace {

// The graph of one node reading x ([2,3,4,5] unless said otherwise) and initializers.
Graph normalized(int64_t opset, const Proto& n, const std::vector<Proto>& initializers = {}, int elem_type = 1,
                 const std::vector<DimOf>& dims = {2, 3, 4, 5}) {
  auto g = load_graph(Source{bytes(model(opset, {n}, {input("x", elem_type, dims)}, {output("y")}, initializers)), nullptr, "", ""}, {});
  REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
  return std::move(*g);
}
Error refused(int64_t opset, const Proto& n) {
  auto g = load_graph(Source{bytes(model(opset, {n}, {input("x", 1, {2, 3, 4, 5})}, {output("y")})), nullptr, "", ""}, {});
  REQUIRE(!g.ok());
  return g.error();
}
std::string ops(const Graph& g) {
  std::string s;
  for (const Node& n : g.nodes) s += (s.empty() ? "" : " ") + std::string(n.op->name);
  return s;
}
std::vector<int64_t> ints(const Graph& g, const Node& n, size_t i) {
  REQUIRE(i < n.inputs.size());
  REQUIRE(g.is_constant(n.inputs[i]));
  return *as_ints(g.value(n.inputs[i]).constant.view());
}
using Ints = std::vector<int64_t>;

}  // namespace

TEST_CASE("normalize: axes become an input") {
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
                         "ReduceSumSquare", "ReduceSum", "Squeeze", "Unsqueeze"}) {
    CAPTURE(op);
    const bool early = std::string(op) == "ReduceSum" || std::string(op) == "Squeeze" || std::string(op) == "Unsqueeze";
    const Graph g = normalized(early ? 12 : 17, node(op, {"x"}, {"y"}, {attr("axes", Ints{1, 2})}));
    CHECK(ints(g, g.nodes[0], 1) == Ints{1, 2});
    CHECK(!g.nodes[0].attrs.has("axes"));
  }
  CHECK(normalized(12, node("Squeeze", {"x"}, {"y"})).nodes[0].inputs.size() == 1);
}

TEST_CASE("normalize: Softmax before opset 13 flattens, unless one axis is all there is") {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    CAPTURE(op);
    const Graph g = normalized(12, node(op, {"x"}, {"y"}));
    CHECK(ops(g) == "Flatten " + std::string(op) + " Shape Reshape");
    CHECK(g.nodes[0].attrs.i("axis") == 1);
    CHECK(g.nodes[1].attrs.i("axis") == -1);
    CHECK(ops(normalized(13, node(op, {"x"}, {"y"}))) == op);
  }
  CHECK(normalized(11, node("Softmax", {"x"}, {"y"}, {attr("axis", int64_t(3))})).nodes[0].attrs.i("axis") == -1);
  CHECK(normalized(11, node("Softmax", {"x"}, {"y"}, {attr("axis", int64_t(-1))})).nodes.size() == 1);
  CHECK(normalized(11, node("Softmax", {"x"}, {"y"}, {attr("axis", int64_t(2))})).nodes[0].attrs.i("axis") == 2);
  CHECK(normalized(7, node("Softmax", {"x"}, {"y"}), {}, 1, {"n", 4}).nodes.size() == 1);  // rank 2: axis 1 is the last
}

TEST_CASE("normalize: rules are for the operators of the file, not for what rules made of them") {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"})
    CHECK(ops(normalized(1, node(op, {"x"}, {"y"}))) == "Flatten " + std::string(op) + " Shape Reshape");
  CHECK(ops(normalized(1, node("Upsample", {"x"}, {"y"}, {attr("height_scale", 2.0f), attr("width_scale", 2.0f)}))) == "Resize");
}

TEST_CASE("normalize: an old Softmax in the middle knows its rank from the nodes before it") {
  auto g = load_graph(
      Source{bytes(model(9, {node("Relu", {"x"}, {"h"}), node("Softmax", {"h"}, {"y"})}, {input("x", 1, {"n", 4})}, {output("y")})), nullptr, "", ""},
      {});
  REQUIRE(g.ok());
  CHECK(ops(*g) == "Relu Softmax");
}

TEST_CASE("normalize: Split takes sizes as an input, or the number of its outputs") {
  Graph g = normalized(12, node("Split", {"x"}, {"y", "z"}, {attr("axis", int64_t(3)), attr("split", Ints{2, 3})}));
  CHECK(ints(g, g.nodes[0], 1) == Ints{2, 3});
  CHECK(!g.nodes[0].attrs.has("num_outputs"));
  for (int64_t opset : {12, 17}) CHECK(normalized(opset, node("Split", {"x"}, {"y", "z"})).nodes[0].attrs.i("num_outputs") == 2);
  CHECK(normalized(18, node("Split", {"x"}, {"y", "z"}, {attr("num_outputs", int64_t(2))})).nodes[0].attrs.i("num_outputs") == 2);
  // Outputs without a name count: where each begins depends on how many there are.
  CHECK(normalized(18, node("Split", {"x"}, {"", "y", ""}, {attr("num_outputs", int64_t(3)), attr("axis", int64_t(1))})).nodes[0].outputs.size() ==
        3);
  CHECK(normalized(13, node("Split", {"x"}, {"y", "", ""}, {attr("axis", int64_t(1))})).nodes[0].attrs.i("num_outputs") == 3);
}

TEST_CASE("normalize: Slice, TopK, Reshape and Pad take inputs") {
  Graph g = normalized(9, node("Slice", {"x"}, {"y"}, {attr("starts", Ints{1}), attr("ends", Ints{-1}), attr("axes", Ints{2})}));
  CHECK(ints(g, g.nodes[0], 1) == Ints{1});
  CHECK(ints(g, g.nodes[0], 2) == Ints{-1});
  CHECK(ints(g, g.nodes[0], 3) == Ints{2});
  CHECK(normalized(9, node("Slice", {"x"}, {"y"}, {attr("starts", Ints{1}), attr("ends", Ints{2})})).nodes[0].inputs.size() == 3);
  CHECK(refused(9, node("Slice", {"x"}, {"y"}, {attr("starts", Ints{1})})).message().find("ends") != std::string::npos);
  CHECK(refused(9, node("Slice", {"x"}, {"y"}, {attr("starts", "no"), attr("ends", Ints{2})})).message().find("must be integers") !=
        std::string::npos);
  g = normalized(4, node("Reshape", {"x"}, {"y"}, {attr("shape", Ints{0, -1}), attr("consumed_inputs", Ints{0})}));
  CHECK(ints(g, g.nodes[0], 1) == Ints{0, -1});
  CHECK(g.nodes[0].attrs.all().empty());
  {
    g = normalized(9, node("TopK", {"x"}, {"y", "i"}, {attr("k", int64_t(3))}));
    CHECK(ints(g, g.nodes[0], 1) == Ints{3});
  }
  {
    for (const char* name : {"pads", "paddings"}) {
      g = normalized(name[3] == 's' ? 10 : 1, node("Pad", {"x"}, {"y"}, {attr(name, Ints{0, 0, 1, 1, 0, 0, 1, 1})}));
      CHECK(ints(g, g.nodes[0], 1) == Ints{0, 0, 1, 1, 0, 0, 1, 1});
      CHECK(g.nodes[0].inputs.size() == 2);
    }
    g = normalized(10, node("Pad", {"x"}, {"y"}, {attr("pads", Ints{0, 0, 0, 0, 0, 0, 0, 1}), attr("value", 2.0f)}), {}, 11);
    CHECK(g.value(g.nodes[0].inputs[2]).constant.data<double>()[0] == 2.0);
  }
}

TEST_CASE("normalize: Clip takes bounds of the dtype of its data; the implied ones are finite") {
  Graph g = normalized(10, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f), attr("max", 6.0f)}));
  CHECK(g.value(g.nodes[0].inputs[1]).constant.data<float>()[0] == 0);
  CHECK(g.value(g.nodes[0].inputs[2]).constant.data<float>()[0] == 6);
  g = normalized(6, node("Clip", {"x"}, {"y"}, {attr("max", 6.0f)}));
  CHECK(g.value(g.nodes[0].inputs[1]).constant.data<float>()[0] == -std::numeric_limits<float>::max());
  g = normalized(6, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f)}), {}, 10);  // f16
  CHECK(g.value(g.nodes[0].inputs[1]).constant.dtype() == DType::f16);
  CHECK(to_f32(g.value(g.nodes[0].inputs[2]).constant.data<f16>()[0]) == 65504);
  g = normalized(13, node("Clip", {"x"}, {"y"}));
  CHECK(g.value(g.nodes[0].inputs[2]).constant.data<float>()[0] == std::numeric_limits<float>::max());
  CHECK(normalized(13, node("Clip", {"x"}, {"y"}), {}, 7).nodes[0].inputs.size() == 1);
  CHECK(normalized(1, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f)})).nodes[0].inputs.size() == 2);
  g = normalized(6, node("Clip", {"x"}, {"y"}, {attr("min", 0.0f)}), {}, 11);
  CHECK(g.value(g.nodes[0].inputs[1]).constant.dtype() == DType::f64);
}

TEST_CASE("normalize: Dropout and BatchNormalization drop what only training reads") {
  const Graph d = normalized(10, node("Dropout", {"x"}, {"y"}, {attr("ratio", 0.5f)}));
  CHECK(d.nodes[0].attrs.all().empty());
  CHECK(d.nodes[0].inputs.size() == 1);
  const std::vector<Proto> statistics = {raw_tensor<float>("s", 1, {3}, {1, 1, 1}), raw_tensor<float>("b", 1, {3}, {0, 0, 0}),
                                         raw_tensor<float>("m", 1, {3}, {0, 0, 0}), raw_tensor<float>("v", 1, {3}, {1, 1, 1})};
  const Graph b = normalized(6,
                             node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y", "o1", "o2"},
                                  {attr("is_test", int64_t(1)), attr("spatial", int64_t(1)), attr("momentum", 0.9f), attr("epsilon", 0.5f)}),
                             statistics);
  CHECK(ops(b) == "BatchNormalization");
  CHECK(b.nodes[0].outputs.size() == 1);
  CHECK(b.nodes[0].attrs.f("epsilon") == 0.5f);
  CHECK(b.nodes[0].attrs.all().size() == 1);
  const Proto trained = node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y", "o1", "o2"});
  auto refused_training =
      load_graph(Source{bytes(model(9, {trained}, {input("x", 1, {2, 3, 4, 5})}, {output("y")}, statistics)), nullptr, "", ""}, {});
  REQUIRE(!refused_training.ok());
  CHECK(refused_training.error().message().find("training mode") != std::string::npos);
  const Graph p = normalized(8, node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}, {attr("spatial", int64_t(0))}), statistics);
  CHECK(ops(p) == "Add Sqrt Sub Div Mul Add");
}

TEST_CASE("normalize: GroupNormalization of opset 18 repeats scale and bias for each channel of a group") {
  const std::vector<Proto> scale = {raw_tensor<float>("s", 1, {2}, {1, 2}), raw_tensor<float>("b", 1, {2}, {3, 4})};
  const Proto n = node("GroupNormalization", {"x", "s", "b"}, {"y"}, {attr("num_groups", int64_t(2))});
  const Graph g = normalized(18, n, scale, 1, {2, 6, 4});
  CHECK(ops(g) == "Reshape Expand Reshape Reshape Expand Reshape GroupNormalization");
  CHECK(ints(g, g.nodes[1], 1) == Ints{2, 3});
  CHECK(ops(normalized(21, n, scale, 1, {2, 6, 4})) == "GroupNormalization");
  CHECK(ops(normalized(18, n, scale, 1, {2, "c", 4})).starts_with("Shape Div Concat Reshape"));
}

TEST_CASE("normalize: the mask of an old Dropout has the dtype of its opset") {
  for (int64_t opset : {7, 9, 10, 11, 12}) {
    CAPTURE(opset);
    auto g = load_graph(
        Source{bytes(model(opset, {node("Dropout", {"x"}, {"y", "k"})}, {input("x", 11, {2, 3})}, {output("y"), output("k")})), nullptr, "", ""}, {});
    REQUIRE(g.ok());
    CHECK(ops(*g) == (opset < 10 ? "Shape ConstantOfShape CastLike Dropout" : opset < 12 ? "Shape ConstantOfShape Dropout" : "Dropout"));
  }
}

TEST_CASE("normalize: the Resize of opset 10 rounds up where it shrinks") {
  const Proto mixed = raw_tensor<float>("s", 1, {4}, {1, 1, 0.6f, 2});
  const Graph g = normalized(10, node("Resize", {"x", "s"}, {"y"}), {mixed});
  CHECK(ops(g) == "Min Resize Max Resize");
  CHECK(g.nodes[1].attrs.s("nearest_mode") == "ceil");
  CHECK(g.nodes[3].attrs.s("nearest_mode") == "floor");
  CHECK(ops(normalized(10, node("Resize", {"x", "s"}, {"y"}, {attr("mode", "linear")}), {mixed})) == "Resize");
}

TEST_CASE("normalize: Upsample and the Resize of opset 10 are asymmetric Resizes") {
  auto check = [](const Graph& g) {
    const Node& n = g.nodes.back();
    CHECK(std::string(n.op->name) == "Resize");
    REQUIRE(n.inputs.size() == 3);
    CHECK(n.inputs[1] == kNone);
    CHECK(g.value(n.inputs[2]).constant.data<float>()[3] == 2);
    CHECK(n.attrs.s("coordinate_transformation_mode") == "asymmetric");
    CHECK(n.attrs.s("nearest_mode") == "floor");
  };
  const std::vector<Proto> scales = {raw_tensor<float>("s", 1, {4}, {1, 1, 2, 2})};
  check(normalized(7, node("Upsample", {"x"}, {"y"}, {attr_floats("scales", {1, 1, 2, 2}), attr("mode", "nearest")})));
  check(normalized(9, node("Upsample", {"x", "s"}, {"y"}), scales));
  check(normalized(10, node("Resize", {"x", "s"}, {"y"}), scales));
  check(normalized(1, node("Upsample", {"x"}, {"y"}, {attr("height_scale", 2.0f), attr("width_scale", 2.0f), attr("mode", "bilinear")})));
  const Graph g = normalized(11, node("Resize", {"x", "roi", "s"}, {"y"}), {scales[0], raw_tensor<float>("roi", 1, {0}, {})});
  CHECK(g.nodes[0].inputs[1] == kNone);
  CHECK(!g.nodes[0].attrs.has("nearest_mode"));
}

TEST_CASE("normalize: dtype names, and round_mode of Cast") {
  CHECK(normalized(5, node("Cast", {"x"}, {"y"}, {attr("to", "INT64")})).nodes[0].attrs.i("to") == 7);
  CHECK(refused(5, node("Cast", {"x"}, {"y"}, {attr("to", "NUMBER")})).code() == Code::kInvalid);
  CHECK(!normalized(24, node("Cast", {"x"}, {"y"}, {attr("to", int64_t(7)), attr("round_mode", "up")})).nodes[0].attrs.has("round_mode"));
}

TEST_CASE("normalize: broadcasting before opset 7 aligns at an axis") {
  const std::vector<Proto> b = {raw_tensor<float>("b", 1, {3}, {1, 2, 3})};
  const Graph g = normalized(6, node("Add", {"x", "b"}, {"y"}, {attr("broadcast", int64_t(1)), attr("axis", int64_t(1))}), b);
  CHECK(ops(g) == "Unsqueeze Add");
  CHECK(ints(g, g.nodes[0], 1) == Ints{1, 2});
  CHECK(g.nodes[1].attrs.all().empty());
  const Graph last = normalized(6, node("Mul", {"x", "b"}, {"y"}, {attr("broadcast", int64_t(1)), attr("axis", int64_t(-1))}),
                                {raw_tensor<float>("b", 1, {5}, {1, 2, 3, 4, 5})});
  CHECK(ops(last) == "Mul");
  CHECK(refused(6, node("Add", {"x", "x"}, {"y"}, {attr("broadcast", int64_t(1)), attr("axis", int64_t(2))})).code() == Code::kInvalid);
  CHECK(ops(normalized(6, node("PRelu", {"x", "b"}, {"y"}), b)) == "Unsqueeze PRelu");
  CHECK(ops(normalized(7, node("PRelu", {"x", "b"}, {"y"}), b)) == "PRelu");
}

TEST_CASE("normalize: Concat of opset 1 has axis 1; Selu of opset 1 its rounded constants; Scatter is ScatterElements") {
  CHECK(normalized(3, node("Concat", {"x", "x"}, {"y"})).nodes[0].attrs.i("axis") == 1);
  CHECK(normalized(5, node("Selu", {"x"}, {"y"})).nodes[0].attrs.f("alpha") == 1.6732f);
  CHECK(!normalized(6, node("Selu", {"x"}, {"y"})).nodes[0].attrs.has("alpha"));
  {
    const std::vector<Proto> i = {raw_tensor<int64_t>("i", 7, {1, 1, 1, 1}, {0}), raw_tensor<float>("u", 1, {1, 1, 1, 1}, {9})};
    CHECK(ops(normalized(10, node("Scatter", {"x", "i", "u"}, {"y"}), i)) == "ScatterElements");
  }
}

TEST_CASE("normalize: Einsum becomes sums, products of two at a time and transpositions, unless their middle would be larger than their ends") {
  auto of = [](const char* equation, const std::vector<std::string>& inputs, int elem_type = 1) {
    return ops(normalized(22, node("Einsum", inputs, {"y"}, {attr("equation", equation)}), {}, elem_type, {4, 5}));
  };
  CHECK(of("ij->ji", {"x"}) == "Transpose Identity");
  CHECK(of("ij->ji", {"x"}, 7) == "Transpose Identity");
  CHECK(of("ij->i", {"x"}) == "ReduceSum Identity");
  CHECK(of("ij,kj,kl->il", {"x", "x", "x"}).find("Einsum") == std::string::npos);
  CHECK(of("ij,kj,kl->il", {"x", "x", "x"}, 7) == "Einsum");  // of integers a product is no MatMul
  CHECK(of("ij,kl,kj->il", {"x", "x", "x"}) == "Einsum");     // ij,kl: all products of two matrices
  CHECK(of("ij,ik->jk", {"x", "x"}).find("MatMul") != std::string::npos);
}

TEST_CASE("normalize: parameters of a norm that reach beyond what it normalises are factors and terms") {
  const Proto wide = raw_tensor<float>("w", 1, {3, 1, 5}, std::vector<float>(15, 2)),
              narrow = raw_tensor<float>("n", 1, {1, 1, 1, 5}, std::vector<float>(5, 2));
  auto with = [&](const char* scale, const char* bias, int64_t axis = -1) {
    return ops(
        normalized(17,
                   node("LayerNormalization", bias == nullptr ? std::vector<std::string>{"x", scale} : std::vector<std::string>{"x", scale, bias},
                        {"y"}, {attr("axis", axis)}),
                   {wide, narrow}));
  };
  CHECK(with("n", "n") == "LayerNormalization");
  CHECK(with("w", nullptr) == "LayerNormalization Mul");
  CHECK(with("n", "w") == "LayerNormalization Mul Add");
  CHECK(with("w", "n") == "LayerNormalization Mul Add");
  CHECK(with("w", "w", 1) == "LayerNormalization");
  CHECK(ops(normalized(23, node("RMSNormalization", {"x", "w"}, {"y"}), {wide})) == "RMSNormalization Mul");
}

}  // namespace tern::test::in_onnx_normalize
