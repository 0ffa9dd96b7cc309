// Kernels that only a plan runs: on blocked values, and on weights kept in fewer bits. Graphs that have them, at shapes of small nets, and their plans,
// step by step. Next: kernels.cpp.
#pragma once
#include "bench/kernels/bound.h"
#include "runtime/assign_layouts.h"
#include "runtime/graph_builder.h"
#include "runtime/plan/program.h"

namespace tern::bench {

struct PlannedCase {
  Graph graph;
  WeightForm weights = WeightForm::f32;
};

inline Graph blocked_graph() {
  using Ints = std::vector<int64_t>;
  GraphBuilder b;
  const auto attrs = [](std::vector<std::pair<const char*, Ints>> lists) {
    Attributes a;
    for (const auto& [name, list] : lists) a.set(name, list);
    return a;
  };
  const auto conv = [&](ValueId x, Dims w) {
    const int64_t pad = w[2] / 2;
    return b.emit("Conv", {x, b.constant(random_tensor(w, 7)), b.constant(random_tensor({w[0]}, 8))}, attrs({{"pads", Ints{pad, pad, pad, pad}}}));
  };
  const auto depthwise = [&](ValueId x, int64_t channels) {
    Attributes a = attrs({{"pads", Ints{1, 1, 1, 1}}});
    a.set("group", channels);
    return b.emit("Conv", {x, b.constant(random_tensor({channels, 1, 3, 3}, 7)), b.constant(random_tensor({channels}, 8))}, a);
  };
  const ValueId first = conv(b.input("x", {DType::f32, {1, 3, 56, 56}}), {32, 3, 3, 3});
  const ValueId pooled = b.emit("MaxPool", {first}, attrs({{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}));
  const ValueId left = conv(pooled, {32, 32, 3, 3}), right = conv(pooled, {32, 32, 1, 1});
  const ValueId product = b.emit("Mul", {left, conv(b.emit("GlobalAveragePool", {left}), {32, 32, 1, 1})});
  const ValueId mean = conv(b.emit("ReduceMean", {right, b.ints({2, 3})}), {32, 32, 1, 1});
  Attributes channels;
  channels.set("axis", int64_t(1));
  // 24 channels first: what begins at a whole block would be computed where the result has it.
  const ValueId joined = b.emit("Concat", {conv(pooled, {24, 32, 1, 1}), product, b.emit("Mul", {right, mean})}, channels);
  const ValueId halved = b.emit("AveragePool", {conv(joined, {32, 88, 1, 1})}, attrs({{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}));
  const ValueId last = conv(halved, {32, 32, 3, 3});
  const ValueId expanded = conv(first, {64, 32, 1, 1});  // 800 KB
  conv(last, {32, 32, 3, 3});
  auto graph =
      b.finish({{"y", b.emit("Transpose", {last})}, {"z", conv(last, {32, 32, 3, 3})}, {"w", conv(depthwise(expanded, 64), {16, 64, 1, 1})}});
  if (!graph) return {};
  assign_layouts(*graph);
  return std::move(*graph);
}

// A row of 256 by 512 weights, and a window of 20 through recurrent layers; fewer weights would stay f32.
inline Graph weights_graph() {
  GraphBuilder b;
  std::vector<std::pair<std::string, ValueId>> outputs;
  outputs.emplace_back("linear", b.emit("Linear", {b.input("rows", {DType::f32, {1, 256}}), b.constant(random_tensor({256, 512}, 1)),
                                                   b.constant(random_tensor({512}, 2))}));
  const ValueId x = b.input("window", {DType::f32, {20, 1, 64}});
  struct Layer {
    const char* op;
    int64_t gates, hidden;
  };
  for (const Layer& layer : {Layer{"LSTM", 4, 64}, Layer{"GRU", 3, 64}, Layer{"RNN", 1, 256}}) {
    Attributes attrs;
    attrs.set("hidden_size", layer.hidden);
    const ValueId w = b.constant(random_tensor({1, layer.gates * layer.hidden, 64}, 3));
    const ValueId r = b.constant(random_tensor({1, layer.gates * layer.hidden, layer.hidden}, 4));
    outputs.emplace_back(layer.op, b.emit(layer.op, {x, w, r}, attrs, 1)[0]);
  }
  auto graph = b.finish(outputs);
  return graph ? std::move(*graph) : Graph();
}

inline std::vector<PlannedCase> planned_cases() {
  return {{blocked_graph()}, {weights_graph(), WeightForm::bf16}, {weights_graph(), WeightForm::int8}};
}

// A plan of such a graph, whose inputs are random; each of its steps is ready to be run again and again.
struct Planned {
  PackStore packs;
  std::shared_ptr<Program> program;
  std::optional<Plan> plan;
  std::vector<const Work*> works;  // as plan->steps[0]

  Planned(const PlannedCase& c, Isa isa) {
    auto made = make_program(c.graph, {.isa = isa, .products = {.weights = c.weights}});
    if (!made) return;
    program = std::move(*made);
    link_steps(*program, packs);
    auto placed = place(*program, {});
    if (!placed) return;
    plan.emplace(std::move(*placed));
    for (const PlanPort& port : plan->inputs) {
      const Tensor values = random_tensor(port.dims, 5);
      std::memcpy(port.data, values.raw(), values.bytes());
    }
    for (size_t i : program->top) {
      if (program->work[i].row != nullptr) works.push_back(&program->work[i]);
    }
    for (const Step& step : plan->steps[0]) step.run(step.args);
  }
};

}  // namespace tern::bench
