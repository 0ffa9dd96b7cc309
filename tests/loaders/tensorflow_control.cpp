// Branches and loops of TensorFlow 1 (tests/data/tensorflow/make/control.py): what they compute is what TensorFlow computed, as If and Loop; graphs whose
// Switches and Enters lead nowhere are refused in one line. Code: loaders/tensorflow/run.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "loaders/load.h"
#include "loaders/tensorflow/tensorflow.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/recorded.h"

using namespace tern;
using test::Proto;
namespace fs = std::filesystem;

namespace in_tensorflow_control {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/tensorflow/control/";

LoadOptions outputs_of(const std::string& name) {
  LoadOptions options;
  for (const auto& [array, tensor] : test::recorded_arrays(kFolder + name + ".1.npz")) {
    if (array.starts_with("out_")) options.outputs.push_back(array.substr(4));
  }
  return options;
}

Result<Model> recorded(const std::string& name) { return load(kFolder + name + ".pb", outputs_of(name)); }

size_t count(const std::string& text, std::string_view part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// ---- graphs by hand: nodes of f32 and bool

Proto attr(const char* name, const Proto& value) { return Proto().s(1, name).m(2, value); }
const Proto kScalar = Proto();
Proto node(const char* name, const char* op, std::initializer_list<const char*> inputs, std::initializer_list<Proto> attributes = {}) {
  Proto n = Proto().s(1, name).s(2, op);
  for (const char* in : inputs) n.s(3, in);
  for (const Proto& a : attributes) n.m(5, a);
  return n;
}
Proto placeholder(const char* name, int dtype) {
  return node(name, "Placeholder", {}, {attr("dtype", Proto().i(6, dtype)), attr("shape", Proto().m(7, kScalar))});
}
Proto number(const char* name, float value) {
  return node(name, "Const", {},
              {attr("dtype", Proto().i(6, 1)), attr("value", Proto().m(8, Proto().i(1, 1).m(2, kScalar).fixed<float>(5, {value})))});
}
Proto enter(const char* name, const char* input, const char* frame, bool constant = false) {
  return node(name, "Enter", {input}, {attr("frame_name", Proto().s(2, frame)), attr("is_constant", Proto().i(5, constant))});
}
constexpr int kF32 = 1, kBool = 10;

// y = x doubled while it is below 10, in a frame f; one of its nodes may be another.
std::vector<Proto> doubling() {
  return {placeholder("x", kF32),
          number("ten", 10),
          enter("enter", "x", "f"),
          enter("most", "ten", "f", true),
          node("merge", "Merge", {"enter", "next"}),
          node("less", "Less", {"merge", "most"}),
          node("going", "LoopCond", {"less"}),
          node("switch", "Switch", {"merge", "going"}),
          node("again", "Identity", {"switch:1"}),
          node("sum", "AddV2", {"again", "again"}),
          node("next", "NextIteration", {"sum"}),
          node("y", "Exit", {"switch"})};
}

std::vector<Proto> with(std::vector<Proto> nodes, std::initializer_list<Proto> others) {
  for (const Proto& other : others) {
    const auto name = [](const Proto& p) { return p.data.substr(2, static_cast<size_t>(p.data[1])); };
    const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const Proto& n) { return name(n) == name(other); });
    if (at == nodes.end()) {
      nodes.push_back(other);
    } else {
      *at = other;
    }
  }
  return nodes;
}

Result<Model> loaded(const std::vector<Proto>& nodes, const std::string& output = "y") {
  Proto graph;
  for (const Proto& n : nodes) graph.m(1, n);
  return load_bytes(test::bytes(graph.data), {.outputs = {output}});
}
std::string refusal(const std::vector<Proto>& nodes, Code code, const std::string& output = "y") {
  const auto model = loaded(nodes, output);
  CHECK(!model.ok());
  if (model.ok()) return "";
  CHECK(model.error().code() == code);
  CHECK(model.error().message().find('\n') == std::string::npos);
  return model.error().message();
}
double evaluated(const std::vector<Proto>& nodes, std::vector<float> given) {
  const auto model = loaded(nodes);
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  std::vector<Array> inputs;
  for (const float x : given) inputs.push_back(to_array(Tensor::scalar(x)));
  const auto out = model->evaluate(inputs);
  REQUIRE_MESSAGE(out.ok(), out.error().message());
  float y = 0;
  std::memcpy(&y, (*out)[0].bytes.data(), sizeof y);
  return y;
}

}  // namespace

