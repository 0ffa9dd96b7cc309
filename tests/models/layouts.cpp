// Convolutional nets as Keras saves them, channels last (tests/data/keras/nets/make.py): what assign_layouts and move_transposes leave to be moved.
#include <doctest/doctest.h>

#include "tests/support/recorded.h"

namespace tern::test::in_layouts {
namespace {

struct Net {
  const char* name;
  int moves;  // Reorders and Transposes in a plan: one where the net begins or ends, none between
};
constexpr Net kNets[] = {{"convnext", 1}, {"nasnet", 0}, {"mobilenet_v3", 0}, {"densenet", 0}, {"inception", 0}, {"unet", 0}, {"resnext", 0}};

}  // namespace

TEST_CASE("layouts: nets of Keras compute what predict() did, and no value is reordered between their convolutions") {
  for (const Net& net : kNets) {
    CAPTURE(std::string(net.name));
    const std::string stem = std::string(TERN_TEST_DATA) + "/keras/nets/" + net.name;
    auto model = load(stem + ".keras");
    REQUIRE(model.ok());
    CHECK(wrong(*model, stem + ".npz", 1e-4, 1e-5) == "");
    auto session = model->session({.dims = {{"batch", 1}}});
    REQUIRE(session.ok());
    int moves = 0, convolutions = 0;
    for (const StepInfo& step : session->steps()) {
      moves += step.op == "Reorder" || step.op == "Transpose";
      convolutions += step.op == "Conv" || step.op == "FusedConv";
    }
    CHECK(convolutions >= 7);
    CHECK(moves == net.moves);
  }
}

}  // namespace tern::test::in_layouts
