// From names to a Graph: order, captures, functions, declared shapes, and what is refused. Contract: loaders/onnx/build.h.
#include <doctest/doctest.h>

#include "loaders/load.h"
#include "runtime/verify.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_onnx_graph {
namespace {

Graph load_ok(const Proto& m) {
  auto g = load_graph(Source{bytes(m), nullptr, "", ""}, {});
  REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
  REQUIRE(verify(*g).ok());
  return std::move(*g);
}
void check_refused(const Proto& m, Code code, const std::string& part) {
  auto g = load_graph(Source{bytes(m), nullptr, "", ""}, {});
  REQUIRE(!g.ok());
  CHECK(g.error().code() == code);
  CHECK_MESSAGE(g.error().message().find(part) != std::string::npos, g.error().message());
}
std::string ops(const Graph& g) {
  std::string s;
  for (const Node& n : g.nodes) s += (s.empty() ? "" : " ") + std::string(n.op->name);
  return s;
}
const Proto kX = input("x", 1, {2, 3});

Proto function(std::string_view name, const std::vector<std::string>& in, const std::vector<std::string>& out, const std::vector<Proto>& nodes,
               int64_t opset = 13) {
  Proto f = Proto().s(1, name);
  for (const auto& v : in) f.s(4, v);
  for (const auto& v : out) f.s(5, v);
  for (const auto& n : nodes) f.m(7, n);
  return f.m(9, Proto().s(1, "").i(2, opset)).s(10, "own");
}

}  // namespace

TEST_CASE("onnx graph: format, producer and opset are told") {
  const Graph g = load_ok(model(13, {node("Relu", {"x"}, {"y"})}, {kX}, {output("y")}));
  CHECK(g.format == "onnx");
  CHECK(g.producer == "hand");
  CHECK(g.opset == 13);
  CHECK(g.output_names == std::vector<std::string>{"y"});
}

TEST_CASE("onnx graph: nodes out of order are sorted, those in order keep it") {
  const Graph g = load_ok(model(13, {node("Exp", {"b"}, {"y"}), node("Relu", {"x"}, {"a"}), node("Neg", {"a"}, {"b"})}, {kX}, {output("y")}));
  CHECK(ops(g) == "Relu Neg Exp");
  const Graph h = load_ok(model(13, {node("Relu", {"x"}, {"a"}), node("Neg", {"x"}, {"b"}), node("Add", {"b", "a"}, {"y"})}, {kX}, {output("y")}));
  CHECK(ops(h) == "Relu Neg Add");
}

TEST_CASE("onnx graph: cycles are refused, naming node and value") {
  check_refused(model(13, {node("Add", {"x", "b"}, {"a"}, {}, "first"), node("Relu", {"a"}, {"b"}, {}, "second")}, {kX}, {output("b")}),
                Code::kInvalid, "cycle");
  check_refused(model(13, {node("Add", {"x", "y"}, {"y"}, {}, "self")}, {kX}, {output("y")}), Code::kInvalid, "self (Add) produces 'y'");
}

TEST_CASE("onnx graph: undefined and doubly defined names are refused, naming node and value") {
  check_refused(model(13, {node("Relu", {"nothing"}, {"y"}, {}, "r")}, {kX}, {output("y")}), Code::kInvalid, "r (Relu): it reads 'nothing'");
  check_refused(model(13, {}, {kX}, {output("z")}), Code::kInvalid, "output 'z'");
  check_refused(model(13, {node("Relu", {"x"}, {"y"}, {}, "p"), node("Neg", {"x"}, {"y"}, {}, "q")}, {kX}, {output("y")}), Code::kInvalid,
                "'y' is produced twice: by p (Relu) and by q (Neg)");
  check_refused(model(13, {node("Relu", {"x"}, {"x"}, {}, "p")}, {kX}, {output("x")}), Code::kInvalid, "x");
  check_refused(model(13, {}, {kX, kX}, {output("x")}), Code::kInvalid, "'x' is defined twice");
  const Proto w = raw_tensor<float>("w", 1, {1}, {1});
  check_refused(model(13, {}, {}, {output("w")}, {w, w}), Code::kInvalid, "'w' is defined twice");
}

