// Recorded folders of model.onnx and data.npz against onnxruntime's answers: what its quantiser writes (tests/data/quantized), and every
// operator in every version of ONNX (tests/data/opsets). The scripts lie in their make folders.
#include <doctest/doctest.h>

#include "loaders/npy/npy.h"
#include "tests/support/cases.h"

namespace tern::test::in_recorded {
namespace {

// Runs every case below `folder`, planned or evaluated; `steps`: how far integers may be off. Returns how many there are.
int check_recorded(const std::string& root, bool evaluate, double rtol, double atol, double steps) {
  int cases = 0;
  for (const auto& folder : folders_with_models(std::string(TERN_TEST_DATA) + "/" + root)) {
    CAPTURE(folder.filename().string());
    auto model = load((folder / "model.onnx").string());
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
    auto data = read_file((folder / "data.npz").string());
    REQUIRE(data.ok());
    auto recorded = [&](const std::string& key) {
      auto one = read_npz(*data, key);
      REQUIRE_MESSAGE(one.ok(), key);
      return to_array(one->front().second);
    };
    std::vector<Array> inputs;
    for (const Port& port : model->inputs()) inputs.push_back(recorded("in_" + port.name));
    std::vector<Array> outputs;
    if (evaluate) {
      auto all = model->evaluate(inputs);
      REQUIRE_MESSAGE(all.ok(), (all.ok() ? "" : all.error().message()));
      outputs = std::move(*all);
    } else {
      SessionOptions options;
      for (size_t i = 0; i < inputs.size(); ++i) {
        const std::vector<std::string> shape = model->inputs()[i].shape;
        for (size_t d = 0; d < shape.size(); ++d) {
          if (shape[d].find_first_not_of("0123456789") != std::string::npos) options.dims[shape[d]] = inputs[i].dims[d];
        }
      }
      auto session = model->session(options);
      REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().message()));
      for (size_t i = 0; i < inputs.size(); ++i) {
        auto to = session->input_bytes(model->inputs()[i].name);
        REQUIRE(to.size() == inputs[i].bytes.size());
        std::copy(inputs[i].bytes.begin(), inputs[i].bytes.end(), to.begin());
      }
      session->run();
      for (const Port& port : session->outputs()) {
        auto bytes = session->output_bytes(port.name);
        outputs.push_back({port.dtype, session->dims(port.name), {bytes.begin(), bytes.end()}, {}});
      }
    }
    REQUIRE(outputs.size() == model->outputs().size());
    for (size_t o = 0; o < outputs.size(); ++o) {
      const std::string name = model->outputs()[o].name;
      const Array expected = recorded("out_" + name);
      const bool real = is_float(outputs[o].dtype);
      CHECK_MESSAGE(difference(outputs[o], expected, real ? rtol : 0, real ? atol : steps).empty(),
                    name << ": " << difference(outputs[o], expected, 0, 0));
    }
    ++cases;
  }
  return cases;
}

}  // namespace

// Integer arithmetic is exact, and so floats differ by the order of a few sums; where an operator computes in f32 between its scales, a
// tie may fall to the other side: one step.
TEST_CASE("recorded: networks and operators of onnxruntime's quantiser give its answers") {
  for (bool evaluate : {false, true}) CHECK(check_recorded("quantized", evaluate, 1e-5, 1e-5, 1) >= 13);
}

TEST_CASE("recorded: a network in QDQ runs on bytes from its first convolution to the last, channels last") {
  for (const char* name : {"chain_u8", "chain_i8", "chain_channels", "chain_u8u8"}) {
    CAPTURE(name);
    auto model = load(std::string(TERN_TEST_DATA) + "/quantized/" + name + "/model.onnx");
    REQUIRE(model.ok());
    auto session = model->session();
    REQUIRE(session.ok());
    int convolutions = 0, turns = 0, real = 0;
    for (const StepInfo& step : session->steps()) {
      convolutions += step.op == "FusedQLinearConv";
      turns += step.op == "Transpose";
      real += step.op == "Conv" || step.op == "FusedConv" || step.op == "Linear" || step.op == "Reorder" || step.op == "DequantizeLinear";
    }
    CHECK(convolutions == 6);
    CHECK(turns == 0);
    CHECK(real == 1);  // what is returned
  }
}

// com.microsoft's DynamicQuantizeLSTM rounds x and h by rows here, or (so few weights) not at all, where onnxruntime rounds them by their range:
// within one step of what lies in [-1, 1].
TEST_CASE("recorded: an LSTM with weights of 8 bits is onnxruntime's within a step of its states") {
  for (bool evaluate : {false, true}) CHECK(check_recorded("quantized_states", evaluate, 0, 2.0 / 255, 0) == 3);
  // Weights that lie in [-127, 127] around their zero point stay bytes; others are f32.
  for (const auto& [name, op] : {std::pair{"lstm_dynamic_unsigned", "LSTM"}, std::pair{"lstm_dynamic", "DynamicQuantizeLSTM"}}) {
    auto model = load(std::string(TERN_TEST_DATA) + "/quantized_states/" + name + "/model.onnx");
    REQUIRE(model.ok());
    auto session = model->session();
    REQUIRE(session.ok());
    int layers = 0;
    for (const StepInfo& step : session->steps()) layers += step.op == op;
    CHECK(layers == 1);
  }
}

// The official tolerance; f16 and integers, too, are what the operator says.
TEST_CASE("recorded: every operator of every opset gives the answers of its version") {
  for (bool evaluate : {false, true}) CHECK(check_recorded("opsets", evaluate, 1e-3, 1e-6, 0) >= 26);
}

// Products in another order of sums: a few steps of f32.
TEST_CASE("recorded: loops of PyTorch's scripts and of onnxruntime give their answers, planned where they can be") {
  for (bool evaluate : {false, true}) {
    CHECK(check_recorded("loops/steady", evaluate, 1e-5, 1e-6, 0) == 3);
    CHECK(check_recorded("loops/live", evaluate, 1e-5, 1e-6, 0) == 1);
  }
  CHECK(check_recorded("loops/evaluated", true, 1e-6, 1e-9, 0) == 1);
}

}  // namespace tern::test::in_recorded