TEST_CASE("tensorflow control: branches, loops and arrays of TensorFlow 1 compute what TensorFlow computed, at two sizes") {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".pb") names.insert(entry.path().stem().string());
  }
  CHECK(names.size() == 53);
  for (const std::string& name : names) {
    const auto model = recorded(name);
    REQUIRE_MESSAGE(model.ok(), name << ": " << model.error().message());
    CHECK(model->data_dependent() >= (name == "cond_shapes"));  // a session cannot know which of two shapes comes
    for (const std::string size : {".1", ".2"}) {
      const std::string wrong = test::wrong(*model, kFolder + name + size + ".npz", 1e-4, 1e-5);
      CHECK_MESSAGE(wrong == "", name << size << ": " << wrong);
    }
  }
}

TEST_CASE(
    "tensorflow control: a condition is one If for all that ends it, a frame one Loop, what every iteration writes at the next place a scan output") {
  const auto nested = recorded("cond_nested");
  REQUIRE(nested.ok());
  CHECK(count(nested->text(), " = If") == 3);
  const auto deep = recorded("while_deep");
  REQUIRE(deep.ok());
  CHECK(count(deep->text(), " = Loop") == 3);
  for (const std::string name : {"rnn_dynamic", "map_rows", "map_two", "scan_rows", "array_dynamic"}) {
    const auto model = recorded(name);
    REQUIRE(model.ok());
    CHECK_MESSAGE(count(model->text(), "ScatterND") == 0, name);
  }
}

TEST_CASE("tensorflow control: variables that a call assigns are read as it left them, those of a new call as the file has them") {
  const std::string folder = std::string(TERN_TEST_DATA) + "/tensorflow/variables/";
  const std::vector<std::string> kRefused{"scattered", "in_branch", "unordered"};
  size_t seen = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (std::find(kRefused.begin(), kRefused.end(), name) != kRefused.end()) continue;
    const auto model = load(folder + name + "/model");
    REQUIRE_MESSAGE(model.ok(), name << ": " << model.error().message());
    const std::string wrong = test::wrong(*model, folder + name + "/data.npz", 1e-4, 1e-5);
    CHECK_MESSAGE(wrong == "", name << ": " << wrong);
    bool told = false;
    for (const std::string& note : model->notes()) told |= note.starts_with("what a call assigns to variables is not kept for the next call: ");
    CHECK_MESSAGE(told, name);
    ++seen;
  }
  CHECK(seen == 10);
  for (const std::string& name : kRefused) {
    const auto lost = load(folder + name + "/model");
    REQUIRE_MESSAGE(!lost.ok(), name);
    CHECK(lost.error().code() == Code::kUnsupported);
    const std::string& message = lost.error().message();
    CHECK_MESSAGE(message.find("the variable that it changes is read afterwards in the same call") != std::string::npos, message);
  }
}

TEST_CASE("tensorflow control: lists that an iteration makes longer are scan outputs, those of several shapes sequences") {
  for (const std::string name : {"list_pushed", "list_grown"}) {
    const auto model = recorded(name);
    REQUIRE(model.ok());
    CHECK_MESSAGE(count(model->text(), "Concat") == 0, name);
  }
  const auto ragged = recorded("list_ragged");
  REQUIRE(ragged.ok());
  CHECK(count(ragged->text(), " = SequenceInsert") == 1);
  const auto equal = recorded("list_joined");
  REQUIRE(equal.ok());
  CHECK(count(equal->text(), "Sequence") == 0);
}

