// tern/xtensor.h: views of inputs and outputs without a copy.
#include <doctest/doctest.h>
#include <tern/xtensor.h>

#include <xtensor/xmath.hpp>

#include "tern/tern.h"

TEST_CASE("xtensor: views are the arena itself, with the session's shapes") {
  auto model = tern::load(TERN_TEST_DATA "/models/digits_mlp/model.onnx");
  REQUIRE(model.ok());
  auto session = model->session({.dims = {{"batch", 2}}});
  REQUIRE(session.ok());
  auto x = tern::xinput<float>(*session, "image");
  CHECK(x.shape() == std::vector<size_t>{2, 1, 8, 8});
  x.fill(0.25f);
  x(1, 0, 3, 4) = 0.75f;
  CHECK(session->input<float>("image")[64 + 3 * 8 + 4] == 0.75f);
  session->run();
  auto y = tern::xoutput<float>(*session, "probabilities");
  CHECK(y.shape() == std::vector<size_t>{2, 10});
  CHECK(y.data() == session->output<float>("probabilities").data());
  CHECK(xt::sum(y)() == doctest::Approx(2.0).epsilon(1e-5));  // two softmax rows
}

TEST_CASE("xtensor: an unknown name gives an empty view") {
  auto model = tern::load(TERN_TEST_DATA "/models/digits_mlp/model.onnx");
  auto session = model->session({.dims = {{"batch", 1}}});
  CHECK(tern::xinput<float>(*session, "nothing").size() == 0);
  CHECK(tern::xoutput<double>(*session, "probabilities").size() == 0);
}
