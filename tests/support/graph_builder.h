// Building small graphs by hand, for the tests of the runtime.
//   GraphBuilder b;
//   auto x = b.input("x", {Dim::symbol("batch"), 4});
//   b.output(b.node("Relu", {x}));
#pragma once
#include <doctest/doctest.h>

#include "runtime/graph.h"
#include "tests/support/op_test.h"

namespace tern::test {

class GraphBuilder {
 public:
  Graph graph;

  ValueId input(const std::string& name, Shape shape, DType dtype = DType::f32) {
    const ValueId v = graph.add_value(name, {dtype, std::move(shape)});
    graph.inputs.push_back(v);
    return v;
  }
  ValueId constant(Tensor t) { return graph.add_constant("c" + std::to_string(graph.values.size()), std::move(t)); }
  ValueId ints(std::vector<int64_t> values) { return constant(Tensor::ints(values)); }
  std::vector<ValueId> nodes(const char* op, std::vector<ValueId> inputs, size_t outputs, Attrs attrs = {}, std::vector<int32_t> subgraphs = {}) {
    Node n;
    n.op = find_op(op);
    REQUIRE_MESSAGE(n.op != nullptr, "no operator " << std::string(op));
    n.name = "n" + std::to_string(graph.nodes.size());
    for (const auto& [name, value] : attrs) n.attrs.set(name, value);
    n.inputs = std::move(inputs);
    if (!subgraphs.empty()) n.captured = static_cast<int32_t>(n.inputs.size()) - n.op->inputs.min;
    n.subgraphs = std::move(subgraphs);
    for (size_t o = 0; o < outputs; ++o) n.outputs.push_back(graph.add_value(n.name + "." + std::to_string(o)));
    graph.nodes.push_back(n);
    return n.outputs;
  }
  ValueId node(const char* op, std::vector<ValueId> inputs, Attrs attrs = {}) { return nodes(op, std::move(inputs), 1, attrs)[0]; }
  void output(ValueId v, std::string name = "") {
    graph.outputs.push_back(v);
    graph.output_names.push_back(name.empty() ? "y" + std::to_string(graph.outputs.size() - 1) : std::move(name));
  }
  // How many nodes of this operator there are.
  static int64_t count(const Graph& g, std::string_view op) {
    int64_t n = 0;
    for (const Node& node : g.nodes) n += node.op->name == op;
    return n;
  }
};

}  // namespace tern::test
