// assign_layouts: which values become blocked, and that the plan on blocked values has the bits of the evaluator on plain ones.
#include "runtime/assign_layouts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "kernels/conv/conv.h"
#include "kernels/layouts.h"
#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "tests/support/graph_builder.h"
#include "tests/support/plans.h"

namespace tern::test::in_assign_layouts {
namespace {

using Ints = std::vector<int64_t>;

// Conv or FusedConv with random weights.
ValueId conv(GraphBuilder& b, ValueId x, Dims w, Attrs attrs, const char* op = "Conv") {
  return b.node(op, {x, b.constant(random_f32(w, 7)), b.constant(random_f32({w[0]}, 8))}, attrs);
}

// Plans the blocked graph on every ISA and thread count, twice over (the arena is full of the first run then), and compares with
// the evaluator on the plain one. Returns the blocked graph.
Graph check_blocked(Graph plain, const Tensor& x) {
  REQUIRE(infer_shapes(plain).ok());
  const Tensor inputs[] = {x};
  auto expected = evaluate_graph(plain, inputs, {});
  REQUIRE_MESSAGE(expected.ok(), (expected.ok() ? "" : expected.error().message()));
  Graph blocked = plain;
  assign_layouts(blocked);
  check_plans(blocked, inputs, *expected);
  return blocked;
}

// How many ConcatBlocks a plan runs.
int64_t joins(const Graph& blocked) {
  auto program = make_program(blocked, {.budget = int64_t(1) << 30});
  REQUIRE(program.ok());
  return std::count_if((*program)->work.begin(), (*program)->work.end(),
                       [](const Work& w) { return w.node != nullptr && w.node->op == &kConcatBlocks; });
}

}  // namespace

TEST_CASE("assign_layouts: between convolutions values are blocked, with the halo of the reader, and nothing is reordered") {
  GraphBuilder b;
  ValueId v = conv(b, b.input("x", {1, 3, 9, 11}), {20, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  v = conv(b, v, {33, 20, 3, 3}, {{"pads", Ints{2, 1, 0, 1}}, {"strides", Ints{2, 1}}});
  b.output(conv(b, v, {5, 33, 1, 1}, {}));
  const Graph g = check_blocked(b.graph, random_f32({1, 3, 9, 11}, 1));
  CHECK(GraphBuilder::count(g, "Reorder") == 0);
  CHECK(g.value(g.nodes[0].outputs[0]).layout == Layout{true, 2, 0, 1, 1});
  CHECK(g.value(g.nodes[1].outputs[0]).layout == Layout{true, 0, 0, 0, 0});
  CHECK_FALSE(g.value(g.nodes[2].outputs[0]).layout.blocked);
}

TEST_CASE("assign_layouts: threads that share a map in stripes compute each tile of it once") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {1, 3, 90, 47}), {33, 3, 1, 1}, {});
  b.output(conv(b, v, {80, 33, 1, 1}, {}));
  b.output(conv(b, v, {50, 33, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  check_blocked(b.graph, random_f32({1, 3, 90, 47}, 1));
}

TEST_CASE("assign_layouts: readers of different padding share the widest halo") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {2, 3, 8, 7}), {17, 3, 1, 1}, {});
  b.output(conv(b, v, {16, 17, 3, 1}, {{"pads", Ints{1, 0, 1, 0}}}));
  b.output(conv(b, v, {16, 17, 1, 5}, {{"pads", Ints{0, 2, 0, 2}}}));
  b.output(conv(b, v, {16, 17, 1, 1}, {}));
  const Graph g = check_blocked(b.graph, random_f32({2, 3, 8, 7}, 1));
  CHECK(g.value(g.nodes[0].outputs[0]).layout == Layout{true, 1, 1, 2, 2});
}

TEST_CASE("assign_layouts: a value that is also read plainly is reordered once") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {1, 3, 6, 5}), {16, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  b.output(conv(b, v, {16, 16, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  b.output(b.node("Transpose", {v}));
  b.output(v);
  CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 6, 5}, 1)), "Reorder") == 1);
}

