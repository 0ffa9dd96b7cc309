// Programs of torch.export: recorded files of torch 2.3 to 2.14 in both dialects against torch's outputs, and programs by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "loaders/npy/npy.h"
#include "loaders/torch/export/export.h"
#include "loaders/torch/export/expression.h"
#include "loaders/torch/export/program.h"
#include "loaders/torch/export/treespec.h"
#include "runtime/model.h"
#include "tests/support/cases.h"
#include "tests/support/pt2_program.h"

using namespace tern;
using namespace tern::torch;
using namespace tern::test;

namespace in_torch_export {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/torch/export/";

Model model_of(const std::string& file) {
  auto model = tern::load(kFolder + file);
  REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
  return *model;
}

std::string names(const std::vector<Port>& ports) {
  std::string s;
  for (const Port& p : ports) s += (s.empty() ? "" : " ") + p.name;
  return s;
}

std::string shape(const Port& port) {
  std::string s;
  for (const std::string& d : port.shape) s += (s.empty() ? "" : ",") + d;
  return s;
}

// What the arrays of an .npz say: in_NAME go in, out_NAME must come out.
void check_against(const Model& model, const std::vector<std::pair<std::string, Tensor>>& arrays, const std::string& file) {
  std::vector<Array> inputs;
  for (const Port& port : model.inputs()) {
    auto it = std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.first == "in_" + port.name; });
    REQUIRE_MESSAGE(it != arrays.end(), file << ": no array for input " << port.name);
    inputs.push_back(to_array(it->second));
  }
  auto outputs = model.evaluate(inputs);
  REQUIRE_MESSAGE(outputs.ok(), file << ": " << (outputs ? "" : outputs.error().message()));
  const std::vector<Port> ports = model.outputs();
  size_t expected = 0;
  for (const auto& [name, tensor] : arrays) expected += name.starts_with("out_");
  CHECK_MESSAGE(ports.size() == expected, file << ": outputs " << names(ports));
  for (size_t i = 0; i < ports.size(); ++i) {
    auto it = std::find_if(arrays.begin(), arrays.end(), [&](const auto& a) { return a.first == "out_" + ports[i].name; });
    REQUIRE_MESSAGE(it != arrays.end(), file << ": torch has no output " << ports[i].name);
    const std::string differs = difference((*outputs)[i], to_array(it->second), 1e-4, 1e-5);
    CHECK_MESSAGE(differs.empty(), file << " " << ports[i].name << ": " << differs);
  }
}

Result<Graph> build(const Pt2Program& p) { return build_program(p.text(), {}, {}); }

std::string refusal(const Pt2Program& p) {
  auto graph = build(p);
  return graph ? "accepted" : graph.error().message();
}

// The one output of a program for these f32 inputs of the inputs' shapes.
std::vector<float> outputs_of(const Pt2Program& p, const std::vector<std::vector<float>>& inputs, const std::vector<std::vector<int64_t>>& dims) {
  auto graph = build(p);
  REQUIRE_MESSAGE(graph.ok(), (graph ? "" : graph.error().message()));
  auto model = make_model(std::move(*graph), {});
  REQUIRE_MESSAGE(model.ok(), (model ? "" : model.error().message()));
  std::vector<Array> arrays;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const auto bytes = std::as_bytes(std::span(inputs[k]));
    arrays.push_back({DType::f32, dims[k], {bytes.begin(), bytes.end()}, {}});
  }
  auto out = model->evaluate(arrays);
  REQUIRE_MESSAGE(out.ok(), (out ? "" : out.error().message()));
  const auto* data = reinterpret_cast<const float*>((*out)[0].bytes.data());
  return {data, data + (*out)[0].bytes.size() / 4};
}

using Floats = std::vector<float>;

}  // namespace

TEST_CASE("torch export: recorded programs of every version and dialect give torch's outputs") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".pt2")) continue;
    CAPTURE(file);
    std::string stem = file.substr(0, file.size() - 4);
    if (stem.ends_with("-aten")) stem.resize(stem.size() - 5);
    auto bytes = read_file(kFolder + stem + ".npz");
    REQUIRE(bytes.ok());
    auto arrays = read_npz(*bytes);
    REQUIRE(arrays.ok());
    check_against(model_of(file), *arrays, file);
    ++seen;
  }
  CHECK(seen == 41);
}

TEST_CASE("torch export: format and producer are told") {
  const Model model = model_of("mlp-2.14.pt2");
  CHECK(model.format() == "pt2 (torch.export)");
  CHECK(model.producer() == "torch 2.14.1");
  CHECK(model_of("mlp-2.3.pt2").producer() == "torch");  // which does not say
}

