// Hostile loops: bodies that lie, counts without end, bodies in bodies. An error in one line, fast, or an answer that plan and evaluator
// share.
#include <doctest/doctest.h>

#include <ctime>

#include "tests/support/cheap.h"
#include "tests/support/exercise.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_loops {
namespace {

const Proto kI = input("i", 7, {}), kGoing = input("going", 9, {});

Proto number(const char* name, int64_t value) { return raw_tensor<int64_t>(name, 7, {}, {value}); }
Proto yes(const char* name) { return raw_tensor<uint8_t>(name, 9, {}, {1}); }

// x, trips, go -> Loop -> y, s
std::string looping(const Proto& body, int64_t trips = 3, std::vector<std::string> out = {"y", "s"},
                    const std::vector<std::string>& in = {"trips", "go", "x"}, const std::vector<Proto>& more = {}) {
  std::vector<Proto> outputs, initializers = {number("trips", trips), yes("go")};
  for (const std::string& name : out) outputs.push_back(output(name));
  initializers.insert(initializers.end(), more.begin(), more.end());
  return model(21, {node("Loop", in, out, {attr_graph("body", body)}, "loop")}, {input("x", 1, {2})}, outputs, initializers).data;
}

// v -> -v, and v as a scan output.
Proto plain_body() {
  return graph({node("Identity", {"going"}, {"on"}), node("Neg", {"v"}, {"w"})}, {kI, kGoing, input("v", 1, {2})},
               {output("on"), output("w"), output("v")});
}

std::string scanning(const std::vector<Proto>& attrs, const std::vector<DimOf>& second = {3, 2}) {
  const Proto body = graph({node("Add", {"state", "a"}, {"t"}), node("Mul", {"t", "b"}, {"u"})},
                           {input("state", 1, {2}), input("a", 1, {2}), input("b", 1, {2})}, {output("t"), output("u")});
  std::vector<Proto> all = {attr_graph("body", body)};
  all.insert(all.end(), attrs.begin(), attrs.end());
  return model(21, {node("Scan", {"s0", "x", "z"}, {"y", "ys"}, all, "scan")}, {input("s0", 1, {2}), input("x", 1, {3, 2}), input("z", 1, second)},
               {output("y"), output("ys")})
      .data;
}

Exercise tried(const std::string& file) {
  const std::clock_t start = std::clock();
  const Exercise e = exercise(bytes(file));
  CHECK_MESSAGE(e.fault == "", e.fault);
  if (!kSanitized) CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 20);
  return e;
}

void runs(const std::string& file) {
  const Exercise e = tried(file);
  CHECK_MESSAGE((e.loaded && e.planned && e.ran > 0 && e.evaluated == e.ran), e.error);
}

void refused(const std::string& file, const std::string& part) {
  const Exercise e = tried(file);
  CHECK(!e.loaded);
  CHECK_MESSAGE(e.error.find(part) != std::string::npos, e.error);
}

}  // namespace

TEST_CASE("hostile loops: the untouched ones run") {
  runs(looping(plain_body()));
  runs(looping(plain_body(), -7));
  runs(looping(plain_body(), INT64_MIN));
  runs(scanning({attr("num_scan_inputs", int64_t(2))}));
}

TEST_CASE("hostile loops: every bit of both flipped") {
  for (std::string file :
       {looping(plain_body()), scanning({attr("num_scan_inputs", int64_t(2)), attr("scan_input_axes", std::vector<int64_t>{0, 0})})}) {
    // Not those of the trip count: one without end takes the evaluator seconds, and has a test of its own.
    const size_t trips = file.rfind("trips"), end = trips == std::string::npos ? trips : trips + 15;
    for (size_t i = 0; i < file.size(); i += kSanitized ? 7 : 1) {
      if (trips != std::string::npos && i > trips && i < end) continue;
      for (int bit = 0; bit < 8; ++bit) {
        file[i] = static_cast<char>(file[i] ^ (1 << bit));
        CHECK_MESSAGE(exercise(bytes(file)).fault == "", i << " " << bit);
        file[i] = static_cast<char>(file[i] ^ (1 << bit));
      }
    }
  }
}

TEST_CASE("hostile loops: bodies that lie about their counts") {
  const Proto on = node("Identity", {"going"}, {"on"});
  const Proto v = input("v", 1, {2});
  refused(looping(graph({on}, {kI, kGoing, v}, {output("on")})), "body has 1 outputs, the node 2");
  refused(looping(graph({on}, {kI, kGoing}, {output("on"), output("x"), output("x")})), "its body has 3 inputs, the node 4");
  refused(looping(graph({on}, {}, {output("x"), output("x"), output("x")})), "");
  refused(looping(graph({on}, {kI, kGoing, v, input("v2", 1, {2})}, {output("on"), output("v"), output("v")})), "its body has 4 inputs, the node 3");
  refused(looping(plain_body(), 3, {"y", "s"}, {"trips", "go"}), "its body has 3 inputs, the node 2");
  refused(looping(plain_body(), 3, {"y", "s"}, {}), "");
  refused(looping(plain_body(), 3, {"y", "s"}, {"trips", "go", ""}), "its body has 3 inputs, the node 2");
  refused(looping(graph({on}, {kI, kGoing, v}, {output("on"), output("v"), output("nobody")})), "nobody");
  refused(looping(graph({on, node("Neg", {"nothing"}, {"n"})}, {kI, kGoing, v}, {output("on"), output("v"), output("n")})),
          "'nothing', which nothing defines");
  refused(looping(graph({on}, {kI, kGoing, v, v}, {output("on"), output("v"), output("v")})), "defined twice");
  refused(looping(graph({on}, {kI, kGoing, v}, {output("on"), output("v"), output("v")}, {raw_tensor<float>("v", 1, {2}, {1, 2})})),
          "initializer too");
  refused(
      model(21, {node("Loop", {"trips", "go", "x"}, {"y"}, {}, "loop")}, {input("x", 1, {2})}, {output("y")}, {number("trips", 1), yes("go")}).data,
      "it has no body");
}

