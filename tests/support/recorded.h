// Answers that a framework recorded: arrays in .npz files, those of models by the names of their inputs and outputs (in_NAME, out_NAME), those of
// cases beside the JSON that describes them.
#pragma once
#include <doctest/doctest.h>

#include <cstring>
#include <map>

#include "loaders/json/json.h"
#include "loaders/npy/npy.h"
#include "tests/support/cases.h"

namespace tern::test {

inline std::map<std::string, Tensor, std::less<>> recorded_arrays(const std::string& npz) {
  auto bytes = read_file(npz);
  REQUIRE_MESSAGE(bytes.ok(), npz);
  auto arrays = read_npz(*bytes);
  REQUIRE_MESSAGE(arrays.ok(), npz);
  return {arrays->begin(), arrays->end()};
}

// A JSON file of cases and the arrays that they name.
struct RecordedCases {
  std::string text;
  Json json;
  std::map<std::string, Tensor, std::less<>> arrays;

  RecordedCases(const std::string& file, const std::string& npz) : arrays(recorded_arrays(npz)) {
    auto bytes = read_file(file);
    REQUIRE_MESSAGE(bytes.ok(), file);
    text.assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    auto parsed = Json::parse(text);
    REQUIRE_MESSAGE(parsed.ok(), file);
    json = std::move(*parsed);
  }
};

// Empty when a session gives these bits.
inline std::string session_differs(const Model& model, const std::vector<Array>& inputs, const std::vector<Array>& outputs) {
  std::vector<Dims> dims;
  for (const Array& a : inputs) dims.emplace_back(std::span<const int64_t>(a.dims));
  auto values = solve_dims(model.state().optimized, dims);
  if (!values) return values.error().message();
  auto session = model.session({.dims = *values});
  if (!session) return session.error().message();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto to = session->input_bytes(session->inputs()[i].name);
    if (to.size() != inputs[i].bytes.size()) return "input " + session->inputs()[i].name + " is of another size";
    std::copy(inputs[i].bytes.begin(), inputs[i].bytes.end(), to.begin());
  }
  session->run();
  for (size_t o = 0; o < outputs.size(); ++o) {
    const auto from = session->output_bytes(session->outputs()[o].name);
    if (!std::equal(from.begin(), from.end(), outputs[o].bytes.begin(), outputs[o].bytes.end())) {
      return session->outputs()[o].name + ": a session gives other bits than evaluate()";
    }
  }
  return "";
}

// Empty when evaluate() gives what was recorded and, where the model has sessions, these give the same bits.
inline std::string wrong(const Model& model, const std::string& npz, double rtol, double atol) {
  const auto recorded = recorded_arrays(npz);
  std::vector<Array> inputs;
  bool text = false;
  for (const Port& p : model.inputs()) {
    const auto at = recorded.find("in_" + p.name);
    if (at == recorded.end()) return "no input is called " + p.name;
    inputs.push_back(to_array(at->second));
    text |= p.dtype == DType::string;
  }
  auto outputs = model.evaluate(inputs);
  if (!outputs) return outputs.error().message();
  if (outputs->size() + inputs.size() != recorded.size()) return "other inputs and outputs than recorded";
  const std::vector<Port> ports = model.outputs();
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto at = recorded.find("out_" + ports[i].name);
    if (at == recorded.end()) return "no output was called " + ports[i].name;
    const std::string d = difference((*outputs)[i], to_array(at->second), rtol, atol);
    if (!d.empty()) return ports[i].name + ": " + d;
  }
  return text || model.data_dependent() ? "" : session_differs(model, inputs, *outputs);
}

}  // namespace tern::test