TEST_CASE("tensorflow control: loops whose trips sizes tell have a plan, those that data ends have none") {
  for (const std::string name : {"while_count", "while_captured", "rnn_dynamic", "map_rows", "cond_in_while"}) {
    const auto model = recorded(name);
    REQUIRE(model.ok());
    CHECK_MESSAGE(!model->data_dependent(), name);
  }
  for (const std::string name : {"while_data", "while_grows", "array_dynamic"}) {
    const auto model = recorded(name);
    REQUIRE(model.ok());
    CHECK_MESSAGE(model->data_dependent(), name);
  }
}

TEST_CASE("tensorflow control: a loop by hand runs until its condition is false") {
  CHECK(evaluated(doubling(), {3.0F}) == 12.0);
  CHECK(evaluated(doubling(), {11.0F}) == 11.0);
}

TEST_CASE("tensorflow control: frames that are none are refused in one line") {
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != text.npos; };
  const auto wrong = [&](std::initializer_list<Proto> others) { return refusal(with(doubling(), others), Code::kInvalid); };
  CHECK(has(wrong({node("y", "Exit", {"x"})}), "node 'y' (Exit) leaves no loop"));
  CHECK(has(wrong({node("y", "Exit", {"switch:1"})}), "node 'y' (Exit) leaves no loop"));
  CHECK(has(wrong({node("y", "Exit", {})}), "node 'y' (Exit) has no input 0"));
  CHECK(has(wrong({node("merge", "Merge", {"enter", "enter"})}), "node 'merge' is no variable of a loop"));
  CHECK(has(wrong({node("merge", "Merge", {"enter", "next", "next"})}), "node 'merge' is no variable of a loop"));
  CHECK(has(wrong({enter("most", "ten", "g", true)}), "node 'most' enters the frame 'g' inside of 'f'"));
  CHECK(has(wrong({enter("most", "ten", "f")}), "neither as a constant nor as a variable"));
  CHECK(has(wrong({node("switch", "Switch", {"enter", "going"})}), "node 'enter' is no variable of a loop"));
  CHECK(has(wrong({node("again", "Identity", {"switch"})}), "gives what leaves the loop to the loop itself"));
  CHECK(has(wrong({node("again", "Identity", {"going"})}), "belongs to no loop that ends"));
  CHECK(has(wrong({node("again", "Identity", {"next"})}), "depends on itself"));
  CHECK(has(wrong({node("again", "Identity", {"y"})}), "depends on what it leaves behind"));
  CHECK(has(wrong({node("y", "Identity", {"merge"})}), "node 'merge' is read from outside of its loop"));
  CHECK(has(wrong({node("y", "Identity", {"most"})}), "belongs to no loop that ends"));
  CHECK(has(wrong({node("y", "Identity", {"next"})}), "belongs to no loop that ends"));
  // Two conditions, of which each has its own Switch of one variable.
  CHECK(has(wrong({node("going2", "LoopCond", {"less"}), node("switch2", "Switch", {"merge", "going2"}), node("again", "Identity", {"switch2:1"})}),
            "belongs to no loop that ends"));
}

TEST_CASE("tensorflow control: what is read of a branch that may not be taken, and Merges without a condition, are refused") {
  const std::vector<Proto> nodes{placeholder("x", kF32),           placeholder("p", kBool),   placeholder("q", kBool),
                                 node("sx", "Switch", {"x", "p"}), node("no", "Neg", {"sx"}), node("yes", "Exp", {"sx:1"}),
                                 node("y", "Merge", {"no", "yes"})};
  CHECK(loaded(nodes).ok());
  CHECK(refusal(with(nodes, {node("y", "Identity", {"no"})}), Code::kUnsupported) ==
        "sx (Switch): what it sends may come or not, and nothing waits for either");
  CHECK(refusal(with(nodes, {node("no", "Neg", {"sx:1"})}), Code::kUnsupported).find("sx (Switch)") != std::string::npos);
  CHECK(refusal(with(nodes, {node("sy", "Switch", {"x", "q"}), node("no", "Neg", {"sy"})}), Code::kUnsupported).find("Switch") != std::string::npos);
  CHECK(refusal(with(nodes, {node("y", "Merge", {"no", "yes", "no"})}), Code::kUnsupported).find("Switch") != std::string::npos);
  CHECK(refusal(with(nodes, {node("sx", "Switch", {"y", "p"})}), Code::kInvalid).find("depends on itself") != std::string::npos);
}