TEST_CASE("hostile loops: trip counts, conditions and carried values of the wrong kind") {
  const auto with = [](std::vector<std::string> in, std::vector<Proto> more) { return looping(plain_body(), 3, {"y", "s"}, in, more); };
  refused(with({"f", "go", "x"}, {raw_tensor<float>("f", 1, {}, {3})}), "its trip count is f32[], it must be one i64");
  refused(with({"two", "go", "x"}, {raw_tensor<int64_t>("two", 7, {2}, {3, 3})}), "its trip count is i64[2]");
  refused(with({"trips", "n", "x"}, {number("n", 1)}), "its condition is i64[], it must be one bool");
  const Proto on = node("Identity", {"going"}, {"on"});
  refused(looping(graph({on, node("Cast", {"v"}, {"w"}, {attr("to", int64_t(7))})}, {kI, kGoing, input("v", 1, {2})},
                        {output("on"), output("w"), output("v")})),
          "carried value 0 is f32 and becomes i64");
  refused(looping(graph({on, node("Flatten", {"v"}, {"w"})}, {kI, kGoing, input("v", 1, {2})}, {output("on"), output("w"), output("v")})),
          "changes its rank");
  refused(looping(graph({}, {kI, kGoing, input("v", 1, {2})}, {output("v"), output("v"), output("v")})),
          "its body's condition is f32[2], it must be one bool");
}

TEST_CASE("hostile loops: what a Scan says of its inputs") {
  const Proto two = attr("num_scan_inputs", int64_t(2));
  refused(scanning({}), "num_scan_inputs");
  for (int64_t n : {int64_t(0), int64_t(-1), int64_t(4), INT64_MAX, INT64_MIN}) refused(scanning({attr("num_scan_inputs", n)}), "num_scan_inputs");
  refused(scanning({attr("num_scan_inputs", int64_t(3))}), "");
  refused(scanning({two}, {4, 2}), "its scan inputs have 3 and 4 slices");
  refused(scanning({two}, {}), "");
  for (int64_t axis : {int64_t(2), int64_t(-3), INT64_MAX, INT64_MIN}) {
    refused(scanning({two, attr("scan_input_axes", std::vector<int64_t>{0, axis})}), "scan input 1: axis");
    refused(scanning({two, attr("scan_output_axes", std::vector<int64_t>{axis})}), "scan output 0: axis");
  }
  refused(scanning({two, attr("scan_input_axes", std::vector<int64_t>{0})}), "scan_input_axes has 1 elements, expected 2");
  refused(scanning({two, attr("scan_output_directions", std::vector<int64_t>{0, 0, 0})}), "scan_output_directions has 3 elements, expected 1");
}

TEST_CASE("hostile loops: counts without end are refused or stopped") {
  if (kSanitized) return;  // each spends the evaluator's whole budget of work, which takes minutes there
  const Proto on = node("Identity", {"going"}, {"on"});
  const Proto carried = graph({on, node("Neg", {"v"}, {"w"})}, {kI, kGoing, input("v", 1, {2})}, {output("on"), output("w")});
  for (const auto& file : {looping(carried, int64_t(1) << 40, {"y"}), looping(plain_body(), int64_t(1) << 62), looping(carried, INT64_MAX, {"y"})}) {
    const Exercise e = tried(file);
    CHECK(e.loaded);
    CHECK(!e.planned);
    CHECK(e.ran == 0);
    CHECK(e.evaluated == 0);
  }
}

TEST_CASE("hostile loops: bodies in bodies, each as often as it can") {
  for (int depth : {2, 6, 12, 20, 64, 300}) {
    for (int64_t trips : {int64_t(2), int64_t(1) << 20}) {
      for (bool grows : {false, true}) {
        if (trips > 2 && (depth > 2 || kSanitized)) continue;
        if ((depth == 12 || depth == 20) && kSanitized) continue;  // much, or all, of the evaluator's budget of work
        const Proto on = node("Identity", {"going"}, {"on"});
        Proto body = graph({on, node(grows ? "Concat" : "Neg", grows ? std::vector<std::string>{"v", "x"} : std::vector<std::string>{"v"}, {"w"},
                                     grows ? std::vector<Proto>{attr("axis", int64_t(0))} : std::vector<Proto>())},
                           {kI, kGoing, input("v", 1, {2})}, {output("on"), output("w")});
        for (int d = 1; d < depth; ++d) {
          body = graph({on, node("Loop", {"trips", "going", "v"}, {"w"}, {attr_graph("body", body)})}, {kI, kGoing, input("v", 1, {2})},
                       {output("on"), output("w")});
        }
        const Exercise e = tried(looping(body, trips, {"y"}));
        if (depth == 2 && trips == 2 && !grows) CHECK((e.planned && e.ran > 0));
        if (depth >= 20 || trips > 2) CHECK(e.ran == 0);
        if (depth >= 64) CHECK(!e.loaded);
      }
    }
  }
}

}  // namespace tern::test::in_loops
