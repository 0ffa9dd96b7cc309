// What onnxruntime's quantiser writes, against onnxruntime's answers: tests/data/quantized, made by its make/quantized.py.
#include <doctest/doctest.h>

#include "loaders/npy/npy.h"
#include "tests/support/cases.h"

namespace tern::test {

TEST_CASE("quantized: networks and operators of onnxruntime's quantiser give its answers") {
  int cases = 0;
  for (const auto& folder : folders_with_models(std::string(TERN_TEST_DATA) + "/quantized")) {
    CAPTURE(folder.filename().string());
    auto model = load((folder / "model.onnx").string());
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
    auto data = read_file((folder / "data.npz").string());
    REQUIRE(data.ok());
    auto session = model->session({});
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().message()));
    auto recorded = [&](const std::string& key) {
      auto one = read_npz(*data, key);
      REQUIRE_MESSAGE(one.ok(), key);
      return to_array(one->front().second);
    };
    for (const Port& port : model->inputs()) {
      const Array x = recorded("in_" + port.name);
      auto to = session->input_bytes(port.name);
      REQUIRE(to.size() == x.bytes.size());
      std::copy(x.bytes.begin(), x.bytes.end(), to.begin());
    }
    session->run();
    for (const Port& port : session->outputs()) {
      const Array expected = recorded("out_" + port.name);
      auto bytes = session->output_bytes(port.name);
      const Array actual{port.dtype, session->dims(port.name), {bytes.begin(), bytes.end()}, {}};
      // Integer arithmetic is exact, and so floats differ by the order of a few sums; where an operator computes in f32 between its
      // scales, a tie may fall to the other side: one step.
      const bool integer = !is_float(port.dtype);
      CHECK_MESSAGE(difference(actual, expected, integer ? 0 : 1e-5, integer ? 1 : 1e-5).empty(), port.name << ": " << difference(actual, expected, 0, 0));
    }
    ++cases;
  }
  CHECK(cases >= 5);
}

}  // namespace tern::test
