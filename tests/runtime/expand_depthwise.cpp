// join_expand_depthwise: which pairs of convolutions become one node, and that its plans have the bits of the evaluator on the two of them.
#include "runtime/expand_depthwise.h"

#include <doctest/doctest.h>

#include "runtime/assign_layouts.h"
#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "tests/support/graph_builder.h"
#include "tests/support/plans.h"

namespace tern::test::in_expand_depthwise {
namespace {

using Ints = std::vector<int64_t>;

Attributes all(std::initializer_list<std::pair<const char*, Attributes::Value>> list) {
  Attributes attrs;
  for (const auto& [name, value] : list) attrs.set(name, value);
  return attrs;
}
ValueId conv(GraphBuilder& b, ValueId x, Dims w, Attributes attrs, bool biased = true, ValueId residual = kNone) {
  const uint32_t seed = static_cast<uint32_t>(w[0] + w[1]);
  std::vector<ValueId> inputs = {x, b.constant(random_f32(w, seed)), biased ? b.constant(random_f32({w[0]}, seed + 1)) : kNone};
  if (residual != kNone) inputs.push_back(residual);
  return b.emit("FusedConv", std::move(inputs), std::move(attrs));
}
Attributes act(const char* name, float alpha = 0, float beta = 0) {
  return all({{"activation", std::string(name)}, {"alpha", alpha}, {"beta", beta}});
}
Attributes depthwise(int64_t channels, Ints pads, Ints strides, Ints dilations, Attributes attrs = {}) {
  attrs.set("group", channels);
  attrs.set("pads", pads);
  attrs.set("strides", strides);
  attrs.set("dilations", dilations);
  return attrs;
}

// The plans have the bits of the evaluator. Returns how many pairs became one.
int64_t check_joined(GraphBuilder& b, const Tensor& x) {
  Graph plain = b.graph;
  REQUIRE(infer_shapes(plain).ok());
  const Tensor inputs[] = {x};
  auto expected = evaluate_graph(plain, inputs, {});
  REQUIRE_MESSAGE(expected.ok(), (expected.ok() ? "" : expected.error().message()));
  assign_layouts(plain);
  join_expand_depthwise(plain, 0);
  check_plans(plain, inputs, *expected);
  return GraphBuilder::count(plain, "FusedExpandDepthwise");
}

}  // namespace

TEST_CASE("expand_depthwise: any window over any width has the bits of the two convolutions, whole maps and band by band") {
  struct Case {
    int64_t batch, height, width, channels, expanded;
    Ints kernel, pads, strides, dilations;
  };
  for (const Case& c :
       {Case{1, 7, 7, 16, 96, {3, 3}, {1, 1, 1, 1}, {1, 1}, {1, 1}}, Case{2, 14, 14, 24, 72, {5, 5}, {2, 2, 2, 2}, {1, 1}, {1, 1}},
        Case{1, 40, 112, 16, 48, {3, 3}, {1, 1, 1, 1}, {2, 2}, {1, 1}}, Case{1, 75, 91, 32, 40, {3, 3}, {1, 1, 1, 1}, {1, 1}, {1, 1}},
        Case{2, 60, 112, 20, 33, {5, 5}, {2, 1, 1, 2}, {2, 2}, {1, 1}}, Case{1, 50, 61, 16, 17, {3, 2}, {2, 0, 4, 1}, {1, 2}, {2, 1}},
        Case{1, 64, 90, 16, 32, {2, 3}, {0, 0, 0, 0}, {3, 3}, {1, 1}}, Case{1, 70, 100, 16, 32, {1, 1}, {1, 1, 0, 0}, {4, 1}, {1, 1}},
        Case{1, 45, 90, 16, 32, {3, 3}, {6, 2, 6, 2}, {1, 1}, {1, 2}}, Case{1, 33, 16, 17, 16, {9, 3}, {4, 1, 4, 1}, {1, 1}, {3, 1}}}) {
    CAPTURE(c.height);
    CAPTURE(c.width);
    GraphBuilder b;
    ValueId v = conv(b, b.input("x", {c.batch, 3, c.height, c.width}), {c.channels, 3, 1, 1}, {});
    v = conv(b, v, {c.expanded, c.channels, 1, 1}, act("Clip", 0, 6), c.batch == 1);
    v = conv(b, v, {c.expanded, 1, c.kernel[0], c.kernel[1]}, depthwise(c.expanded, c.pads, c.strides, c.dilations, act("HardSwish")),
             c.channels != 16);
    b.output(conv(b, v, {16, c.expanded, 3, 3}, all({{"pads", Ints{1, 1, 1, 1}}})));
    CHECK(check_joined(b, random_f32({c.batch, 3, c.height, c.width}, 1)) == 1);
  }
}

TEST_CASE("expand_depthwise: an activation that gives something for zero leaves the padding zero") {
  GraphBuilder b;
  ValueId v = conv(b, b.input("x", {1, 3, 30, 90}), {16, 3, 1, 1}, {});
  v = conv(b, v, {24, 16, 1, 1}, act("Sigmoid"));
  v = conv(b, v, {24, 1, 3, 3}, depthwise(24, {1, 1, 1, 1}, {1, 1}, {1, 1}, act("Swish", 1)));
  b.output(conv(b, v, {16, 24, 1, 1}, {}));
  CHECK(check_joined(b, random_f32({1, 3, 30, 90}, 1)) == 1);
}

TEST_CASE("expand_depthwise: large maps are joined where layouts are assigned, small ones are not") {
  for (int64_t columns : {112, 28}) {
    GraphBuilder b;
    ValueId v = conv(b, b.input("x", {1, 3, 28, columns}), {16, 3, 1, 1}, {});
    v = conv(b, conv(b, v, {48, 16, 1, 1}, {}), {48, 1, 3, 3}, depthwise(48, {1, 1, 1, 1}, {1, 1}, {1, 1}));
    b.output(conv(b, v, {16, 48, 1, 1}, {}));
    Graph g = b.graph;
    REQUIRE(infer_shapes(g).ok());
    assign_layouts(g);
    CHECK(GraphBuilder::count(g, "FusedExpandDepthwise") == (columns == 112));
  }
}

TEST_CASE("expand_depthwise: a map that is read twice, a residual, a window of several taps before, a stride and a single column stay two nodes") {
  enum class Case { read_twice, output, residual, taps, stride, padding, column, groups };
  for (Case c : {Case::read_twice, Case::output, Case::residual, Case::taps, Case::stride, Case::padding, Case::column, Case::groups}) {
    CAPTURE(static_cast<int>(c));
    GraphBuilder b;
    const int64_t width = c == Case::column ? 1 : 90;
    const ValueId first = conv(b, b.input("x", {1, 3, 40, width}), {32, 3, 1, 1}, {});
    Attributes attrs;
    if (c == Case::stride) attrs.set("strides", Ints{2, 1});
    if (c == Case::taps) attrs.set("pads", Ints{1, 0, 1, 0});
    if (c == Case::padding) attrs.set("pads", Ints{0, 1, 0, 0});
    if (c == Case::groups) attrs.set("group", int64_t(2));
    const ValueId m = conv(b, first, {32, c == Case::groups ? 16 : 32, c == Case::taps ? 3 : 1, 1}, attrs);
    const ValueId y = conv(b, m, {32, 1, 3, 3}, depthwise(32, {1, 1, 1, 1}, {1, 1}, {1, 1}), true, c == Case::residual ? first : kNone);
    b.output(conv(b, y, {16, 32, 1, 1}, {}));
    if (c == Case::read_twice) b.output(conv(b, m, {16, 32, 1, 1}, {}));
    if (c == Case::output) b.output(m);
    CHECK(check_joined(b, random_f32({1, 3, 40, width}, 1)) == 0);
  }
}

}  // namespace tern::test::in_expand_depthwise