TEST_CASE("torch export: symbols are named after the inputs' axes") {
  const Model model = model_of("transformer-2.14.pt2");
  CHECK(shape(model.inputs()[0]) == "batch,tokens_1");
  CHECK(shape(model.outputs()[0]) == "batch,tokens_1,12");
  const Model derived = model_of("derived-2.14.pt2");
  CHECK(shape(derived.inputs()[0]) == "batch,3");
  CHECK(shape(derived.inputs()[1]) == "2*batch,3");
  CHECK(shape(model_of("upscale-2.14.pt2").inputs()[0]) == "1,3,4,5");
}

TEST_CASE("torch export: sizes outside of a symbol's range are refused, in sessions and in the evaluator") {
  const Model model = model_of("mlp-2.14.pt2");  // batch up to 64
  CHECK(model.session({.dims = {{"batch", 64}}}).ok());
  CHECK(model.session({.dims = {{"batch", 1}}}).ok());
  auto many = model.session({.dims = {{"batch", 65}}});
  REQUIRE(!many.ok());
  CHECK(many.error().code() == Code::kUsage);
  CHECK(many.error().message() == "dimension batch is 65: the model allows 0 to 64");
  Pt2Program p;
  p.input("x", {"s0"});
  p.more = R"(,"range_constraints":{"s0":{"min_val":4,"max_val":null}})";
  auto graph = build(p.output(t("x")));
  REQUIRE(graph.ok());
  auto from4 = make_model(std::move(*graph), {});
  REQUIRE(from4.ok());
  const Array three{DType::f32, {3}, std::vector<std::byte>(12), {}}, four{DType::f32, {4}, std::vector<std::byte>(16), {}};
  CHECK(from4->evaluate(std::vector<Array>{four}).ok());
  auto few = from4->evaluate(std::vector<Array>{three});
  REQUIRE(!few.ok());
  CHECK(few.error().message() == "dimension batch is 3: the model allows no less than 4");
}

TEST_CASE("torch export: ranges of symbols and buffers that change are noted") {
  CHECK(model_of("mlp-2.14.pt2").notes() == std::vector<std::string>{"the program was made for batch up to 64"});
  CHECK(model_of("kinds-2.14.pt2").notes().empty());
  Pt2Program p;
  p.input("x", {"s0"});
  p.more = R"(,"range_constraints":{"s0":{"min_val":4,"max_val":9},"s1":{"min_val":5,"max_val":6}})";
  auto both = build(p.output(t("x")));
  REQUIRE(both.ok());
  CHECK(both->notes == std::vector<std::string>{"the program was made for batch from 4 on and up to 9"});
  for (const char* none : {R"(,"range_constraints":{"s0":{"min_val":2,"max_val":null}})",
                           R"(,"range_constraints":{"s0":{"min_val":0,"max_val":9223372036854775806}})"}) {
    p.more = none;
    CHECK(build(p)->notes.empty());
  }
}

TEST_CASE("torch export: structures of inputs and outputs give their names") {
  for (const char* file : {"structures-2.14.pt2", "structures-2.8.pt2", "structures-2.5.pt2"}) {
    const Model model = model_of(file);
    CHECK(names(model.inputs()) == "x parts_a parts_rest_0 parts_rest_1");
    CHECK(names(model.outputs()) == "output_0_sum output_0_pair_0 output_0_pair_1 output_1 output_2 output_3");
  }
}

TEST_CASE("torch export: tied weights are one constant") {
  auto source = map_file(kFolder + "transformer-2.14.pt2");
  REQUIRE(source.ok());
  auto graph = load_export(*source, {});
  REQUIRE(graph.ok());
  int tables = 0;
  for (const Value& v : graph->values) tables += v.constant.present() && v.type.shape == Shape{12, 8};
  CHECK(tables == 1);
}

TEST_CASE("torch export: nodes are named after their modules") {
  auto source = map_file(kFolder + "mlp-2.14.pt2");
  REQUIRE(source.ok());
  auto graph = load_export(*source, {});
  REQUIRE(graph.ok());
  CHECK(graph->nodes[0].name.starts_with("fc1."));
}