TEST_CASE("assign_layouts: a plain input of many channels is reordered, halo and all") {
  GraphBuilder b;
  b.output(conv(b, b.input("x", {2, 18, 6, 21}), {16, 18, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  const Graph g = check_blocked(b.graph, random_f32({2, 18, 6, 21}, 1));
  REQUIRE(GraphBuilder::count(g, "Reorder") == 1);
  CHECK(g.value(g.nodes[0].outputs[0]).layout == Layout{true, 1, 1, 1, 1});
}

TEST_CASE("assign_layouts: what a Slice or a Split would copy is reordered from where it lies, unless neither columns nor channels lie together") {
  struct Case {
    Dims x;
    std::function<ValueId(GraphBuilder&, ValueId)> cut;
    int64_t copies;
  };
  const auto slice = [](Ints starts, Ints ends, Ints axes, Ints steps) {
    return [=](GraphBuilder& b, ValueId x) { return b.node("Slice", {x, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(steps)}); };
  };
  const auto last = [=](GraphBuilder& b, ValueId x) {  // channels last, in columns before rows, every other one of these
    const ValueId cut = b.node("Slice", {x, b.ints({1, 1}), b.ints({5, 21}), b.ints({1, 2}), b.ints({1, 2})});
    return b.node("Transpose", {b.node("Slice", {cut, b.ints({2}), b.ints({22}), b.ints({3})})}, {{"perm", Ints{0, 3, 2, 1}}});
  };
  const auto outer = [=](GraphBuilder& b, ValueId x) { return b.node("Squeeze", {slice({1}, {2}, {1}, {1})(b, x), b.ints({1})}); };
  for (const Case& c : {Case{{2, 18, 6, 21}, slice({2, 1}, {21, 5}, {3, 2}, {1, 2}), 0}, Case{{2, 37, 6, 5}, slice({3}, {35}, {1}, {2}), 0},
                        Case{{1, 20, 64}, slice({33}, {64}, {2}, {1}), 0}, Case{{2, 18, 6, 21}, slice({2}, {21}, {3}, {2}), 1},
                        Case{{2, 6, 21, 24}, last, 0}, Case{{2, 3, 18, 4, 5}, outer, 0}}) {
    GraphBuilder b;
    const ValueId v = c.cut(b, b.input("x", Shape(c.x)));
    REQUIRE(infer_shapes(b.graph).ok());
    const int64_t channels = b.graph.value(v).type.shape[1].value();
    if (c.x.rank == 3) b.output(conv(b, v, {16, channels, 3}, {{"pads", Ints{1, 1}}}));
    else b.output(conv(b, v, {16, channels, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32(c.x, 1));
    CHECK(GraphBuilder::count(g, "Reorder") == 1);
    CHECK(GraphBuilder::count(g, "FusedConv") + GraphBuilder::count(g, "Conv") + 1 + c.copies == static_cast<int64_t>(g.nodes.size()));
  }
  GraphBuilder b;  // both halves, and one of them is read besides
  const ValueId x = b.input("x", {2, 40, 6, 5}), low = b.node("Slice", {x, b.ints({0}), b.ints({20}), b.ints({1})}),
                high = b.node("Slice", {x, b.ints({20}), b.ints({40}), b.ints({1})});
  for (ValueId v : {low, high}) b.output(conv(b, v, {16, 20, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  b.output(high);
  const Graph g = check_blocked(b.graph, random_f32({2, 40, 6, 5}, 1));
  CHECK(GraphBuilder::count(g, "Reorder") == 2);
  CHECK(GraphBuilder::count(g, "Slice") == 1);
}

TEST_CASE("assign_layouts: pools, depthwise and grouped convolutions, residuals stay blocked") {
  GraphBuilder b;
  ValueId v = conv(b, b.input("x", {1, 3, 12, 13}), {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  v = b.node("MaxPool", {v}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}});
  const ValueId skip = v;
  v = conv(b, v, {32, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t(32)}});
  v = b.node("FusedConv", {v, b.constant(random_f32({32, 16, 3, 3}, 3)), kNone, skip},
             {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t(2)}, {"activation", std::string("Relu")}});
  v = b.node("AveragePool", {v},
             {{"kernel_shape", Ints{2, 2}}, {"ceil_mode", int64_t(1)}, {"pads", Ints{1, 0, 0, 1}}, {"count_include_pad", int64_t(1)}});
  v = conv(b, v, {40, 32, 1, 1}, {});
  b.output(b.node("GlobalAveragePool", {v}));
  const Graph g = check_blocked(b.graph, random_f32({1, 3, 12, 13}, 1));
  CHECK(GraphBuilder::count(g, "Reorder") == 0);
}

TEST_CASE("assign_layouts: values are joined to a blocked one, at whole blocks and between them, with plain ones of few channels") {
  for (int64_t channels : {16, 24, 33, 8}) {
    for (int64_t last : {32, 20}) {
      GraphBuilder b;
      const ValueId v = conv(b, b.input("x", {2, 3, 5, 6}), {16, 3, 1, 1}, {});
      const ValueId joined = b.node("Concat", {conv(b, v, {channels, 16, 1, 1}, {}), v, conv(b, v, {last, 16, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}})},
                                    {{"axis", int64_t(1)}});
      b.output(conv(b, joined, {16, 16 + last + channels, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
      const Graph g = check_blocked(b.graph, random_f32({2, 3, 5, 6}, 1));
      CHECK(GraphBuilder::count(g, "ConcatBlocks") == 1);
      CHECK(GraphBuilder::count(g, "Reorder") == 0);
    }
  }
}

TEST_CASE("assign_layouts: channels are cut from blocked values, at whole blocks and between them") {
  for (int64_t first : {0, 16, 21}) {
    GraphBuilder b;  // two axes at once, one of them whole
    const ValueId v = conv(b, b.input("x", {2, 3, 5, 6}), {50, 3, 1, 1}, {});
    const ValueId cut = b.node("Slice", {v, b.ints({0, first - 50}), b.ints({5, first + 18}), b.ints({-2, 1})});
    b.output(conv(b, cut, {16, 18, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 5, 6}, 1));
    CHECK(GraphBuilder::count(g, "ConcatBlocks") == 1);
    CHECK(GraphBuilder::count(g, "Reorder") == 0);
  }
  for (const Ints& parts : {Ints{32, 32}, Ints{20, 44}, Ints{17, 16, 31}, Ints{8, 56}}) {
    GraphBuilder b;
    const ValueId v = conv(b, b.input("x", {2, 3, 5, 6}), {64, 3, 1, 1}, {});
    const std::vector<ValueId> cut = b.nodes("Split", {v, b.ints(parts)}, parts.size(), {{"axis", int64_t(-3)}});
    for (size_t i = 0; i < parts.size(); ++i) b.output(conv(b, cut[i], {16, parts[i], 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 5, 6}, 1));
    CHECK(GraphBuilder::count(g, "ConcatBlocks") == (parts[0] == 8 ? 0 : static_cast<int>(parts.size())));
  }
  GraphBuilder b;  // every second channel, rows from below, channels and rows at once: not blocked
  const ValueId v = conv(b, b.input("x", {1, 3, 6, 6}), {64, 3, 1, 1}, {});
  b.output(conv(b, b.node("Slice", {v, b.ints({0}), b.ints({64}), b.ints({1}), b.ints({2})}), {16, 32, 1, 1}, {}));
  b.output(conv(b, b.node("Slice", {v, b.ints({-1}), b.ints({-9}), b.ints({2}), b.ints({-1})}), {16, 64, 1, 1}, {}));
  b.output(conv(b, b.node("Slice", {v, b.ints({0, 2}), b.ints({32, 4}), b.ints({1, 2})}), {16, 32, 1, 1}, {}));
  CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 6, 6}, 1)), "ConcatBlocks") == 0);
}

TEST_CASE("assign_layouts: convolutions of 2, 4 and 8 channels a group stay blocked, others of few do not") {
  struct Case {
    int64_t channels, groups, outputs;
    Attrs attrs;
  };
  const Case cases[] = {{32, 8, 32, {{"group", int64_t(8)}, {"pads", Ints{1, 1, 1, 1}}}},
                        {48, 24, 48, {{"group", int64_t(24)}, {"strides", Ints{2, 2}}}},
                        {24, 3, 24, {{"group", int64_t(3)}, {"dilations", Ints{2, 1}}, {"pads", Ints{2, 0, 1, 1}}}},
                        {80, 10, 80, {{"group", int64_t(10)}, {"strides", Ints{1, 2}}, {"pads", Ints{1, 1, 1, 1}}}},
                        {36, 9, 36, {{"group", int64_t(9)}}},
                        {24, 8, 24, {{"group", int64_t(8)}}},   // of 3
                        {32, 8, 64, {{"group", int64_t(8)}}},   // other lanes of y than of x
                        {12, 3, 12, {{"group", int64_t(3)}}}};  // less than a block
  for (const Case& c : cases) {
    CAPTURE(c.channels);
    GraphBuilder b;
    const ValueId v = conv(b, b.input("x", {2, 3, 9, 11}), {c.channels, 3, 1, 1}, {});
    const ValueId w = conv(b, v, {c.outputs, c.channels / c.groups, 3, 3}, c.attrs);
    b.output(conv(b, w, {16, c.outputs, 1, 1}, {}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 9, 11}, 1));
    const bool stays = c.outputs == c.channels && c.channels / c.groups != 3;
    CHECK((GraphBuilder::count(g, "Reorder") == 0) == stays);
    CHECK(g.value(g.nodes[1].outputs[0]).layout.blocked == (stays && c.channels >= 16));
  }
}

TEST_CASE("assign_layouts: rows and columns are cut from blocked values, every one or some, and padded elsewhere") {
  struct Case {
    Ints starts, ends, axes, steps;
  };
  for (const Case& c : {Case{{1, 1}, {INT64_MAX, INT64_MAX}, {2, 3}, {1, 1}}, Case{{-5, 0}, {-1, 8}, {3, 2}, {1, 3}},
                        Case{{0, 2}, {7, 7}, {2, 3}, {2, 2}}, Case{{0, 3}, {32, 4}, {1, -1}, {1, 4}}}) {
    GraphBuilder b;
    const ValueId v = conv(b, b.input("x", {2, 3, 8, 7}), {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
    const ValueId padded = b.node("Pad", {v, b.ints({0, 0, 0, 0, 0, 0, 1, 1})});
    const ValueId w = conv(b, padded, {32, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});  // a halo around what is cut
    const ValueId cut = b.node("Slice", {w, b.ints(c.starts), b.ints(c.ends), b.ints(c.axes), b.ints(c.steps)});
    b.output(conv(b, cut, {16, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    b.output(conv(b, w, {16, 32, 5, 5}, {{"pads", Ints{2, 2, 2, 2}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 8, 7}, 1));
    CHECK(GraphBuilder::count(g, "MapBlocks") == 2);
    CHECK(GraphBuilder::count(g, "Reorder") == 0);
  }
  GraphBuilder b;  // one spatial axis
  const ValueId v = conv(b, b.input("x", {2, 3, 19}), {32, 3, 3}, {});
  b.output(conv(b, b.node("Slice", {v, b.ints({2}), b.ints({16}), b.ints({2}), b.ints({3})}), {16, 32, 3}, {{"pads", Ints{1, 1}}}));
  const Graph g = check_blocked(b.graph, random_f32({2, 3, 19}, 1));
  CHECK(GraphBuilder::count(g, "MapBlocks") == 1);
  CHECK(GraphBuilder::count(g, "Reorder") == 0);
}

TEST_CASE("assign_layouts: one axis, dilated, and a single column") {
  GraphBuilder b;
  ValueId v = conv(b, b.input("x", {1, 16, 40}), {32, 16, 3}, {{"dilations", Ints{1}}});
  v = conv(b, v, {32, 32, 3}, {{"dilations", Ints{4}}, {"pads", Ints{8, 0}}});
  b.output(v);
  check_blocked(b.graph, random_f32({1, 16, 40}, 1));
  GraphBuilder c;
  v = conv(c, c.input("x", {1, 16, 30, 10}), {32, 16, 1, 10}, {});
  v = conv(c, v, {32, 32, 4, 1}, {{"pads", Ints{1, 0, 2, 0}}});
  c.output(conv(c, v, {16, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  check_blocked(c.graph, random_f32({1, 16, 30, 10}, 1));
}

TEST_CASE("assign_layouts: channels-last images are read by the convolution, and written where blocked values end") {
  for (int64_t channels : {16, 35}) {
    GraphBuilder b;
    ValueId v = b.node("Transpose", {b.input("x", {2, 6, 21, channels})}, {{"perm", Ints{0, 3, 1, 2}}});
    v = conv(b, v, {40, channels, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
    v = b.node("MaxPool", {v}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
    b.output(b.node("Transpose", {v}, {{"perm", Ints{0, 2, 3, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 6, 21, channels}, 1));
    CHECK(GraphBuilder::count(g, "Reorder") == 1);
    CHECK(GraphBuilder::count(g, "Transpose") == 0);
  }
  GraphBuilder b;  // two convolutions read it: it is reordered once
  const ValueId v = b.node("Transpose", {b.input("x", {2, 6, 21, 18})}, {{"perm", Ints{0, 3, 1, 2}}});
  b.output(conv(b, v, {40, 18, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  b.output(conv(b, v, {40, 18, 1, 1}, {}));
  CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({2, 6, 21, 18}, 1)), "Reorder") == 1);
}

TEST_CASE("assign_layouts: a convolution reads and writes channels last where Transposes stand beside it") {
  struct Case {
    Dims x, w;
    Attrs attrs;
  };
  const Case cases[] = {{{2, 7, 9, 32}, {32, 1, 7, 7}, {{"pads", Ints{3, 3, 3, 3}}, {"group", int64_t(32)}}},
                        {{2, 7, 9, 37}, {37, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t(37)}}},
                        {{2, 7, 9, 80}, {80, 1, 3, 3}, {{"pads", Ints{0, 1, 2, 1}}, {"group", int64_t(80)}, {"strides", Ints{2, 2}}}},
                        {{2, 7, 9, 7}, {7, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t(7)}}},
                        {{2, 8, 10, 32}, {48, 32, 2, 2}, {{"strides", Ints{2, 2}}}},
                        {{2, 7, 9, 35}, {21, 35, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}},
                        {{2, 7, 9, 3}, {35, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}},
                        {{2, 7, 9, 64}, {32, 32, 3, 1}, {{"group", int64_t(2)}, {"pads", Ints{1, 0, 1, 0}}}},
                        {{2, 7, 9, 40}, {24, 20, 1, 1}, {{"group", int64_t(2)}}},
                        {{2, 30, 18}, {20, 18, 3}, {{"dilations", Ints{2}}}},
                        {{1, 4, 5, 6, 16}, {24, 16, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1, 1, 1}}}}};
  for (const Case& c : cases) {
    CAPTURE(to_string(c.x));
    Ints first(static_cast<size_t>(c.x.rank)), last = first;
    for (int i = 0; i < c.x.rank; ++i) {
      first[static_cast<size_t>(i)] = i == 0 ? 0 : i == 1 ? c.x.rank - 1 : i - 1;
      last[static_cast<size_t>(i)] = i == 0 ? 0 : i == c.x.rank - 1 ? 1 : i + 1;
    }
    GraphBuilder b;
    ValueId v = b.node("Transpose", {b.input("x", Shape(c.x))}, {{"perm", first}});
    v = conv(b, v, c.w, c.attrs);
    b.output(b.node("Sigmoid", {b.node("Transpose", {v}, {{"perm", last}})}));
    const Graph g = check_blocked(b.graph, random_f32(c.x, 1));
    CHECK(g.nodes.size() == 2);
    CHECK(g.nodes[0].attrs.i("channels_last") == 3);
  }
}

TEST_CASE("assign_layouts: what a convolution writes channels last another one reads so, and a residual may be plain or blocked") {
  for (bool blocked : {false, true}) {
    GraphBuilder b;  // as a stage of ConvNeXt begins
    const ValueId x = b.input("x", {1, 3, 8, 10});
    const ValueId skip = conv(b, x, {32, 3, 1, 1}, {}), residual = blocked ? conv(b, skip, {32, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}) : skip;
    const ValueId v = b.node("FusedConv", {skip, b.constant(random_f32({32, 32, 1, 1}, 3)), kNone, residual}, {{"activation", std::string("Relu")}});
    const ValueId last = b.node("Transpose", {v}, {{"perm", Ints{0, 2, 3, 1}}});
    const ValueId y = conv(b, v, {32, 1, 7, 7}, {{"pads", Ints{3, 3, 3, 3}}, {"group", int64_t(32)}});
    b.output(b.node("Add", {last, b.node("Transpose", {y}, {{"perm", Ints{0, 2, 3, 1}}})}));
    const Graph g = check_blocked(b.graph, random_f32({1, 3, 8, 10}, 1));
    CHECK(GraphBuilder::count(g, "Reorder") == 0);
    CHECK(GraphBuilder::count(g, "Transpose") == 0);
  }
}

TEST_CASE("assign_layouts: what a convolution gives stays as it is for an output and for a residual, though a Transpose reads it, too") {
  for (bool residual : {false, true}) {
    CAPTURE(residual);
    GraphBuilder b;
    const ValueId x = b.input("x", {1, 3, 8, 10}), v = conv(b, x, {32, 3, 1, 1}, {});
    b.output(b.node("Transpose", {v}, {{"perm", Ints{0, 2, 3, 1}}}));
    if (residual) b.output(b.node("FusedConv", {x, b.constant(random_f32({32, 3, 1, 1}, 3)), kNone, v}, {{"activation", std::string("Relu")}}));
    else b.output(v);
    check_blocked(b.graph, random_f32({1, 3, 8, 10}, 1));
  }
}

TEST_CASE("assign_layouts: a convolution of few channels reads them last, padded, in place, in groups and one by one") {
  struct Case {
    Dims x, w;
    Attrs attrs;
  };
  const Case cases[] = {{{2, 7, 9, 3}, {20, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}},
                        {{2, 7, 9, 3}, {20, 3, 3, 2}, {{"strides", Ints{2, 2}}, {"dilations", Ints{1, 2}}}},
                        {{2, 7, 9, 3}, {5, 3, 1, 1}, {}},
                        {{2, 7, 9, 6}, {32, 3, 3, 3}, {{"group", int64_t(2)}, {"pads", Ints{0, 1, 1, 0}}}},
                        {{2, 7, 9, 6}, {32, 3, 2, 1}, {{"group", int64_t(2)}}},
                        {{2, 7, 9, 5}, {5, 1, 3, 3}, {{"group", int64_t(5)}, {"pads", Ints{1, 1, 1, 1}}}},
                        {{2, 19, 4}, {16, 4, 5}, {{"pads", Ints{4, 0}}}}};
  for (const Case& c : cases) {
    GraphBuilder b;
    const Ints perm = c.x.rank == 4 ? Ints{0, 3, 1, 2} : Ints{0, 2, 1};
    ValueId v = b.node("Transpose", {b.input("x", Shape(c.x))}, {{"perm", perm}});
    v = conv(b, v, c.w, c.attrs);
    b.output(v);
    const Graph g = check_blocked(b.graph, random_f32(c.x, 1));
    CHECK(GraphBuilder::count(g, "Transpose") == 0);
    CHECK(g.nodes[0].attrs.i("channels_last") == 1);
  }
}

TEST_CASE("assign_layouts: a Transpose that others read stays for them; one of any other order is read where it lies, and stays where values end") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 6, 5, 16});
  const ValueId v = b.node("Transpose", {x}, {{"perm", Ints{0, 3, 1, 2}}});
  b.output(conv(b, v, {16, 16, 1, 1}, {}));
  b.output(b.node("Relu", {v}));
  const ValueId w = b.node("Transpose", {x}, {{"perm", Ints{0, 3, 2, 1}}});
  b.output(b.node("Transpose", {conv(b, w, {16, 16, 1, 1}, {})}, {{"perm", Ints{0, 3, 2, 1}}}));
  const Graph g = check_blocked(b.graph, random_f32({1, 6, 5, 16}, 1));
  CHECK(GraphBuilder::count(g, "Transpose") == 2);
  CHECK(GraphBuilder::count(g, "Reorder") == 2);
}

TEST_CASE("assign_layouts: what lies between convolutions element by element is computed on blocks, each halo zero") {
  struct Case {
    std::string name;
    int64_t maps;
    std::function<ValueId(GraphBuilder&, ValueId v, ValueId w)> make;
  };
  auto vector = [](GraphBuilder& b, uint32_t seed) { return b.constant(random_f32({32}, seed, 1, 2)); };
  const Case cases[] = {
      {"squeeze and excite", 1,
       [](GraphBuilder& b, ValueId v, ValueId) {
         const ValueId s = conv(b, b.node("GlobalAveragePool", {v}), {32, 32, 1, 1}, {{"activation", std::string("Sigmoid")}}, "FusedConv");
         return b.node("Mul", {s, v});
       }},
      {"norm and activation", 1,
       [&](GraphBuilder& b, ValueId v, ValueId) {
         return b.node("Relu", {b.node("BatchNormalization", {v, vector(b, 1), vector(b, 2), vector(b, 3), vector(b, 4)})});
       }},
      {"sum of two", 2,
       [](GraphBuilder& b, ValueId v, ValueId w) {
         return b.node("Sub", {w, b.node("Add", {v, w})});
       }},
      {"vectors", 2,
       [](GraphBuilder& b, ValueId v, ValueId) {
         return b.node("Sub", {b.node("Mul", {v, b.constant(random_f32({32, 1, 1}, 1))}), b.constant(random_f32({2, 32, 1, 1}, 2))});
       }},
      {"numbers", 3,
       [](GraphBuilder& b, ValueId v, ValueId) {
         v = b.node("Add", {b.constant(Tensor::scalar(0.5f)), b.node("Mul", {v, b.constant(random_f32({1, 1}, 1))})});
         return b.node("Div", {v, b.constant(random_f32({1, 1, 1, 1}, 2, 1, 2))});
       }},
      {"larger, smaller", 7,
       [&](GraphBuilder& b, ValueId v, ValueId w) {
         const ValueId nan = b.node("Div", {b.node("Sub", {v, v}), b.node("Sub", {w, w})});
         return b.node("Min", {b.node("Max", {b.node("Max", {v, w}), b.constant(random_f32({32, 1, 1}, 3, -1, 1))}), b.node("Max", {nan, v})});
       }},
      {"slopes", 2,
       [](GraphBuilder& b, ValueId v, ValueId) {
         return b.node("PRelu", {b.node("PRelu", {v, b.constant(random_f32({32, 1, 1}, 3, -1, 1))}), b.constant(random_f32({1}, 4))});
       }},
      {"ends", 2,
       [](GraphBuilder& b, ValueId v, ValueId) {
         return b.node("Clip", {b.node("Clip", {v, b.constant(Tensor::scalar(-0.25f))}), kNone, b.constant(Tensor::scalar(0.5f))});
       }},
      {"a norm of a large epsilon", 1,
       [&](GraphBuilder& b, ValueId v, ValueId) {
         return b.node("BatchNormalization", {v, vector(b, 1), vector(b, 2), vector(b, 3), vector(b, 4)}, {{"epsilon", 0.75f}});
       }},
      {"activations", 2, [](GraphBuilder& b, ValueId v, ValueId) { return b.node("Tanh", {b.node("Sigmoid", {v})}); }},
      {"padding", 2,
       [](GraphBuilder& b, ValueId v, ValueId) {
         v = b.node("Sigmoid", {b.node("Pad", {v, b.ints({0, 0, 1, 2, 0, 0, 3, 0})})});
         return b.node("MaxPool", {v}, {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}});
       }},
      {"upsampling", 1,
       [](GraphBuilder& b, ValueId v, ValueId) {
         const float scales[] = {3, 2};
         return b.node("Resize", {v, kNone, b.constant(Tensor::of<float>({2}, scales))},
                       {{"axes", Ints{2, 3}}, {"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
       }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    GraphBuilder b;
    const ValueId x = b.input("x", {2, 3, 7, 9});
    const ValueId v = conv(b, x, {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}), w = conv(b, v, {32, 32, 1, 1}, {});
    b.output(conv(b, c.make(b, v, w), {16, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 7, 9}, 1));
    CHECK(GraphBuilder::count(g, "Reorder") == 0);
    CHECK(GraphBuilder::count(g, "MapBlocks") == c.maps);
  }
}

TEST_CASE("assign_layouts: what only looks like a map of blocks is computed on plain values") {
  struct Case {
    std::string name;
    std::function<ValueId(GraphBuilder&, ValueId v)> make;
  };
  const Case cases[] = {
      {"a number less a map",
       [](GraphBuilder& b, ValueId v) {
         return b.node("Sub", {b.constant(random_f32({32, 1, 1}, 3)), v});
       }},
      {"as many numbers as channels",
       [](GraphBuilder& b, ValueId v) {
         return b.node("Add", {v, b.constant(random_f32({1, 4, 8}, 3))});
       }},
      {"Gelu by tanh",
       [](GraphBuilder& b, ValueId v) {
         return b.node("Gelu", {v}, {{"approximate", std::string("tanh")}});
       }},
      {"more channels",
       [](GraphBuilder& b, ValueId v) {
         return b.node("Pad", {v, b.ints({0, 1, 0, 1, 0, 0, 0, 1})});
       }},
      {"more images",
       [](GraphBuilder& b, ValueId v) {
         return b.node("Pad", {v, b.ints({1, 0, 0, 1, 0, 0, 0, 1})});
       }},
      {"places of maxima",
       [](GraphBuilder& b, ValueId v) {
         const auto both = b.nodes("MaxPool", {v}, 2, {{"kernel_shape", Ints{2, 2}}});
         return b.node("Add", {both[0], b.node("Cast", {both[1]}, {{"to", int64_t(1)}})});
       }},
      {"joined rows",
       [](GraphBuilder& b, ValueId v) {
         return b.node("Concat", {v, v}, {{"axis", int64_t(2)}});
       }},
      {"transposed in groups",
       [](GraphBuilder& b, ValueId v) {
         return b.node("ConvTranspose", {v, b.constant(random_f32({32, 16, 2, 2}, 3))}, {{"group", int64_t(2)}, {"strides", Ints{2, 2}}});
       }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    GraphBuilder b;
    const ValueId v = conv(b, b.input("x", {2, 3, 4, 8}), {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}), made = c.make(b, v);
    b.output(conv(b, made, {16, c.name == "more channels" ? 33 : 32, 1, 1}, {}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 4, 8}, 1));
    CHECK(GraphBuilder::count(g, "Reorder") > 0);
    CHECK(GraphBuilder::count(g, "MapBlocks") == 0);
  }
}

TEST_CASE("assign_layouts: means that lose their axes") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {2, 3, 4, 8}), {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  const ValueId mean = b.node("ReduceMean", {v, b.ints({2, 3})}, {{"keepdims", int64_t(0)}});
  b.output(b.node("MatMul", {mean, b.constant(random_f32({32, 5}, 3))}));
  check_blocked(b.graph, random_f32({2, 3, 4, 8}, 1));
}

TEST_CASE("assign_layouts: channels that fill no whole block, and means of them that a padded convolution reads") {
  for (int64_t channels : {32, 21}) {
    GraphBuilder b;
    const ValueId v = conv(b, b.input("x", {2, 3, 4, 5}), {channels, 3, 3, 3}, {});
    const ValueId s = conv(b, b.node("GlobalAveragePool", {v}), {channels, channels, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
    b.output(conv(b, b.node("Relu", {b.node("Mul", {v, s})}), {16, channels, 2, 2}, {{"pads", Ints{1, 1, 1, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 4, 5}, 1));
    CHECK(GraphBuilder::count(g, "Reorder") == 0);
    CHECK(GraphBuilder::count(g, "MapBlocks") == 1);
  }
}

TEST_CASE("assign_layouts: an activation joins the map before it, and no other that is read besides") {
  for (bool read_twice : {false, true}) {
    GraphBuilder b;
    const ValueId v = conv(b, b.input("x", {1, 3, 5, 5}), {16, 3, 1, 1}, {});
    const ValueId sum = b.node("Add", {v, b.constant(random_f32({16, 1, 1}, 1))});
    b.output(conv(b, b.node("Sigmoid", {sum}), {16, 16, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    if (read_twice) b.output(conv(b, sum, {16, 16, 1, 1}, {}));
    const Graph g = check_blocked(b.graph, random_f32({1, 3, 5, 5}, 1));
    CHECK(GraphBuilder::count(g, "MapBlocks") == (read_twice ? 2 : 1));
  }
}

TEST_CASE("assign_layouts: ReduceMean over whole maps stays blocked, in the order of ReduceMean") {
  for (int64_t width : {1, 2, 5, 16, 23, 37}) {
    for (int64_t keep : {0, 1}) {
      GraphBuilder b;
      const ValueId v = conv(b, b.input("x", {2, 3, 4, width}), {21, 3, 1, 1}, {});
      const ValueId mean = b.node("ReduceMean", {v, b.ints({-1, 2})}, {{"keepdims", keep}});
      b.output(keep ? conv(b, b.node("Mul", {v, conv(b, mean, {21, 21, 1, 1}, {})}), {16, 21, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}) : mean);
      const Graph g = check_blocked(b.graph, random_f32({2, 3, 4, width}, 1));
      CHECK(GraphBuilder::count(g, "MeanBlocks") == 1);
      CHECK(GraphBuilder::count(g, "Reorder") == 0);
    }
  }
  GraphBuilder b;  // over columns alone: plain
  const ValueId v = conv(b, b.input("x", {1, 3, 4, 5}), {16, 3, 1, 1}, {});
  b.output(b.node("ReduceMean", {conv(b, v, {16, 16, 1, 1}, {}), b.ints({3})}));
  CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 4, 5}, 1)), "MeanBlocks") == 0);
}

TEST_CASE("assign_layouts: padding and repeating stand alone between maps") {
  for (bool pad : {false, true}) {
    GraphBuilder b;
    ValueId v = conv(b, b.input("x", {1, 3, 5, 5}), {16, 3, 1, 1}, {});
    v = b.node("Add", {v, b.constant(random_f32({16, 1, 1}, 1))});
    if (pad) v = b.node("Pad", {v, b.ints({0, 0, 1, 1, 0, 0, 1, 1})});
    else
      v = b.node("Resize", {v, kNone, kNone, b.ints({1, 16, 10, 10})},
                 {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
    b.output(conv(b, b.node("Sigmoid", {v}), {16, 16, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 5, 5}, 1)), "MapBlocks") == 3);
  }
}

TEST_CASE("assign_layouts: a Resize that filters rows and columns stays blocked, with the halo of what it reads") {
  for (const char* mode : {"linear", "cubic"}) {
    for (const Ints& size : {Ints{2, 21, 10, 14}, Ints{2, 21, 3, 11}, Ints{2, 21, 5, 9}}) {
      for (const char* where : {"half_pixel", "align_corners", "asymmetric"}) {
        GraphBuilder b;
        const ValueId v = conv(b, b.input("x", {2, 3, 5, 7}), {21, 3, 1, 1}, {});
        const ValueId up = b.node("Resize", {v, kNone, kNone, b.ints(size)},
                                  {{"mode", std::string(mode)}, {"coordinate_transformation_mode", std::string(where)}, {"antialias", int64_t(0)}});
        b.output(conv(b, up, {16, 21, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
        b.output(conv(b, v, {16, 21, 5, 5}, {{"pads", Ints{2, 1, 2, 3}}}));
        const Graph g = check_blocked(b.graph, random_f32({2, 3, 5, 7}, 1));
        CHECK((GraphBuilder::count(g, "Reorder") == 0) == (size[2] != 5));
      }
    }
  }
  GraphBuilder b;  // one spatial axis
  const ValueId v = conv(b, b.input("x", {2, 3, 9}), {32, 3, 3}, {});
  const ValueId up = b.node("Resize", {v, kNone, kNone, b.ints({2, 32, 15})}, {{"mode", std::string("linear")}});
  b.output(conv(b, up, {16, 32, 3}, {{"pads", Ints{1, 1}}}));
  CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({2, 3, 9}, 1)), "Reorder") == 0);
}

TEST_CASE("assign_layouts: transposed convolutions read and write blocks, and what they make is joined") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {2, 3, 5, 6}), {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
  const ValueId up = b.node("ConvTranspose", {v, b.constant(random_f32({32, 16, 3, 2}, 3)), b.constant(random_f32({16}, 4))},
                            {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 0, 1}}});
  const ValueId other =
      b.node("ConvTranspose", {v, b.constant(random_f32({32, 16, 3, 2}, 5))}, {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 0, 1}}});
  b.output(conv(b, b.node("Concat", {up, other}, {{"axis", int64_t(1)}}), {16, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  const Graph g = check_blocked(b.graph, random_f32({2, 3, 5, 6}, 1));
  CHECK(GraphBuilder::count(g, "Reorder") == 0);
  CHECK(GraphBuilder::count(g, "ConcatBlocks") == 1);
}

TEST_CASE("assign_layouts: a fused transposed convolution adds blocked and plain residuals") {
  for (bool plain : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {1, 3, 8, 10});
    const ValueId small = conv(b, x, {16, 3, 3, 3}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
    const ValueId r = plain ? b.constant(random_f32({1, 17, 8, 10}, 9)) : conv(b, x, {17, 3, 1, 1}, {});
    const ValueId up = b.node("FusedConvTranspose", {small, b.constant(random_f32({16, 17, 3, 2}, 3)), kNone, r},
                              {{"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 0, 0}}, {"activation", std::string("Relu")}});
    b.output(conv(b, up, {5, 17, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    b.output(conv(b, up, {17, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t(17)}}));  // reads the halo's columns
    CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 8, 10}, 1)), "Reorder") == 0);
  }
}

TEST_CASE("assign_layouts: phases that lie columns apart are written to blocks, and brought back once; fewer channels and other strides are not") {
  struct Case {
    int64_t channels, stride;
    bool blocked;
  };
  for (const Case& k : {Case{17, 2, true}, Case{8, 2, true}, Case{3, 2, false}, Case{17, 1, false}}) {
    GraphBuilder b;
    const ValueId up =
        b.node("ConvTranspose", {b.input("x", {2, 5, 4, 6}), b.constant(random_f32({5, k.channels, 2, 2}, 3))}, {{"strides", Ints{2, k.stride}}});
    b.output(up);
    b.output(b.node("Erf", {up}));
    CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({2, 5, 4, 6}, 1)), "Reorder") == k.blocked);
  }
}

TEST_CASE("assign_layouts: a residual whose blocks hold channels of several groups is brought back first") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 3, 5, 6});
  const ValueId many = conv(b, x, {48, 3, 1, 1}, {}), residual = conv(b, x, {16, 3, 1, 1}, {});
  b.output(
      b.node("FusedConv", {many, b.constant(random_f32({16, 24, 3, 3}, 3)), kNone, residual}, {{"group", int64_t(2)}, {"pads", Ints{1, 1, 1, 1}}}));
  b.output(conv(b, residual, {16, 16, 3, 3}, {}));
  CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 5, 6}, 1)), "Reorder") == 1);
}

