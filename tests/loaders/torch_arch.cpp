// Architecture files: trees that torch printed come back as they were, and forwards give what torch gave. The data and the script that
// recorded them: tests/data/torch/make/arch.py.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "loaders/load.h"
#include "loaders/safetensors/safetensors.h"
#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/assemble.h"
#include "loaders/torch/state_dict/bind.h"
#include "runtime/evaluator.h"

using namespace tern;
using namespace tern::torch;

namespace in_torch_arch {
namespace {

const std::string kData = TERN_TEST_DATA "/torch/arch/";

std::string text_of(const std::string& path) {
  auto bytes = read_file(path);
  REQUIRE_MESSAGE(bytes.ok(), path);
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

std::vector<std::string> stems(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kData + folder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Weights, inputs and what torch answered.
struct Recorded {
  StateDict weights;
  std::vector<std::pair<std::string, StoredTensor>> inputs, outputs;
};

Recorded recorded(const std::string& name) {
  auto source = map_file(kData + "programs/" + name + ".safetensors");
  REQUIRE(source.ok());
  auto all = load_safetensors(*source);
  REQUIRE_MESSAGE(all.ok(), all.error().message());
  Recorded r;
  for (const StateDict::Entry& e : all->entries) {
    const size_t colon = e.name.find(':');
    const std::string kind = e.name.substr(0, colon), rest = e.name.substr(colon + 1);
    if (kind == "weight") r.weights.entries.push_back({rest, e.tensor});
    if (kind == "in") r.inputs.emplace_back(rest, e.tensor);
    if (kind == "out") r.outputs.emplace_back(rest, e.tensor);
  }
  return r;
}

Result<Graph> graph_of(const std::string& text, const Recorded& r, const LoadOptions& options) {
  auto parsed = parse_architecture(text, "net.txt");
  if (!parsed) return parsed.error();
  Module& root = *parsed->root;
  if (Status s = complete(root); !s) return s.error();
  auto expected = expected_state(root, parsed->program.get());
  if (!expected) return expected.error();
  auto bound = bind_weights(r.weights, root, *expected, true);
  if (!bound) return bound.error();
  return assemble(root, parsed->program.get(), bound->weights, options, "test");
}

double number(const tern::Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::f32: return t.data<float>()[i];
    case DType::f64: return t.data<double>()[i];
    case DType::i64: return static_cast<double>(t.data<int64_t>()[i]);
    case DType::i32: return t.data<int32_t>()[i];
    case DType::boolean: return t.data<bool>()[i];
    default: REQUIRE_MESSAGE(false, name(t.dtype())); return 0;
  }
}

// What is different; empty: nothing.
std::string difference(const tern::Tensor& got, const tern::Tensor& want) {
  if (got.dtype() != want.dtype()) return std::string("is ") + tern::name(got.dtype()) + ", not " + tern::name(want.dtype());
  if (!(got.dims() == want.dims())) return "is " + to_string(got.dims()) + ", not " + to_string(want.dims());
  for (int64_t i = 0; i < want.count(); ++i) {
    const double g = number(got, i), w = number(want, i);
    if (g == w || (std::isnan(g) && std::isnan(w)) || std::fabs(g - w) <= 1e-5 + 1e-4 * std::fabs(w)) continue;
    return "element " + std::to_string(i) + " is " + std::to_string(g) + ", not " + std::to_string(w);
  }
  return "";
}

std::string run_program(const std::string& name, const std::string& text) {
  const Recorded r = recorded(name);
  LoadOptions options;
  for (const auto& [input, t] : r.inputs) {
    Port port{input, t.dtype, {}};
    for (int64_t n : t.sizes) port.shape.push_back(std::to_string(n));
    if (name != "annotated") options.inputs.push_back(port);
  }
  auto graph = graph_of(text, r, options);
  if (!graph) return graph.error().message();
  std::vector<tern::Tensor> inputs;
  for (ValueId v : graph->inputs) {
    for (const auto& [input, t] : r.inputs) {
      if (input == graph->value(v).name) inputs.push_back(*dense(t, 1 << 20));
    }
  }
  if (inputs.size() != r.inputs.size() || inputs.size() != graph->inputs.size()) return "other inputs";
  auto outputs = evaluate_graph(*graph, inputs, {});
  if (!outputs) return outputs.error().message();
  if (outputs->size() != r.outputs.size()) return "other outputs";
  for (size_t i = 0; i < outputs->size(); ++i) {
    const std::string& output = graph->output_names[i];
    const auto known = std::find_if(r.outputs.begin(), r.outputs.end(), [&](const auto& o) { return o.first == output; });
    if (known == r.outputs.end()) return "output " + output + " is none of torch's";
    if (std::string d = difference((*outputs)[i], *dense(known->second, 1 << 20)); !d.empty()) return output + " " + d;
  }
  return "";
}

}  // namespace

TEST_CASE("architecture files: trees that torch printed print the same again") {
  const std::vector<std::string> names = stems("prints");
  REQUIRE(names.size() >= 25);
  for (const std::string& name : names) {
    INFO(name);
    const std::string text = text_of(kData + "prints/" + name + ".txt");
    auto parsed = parse_architecture(text, name);
    REQUIRE_MESSAGE(parsed.ok(), parsed.error().message());
    REQUIRE(parsed->root);
    const std::string again = print(*parsed->root) + "\n";
    if (name == "parallel") CHECK(again == "Sequential(\n  (0): Linear(in_features=2, out_features=2, bias=True)\n)\n");  // DataParallel is taken off
    else CHECK(again == text);
    CHECK(parsed->program->functions.empty());
  }
}

TEST_CASE("architecture files: forwards as in Python give what torch gives") {
  const std::vector<std::string> names = stems("programs");
  REQUIRE(names.size() >= 32);
  for (const std::string& name : names) {
    const std::string wrong = run_program(name, text_of(kData + "programs/" + name + ".txt"));
    CHECK_MESSAGE(wrong.empty(), name << ": " << wrong);
  }
}

}  // namespace in_torch_arch
