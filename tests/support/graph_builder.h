// Building small graphs by hand, for the tests of the runtime. Nodes are not checked, so that tests can say what verify and infer_shapes refuse.
//   GraphBuilder b;
//   auto x = b.input("x", {Dim::symbol("batch"), 4});
//   b.output(b.node("Relu", {x}));
#pragma once
#include <doctest/doctest.h>

#include "runtime/graph_builder.h"
#include "tests/support/op_test.h"

namespace tern::test {

class GraphBuilder : public tern::GraphBuilder {
 public:
  ValueId input(const std::string& name, Shape shape, DType dtype = DType::f32) { return tern::GraphBuilder::input(name, {dtype, std::move(shape)}); }
  std::vector<ValueId> nodes(const char* op, std::vector<ValueId> inputs, size_t outputs, Attrs attrs = {}, std::vector<int32_t> subgraphs = {}) {
    const OpDef* def = find_op(op);
    REQUIRE_MESSAGE(def != nullptr, "no operator " << std::string(op));
    Attributes all;
    for (const auto& [name, value] : attrs) all.set(name, value);
    const std::string name = "n" + std::to_string(graph.nodes.size());
    std::vector<ValueId> made;
    for (size_t o = 0; o < outputs; ++o) made.push_back(graph.add_value(o == 0 ? name : name + ":" + std::to_string(o)));
    Node& n = add_node({def, name, std::move(all), std::move(inputs), made, {}});
    if (!subgraphs.empty()) n.captured = static_cast<int32_t>(n.inputs.size()) - n.op->inputs.min;
    n.subgraphs = std::move(subgraphs);
    return made;
  }
  ValueId node(const char* op, std::vector<ValueId> inputs, Attrs attrs = {}) { return nodes(op, std::move(inputs), 1, attrs)[0]; }
  void output(ValueId v, std::string name = "") {
    graph.outputs.push_back(v);
    graph.output_names.push_back(name.empty() ? "y" + std::to_string(graph.outputs.size() - 1) : std::move(name));
  }
  // A node of a control operator: its own inputs, and what its body reads from around as well, in the order of the body's inputs.
  std::vector<ValueId> loop(const char* op, std::vector<ValueId> inputs, std::vector<ValueId> captured, const GraphBuilder& body, size_t outputs,
                            Attrs attrs = {}) {
    const auto count = static_cast<int32_t>(captured.size());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    graph.subgraphs.push_back(body.graph);
    std::vector<ValueId> y = nodes(op, std::move(inputs), outputs, std::move(attrs), {static_cast<int32_t>(graph.subgraphs.size()) - 1});
    graph.nodes.back().captured = count;
    return y;
  }
  // How many nodes of this operator there are.
  static int64_t count(const Graph& g, std::string_view op) {
    int64_t n = 0;
    for (const Node& node : g.nodes) n += node.op->name == op;
    return n;
  }
};

}  // namespace tern::test
