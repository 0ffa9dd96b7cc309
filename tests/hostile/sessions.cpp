// Hostile graphs that load: what asks for the impossible is refused when a session is made or when the evaluator meets it, in one line,
// quickly and without the memory; sizes that a caller may choose are checked.
#include <doctest/doctest.h>

#include "tests/support/cheap.h"
#include "tests/support/exercise.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_sessions {
namespace {

constexpr int64_t kHuge = int64_t(1) << 40;

Proto ints(std::string_view name, const std::vector<int64_t>& values) {
  return raw_tensor<int64_t>(name, 7, {static_cast<int64_t>(values.size())}, values);
}
Proto scalar(std::string_view name, int64_t value) { return raw_tensor<int64_t>(name, 7, {}, {value}); }
Proto floats(std::string_view name, const std::vector<float>& values) {
  return raw_tensor<float>(name, 1, {static_cast<int64_t>(values.size())}, values);
}

// Nothing of it runs, and finding that out is cheap. The message that came last.
std::string refused(const Proto& file) {
  const int64_t before = peak_kb();
  const std::clock_t start = std::clock();
  const Exercise e = exercise(bytes(file));
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CHECK_MESSAGE(e.fault == "", e.fault);
  CHECK(e.ran == 0);
  CHECK(e.evaluated == 0);
  CHECK(e.error != "");
  if (!kSanitized) {
    CHECK(seconds < 2);
    CHECK(peak_kb() - before < 96 * 1024);
  }
  return e.error;
}

// A node whose parameters are constants of the file; x: f32[2,3].
std::string refused_constant(const char* op, const std::vector<std::string>& in, const std::vector<Proto>& constants,
                             const std::vector<Proto>& attrs = {}) {
  CAPTURE(op);
  return refused(model(18, {node(op, in, {"y"}, attrs), node("Relu", {"y"}, {"z"})}, {input("x", 1, {2, 3})}, {output("z")}, constants));
}

// The same node with its parameters as inputs of the graph: only a run knows them.
void refused_at_run(const char* op, const std::vector<std::string>& in, const std::vector<Proto>& inputs, const std::vector<Array>& arrays,
                    const std::vector<Proto>& attrs = {}) {
  CAPTURE(op);
  auto loaded = load_bytes(bytes(model(18, {node(op, in, {"y"}, attrs)}, inputs, {output("y")})));
  REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.error().message()));
  const int64_t before = peak_kb();
  auto outputs = loaded->evaluate(arrays);
  REQUIRE(!outputs.ok());
  CHECK(outputs.error().message() != "");
  if (!kSanitized) CHECK(peak_kb() - before < 96 * 1024);
}

template <class T>
Array array(std::vector<int64_t> dims, const std::vector<T>& values) {
  Array a{dtype_of<T>(), std::move(dims), {}, {}};
  a.bytes.resize(values.size() * sizeof(T));
  std::memcpy(a.bytes.data(), values.data(), a.bytes.size());
  return a;
}

}  // namespace

TEST_CASE("hostile sessions: 2^40 elements asked for by 200 bytes") {
  refused_constant("Expand", {"x", "s"}, {ints("s", {kHuge, 2, 3})});
  refused_constant("Tile", {"x", "s"}, {ints("s", {kHuge, 1})});
  refused_constant("ConstantOfShape", {"s"}, {ints("s", {kHuge})});
  refused_constant("ConstantOfShape", {"s"}, {ints("s", {1 << 20, 1 << 20})});
  refused_constant("Range", {"a", "b", "c"}, {scalar("a", 0), scalar("b", kHuge), scalar("c", 1)});
  refused_constant("Pad", {"x", "s"}, {ints("s", {0, kHuge, 0, 0})});
  refused_constant("Resize", {"x", "", "", "s"}, {ints("s", {kHuge, 3})});
  refused_constant("Resize", {"x", "", "r"}, {floats("r", {1e12f, 1})});
  refused_constant("OneHot", {"i", "d", "v"}, {ints("i", {1, 2}), scalar("d", kHuge), floats("v", {0, 1})});
  refused_constant("CenterCropPad", {"x", "s"}, {ints("s", {kHuge, 3})});
}

TEST_CASE("hostile sessions: parameters that mean nothing") {
  refused_constant("Range", {"a", "b", "c"}, {scalar("a", 0), scalar("b", 5), scalar("c", 0)});
  refused_constant("Range", {"a", "b", "c"},
                   {raw_tensor<float>("a", 1, {}, {0}), raw_tensor<float>("b", 1, {}, {5}), raw_tensor<float>("c", 1, {}, {NAN})});
  refused_constant("Tile", {"x", "s"}, {ints("s", {-1, 1})});
  refused_constant("Expand", {"x", "s"}, {ints("s", {-2, 3})});
  refused_constant("ConstantOfShape", {"s"}, {ints("s", {-1})});
  for (const float scale : {0.0f, -1.0f, NAN, INFINITY}) refused_constant("Resize", {"x", "", "r"}, {floats("r", {scale, 1})});
  refused_constant("Slice", {"x", "a", "b", "c", "d"}, {ints("a", {0}), ints("b", {2}), ints("c", {0}), ints("d", {0})});
  refused_constant("Pad", {"x", "s"}, {ints("s", {-3, 0, 0, 0})});
  refused_constant("Reshape", {"x", "s"}, {ints("s", {-1, -1})});
  refused_constant("Split", {"x", "s"}, {ints("s", {3, -1})});
}

