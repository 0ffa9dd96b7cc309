// Every operator of the catalog, on official cases (tests/data/node): the right answer, the same bits in plan and evaluator on every ISA
// and with two threads, and a clean hot path. And no operator may be missing from these cases.
#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "runtime/optimize.h"
#include "tests/support/cases.h"
#include "tests/support/hot_path.h"
#include "tests/support/threads.h"

namespace tern::test::in_official_cases {
namespace {

void collect(const Graph& graph, std::set<std::string>& ops) {
  for (const Node& node : graph.nodes) ops.insert(node.op->name);
  for (const Graph& g : graph.subgraphs) collect(g, ops);
}

bool same_bytes(std::span<const std::byte> a, const std::vector<std::byte>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Plans the model for these inputs and compares every output with the evaluator's; nothing when it cannot be planned.
void check_plan(const Model& model, const std::vector<Array>& inputs, const std::vector<Array>& expected, const char* isa, int threads) {
  std::vector<Dims> dims;
  for (const Array& a : inputs) dims.emplace_back(std::span<const int64_t>(a.dims));
  auto values = solve_dims(model.state().optimized, dims);
  REQUIRE(values.ok());
  SessionOptions options;
  options.dims = *values;
  options.isa = isa;
  options.threads = threads;
  auto session = model.session(options);
  if (!session) {
    CHECK_MESSAGE(session.error().code() == Code::kUnsupported, session.error().message());
    return;
  }
  const auto in = session->inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto to = session->input_bytes(in[i].name);
    REQUIRE(to.size() == inputs[i].bytes.size());
    std::copy(inputs[i].bytes.begin(), inputs[i].bytes.end(), to.begin());
  }
  session->run();
  session->run();
  const auto out = session->outputs();
  for (size_t o = 0; o < out.size(); ++o) {
    CHECK_MESSAGE(same_bytes(session->output_bytes(out[o].name), expected[o].bytes), "output " << o << ", isa " << isa << ", threads " << threads);
  }
  if (threads == 1) {
    const HotPathReport report = watch_hot_path([&] { session->run(); }, 20);
    CHECK_MESSAGE(report.clean(), "isa " << isa << ": " << report.text());
  }
}

}  // namespace

TEST_CASE("official cases: every official case has the right answer, the same bits everywhere and a clean hot path") {
  const auto cases = folders_with_models(TERN_TEST_DATA "/node");
  REQUIRE(cases.size() >= 100);
  for (const auto& path : cases) {
    INFO(path.filename().string());
    auto model = load((path / "model.onnx").string());
    if (!model && model.error().message().find("build with Debian's") != std::string::npos) continue;
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
    const auto inputs = read_arrays(path, "input", model->inputs()), expected = read_arrays(path, "output", model->outputs());
    auto outputs = model->evaluate(inputs);
    REQUIRE_MESSAGE(outputs.ok(), (outputs.ok() ? std::string() : outputs.error().message()));
    REQUIRE(outputs->size() == expected.size());
    for (size_t o = 0; o < expected.size(); ++o) CHECK(difference((*outputs)[o], expected[o], 1e-3, 1e-7) == "");
    for (const char* isa : test::isa_names()) {
      for (int threads : test::thread_counts()) check_plan(*model, inputs, *outputs, isa, threads);
    }
  }
}

TEST_CASE("official cases: every operator of the catalog is in an official case or a sample model") {
  std::set<std::string> ops;
  for (const char* folder : {"/node", "/models", "/random"}) {
    for (const auto& path : folders_with_models(std::string(TERN_TEST_DATA) + folder)) {
      auto model = load((path / "model.onnx").string());
      if (!model && model.error().message().find("build with Debian's") != std::string::npos) {
        ops.insert("RegexFullMatch");
        continue;
      }
      REQUIRE_MESSAGE(model.ok(), path.string() << (model.ok() ? std::string() : model.error().message()));
      collect(model->state().graph, ops);
      collect(model->state().optimized, ops);
    }
  }
  // Reorder, ConcatBlocks, MapBlocks, MeanBlocks and GatherMean are inserted when a session is made, FusedConvTranspose by a pass
  // (tests/runtime/assign_layouts.cpp and tests/runtime/fuse.cpp); GlobalLpPool has no official case (tests/kernels/pool.cpp); systems of equations
  // are compared with TensorFlow (tests/loaders/tensorflow_ops.cpp), as is what works on text and is none of ONNX's (tests/kernels/strings.cpp), and
  // Lookup; what quantised graphs become has tests/runtime/quantized.cpp.
  for (const char* elsewhere : {"Reorder",
                                "ConcatBlocks",
                                "FusedConvTranspose",
                                "FusedExpandDepthwise",
                                "MapBlocks",
                                "MeanBlocks",
                                "GatherMean",
                                "GlobalLpPool",
                                "Lookup",
                                "Cholesky",
                                "LogDeterminant",
                                "Qr",
                                "SelfAdjointEigen",
                                "Solve",
                                "Special",
                                "Svd",
                                "TriangularSolve",
                                "ConvIntegerToFloat",
                                "DepthToSpaceLast",
                                "DynamicQuantizeLSTM",
                                "FusedQLinearConv",
                                "FusedQLinearMatMul",
                                "Lookup8",
                                "MatMulIntegerToFloat",
                                "MaxPoolLast",
                                "QuantizedAdd",
                                "QuantizedAveragePool",
                                "QuantizedMean",
                                "QuantizedMul",
                                "RoundBF16",
                                "RoundF16"})
    ops.insert(elsewhere);
  for (const OpDef* op : all_ops()) {
    if (op->compute != nullptr && op->tern_only) continue;
    CHECK_MESSAGE(ops.count(op->name) == 1, std::string(op->name) << " is in no case");
  }
}

}  // namespace tern::test::in_official_cases