TEST_CASE("onnx graph: an initializer that is also an input is a constant, unless the caller asks for the input") {
  const Proto m = model(13, {node("Add", {"x", "w"}, {"y"})}, {kX, input("w", 1, {3})}, {output("y")}, {raw_tensor<float>("w", 1, {3}, {1, 2, 3})});
  const Graph g = load_ok(m);
  REQUIRE(g.inputs.size() == 1);
  CHECK(g.value(g.inputs[0]).name == "x");
  CHECK(g.is_constant(g.nodes[0].inputs[1]));
  CHECK(g.overridable == std::vector<std::string>{"w"});
  auto asked = load_graph(Source{bytes(m), nullptr, "", ""}, {.overridable = {"w"}});
  REQUIRE(asked.ok());
  REQUIRE(asked->inputs.size() == 2);
  const Value& w = asked->value(asked->inputs[1]);
  CHECK(!w.constant.present());
  REQUIRE(w.initial.present());
  CHECK(w.initial.data<float>()[2] == 3);
  auto other = load_graph(Source{bytes(m), nullptr, "", ""}, {.overridable = {"x"}});
  REQUIRE(!other.ok());
  CHECK(other.error().message().find("x is no initializer that is also an input; those are: w") != std::string::npos);
}

TEST_CASE("onnx graph: a default is what an overridable input holds until the caller writes another, in session and evaluator") {
  const Proto m = model(13, {node("Mul", {"w", "two"}, {"v"}), node("Add", {"x", "v"}, {"y"})}, {input("x", 1, {1, 3}), input("w", 1, {3})},
                        {output("y")}, {raw_tensor<float>("w", 1, {3}, {1, 2, 3}), raw_tensor<float>("two", 1, {}, {2})});
  auto model = load_bytes(bytes(m), {.overridable = {"w"}});
  REQUIRE(model.ok());
  auto session = model->session();
  REQUIRE(session.ok());
  auto y = session->output<float>("y");
  session->run();
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{2, 4, 6});
  session->input<float>("w")[1] = 10;
  session->run();
  session->run();
  CHECK(std::vector<float>(y.begin(), y.end()) == std::vector<float>{2, 20, 6});
  Array x{DType::f32, {1, 3}, std::vector<std::byte>(12), {}};
  auto out = model->evaluate(std::vector<Array>{x, Array{}});
  REQUIRE(out.ok());
  CHECK(reinterpret_cast<const float*>(out->front().bytes.data())[2] == 6);
  CHECK(!model->evaluate(std::vector<Array>{Array{}, Array{}}).ok());
}

TEST_CASE("onnx graph: empty names are absent inputs, and absent ones at the end are dropped") {
  const Graph g = load_ok(model(13, {node("Clip", {"x", "", "high"}, {"y"}), node("Clip", {"y", "low", ""}, {"z"})}, {input("x", 6, {3})},
                                {output("z")}, {raw_tensor<int32_t>("high", 6, {}, {1}), raw_tensor<int32_t>("low", 6, {}, {0})}));
  REQUIRE(g.nodes[0].inputs.size() == 3);
  CHECK(g.nodes[0].inputs[1] == kNone);
  CHECK(g.nodes[1].inputs.size() == 2);
}

TEST_CASE("onnx graph: dimensions are numbers, names, expressions of names, or symbols of their own") {
  const Graph g = load_ok(model(13, {node("Relu", {"x"}, {"y"})},
                                {input("x", 1, {4, "batch", "2*seq+1", "floor(seq/2)", "", -1}), input("s", 1, {"seq"})}, {output("y")}));
  const Shape& s = g.value(g.inputs[0]).type.shape;
  REQUIRE(s.rank() == 6);
  CHECK(s[0].is(4));
  CHECK(s[1].text() == "batch");
  CHECK(s[2] == *parse_dim("1+2*seq"));
  CHECK(s[3] == Dim::symbol("floor(seq/2)"));
  CHECK(s[4].text() == "x_dim_4");
  CHECK(s[5].text() == "x_dim_5");
  check_refused(model(13, {}, {input("x", 1, {-2})}, {output("x")}), Code::kInvalid, "dimension -2 is negative");
  check_refused(model(13, {}, {input("x", 1, {int64_t(1) << 60, 2, 2, 2})}, {output("x")}), Code::kInvalid, "too large");
  check_refused(model(13, {}, {input("x", 1, {1, 1, 1, 1, 1, 1, 1, 1, 1})}, {output("x")}), Code::kUnsupported, "9 dimensions");
}