TEST_CASE("torch export: sizes in sympy's spelling") {
  auto text = [](std::string_view s) {
    auto e = parse_expression(s);
    return !e ? "error" : *e ? (**e).text() : std::string("not linear");
  };
  CHECK(text("Integer(7)") == "7");
  CHECK(text("Integer(-3)") == "-3");
  CHECK(text("Symbol('s0', positive=True, integer=True)") == "s0");
  CHECK(text("Add(Mul(Integer(2), Symbol('s77', positive=True, integer=True)), Integer(1))") == "2*s77+1");
  CHECK(text("Mul(Symbol('a'), Symbol('b'))") == "not linear");
  CHECK(text("FloorDiv(Mul(Integer(6), Symbol('s0')), Integer(3))") == "2*s0");
  CHECK(text("FloorDiv(Symbol('s0'), Integer(2))") == "not linear");
  CHECK(text("FloorDiv(Symbol('s0'), Integer(0))") == "not linear");
  CHECK(text("Max(Integer(1), Symbol('s0', integer=True))") == "not linear");
  CHECK(text("Pow(Symbol('s0'), Integer(2))") == "not linear");
  CHECK(text("Mul(Rational(1, 2), Symbol('s0'))") == "not linear");
  CHECK(text("Min(Integer(4), Mul(Integer(4), Symbol('s27', positive=True, integer=True)))") == "not linear");
  CHECK(text("s0") == "s0");
  CHECK(text("2*s0 + 1") == "2*s0+1");
  CHECK(text("s0*s1") == "not linear");
  CHECK(text("s0//2") == "not linear");
  CHECK(text("Mul(Integer(9223372036854775807), Add(Symbol('a'), Integer(9)))") == "not linear");
  for (const char* bad : {"Symbol('s0'", "Symbol('s0'))", "Symbol('')", "Symbol('1')", "Add(", "Add('x')", "Integer()",
                          "Integer(99999999999999999999)", "Integer(1) Symbol('a')", "Symbol('a', )", ")a(", "a;b", "'x'(", "Add()'"}) {
    CHECK_MESSAGE(text(bad) == "error", std::string(bad));
  }
}

TEST_CASE("torch export: expressions are bounded in depth and size") {
  auto nested = [](int n) {
    std::string s = "Symbol('a')";
    for (int k = 0; k < n; ++k) s = "Add(" + s + ", Integer(1))";
    return s;
  };
  REQUIRE(parse_expression(nested(60)).ok());
  CHECK((**parse_expression(nested(60))).text() == "a+60");
  CHECK(!parse_expression(nested(70)).ok());
  CHECK(!parse_expression(std::string(5000, 'a')).ok());
}

TEST_CASE("torch export: a structure's text is checked against its values") {
  const std::string leaf = R"({"type":null,"context":null,"children_spec":[]})";
  auto dict = [&](const std::string& keys, const std::string& children) {
    return R"([1,{"type":"builtins.dict","context":")" + keys + R"(","children_spec":[)" + children + "]}]";
  };
  const IValues two = {Int(1), Int(2)};
  auto value = unflatten(dict(R"([\"b\",\"a\"])", leaf + "," + leaf), two);
  REQUIRE(value.ok());
  REQUIRE(value->get<IValue::Dict>() != nullptr);
  CHECK((*value->get<IValue::Dict>()->items)[0].first == "b");
  for (const std::string& bad :
       {std::string("[1]"), std::string("{}"), std::string(""), "[1," + leaf + "]", dict(R"([\"a\"])", leaf + "," + leaf),
        dict("x", leaf + "," + leaf), dict(R"([\"a\",\"b\"])", leaf), std::string(R"([1,{"type":null}])"), std::string("[1,7]")}) {
    CHECK_MESSAGE(!unflatten(bad, two).ok(), bad);
  }
}

TEST_CASE("torch export: inputs without names of their own are named by their places") {
  const std::string leaf = R"({"type":null,"context":null,"children_spec":[]})";
  auto spec = [&](const std::string& args, const std::string& keys, const std::string& kwargs) {
    return R"([1,{"type":"builtins.tuple","context":"null","children_spec":[{"type":"builtins.tuple","context":"null","children_spec":[)" + args +
           R"(]},{"type":"builtins.dict","context":"[)" + keys + R"(]","children_spec":[)" + kwargs + "]}]}]";
  };
  using Names = std::vector<std::string>;
  CHECK(input_names(spec(leaf, "", ""), {}, 1) == Names{"input"});
  CHECK(input_names(spec(leaf + "," + leaf, "", ""), {}, 2) == Names{"input_0", "input_1"});
  CHECK(input_names(spec(leaf, R"(\"mask\")", leaf), {"x"}, 2) == Names{"x", "mask"});
  CHECK(input_names(spec(R"({"type":"builtins.list","context":"null","children_spec":[)" + leaf + "," + leaf + "]}", "", ""), {}, 2) ==
        Names{"input_0", "input_1"});
  CHECK(input_names("[]", {}, 1).empty());
}

