// The room of control operators: what is in it, and what verify asks of their subgraphs.
#include "runtime/control/control.h"

#include <doctest/doctest.h>

#include "runtime/model.h"
#include "runtime/verify.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_control {

TEST_CASE("control: the operators without a kernel are those of this room") {
  for (const OpDef* op : all_ops()) {
    INFO(op->name);
    CHECK((op->bind == nullptr && op->compute == nullptr) == (find_control(op) != nullptr));
  }
}

TEST_CASE("control: a branch of an If has the captured values as inputs, no more and no fewer") {
  GraphBuilder b;
  const ValueId condition = b.input("c", {}, DType::boolean), x = b.input("x", {2});
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    g.output(g.node("Neg", {g.input("x", {})}));
    b.graph.subgraphs.push_back(g.graph);
  }
  b.output(b.nodes("If", {condition, x}, 1, {}, {0, 1})[0]);
  REQUIRE(verify(b.graph).ok());

  Graph own_input = b.graph;
  own_input.subgraphs[1].inputs.push_back(own_input.subgraphs[1].add_value("own", {}));
  CHECK(verify(own_input).error().message() == "n0 (If): a branch must have the captured values as inputs, and no others");

  Graph two_conditions = b.graph;
  two_conditions.nodes[0].inputs.insert(two_conditions.nodes[0].inputs.begin(), condition);
  CHECK(verify(two_conditions).error().message() == "n0 (If): has 2 inputs beside what its branches capture, expected 1");

  Graph too_many = b.graph;
  too_many.nodes[0].captured = 3;
  CHECK(verify(too_many).error().message() == "n0 (If): captures values that it does not have");

  Graph one_branch = b.graph;
  one_branch.nodes[0].subgraphs.pop_back();
  CHECK(verify(one_branch).error().message() == "n0 (If): has 1 subgraphs");
}

TEST_CASE("control: an If whose branches differ in a number of elements is known to need the evaluator before dims are") {
  for (int axis : {0, 1, 2}) {  // of [2, n], along which the second branch gives twice as much; 2: along none
    GraphBuilder b;
    const ValueId condition = b.input("c", {1}, DType::boolean), x = b.input("x", {2, Dim::symbol("n")});
    for (int branch = 0; branch < 2; ++branch) {
      GraphBuilder g;
      const ValueId y = g.input("x", {});
      g.output(branch == 0 || axis == 2 ? g.node("Neg", {y}) : g.node("Concat", {y, y}, {{"axis", int64_t(axis)}}));
      b.graph.subgraphs.push_back(g.graph);
    }
    b.output(b.nodes("If", {condition, x}, 1, {}, {0, 1})[0]);
    auto model = make_model(b.graph, {});
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
    CHECK(model->data_dependent() == (axis == 0));
    auto session = model->session({.dims = {{"n", 3}}});
    CHECK_MESSAGE(session.ok() == (axis == 2), (session.ok() ? std::string() : session.error().message()));
  }
}

}  // namespace tern::test::in_control
