// The hot path contract, operator by operator: every operator of the catalog as a graph of one node, run under watch with random
// numbers, NaN and subnormals. An operator that has no case here fails the last test. See support/hot_path.h.
#include <doctest/doctest.h>

#include <set>

#include "runtime/model.h"
#include "tests/support/hot_path.h"
#include "tests/support/operator_graphs.h"
#include "tests/support/threads.h"

namespace tern::test::in_operators {
namespace {

// Operators without a case, and why.
const std::set<std::string> kExempt = {
    "If",
    "Loop",
    "Scan",  // they run other operators; hot_path.cpp has models of them
    "ConstantOfShape",
    "Range",  // computed from shapes alone: constants when a plan is made
    "FusedConv",
    "FusedConvTranspose",
    "FusedExpandDepthwise",
    "ConcatBlocks",
    "MapBlocks",
    "MeanBlocks",
    "Reorder",
    "FusedAttention",  // made by passes; the sample models hold them (hot_path.cpp)
};

}  // namespace

TEST_CASE("hot path: every operator runs without allocation, lock, page fault or system call, on every ISA") {
  for (const Case& c : cases()) {
    CAPTURE(c.op);
    if (find_op(c.op) == nullptr) continue;  // the last test asks for the other direction
    auto model = make_model(graph_of(c), {});
    REQUIRE_MESSAGE(model.ok(), c.op << ": " << (model.ok() ? "" : model.error().message()));
    for (const char* isa : test::isa_names()) {
      CAPTURE(isa);
      auto session = model->session({.isa = isa});
      REQUIRE_MESSAGE(session.ok(), c.op << ": " << (session.ok() ? "" : session.error().message()));
      for (Kind kind : {Kind::random, Kind::special}) {
        for (const Port& port : session->inputs()) {
          auto to = session->input_bytes(port.name);
          fill(to.data(), to.size(), port.dtype, 7, kind);
        }
        const HotPathReport report = watch_hot_path([&] { session->run(); }, 5);
        CHECK_MESSAGE(report.clean(), c.op << ": " << report.text());
      }
    }
  }
}

TEST_CASE("hot path: every operator of the catalog that a plan can hold has a case") {
  std::set<std::string> covered;
  for (const Case& c : cases()) covered.insert(c.op);
  for (const OpDef* op : all_ops()) {
    if (op->bind == nullptr || op->data_dependent || kExempt.count(op->name)) continue;
    CHECK_MESSAGE(covered.count(op->name) == 1, "no case for " << std::string(op->name));
  }
}

}  // namespace tern::test::in_operators
