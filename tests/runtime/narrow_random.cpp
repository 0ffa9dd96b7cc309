// narrow on graphs made of random decisions: whatever is read of whatever, the bits are those of the evaluator without the pass.
#include <doctest/doctest.h>

#include <numeric>
#include <random>

#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "runtime/optimize.h"
#include "runtime/verify.h"
#include "tests/support/cheap.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_narrow_random {
namespace {

using Ints = std::vector<int64_t>;

class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : random_(seed) {
    const int64_t batch = pick(1, 3), channels = pick(1, 20), steps = pick(2, 24);
    input_ = {batch, channels, steps};
    symbolic_ = one_in(2);
    values_ = {b.input("x", {symbolic_ ? Dim::symbol("batch") : Dim(batch), Dim(channels), Dim(steps)})};
    for (int64_t n = pick(3, 12); n > 0; --n) values_.push_back(grow());
    for (int64_t n = pick(1, 3); n > 0; --n) b.output(read(one_in(2) ? values_.back() : any()));
    if (one_in(8)) b.output(any());
  }
  GraphBuilder b;
  Dims input_;
  bool symbolic_;

 private:
  int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }
  bool one_in(int64_t n) { return pick(1, n) == 1; }
  ValueId any() { return values_[static_cast<size_t>(pick(0, static_cast<int64_t>(values_.size()) - 1))]; }
  ValueId weights(Dims dims) { return b.constant(random_f32(dims, static_cast<uint32_t>(random_()))); }
  const Shape& shape(ValueId v) { return b.shape(v); }
  int rank(ValueId v) { return shape(v).rank(); }
  // The extents; of the batch, when it is a symbol, nothing.
  std::optional<int64_t> extent(ValueId v, int axis) { return shape(v)[axis].known() ? std::optional(shape(v)[axis].value()) : std::nullopt; }
  ValueId emit(const char* op, std::vector<ValueId> inputs, std::initializer_list<std::pair<const char*, Attributes::Value>> attrs = {},
               size_t outputs = 1, size_t which = 0) {
    Attributes all;
    for (const auto& [name, value] : attrs) all.set(name, value);
    const std::vector<ValueId> y = b.emit(op, std::move(inputs), std::move(all), outputs);
    REQUIRE_MESSAGE(b.ok(), b.status().error().message());
    return y[which];
  }
  int known_axis(ValueId v) {
    for (;;) {
      const int axis = static_cast<int>(pick(0, rank(v) - 1));
      if (extent(v, axis)) return axis;
      if (rank(v) == 1) return kNone;
    }
  }

  // Some elements of some axis.
  ValueId read(ValueId v) {
    if (rank(v) == 0) return v;
    const int axis = known_axis(v);
    if (axis == kNone) return v;
    const int64_t n = *extent(v, axis);
    switch (pick(0, 3)) {
      case 0: return emit("Gather", {v, b.constant(Tensor::scalar(pick(-n, n - 1)))}, {{"axis", int64_t(one_in(2) ? axis : axis - rank(v))}});
      case 1: {
        Ints some;
        for (int64_t i = pick(1, 3); i > 0; --i) some.push_back(pick(-n, n - 1));
        return emit("Gather", {v, b.ints(some)}, {{"axis", int64_t(axis)}});
      }
      case 2: {
        if (n < 2) return v;
        const int64_t parts = pick(2, std::min<int64_t>(n, 4));
        Ints sizes(static_cast<size_t>(parts), 1);
        sizes[static_cast<size_t>(pick(0, parts - 1))] = n - parts + 1;
        return emit("Split", {v, b.ints(sizes)}, {{"axis", int64_t(axis)}}, static_cast<size_t>(parts), static_cast<size_t>(pick(0, parts - 1)));
      }
      default: {
        const int64_t first = pick(0, n - 1), count = pick(1, n), step = pick(1, 4);
        const int64_t end = first + (count - 1) / step * step + 1;
        if (one_in(3)) return emit("Slice", {v, b.ints({std::min(end, n) - 1}), b.ints({first - 1 - n}), b.ints({axis}), b.ints({-step})});
        return emit("Slice", {v, b.ints({one_in(2) ? first : first - n}), b.ints({end}), b.ints({axis}), b.ints({step})});
      }
    }
  }

  ValueId window(ValueId v) {
    const int64_t channels = *extent(v, 1), steps = *extent(v, 2);
    const int64_t kernel = pick(1, 4), dilation = pick(1, 4), stride = pick(1, 3), reach = (kernel - 1) * dilation + 1;
    const bool same = one_in(4), pool = one_in(3);
    const int64_t front = pick(0, pool ? kernel - 1 : reach + 1), back = pick(0, pool ? kernel - 1 : reach + 1);
    if (!same && steps + front + back < reach) return v;
    Attributes attrs;
    attrs.set("kernel_shape", Ints{kernel});
    attrs.set("strides", Ints{stride});
    attrs.set("dilations", Ints{dilation});
    if (same) attrs.set("auto_pad", std::string(one_in(2) ? "SAME_UPPER" : "SAME_LOWER"));
    else attrs.set("pads", Ints{front, back});
    if (pool) {
      const bool mean = one_in(2);
      if (one_in(2)) attrs.set("ceil_mode", int64_t(1));
      if (mean && one_in(2)) attrs.set("count_include_pad", int64_t(1));
      return b.emit(mean ? "AveragePool" : "MaxPool", {v}, std::move(attrs));
    }
    const bool depthwise = one_in(3);
    const int64_t out = depthwise ? channels : pick(1, 20);
    if (depthwise) attrs.set("group", channels);
    return b.emit("Conv", {v, weights({out, depthwise ? 1 : channels, kernel}), weights({out})}, std::move(attrs));
  }

  // [B, R, C] with steps first, as a recurrent layer has it, and back.
  ValueId recurrent(ValueId v) {
    constexpr std::pair<const char*, int64_t> kOps[] = {{"LSTM", 4}, {"GRU", 3}, {"RNN", 1}};
    const auto& [op, gates] = kOps[pick(0, 2)];
    const int64_t hidden = pick(1, 9), inputs = *extent(v, 2), directions = one_in(4) ? 2 : 1;
    const std::string direction = directions == 2 ? "bidirectional" : one_in(2) ? "forward" : "reverse";
    ValueId y = emit("Transpose", {v}, {{"perm", Ints{1, 0, 2}}});
    y = emit(op, {y, weights({directions, gates * hidden, inputs}), weights({directions, gates * hidden, hidden})},
             {{"hidden_size", hidden}, {"direction", direction}});
    if (directions == 2) return emit("Reshape", {emit("Transpose", {y}, {{"perm", Ints{2, 0, 1, 3}}}), b.ints({0, 0, -1})});
    return emit("Transpose", {emit("Squeeze", {y, b.ints({1})})}, {{"perm", Ints{1, 0, 2}}});
  }

  ValueId attention(ValueId v) {
    const int64_t width = *extent(v, 2);
    ValueId q = emit("MatMul", {v, weights({width, 8})}), k = emit("MatMul", {v, weights({width, 8})});
    const ValueId s = emit("Softmax", {emit("MatMul", {q, emit("Transpose", {k}, {{"perm", Ints{0, 2, 1}}})})});
    return emit("MatMul", {s, v});
  }

  ValueId reshaped(ValueId v) {
    if (!extent(v, 1) || !extent(v, 2)) return v;
    const int64_t m = *extent(v, 1), n = *extent(v, 2);
    const int64_t by = std::gcd(m, pick(1, 6)), per = std::gcd(n, pick(1, 6));
    switch (pick(0, 3)) {
      case 0: return emit("Tanh", {emit("Reshape", {emit("Relu", {emit("Reshape", {v, b.ints({0, m * n})})}), b.ints({-1, m / by, by * n})})});
      case 1: return emit("Reshape", {emit("Sin", {emit("Reshape", {v, b.ints({-1, n})})}), b.ints({-1, m, n})});
      case 2: return emit("Reshape", {emit("Cos", {emit("Reshape", {v, b.ints({0, 0, n / per, per})})}), b.ints({0, m * (n / per), per})});
      default: return emit("Squeeze", {emit("Abs", {emit("Unsqueeze", {v, b.ints({2})})}), b.ints({2})});
    }
  }

  ValueId grow() {
    const ValueId v = any();
    const int64_t m = *extent(v, 1), n = *extent(v, 2);
    switch (pick(0, 15)) {
      case 0: return emit("Sigmoid", {v});
      case 1: return emit("Mul", {v, weights(one_in(2) ? Dims{n} : one_in(2) ? Dims{m, 1} : Dims{1, m, n})});
      case 2: {
        const ValueId other = any();
        return shape(other) == shape(v) ? emit("Add", {v, other}) : emit("Relu", {v});
      }
      case 3:
      case 4: return window(v);
      case 5: return emit("Transpose", {v}, {{"perm", Ints{0, 2, 1}}});
      case 6: return emit("Softmax", {v}, {{"axis", pick(1, 2)}});
      case 7: return emit("LayerNormalization", {v, weights({n}), weights({n})});
      case 8: return emit("MatMul", {v, weights({n, pick(1, 20)})});
      case 9: return attention(v);
      case 10: {
        const ValueId other = any();
        const int axis = !(shape(other)[0] == shape(v)[0]) ? kNone : *extent(other, 1) == m ? 2 : *extent(other, 2) == n ? 1 : kNone;
        return axis == kNone ? emit("Abs", {v}) : emit("Concat", {v, other, v}, {{"axis", int64_t(axis)}});
      }
      case 11:
        return emit("Pad",
                    {v, b.ints({0, pick(-1, 2) * (m > 2), pick(0, 3), 0, pick(0, 2), pick(-1, 2) * (n > 2)}), b.constant(Tensor::scalar(0.5f))});
      case 12: return reshaped(v);
      case 13: return recurrent(v);
      case 14: return emit("BatchNormalization", {v, weights({m}), weights({m}), weights({m}), b.constant(random_f32({m}, 1, 1, 2))});
      default: {
        const ValueId part = read(v);
        return rank(part) == 3 && extent(part, 1) && extent(part, 2) ? part : emit("Neg", {v});
      }
    }
  }

  std::mt19937 random_;
  std::vector<ValueId> values_;
};