TEST_CASE("onnx graph: a dimension's name is one symbol, whatever it holds, unless all of it is an expression of declared names") {
  auto dims = [](const std::vector<DimOf>& x, const std::vector<DimOf>& y) {
    const Graph g = load_ok(model(13, {}, {input("x", 1, x), input("y", 1, y)}, {output("x")}));
    std::vector<Dim> all = g.value(g.inputs[0]).type.shape.dims();
    const std::vector<Dim>& more = g.value(g.inputs[1]).type.shape.dims();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  for (const char* name : {"batch-size", "2x", "a b", "b*2", "n+1", "\u03b2", "1-x", "-batch", "x_dim_0 ", "a,b", "(n)", "0x10", "-", "="}) {
    const auto d = dims({name, name}, {name});
    CHECK(d[0] == Dim::symbol(name));
    CHECK(d[1] == d[0]);
    CHECK(d[2] == d[0]);
    CHECK(d[0].text() == name);
  }
  CHECK(dims({"batch-size", "size"}, {"batch"})[0] == *parse_dim("batch-size"));
  CHECK(dims({"batch-size", "batch"}, {1})[0] == Dim::symbol("batch-size"));
  CHECK(dims({"batch*size", "size"}, {"batch"})[0] == Dim::symbol("batch*size"));
}

TEST_CASE("onnx graph: what tools write for an unknown size names none that two dimensions share") {
  for (const char* name : {"None", "none", "-1", "?", "?7", "unk__12", "7", "Unknown", "*"}) {
    const Graph g = load_ok(model(13, {}, {input("x", 1, {name, 3}), input("y", 1, {name, name})}, {output("x")}));
    const Shape &x = g.value(g.inputs[0]).type.shape, &y = g.value(g.inputs[1]).type.shape;
    CHECK(x[0].text() == "x_dim_0");
    CHECK(y[0].text() == "y_dim_0");
    CHECK(y[1].text() == "y_dim_1");
  }
  // Alone it may be called what the file calls it, if that cannot be read as anything else.
  auto alone = [](const char* name) { return load_ok(model(13, {}, {input("x", 1, {name, 3})}, {output("x")})).values[0].type.shape[0].text(); };
  CHECK(alone("None") == "None");
  CHECK(alone("-1") == "-1");
  CHECK(alone("unk__3") == "unk__3");
  CHECK(alone("7") == "x_dim_0");
  CHECK(alone("?7") == "x_dim_0");
  // A made-up name is none that the file uses.
  const Graph g = load_ok(model(13, {}, {input("x", 1, {"", "x_dim_0"})}, {output("x")}));
  CHECK(g.values[0].type.shape[0] != g.values[0].type.shape[1]);
}

TEST_CASE("onnx graph: inputs that are no tensors of a known dtype are refused by name") {
  check_refused(model(13, {}, {Proto().s(1, "q").m(2, Proto().s(5, ""))}, {output("q")}), Code::kUnsupported, "input 'q': it is a map");
  check_refused(model(13, {}, {Proto().s(1, "q")}, {output("q")}), Code::kInvalid, "no type");
  check_refused(model(13, {}, {input("q", 17, {1})}, {output("q")}), Code::kUnsupported, "FLOAT8E4M3FN");
}

TEST_CASE("onnx graph: what a file declares of values that nodes produce is not believed") {
  // A traced example left its sizes: a mean over what Compress keeps would be divided by 2, and a Reshape would vanish.
  Proto g = graph({node("Compress", {"x", "k"}, {"m"}, {attr("axis", int64_t(0))}), node("Shape", {"m"}, {"s"}),
                   node("Cast", {"s"}, {"f"}, {attr("to", int64_t(1))}), node("Gather", {"f", "zero"}, {"n"}),
                   node("ReduceSum", {"m", "axis"}, {"t"}, {attr("keepdims", int64_t(0))}), node("Div", {"t", "n"}, {"y"}),
                   node("Reshape", {"x", "shape"}, {"r"})},
                  {input("x", 1, {"batch", 2}), input("k", 9, {"batch"}), input("shape", 7, {2})},
                  {value_info("y", 1, {2}), value_info("r", 1, {"batch", 2})},
                  {raw_tensor<int64_t>("zero", 7, {}, {0}), raw_tensor<int64_t>("axis", 7, {1}, {0})});
  g.m(13, value_info("m", 1, {2, 2})).m(13, value_info("s", 7, {2})).m(13, value_info("r", 1, {"batch", 2}));
  auto model = load_bytes(bytes(model_of(13, g)), {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  auto array = [](DType dtype, std::vector<int64_t> dims, const auto& values) {
    const auto raw = std::as_bytes(std::span(values));
    return Array{dtype, std::move(dims), {raw.begin(), raw.end()}, {}};
  };
  const std::vector<float> x = {1, 2, 3, 4, 5, 9};
  const std::vector<uint8_t> keep = {1, 1, 1};
  const std::vector<int64_t> shape = {2, 3};
  auto out = model->evaluate(std::vector<Array>{array(DType::f32, {3, 2}, x), array(DType::boolean, {3}, keep), array(DType::i64, {2}, shape)});
  REQUIRE_MESSAGE(out.ok(), (out.ok() ? "" : out.error().message()));
  CHECK(reinterpret_cast<const float*>((*out)[0].bytes.data())[0] == 3);
  CHECK(reinterpret_cast<const float*>((*out)[0].bytes.data())[1] == 5);
  CHECK((*out)[1].dims == shape);
}

TEST_CASE("onnx graph: a name that the file gives an output's dimension is shown where inference knows none") {
  const Proto m = model(13, {node("NonZero", {"x"}, {"y"})}, {kX}, {value_info("y", 7, {2, "found"})});
  auto loaded = load_bytes(bytes(m), {});
  REQUIRE(loaded.ok());
  CHECK(loaded->outputs()[0].shape == std::vector<std::string>{"2", "found"});
  CHECK(loaded->data_dependent());
}

TEST_CASE("onnx graph: an input without a shape runs in the evaluator, at whatever shape it is given") {
  const Proto x = Proto().s(1, "x").m(2, Proto().m(1, Proto().i(1, 1)));
  const Proto m = model(13, {node("Relu", {"x"}, {"a"}), node("Softmax", {"a"}, {"y"})}, {x}, {output("y")});
  auto loaded = load_bytes(bytes(m), {});
  REQUIRE(loaded.ok());
  auto session = loaded->session();
  REQUIRE(!session.ok());
  CHECK(session.error().message().find("evaluate()") != std::string::npos);
  for (std::vector<int64_t> dims : {std::vector<int64_t>{2, 2}, {4}, {1, 2, 2}}) {
    auto out = loaded->evaluate(std::vector<Array>{Array{DType::f32, dims, std::vector<std::byte>(16), {}}});
    REQUIRE_MESSAGE(out.ok(), (out.ok() ? "" : out.error().message()));
    CHECK(out->front().dims == dims);
    CHECK(reinterpret_cast<const float*>(out->front().bytes.data())[0] == 1.0f / static_cast<float>(dims.back()));
  }
}

TEST_CASE("onnx graph: Constant nodes become constants in every form") {
  auto constant = [](const Proto& a) {
    const Graph g = load_ok(model(13, {node("Constant", {}, {"c"}, {a})}, {}, {output("c")}));
    CHECK(g.nodes.empty());
    return g.value(g.outputs[0]).constant;
  };
  CHECK(constant(attr_tensor("value", raw_tensor<float>("", 1, {2}, {1, 2}))).data<float>()[1] == 2);
  CHECK(constant(attr("value_int", int64_t(7))).data<int64_t>()[0] == 7);
  CHECK(constant(attr("value_float", 1.5f)).data<float>()[0] == 1.5f);
  CHECK(constant(attr("value_float", 1.5f)).dims() == Dims{});
  CHECK(constant(attr("value_ints", std::vector<int64_t>{1, 2, 3})).dims() == Dims{3});
  CHECK(constant(attr("value_ints", std::vector<int64_t>{})).dims() == Dims{0});
  CHECK(constant(attr_floats("value_floats", {1, 2})).data<float>()[1] == 2);
  CHECK(constant(attr_floats("value_floats", {1e-40f})).data<float>()[0] == 0);
  CHECK(constant(attr("value_string", "text")).data<StringRef>()[0].view() == "text");
  CHECK(constant(Proto().s(1, "value_strings").s(9, "a").s(9, "b").i(20, 8)).data<StringRef>()[1].view() == "b");
  const Proto sparse = Proto().m(1, raw_tensor<float>("", 1, {1}, {5})).m(2, raw_tensor<int64_t>("", 7, {1}, {1})).ints(3, {2});
  CHECK(constant(Proto().s(1, "sparse_value").m(22, sparse).i(20, 11)).data<float>()[1] == 5);
  check_refused(model(13, {node("Constant", {}, {"c"})}, {}, {output("c")}), Code::kInvalid, "no value");
}

TEST_CASE("onnx graph: attributes of the first files carry no kind") {
  const Graph g = load_ok(model(13, {node("Transpose", {"x"}, {"y"}, {Proto().s(1, "perm").i(8, 1).i(8, 0)})}, {kX}, {output("y")}));
  CHECK(g.nodes[0].attrs.ints("perm") == std::vector<int64_t>{1, 0});
}

TEST_CASE("onnx graph: what is not supported is listed whole, in one line") {
  const Proto m = model(13,
                        {node("TfIdfVectorizer", {"x"}, {"a"}, {}, "l1"), node("Nonsense", {"x"}, {"b"}),
                         node("TfIdfVectorizer", {"a"}, {"c"}, {}, "l2"), node("Gadget", {"c"}, {"d"}, {}, "g", "com.acme")},
                        {kX}, {output("d")});
  check_refused(m, Code::kUnsupported,
                "these operators are not supported: TfIdfVectorizer (2 nodes, first 'l1'), Nonsense (1 node, first '@b'), com.acme.Gadget (1 node, "
                "first 'g')");
}

TEST_CASE("onnx graph: an operator of tern's own is not one of the file's") {
  check_refused(model(13, {node("Linear", {"x", "x"}, {"y"}, {}, "l")}, {kX}, {output("y")}), Code::kUnsupported, "Linear (1 node, first 'l')");
}

TEST_CASE("onnx graph: future and missing opsets are refused") {
  check_refused(model(99, {node("Relu", {"x"}, {"y"})}, {kX}, {output("y")}), Code::kUnsupported, "opset 99");
  check_refused(model(0, {node("Relu", {"x"}, {"y"})}, {kX}, {output("y")}), Code::kInvalid, "opset");
  Proto m = Proto().i(1, 8).m(7, graph({node("Relu", {"x"}, {"y"})}, {kX}, {output("y")}));
  check_refused(m, Code::kInvalid, "imports no opset");
  m = model(13, {node("Relu", {"x"}, {"y"}, {}, "", "ai.onnx")}, {kX}, {output("y")});
  CHECK(ops(load_ok(m)) == "Relu");
}

TEST_CASE("onnx graph: the branches of an If take what either captures, in one order; constants are shared") {
  const Proto then_g = graph({node("Add", {"x", "w"}, {"t"})}, {}, {output("t")});
  const Proto inner = graph({node("Neg", {"h"}, {"i"})}, {}, {output("i")});
  const Proto inner2 = graph({}, {}, {output("x")});
  const Proto else_g = graph({node("If", {"p"}, {"e"}, {attr_graph("then_branch", inner), attr_graph("else_branch", inner2)})}, {}, {output("e")});
  // The If comes first in the file: its hidden reads of h count for the order.
  const Graph g = load_ok(
      model(13, {node("If", {"p"}, {"y"}, {attr_graph("then_branch", then_g), attr_graph("else_branch", else_g)}, "if"), node("Relu", {"x"}, {"h"})},
            {input("p", 9, {}), kX}, {output("y")}, {raw_tensor<float>("w", 1, {3}, {1, 2, 3})}));
  CHECK(ops(g) == "Relu If");
  const Node& n = g.nodes[1];
  REQUIRE(n.subgraphs.size() == 2);
  std::vector<std::string> captured;
  for (size_t i = 1; i < n.inputs.size(); ++i) captured.push_back(g.value(n.inputs[i]).name);
  CHECK(captured == std::vector<std::string>{"x", "p", "h"});
  for (int32_t s : n.subgraphs) {
    const Graph& branch = g.subgraphs[static_cast<size_t>(s)];
    REQUIRE(branch.inputs.size() == 3);
    for (size_t i = 0; i < 3; ++i) CHECK(branch.value(branch.inputs[i]).name == captured[i]);
  }
  const Graph& then_branch = g.subgraphs[static_cast<size_t>(n.subgraphs[0])];
  CHECK(then_branch.is_constant(then_branch.nodes[0].inputs[1]));
  const Graph& else_branch = g.subgraphs[static_cast<size_t>(n.subgraphs[1])];
  CHECK(else_branch.nodes[0].inputs.size() == 3);  // condition, h, x
}

TEST_CASE("onnx graph: what nested branches capture is bounded") {
  // 8 levels; the innermost reads 10,000 inputs, which each level takes in turn
  std::vector<Proto> inputs{input("p", 9, {})};
  std::vector<std::string> names;
  for (int i = 0; i < 10000; ++i) {
    names.push_back("x" + std::to_string(i));
    inputs.push_back(input(names.back(), 1, {1}));
  }
  Proto body = graph({node("Sum", names, {"s"})}, {}, {output("s")});
  for (int level = 0; level < 8; ++level) {
    const Proto other = graph({node("Relu", {"x0"}, {"z"})}, {}, {output("z")});
    body = graph({node("If", {"p"}, {"s"}, {attr_graph("then_branch", body), attr_graph("else_branch", other)})}, {}, {output("s")});
  }
  const Proto whole =
      model(13, {node("If", {"p"}, {"y"}, {attr_graph("then_branch", body), attr_graph("else_branch", body)})}, inputs, {output("y")});
  check_refused(whole, Code::kUnsupported, "capture values more than 65536 times");
}

TEST_CASE("onnx graph: an If that is malformed is refused") {
  const Proto good = graph({}, {}, {output("x")});
  const Proto p = input("p", 9, {});
  check_refused(model(13, {node("If", {"p"}, {"y"}, {attr_graph("then_branch", good)})}, {p, kX}, {output("y")}), Code::kInvalid, "else_branch");
  const Proto bad = graph({node("Relu", {"nothing"}, {"z"})}, {}, {output("z")});
  check_refused(
      model(13, {node("If", {"p"}, {"y"}, {attr_graph("then_branch", good), attr_graph("else_branch", bad)}, "if")}, {p, kX}, {output("y")}),
      Code::kInvalid, "if (If): else_branch: @z (Relu): it reads 'nothing'");
  check_refused(
      model(13, {node("If", {"p"}, {"y", "y2"}, {attr_graph("then_branch", good), attr_graph("else_branch", good)})}, {p, kX}, {output("y")}),
      Code::kInvalid, "1 outputs");
}

TEST_CASE("onnx graph: a body has its own inputs, then what it captures; limits that a Loop leaves out are written") {
  const Proto body = graph({node("Add", {"v", "h"}, {"w"}), node("Identity", {"going"}, {"on"})},
                           {input("i", 7, {}), input("going", 9, {}), input("v", 1, {3})}, {output("on"), output("w"), output("v")});
  const Graph g =
      load_ok(model(13, {node("Loop", {"", "", "x"}, {"y"}, {attr_graph("body", body)}, "loop"), node("Relu", {"x"}, {"h"})}, {kX}, {output("y")}));
  CHECK(ops(g) == "Relu Loop");
  const Node& n = g.nodes[1];
  REQUIRE(n.inputs.size() == 4);
  CHECK(n.captured == 1);
  CHECK(*g.value(n.inputs[0]).constant.data<int64_t>() == INT64_MAX);
  CHECK(is_true(g.value(n.inputs[1]).constant));
  CHECK(g.value(n.inputs[3]).name == "h");
  CHECK(n.outputs.size() == 2);  // the scan output has no name
  CHECK(n.outputs[1] == kNone);
  const Graph& inner = g.subgraphs[static_cast<size_t>(n.subgraphs[0])];
  REQUIRE(inner.inputs.size() == 4);
  CHECK(inner.value(inner.inputs[3]).name == "h");
}

TEST_CASE("onnx graph: rules of older opsets know the ranks of what a body carries and of what a Loop gives") {
  // Softmax of opset 11 takes all axes from `axis` on as one: with rank 3 and axis 1 it is no Softmax of today.
  const Proto body = graph({node("Softmax", {"v"}, {"w"}), node("Identity", {"going"}, {"on"})},
                           {input("i", 7, {}), input("going", 9, {}), Proto().s(1, "v")}, {output("on"), output("w"), output("w")});
  const Graph g = load_ok(model(11, {node("Loop", {"", "", "z"}, {"y", "s"}, {attr_graph("body", body)}), node("Softmax", {"s"}, {"t"})},
                                {input("z", 1, {2, 3, 4})}, {output("y"), output("t")}));
  const Graph same = load_ok(model(11, {node("Softmax", {"z"}, {"w"})}, {input("z", 1, {2, 3, 4})}, {output("w")}));
  CHECK(ops(g.subgraphs[0]) == ops(same) + " Identity");
  const Graph of_four = load_ok(model(11, {node("Softmax", {"z"}, {"w"})}, {input("z", 1, {5, 2, 3, 4})}, {output("w")}));
  CHECK(ops(g) == "Loop " + ops(of_four));
}

TEST_CASE("onnx graph: a Scan of opset 8 scans its batch, and in it the sequence") {
  const Proto body = graph({node("Add", {"state", "slice"}, {"sum"}), node("Identity", {"sum"}, {"out"})},
                           {input("state", 1, {2}), input("slice", 1, {2})}, {output("sum"), output("out")});
  auto scan = [&](const char* lengths) {
    const std::vector<Proto> attrs = {attr_graph("body", body), attr("num_scan_inputs", int64_t(1)), attr("directions", std::vector<int64_t>{1})};
    return model(8, {node("Scan", {lengths, "s", "x"}, {"y", "z"}, attrs, "scan")},
                 {input("s", 1, {4, 2}), input("x", 1, {4, 3, 2}), input("lengths", 7, {4})}, {output("y"), output("z")});
  };
  const Graph g = load_ok(scan(""));
  CHECK(ops(g) == "Scan");
  CHECK(g.nodes[0].attrs.i("num_scan_inputs") == 2);
  const Graph& outer = g.subgraphs[0];
  CHECK(ops(outer) == "Scan");
  CHECK(outer.nodes[0].attrs.ints("scan_input_directions") == std::vector<int64_t>{1});
  CHECK(ops(outer.subgraphs[0]) == "Add Identity");
  check_refused(scan("lengths"), Code::kUnsupported, "sequence_lens");
}

TEST_CASE("onnx functions: calls are replaced by bodies, nested, each with its own opset") {
  Proto m = model(13, {node("Outer", {"x"}, {"y"}, {}, "call", "own")}, {input("x", 6, {3})}, {output("y")});
  m.m(25,
      function("Outer", {"a"}, {"r"}, {node("Inner", {"a", ""}, {"t"}, {}, "", "own"), node("Neg", {"t"}, {"r"})}).m(9, Proto().s(1, "own").i(2, 1)));
  m.m(25, function("Inner", {"a", "b"}, {"r"}, {node("Clip", {"a", "b"}, {"t"}), node("Relu", {"t"}, {"r"})}));
  const Graph g = load_ok(m);
  CHECK(ops(g) == "Clip Relu Neg");
  CHECK(g.nodes[0].inputs.size() == 1);  // b is absent
  CHECK(g.value(g.outputs[0]).name == "y");
  // Opset 11 of the function, not 13 of the model: Softmax flattens.
  m = model(13, {node("F", {"x3"}, {"y"}, {}, "", "own")}, {input("x3", 1, {2, 3, 4})}, {output("y")});
  m.m(25, function("F", {"a"}, {"r"}, {node("Softmax", {"a"}, {"r"})}, 11));
  CHECK(ops(load_ok(m)) == "Flatten Softmax Shape Reshape");
}

TEST_CASE("onnx functions: attribute references take the call's value, the default, or go") {
  auto with = [](const std::vector<Proto>& given, const std::vector<Proto>& defaults) {
    Proto m = model(13, {node("F", {"x"}, {"y"}, given, "", "own")}, {kX}, {output("y")});
    Proto f = function("F", {"a"}, {"r"}, {node("LeakyRelu", {"a"}, {"r"}, {Proto().s(1, "alpha").i(20, 1).s(21, "slope")})});
    for (const auto& d : defaults) f.m(11, d);
    return load_ok(m.m(25, f)).nodes[0].attrs.f("alpha", -1);
  };
  CHECK(with({attr("slope", 0.5f)}, {}) == 0.5f);
  CHECK(with({}, {attr("slope", 0.25f)}) == 0.25f);
  CHECK(with({attr("slope", 0.5f)}, {attr("slope", 0.25f)}) == 0.5f);
  CHECK(with({}, {}) == -1);
}

TEST_CASE("onnx functions: two calls keep their inner values apart, and an input may be returned as it is") {
  Proto m = model(13, {node("F", {"x"}, {"m"}, {}, "", "own"), node("F", {"m"}, {"y"}, {}, "", "own")}, {kX}, {output("y")});
  m.m(25, function("F", {"a"}, {"r"}, {node("Relu", {"a"}, {"t"}), node("Neg", {"t"}, {"r"})}));
  CHECK(ops(load_ok(m)) == "Relu Neg Relu Neg");
  m = model(13, {node("Same", {"x"}, {"y"}, {}, "", "own")}, {kX}, {output("y")});
  m.m(25, function("Same", {"a"}, {"a"}, {}));
  CHECK(ops(load_ok(m)) == "Identity");
}

TEST_CASE("onnx functions: recursion and expansion out of proportion are refused") {
  Proto m = model(13, {node("A", {"x"}, {"y"}, {}, "", "own")}, {kX}, {output("y")});
  m.m(25, function("A", {"a"}, {"r"}, {node("B", {"a"}, {"r"}, {}, "", "own")}));
  m.m(25, function("B", {"a"}, {"r"}, {node("A", {"a"}, {"r"}, {}, "", "own")}));
  check_refused(m, Code::kInvalid, "calls itself");
  // Each function calls the next one twice: 2^40 nodes.
  m = model(13, {node("f0", {"x"}, {"y"}, {}, "", "own")}, {kX}, {output("y")});
  for (int i = 0; i < 40; ++i) {
    const std::string next = "f" + std::to_string(i + 1);
    m.m(25, function("f" + std::to_string(i), {"a"}, {"r"}, {node(next, {"a"}, {"t"}, {}, "", "own"), node(next, {"t"}, {"r"}, {}, "", "own")}));
  }
  m.m(25, function("f40", {"a"}, {"r"}, {node("Relu", {"a"}, {"r"})}));
  check_refused(m, Code::kInvalid, "unfold to too many nodes");
}

}  // namespace tern::test::in_onnx_graph