TEST_CASE("tensorflow control: where conditions are known a Merge takes what comes, whatever they have to do with each other") {
  const auto flag = [](const char* name, bool value) {
    return node(name, "Const", {}, {attr("dtype", Proto().i(6, kBool)), attr("value", Proto().m(8, Proto().i(1, kBool).m(2, kScalar).i(11, value)))});
  };
  const std::vector<Proto> nodes{placeholder("x", kF32),
                                 flag("p", false),
                                 flag("q", true),
                                 node("sp", "Switch", {"x", "p"}),
                                 node("sq", "Switch", {"x", "q"}),
                                 node("dead", "Neg", {"sp:1"}),
                                 node("comes", "AddV2", {"sq:1", "sq:1"}),
                                 node("m", "Merge", {"dead", "comes"}),
                                 node("i", "Cast", {"m:1"}, {attr("SrcT", Proto().i(6, 3)), attr("DstT", Proto().i(6, kF32))}),
                                 node("y", "Add", {"m", "i"})};
  CHECK(evaluated(nodes, {3.0F}) == 7.0);
  CHECK(refusal(nodes, Code::kUnsupported, "dead").find("of a branch that is not taken") != std::string::npos);
}

TEST_CASE("tensorflow control: a Merge tells which side came, and sides may be given in either order") {
  const std::vector<Proto> nodes{placeholder("x", kF32),
                                 number("zero", 0),
                                 node("p", "Greater", {"x", "zero"}),
                                 node("sx", "Switch", {"x", "p"}),
                                 node("no", "Neg", {"sx"}),
                                 node("yes", "AddV2", {"sx:1", "sx:1"}),
                                 node("m", "Merge", {"yes", "no"}),
                                 node("i", "Cast", {"m:1"}, {attr("SrcT", Proto().i(6, 3)), attr("DstT", Proto().i(6, kF32))}),
                                 node("y", "Sub", {"m", "i"})};
  CHECK(evaluated(nodes, {3.0F}) == 6.0);
  CHECK(evaluated(nodes, {-3.0F}) == 2.0);
}

TEST_CASE("tensorflow control: what both branches read without a Switch is computed once, outside") {
  const std::vector<Proto> nodes{placeholder("x", kF32),
                                 number("zero", 0),
                                 node("p", "Greater", {"x", "zero"}),
                                 node("outside", "Exp", {"x"}),
                                 node("s", "Switch", {"x", "p"}),
                                 node("no", "Sub", {"s", "outside"}),
                                 node("yes", "AddV2", {"s:1", "outside"}),
                                 node("y", "Merge", {"no", "yes"})};
  CHECK(evaluated(nodes, {0.0F}) == -1.0);
  CHECK(count(loaded(nodes)->text(), " = Exp") == 1);
}

TEST_CASE("tensorflow control: a variable that is assigned under a condition, or under two names, is not read afterwards") {
  const Proto handle = node("h", "VarHandleOp", {}, {attr("dtype", Proto().i(6, kF32)), attr("shape", Proto().m(7, kScalar))});
  const auto refused = [&](const Proto& graph) {
    const Proto output = Proto().s(1, "y").m(2, Proto().s(1, "y:0").i(2, 1));
    const Proto called = Proto().s(1, "serving_default").m(2, Proto().m(2, output));
    const Proto model = Proto().i(1, 1).m(2, Proto().m(1, Proto().s(4, "serve")).m(2, graph).m(5, called));
    const auto loaded = load_bytes(test::bytes(model.data), {});
    REQUIRE(!loaded.ok());
    CHECK(loaded.error().code() == Code::kUnsupported);
    const std::string& message = loaded.error().message();
    CHECK_MESSAGE(message.find("the variable that it changes is read afterwards in the same call") != std::string::npos, message);
  };
  const Proto flag =
      node("p", "Const", {}, {attr("dtype", Proto().i(6, kBool)), attr("value", Proto().m(8, Proto().i(1, kBool).m(2, kScalar).i(11, 1)))});
  refused(Proto()
              .m(1, flag)
              .m(1, handle)
              .m(1, number("one", 1))
              .m(1, node("pivot", "Switch", {"p", "p"}))
              .m(1, node("taken", "Identity", {"pivot:1"}))
              .m(1, node("assign", "AssignVariableOp", {"h", "one", "^taken"}))
              .m(1, node("y", "ReadVariableOp", {"h", "^assign"})));
  const Proto signature = Proto().s(1, "f").m(2, Proto().s(1, "a").i(3, 20)).m(2, Proto().s(1, "b").i(3, 20));
  const Proto function = Proto().m(1, signature).m(3, number("one", 1)).m(3, node("assign", "AssignVariableOp", {"a", "one:output:0"}));
  refused(Proto()
              .m(1, handle)
              .m(1, node("call", "StatefulPartitionedCall", {"h", "h"}, {attr("f", Proto().m(10, Proto().s(1, "f")))}))
              .m(1, node("y", "ReadVariableOp", {"h", "^call"}))
              .m(2, Proto().m(1, function)));
}