TEST_CASE("torch export: an operator in place changes every name of its tensor") {
  Pt2Program p;
  p.input("x", {"2"}).node("aten.mul.Tensor", {{"self", t("x")}, {"other", i(2)}}, {t("y")});
  p.node("aten.add_.Tensor", {{"self", t("y")}, {"other", i(1)}}, {t("z")}).node("aten.sub.Tensor", {{"self", t("y")}, {"other", t("x")}}, {t("r")});
  p.output(t("r"));
  CHECK(outputs_of(p, {{1, 10}}, {{2}}) == Floats{2, 11});  // (2x + 1) - x
}

TEST_CASE("torch export: a change of a view reaches the whole and its other views") {
  Pt2Program p;
  p.input("x", {"2", "3"}).node("aten.clone.default", {{"self", t("x")}}, {t("y")});
  p.node("aten.select.int", {{"self", t("y")}, {"dim", i(0)}, {"index", i(1)}}, {t("row")});
  p.node("aten.slice.Tensor", {{"self", t("y")}, {"dim", i(1)}, {"start", i(1)}, {"end", i(3)}}, {t("tail")});
  p.node("aten.transpose.int", {{"self", t("y")}, {"dim0", i(0)}, {"dim1", i(1)}}, {t("turned")});
  p.node("aten.fill_.Scalar", {{"self", t("row")}, {"value", i(0)}}, {t("row_")});
  p.node("aten.mul_.Tensor", {{"self", t("tail")}, {"other", i(10)}}, {t("tail_")});
  p.node("aten.add.Tensor", {{"self", t("y")}, {"other", i(1)}}, {t("sum")});
  Pt2Program whole = p, turned = p, row = p;
  CHECK(outputs_of(whole.output(t("sum")), {{1, 2, 3, 4, 5, 6}}, {{2, 3}}) == Floats{2, 21, 31, 1, 1, 1});
  CHECK(outputs_of(turned.output(t("turned")), {{1, 2, 3, 4, 5, 6}}, {{2, 3}}) == Floats{1, 0, 20, 0, 30, 0});
  CHECK(outputs_of(row.output(t("row_")), {{1, 2, 3, 4, 5, 6}}, {{2, 3}}) == Floats{0, 0, 0});
}

TEST_CASE("torch export: a view that is read after the whole has changed shows the change, under every name") {
  Pt2Program p;
  p.input("x", {"2", "2"}).node("aten.clone.default", {{"self", t("x")}}, {t("y")});
  p.node("aten.select.int", {{"self", t("y")}, {"dim", i(0)}, {"index", i(0)}}, {t("row")})
      .node("aten.detach.default", {{"self", t("row")}}, {t("again")});
  p.node("aten.add_.Tensor", {{"self", t("again")}, {"other", i(1)}}, {t("changed")})
      .node("aten.unsqueeze.default", {{"self", t("changed")}, {"dim", i(0)}}, {t("flat")});
  p.node("aten.mul_.Tensor", {{"self", t("y")}, {"other", i(10)}}, {t("y_")})
      .node("aten.unbind.int", {{"self", t("y")}}, {arg("as_tensors", R"([{"name":"a"},{"name":"b"}])")});
  for (const char* name : {"row", "again", "changed", "flat", "a"}) {
    Pt2Program one = p;
    CHECK(outputs_of(one.output(t(name)), {{1, 2, 3, 4}}, {{2, 2}}) == Floats{20, 30});
  }
  Pt2Program piece = p;
  piece.node("aten.mul_.Tensor", {{"self", t("b")}, {"other", i(2)}}, {t("b_")});
  Pt2Program alone = piece;
  CHECK(outputs_of(alone.output(t("b_")), {{1, 2, 3, 4}}, {{2, 2}}) == Floats{60, 80});
  CHECK(refusal(piece.output(t("y"))).find("aten.unbind.int") != std::string::npos);  // what it is a piece of is read too
}

TEST_CASE("torch export: a change in place that nobody sees is dropped, with its operator") {
  Pt2Program p;
  p.input("x", {"2"}).spec(R"({"buffer":{"arg":{"name":"b"},"buffer_name":"calls","persistent":true}})");
  p.node("aten.frobnicate_.Tensor", {{"self", t("b")}, {"other", i(1)}}, {t("b_")}).node("aten.unknown.default", {{"self", t("x")}}, {t("u")});
  p.node("aten.relu.default", {{"self", t("x")}}, {t("y")}).output(t("y"));
  CHECK(outputs_of(p, {{-1, 2}}, {{2}}) == Floats{0, 2});
}