Graph at_stage(Graph g, Stage stage) {
  const Status s = optimize(g, 1 << 24, stage);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  return g;
}

// What all nodes give together.
int64_t elements(const Graph& g) {
  int64_t sum = 0;
  for (const Node& n : g.nodes) {
    for (ValueId v : n.outputs) sum += v == kNone || n.op->view ? 0 : g.value(v).type.shape.concrete().count();
  }
  return sum;
}

}  // namespace

TEST_CASE("narrow: random graphs of which random parts are read keep their bits") {
  int64_t changed = 0, fewer = 0;
  const uint32_t many = kSanitized ? 100 : 600;
  for (uint32_t seed = 0; seed < many; ++seed) {
    const RandomGraph r(seed);
    const Graph before = at_stage(r.b.graph, Stage::fuse), after = at_stage(r.b.graph, Stage::narrow);
    CAPTURE(seed);
    INFO("before: " << to_text(before));
    INFO("after: " << to_text(after));
    REQUIRE(verify(after).ok());
    REQUIRE(verify_types(after).ok());
    const Tensor x = random_f32(r.input_, seed);
    const DimValues dims = r.symbolic_ ? DimValues{{"batch", r.input_[0]}} : DimValues{};
    const Graph session = at_stage(*bind_dims(after, dims), Stage::narrow), whole = at_stage(*bind_dims(before, dims), Stage::fuse);
    const auto expected = evaluate_graph(before, {{x}}, {}), once = evaluate_graph(after, {{x}}, {}), twice = evaluate_graph(session, {{x}}, {});
    REQUIRE_MESSAGE(expected.ok(), expected.error().message());
    REQUIRE_MESSAGE(once.ok(), once.error().message());
    REQUIRE_MESSAGE(twice.ok(), twice.error().message());
    for (size_t o = 0; o < expected->size(); ++o) {
      check_same((*once)[o], (*expected)[o]);
      check_same((*twice)[o], (*expected)[o]);
    }
    changed += to_text(before) != to_text(after);
    fewer += elements(session) < elements(whole);
    CHECK(elements(session) <= 2 * elements(whole));
  }
  CHECK(changed > many / 2);
  CHECK(fewer > many * 5 / 12);
}

}  // namespace tern::test::in_narrow_random
