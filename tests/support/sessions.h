// Models made of graphs by hand, run as a plan and by the evaluator.
#pragma once
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "runtime/model.h"
#include "tests/support/graph_builder.h"
#include "tests/support/threads.h"

namespace tern::test {

inline Model model_of(const Graph& graph) {
  auto model = make_model(graph, {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
  return *model;
}

inline std::string error_of(const Graph& graph) {
  auto model = make_model(graph, {});
  return model ? "" : model.error().message();
}

inline std::string session_error(const Model& model, const SessionOptions& options = {}) {
  auto session = model.session(options);
  return session ? "" : session.error().message();
}

inline std::vector<Array> arrays_of(const std::vector<Tensor>& tensors) {
  std::vector<Array> arrays;
  for (const Tensor& t : tensors) arrays.push_back(to_array(t));
  return arrays;
}

// The outputs of the evaluator, after checking that sessions of one thread and more, run twice, give the same bits.
inline std::vector<Array> run_both(const Model& model, const std::vector<Tensor>& inputs, SessionOptions options = {}) {
  auto expected = model.evaluate(arrays_of(inputs));
  REQUIRE_MESSAGE(expected.ok(), (expected.ok() ? std::string() : expected.error().message()));
  for (int threads : thread_counts()) {
    options.threads = threads;
    auto session = model.session(options);
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? std::string() : session.error().message()));
    for (int run = 0; run < 2; ++run) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        const auto to = session->input_bytes(session->inputs()[i].name);
        REQUIRE(to.size() == inputs[i].bytes());
        if (!to.empty()) std::memcpy(to.data(), inputs[i].raw(), to.size());
      }
      CHECK(session->run());
      for (size_t o = 0; o < expected->size(); ++o) {
        const auto bytes = session->output_bytes(session->outputs()[o].name);
        REQUIRE(bytes.size() == (*expected)[o].bytes.size());
        CHECK((bytes.empty() || std::memcmp(bytes.data(), (*expected)[o].bytes.data(), bytes.size()) == 0));
      }
    }
  }
  return *expected;
}

inline std::vector<float> floats_of(const Array& a) {
  std::vector<float> out(a.bytes.size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), a.bytes.data(), a.bytes.size());
  return out;
}

}  // namespace tern::test