TEST_CASE("tensorflow control: a function that assigns and calls itself from both branches is refused, not followed") {
  const auto named = [](const char* key) { return attr(key, Proto().m(10, Proto().s(1, "f"))); };
  const Proto flag =
      node("p", "Const", {}, {attr("dtype", Proto().i(6, kBool)), attr("value", Proto().m(8, Proto().i(1, kBool).m(2, kScalar).i(11, 1)))});
  const Proto handle = node("h", "VarHandleOp", {}, {attr("dtype", Proto().i(6, kF32)), attr("shape", Proto().m(7, kScalar))});
  const Proto call = node("call", "If", {"p", "h"}, {named("then_branch"), named("else_branch")});
  const Proto inside = node("call", "If", {"p:output:0", "h"}, {named("then_branch"), named("else_branch")});
  const Proto assign = node("assign", "AssignAddVariableOp", {"h", "one:output:0"});
  const Proto signature = Proto().s(1, "f").m(2, Proto().s(1, "h").i(3, 20)).m(3, Proto().s(1, "y").i(3, 1));
  const Proto function =
      Proto().m(1, signature).m(3, flag).m(3, number("one", 1)).m(3, assign).m(3, inside).m(4, Proto().s(1, "y").s(2, "call:output:0"));
  const Proto graph = Proto().m(1, flag).m(1, handle).m(1, call).m(2, Proto().m(1, function));
  const Proto output = Proto().s(1, "y").m(2, Proto().s(1, "call:0").i(2, 1));
  const Proto called = Proto().s(1, "serving_default").m(2, Proto().m(2, output));
  const Proto model = Proto().i(1, 1).m(2, Proto().m(1, Proto().s(4, "serve")).m(2, graph).m(5, called));
  const auto refused = load_bytes(test::bytes(model.data), {});
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::kUnsupported);
  CHECK_MESSAGE(refused.error().message().find("calls lie more than 64 deep in each other") != std::string::npos, refused.error().message());
}

TEST_CASE("tensorflow control: branches that lie 100 deep in each other are refused, not followed") {
  std::vector<Proto> nodes{placeholder("p", kBool), placeholder("x", kF32)};
  std::string data = "x", condition = "p";
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    nodes.push_back(node(("s" + n).c_str(), "Switch", {data.c_str(), condition.c_str()}));
    nodes.push_back(node(("c" + n).c_str(), "Switch", {condition.c_str(), condition.c_str()}));
    data = "s" + n + ":1";
    condition = "c" + n + ":1";
  }
  std::string inner = data;
  for (int i = 99; i >= 0; --i) {
    const std::string n = std::to_string(i);
    nodes.push_back(node(("m" + n).c_str(), "Merge", {("s" + n).c_str(), inner.c_str()}));
    inner = "m" + n;
  }
  nodes.push_back(node("y", "Identity", {inner.c_str()}));
  refusal(nodes, Code::kUnsupported);
}

}  // namespace in_tensorflow_control