TEST_CASE("hostile sessions: the same, known only when the graph runs") {
  const Proto x = input("x", 1, {2, 3}), s1 = input("s", 7, {1}), s2 = input("s", 7, {2}), s3 = input("s", 7, {3});
  const Array data = array<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  refused_at_run("Expand", {"x", "s"}, {x, s3}, {data, array<int64_t>({3}, {kHuge, 2, 3})});
  refused_at_run("Tile", {"x", "s"}, {x, s2}, {data, array<int64_t>({2}, {kHuge, 1})});
  refused_at_run("ConstantOfShape", {"s"}, {s1}, {array<int64_t>({1}, {kHuge})});
  refused_at_run("ConstantOfShape", {"s"}, {s1}, {array<int64_t>({1}, {-1})});
  refused_at_run("Pad", {"x", "s"}, {x, input("s", 7, {4})}, {data, array<int64_t>({4}, {0, INT64_MAX, 0, 0})});
  refused_at_run("Reshape", {"x", "s"}, {x, s2}, {data, array<int64_t>({2}, {kHuge, kHuge})});
  const Proto a = input("a", 7, {}), b = input("b", 7, {}), c = input("c", 7, {});
  refused_at_run("Range", {"a", "b", "c"}, {a, b, c}, {array<int64_t>({}, {0}), array<int64_t>({}, {kHuge}), array<int64_t>({}, {1})});
  refused_at_run("Range", {"a", "b", "c"}, {a, b, c}, {array<int64_t>({}, {INT64_MIN}), array<int64_t>({}, {INT64_MAX}), array<int64_t>({}, {1})});
}

TEST_CASE("hostile sessions: many nodes, constants and outputs take a small multiple of their file") {
  std::vector<Proto> nodes, constants;
  const size_t count = flood(25000), outputs = flood(100000);
  for (size_t i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    nodes.push_back(node("Add", {i == 0 ? "x" : "v" + std::to_string(i - 1), "c" + n}, {"v" + n}));
    constants.push_back(floats("c" + n, {static_cast<float>(i)}));
  }
  std::vector<std::string> parts;
  for (size_t i = 0; i < outputs; ++i) parts.push_back("o" + std::to_string(i));
  const auto all = static_cast<int64_t>(outputs);
  const Proto split = node("Split", {"x"}, parts, {attr("num_outputs", all)});
  for (const Proto& file : {model(18, nodes, {input("x", 1, {1})}, {output("v" + std::to_string(count - 1))}, constants),
                            model(18, {split}, {input("x", 1, {all})}, {output("o1")})}) {
    const int64_t before = peak_kb();
    auto loaded = load_bytes(bytes(file));
    REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.error().message()));
    CHECK(loaded->session().ok());
    if (!kSanitized) CHECK(peak_kb() - before < 96 * 1024);
  }
}

TEST_CASE("hostile sessions: an index that nobody reads is no error, neither of the plan nor of the evaluator") {
  const Exercise e = exercise(bytes(model(18, {node("Gather", {"x", "k"}, {"y"})}, {input("x", 1, {0, 0}), input("k", 7, {1})}, {output("y")})));
  CHECK(e.fault == "");
  CHECK(e.ran > 0);
  CHECK(e.evaluated > 0);
}

TEST_CASE("hostile sessions: a shape of a hundred million entries") {
  refused_constant("ConstantOfShape", {"s"}, {tensor("s", 7, {100000000}).s(9, "")});
  refused(model(
      18,
      {node("ConstantOfShape", {"n"}, {"s"}, {attr_tensor("value", raw_tensor<int64_t>("", 7, {1}, {1}))}), node("ConstantOfShape", {"s"}, {"y"})},
      {}, {output("y")}, {ints("n", {1000000})}));
  refused(model(
      18, {node("ConstantOfShape", {"n"}, {"s"}, {attr_tensor("value", raw_tensor<int64_t>("", 7, {1}, {1}))}), node("Expand", {"x", "s"}, {"y"})},
      {input("x", 1, {1})}, {output("y")}, {ints("n", {1000000})}));
}

TEST_CASE("hostile sessions: dimensions of zero and beyond reason") {
  auto loaded = load_bytes(bytes(model(18, {node("MatMul", {"x", "w"}, {"h"}), node("Softmax", {"h"}, {"y"})}, {input("x", 1, {"n", 2})},
                                       {output("y")}, {raw_tensor<float>("w", 1, {2, 3}, {1, 2, 3, 4, 5, 6})})));
  REQUIRE(loaded.ok());
  auto none = loaded->session({.dims = {{"n", 0}}});
  REQUIRE(none.ok());
  CHECK(none->output<float>("y").empty());
  none->run();
  for (const int64_t n : {int64_t(-1), INT64_MIN}) {
    auto session = loaded->session({.dims = {{"n", n}}});
    REQUIRE(!session.ok());
    CHECK(session.error().code() == Code::kUsage);
  }
  for (const int64_t n : {kHuge, INT64_MAX, INT64_MAX / 8}) {
    auto session = loaded->session({.dims = {{"n", n}}});
    REQUIRE(!session.ok());
    CHECK(session.error().code() == Code::kUnsupported);
    CHECK(session.error().message().find("budget") != std::string::npos);
  }
}

}  // namespace tern::test::in_sessions