TEST_CASE("torch export: unknown operators are named in one line") {
  Pt2Program p;
  p.input("x", {"2"}).node("aten.frob.default", {{"self", t("x")}}, {t("a")}).node("higher_order.while_loop", {{"", t("a")}}, {t("b")});
  p.node("mylib.op.default", {{"x", t("b")}}, {t("c")}).node("aten.frob.default", {{"self", t("c")}}, {t("d")}).output(t("d"));
  auto graph = build(p);
  REQUIRE(!graph.ok());
  CHECK(graph.error().code() == Code::kUnsupported);
  CHECK(graph.error().message() == "operators that are not supported: aten.frob.default, higher_order.while_loop, mylib.op.default");
}

TEST_CASE("torch export: a module that was not in eval mode says so") {
  Pt2Program p;
  p.input("x", {"2", "3"})
      .node("aten.dropout.default", {{"input", t("x")}, {"p", arg("as_float", "0.5")}, {"train", arg("as_bool", "true")}}, {t("y")})
      .output(t("y"));
  CHECK(refusal(p).find("model.eval()") != std::string::npos);
}

TEST_CASE("torch export: the same value may be several outputs, an input or a number") {
  Pt2Program p;
  p.input("x", {"2", "s0"}).node("aten.sym_size.int", {{"self", t("x")}, {"dim", i(1)}}, {symint("n")});
  p.node("_operator.mul", {{"a", symint("n")}, {"b", i(3)}}, {symint("m")}).output(t("x")).output(t("x")).output(symint("m"));
  auto graph = build(p);
  REQUIRE(graph.ok());
  auto model = make_model(std::move(*graph), {});
  REQUIRE(model.ok());
  CHECK(names(model->outputs()) == "output_0 output_1 output_2");
  auto out = model->evaluate(std::vector<Array>{{DType::f32, {2, 5}, std::vector<std::byte>(40), {}}});
  REQUIRE(out.ok());
  CHECK(*reinterpret_cast<const int64_t*>((*out)[2].bytes.data()) == 15);
}

TEST_CASE("torch export: a result that is not computed is refused when the program reads or gives it") {
  auto flash = [](bool second) {
    Pt2Program p;
    const std::string ops = "aten._scaled_dot_product_flash_attention_for_cpu.default";
    p.input("q", {"1", "2", "3", "4"}).node(ops, {{"query", t("q")}, {"key", t("q")}, {"value", t("q")}}, {t("y"), t("sums")}).output(t("y"));
    if (second) p.output(t("sums"));
    return refusal(p);
  };
  CHECK(flash(false) == "accepted");
  CHECK(flash(true).find("the result 'sums' of aten._scaled_dot_product_flash_attention_for_cpu.default is not computed: it gives no log-sum-exp") !=
        std::string::npos);
  Pt2Program pool;
  pool.input("x", {"1", "2", "4", "4"})
      .node("aten.adaptive_max_pool2d.default", {{"self", t("x")}, {"output_size", arg("as_ints", "[2,2]")}}, {t("y"), t("i")})
      .output(t("y"))
      .output(t("i"));
  CHECK(refusal(pool).find("the result 'i' of aten.adaptive_max_pool2d.default is not computed: it gives no indices; where its windows are equal") !=
        std::string::npos);
  Pt2Program p;  // more results than the operator has
  p.input("x", {"2", "3"})
      .node("aten.relu.default", {{"self", t("x")}}, {t("y"), t("z")})
      .node("aten.neg.default", {{"self", t("z")}}, {t("w")})
      .output(t("w"));
  CHECK(refusal(p).find("the result 'z' of aten.relu.default is not computed: it gives no such result here; export the model without its use") !=
        std::string::npos);
}

TEST_CASE("torch export: schema versions 5 to 8 are read, others named") {
  for (const char* major : {"5", "6", "7", "8"}) {
    Pt2Program p;
    p.major = major;
    CHECK(build(p.input("x", {"2"}).node("aten.relu.default", {{"self", t("x")}}, {t("y")}).output(t("y"))).ok());
  }
  for (const char* major : {"4", "9"}) {
    Pt2Program p;
    p.major = major;
    CHECK(refusal(p).find(std::string("schema version ") + major) != std::string::npos);
  }
}

}  // namespace in_torch_export