TEST_CASE("assign_layouts: depthwise and grouped convolutions of several blocks add the residual of each") {
  for (int64_t ics : {1, 4}) {
    GraphBuilder b;
    const ValueId skip = conv(b, b.input("x", {1, 3, 6, 7}), {48, 3, 3, 3}, {});
    const ValueId v =
        b.node("FusedConv", {skip, b.constant(random_f32({48, ics, 3, 3}, 3)), kNone, skip}, {{"pads", Ints{1, 1, 1, 1}}, {"group", 48 / ics}});
    b.output(conv(b, v, {16, 48, 1, 1}, {}));
    CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({1, 3, 6, 7}, 1)), "Reorder") == 0);
  }
}

TEST_CASE("assign_layouts: what is resized has no halo, and is copied where the result has one") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {1, 3, 4, 5}), {16, 3, 1, 1}, {});
  const ValueId up = b.node("Resize", {v, kNone, kNone, b.ints({1, 16, 8, 10})}, {{"mode", std::string("linear")}});
  const ValueId other = conv(b, b.input("z", {1, 3, 8, 10}), {16, 3, 1, 1}, {});
  b.output(conv(b, b.node("Concat", {up, other}, {{"axis", int64_t(1)}}), {5, 32, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
  const Graph plain = b.graph;
  Graph g = plain;
  REQUIRE(infer_shapes(g).ok());
  const Tensor inputs[] = {random_f32({1, 3, 4, 5}, 1), random_f32({1, 3, 8, 10}, 2)};
  auto expected = evaluate_graph(g, inputs, {});
  REQUIRE(expected.ok());
  assign_layouts(g);
  check_plans(g, inputs, *expected);
  CHECK(joins(g) == 1);
}

TEST_CASE("assign_layouts: what is joined at whole blocks is computed where the result has it, and nothing is copied, whatever the batch") {
  for (int64_t images : {1, 3}) {
    GraphBuilder b;  // joined twice over; a reader of less padding, an activation and a skip, as in a U-Net
    const ValueId x = b.input("x", {images, 3, 8, 9});
    const ValueId skip = conv(b, x, {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
    const ValueId pooled = b.node("MaxPool", {skip}, {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 0, 0, 1}}, {"strides", Ints{2, 2}}});
    const ValueId up =
        b.node("ConvTranspose", {pooled, b.constant(random_f32({32, 16, 2, 2}, 3))}, {{"strides", Ints{2, 2}}, {"pads", Ints{0, 0, 0, 1}}});
    const ValueId inner = b.node("Concat", {b.node("Sigmoid", {up}), skip}, {{"axis", int64_t(1)}});
    const ValueId outer = b.node("Concat", {inner, conv(b, x, {17, 3, 1, 1}, {})}, {{"axis", int64_t(1)}});
    b.output(conv(b, outer, {5, 65, 3, 3}, {{"pads", Ints{1, 0, 1, 2}}}));
    const Graph g = check_blocked(b.graph, random_f32({images, 3, 8, 9}, 1));
    CHECK(GraphBuilder::count(g, "ConcatBlocks") == 2);
    CHECK(joins(g) == 0);
  }
}

TEST_CASE("assign_layouts: what is joined may be read later and be an output, and is copied when it is joined twice") {
  enum class Kind { plain, between, later, twice, output };
  for (Kind kind : {Kind::plain, Kind::between, Kind::later, Kind::twice, Kind::output}) {
    CAPTURE(static_cast<int>(kind));
    GraphBuilder b;
    const int64_t channels = kind == Kind::between ? 24 : 32;
    const ValueId x = b.input("x", {2, 3, 6, 7});
    const ValueId first = conv(b, x, {channels, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
    const ValueId second = kind == Kind::twice ? first : conv(b, x, {channels, 3, 1, 1}, {});
    const ValueId joined = b.node("Relu", {b.node("Concat", {first, second}, {{"axis", int64_t(1)}})});
    const ValueId y = conv(b, joined, {channels, 2 * channels, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
    b.output(kind == Kind::later ? b.node("Add", {y, first}) : y);
    if (kind == Kind::output) b.output(first);
    CHECK(joins(check_blocked(b.graph, random_f32({2, 3, 6, 7}, 1))) == (kind == Kind::between || kind == Kind::twice));
  }
}

TEST_CASE("assign_layouts: of what is joined that is computed in place which begins at a whole block, whatever of it is copied beside it") {
  struct Case {
    Ints channels;
    size_t in_place;  // of less than 16 are plain
  };
  for (const auto& [channels, in_place] : {Case{{24, 24, 32}, 2}, Case{{24, 40, 32, 17}, 3}, Case{{32, 20, 12, 5}, 2}, Case{{16, 8, 8}, 1},
                                           Case{{16, 8, 4, 20}, 1}, Case{{8, 32, 8, 16}, 1}}) {
    CAPTURE(channels[1]);
    for (bool later : {false, true}) {
      GraphBuilder b;
      const ValueId x = b.input("x", {2, 3, 6, 7});
      std::vector<ValueId> parts;
      int64_t all = 0;
      for (int64_t n : channels) {
        parts.push_back(b.node("Sigmoid", {conv(b, x, {n, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}})}));
        all += n;
      }
      const ValueId y = conv(b, b.node("Relu", {b.node("Concat", parts, {{"axis", int64_t(1)}})}), {16, all, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
      b.output(y);
      for (size_t i = 0; i < parts.size() && later; ++i) b.output(conv(b, b.node("Relu", {parts[i]}), {16, channels[i], 1, 1}, {}));
      const Graph g = check_blocked(b.graph, random_f32({2, 3, 6, 7}, 1));
      CHECK(joins(g) == 1);
      auto program = make_program(g, {.budget = int64_t(1) << 30});
      REQUIRE(program.ok());
      CHECK((*program)->insides.size() == in_place);
    }
  }
}

TEST_CASE("assign_layouts: every layer of a DenseNet reads what all before it gave, and that lies together as it is computed") {
  for (int64_t growth : {32, 16, 24, 12}) {
    GraphBuilder b;
    std::vector<ValueId> features = {conv(b, b.input("x", {2, 3, 7, 6}), {32, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}})};
    int64_t channels = 32;
    auto constant = [&](float low, int64_t seed) { return b.constant(random_f32({channels}, static_cast<uint32_t>(seed), low, 2)); };
    for (int64_t layer = 0; layer < 4; ++layer, channels += growth) {
      ValueId v = features.size() == 1 ? features[0] : b.node("Concat", features, {{"axis", int64_t(1)}});
      v = b.node("Relu", {b.node("BatchNormalization", {v, constant(0.5f, 1), constant(-1, 2), constant(-1, 3), constant(0.5f, 4)})});
      features.push_back(conv(b, conv(b, v, {48, channels, 1, 1}, {}), {growth, 48, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    }
    b.output(conv(b, b.node("Concat", features, {{"axis", int64_t(1)}}), {16, channels, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}));
    const Graph g = check_blocked(b.graph, random_f32({2, 3, 7, 6}, 1));
    CHECK(GraphBuilder::count(g, "ConcatBlocks") == 4);
    CHECK(joins(g) == (growth == 12 ? 4 : growth == 24 ? 2 : 0));
  }
}

TEST_CASE("assign_layouts: of what one tap reads at a stride, for many output channels, the pixels between are left out") {
  for (const Ints& strides : {Ints{2, 2}, Ints{1, 3}, Ints{2, 1}}) {
    for (int64_t outputs : {512, 528, 16}) {  // many, not all of them in whole pairs of blocks, and few
      GraphBuilder b;
      const ValueId v = conv(b, b.input("x", {2, 3, 5, 8}), {24, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}});
      b.output(conv(b, conv(b, v, {outputs, 24, 1, 1}, {{"strides", strides}}), {3, outputs, 1, 1}, {}));
      b.output(conv(b, v, {16, 24, 3, 3}, {{"pads", Ints{1, 2, 1, 1}}}));  // so that v has a halo
      CHECK(GraphBuilder::count(check_blocked(b.graph, random_f32({2, 3, 5, 8}, 1)), "Reorder") == 0);
    }
  }
  GraphBuilder b;  // two groups, and padding
  const ValueId v = conv(b, b.input("x", {1, 3, 6, 5}), {32, 3, 1, 1}, {});
  b.output(conv(b, v, {544, 16, 1, 1}, {{"strides", Ints{2, 2}}, {"group", int64_t(2)}}));
  b.output(conv(b, v, {512, 32, 1, 1}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 0, 1}}}));
  check_blocked(b.graph, random_f32({1, 3, 6, 5}, 1));
}

TEST_CASE(
    "assign_layouts: an operator is on blocks as its own definition says, with the halo it asks for, and on plain values when it says nothing") {
  GraphBuilder b;
  const ValueId v = conv(b, b.input("x", {1, 16, 5, 5}), {16, 16, 1, 1}, {});
  b.output(conv(b, b.node("Relu", {v}), {16, 16, 1, 1}, {}));
  auto assigned = [&](const OpDef& relu) {
    Graph g = b.graph;
    g.nodes[1].op = &relu;
    REQUIRE(infer_shapes(g).ok());
    assign_layouts(g);
    return g;
  };
  OpDef mine = *find_op("Relu");
  CHECK(assigned(mine).value(v).layout.blocked);
  mine.layouts = nullptr;
  CHECK_FALSE(assigned(mine).value(v).layout.blocked);
  mine.layouts = [](const LayoutQuery& q) {
    LayoutForm f;
    f.takes = {q.inputs[0].blocked ? Takes::blocked : Takes::plain};
    f.takes_regardless = true;
    f.halo = {true, 1, 2, 3, 4};
    return std::optional(f);
  };
  CHECK(assigned(mine).value(v).layout == Layout{true, 1, 2, 3, 4});
}

}  // namespace tern::test::in_assign_layouts
