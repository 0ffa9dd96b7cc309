// Every trained model of tests/data/models: the answers that its framework recorded, and the same bits whatever way they are computed.
#include <dirent.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "runtime/assign_layouts.h"
#include "runtime/model.h"
#include "runtime/plan/program.h"
#include "runtime/workers.h"
#include "tern/flush_subnormals.h"
#include "tests/support/threads.h"

using namespace tern;

namespace in_models {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/models";

// Paths below kFolder; a model trained in Keras is there in two forms.
std::vector<std::string> model_names() {
  std::vector<std::string> names;
  DIR* d = opendir(kFolder.c_str());
  while (const dirent* e = d ? readdir(d) : nullptr) {
    for (const char* form : {"model.onnx", "model.keras", "saved_model"}) {
      const std::string name = std::string(e->d_name) + "/" + form;
      if (access((kFolder + "/" + name).c_str(), R_OK) == 0) names.push_back(name);
    }
  }
  if (d) closedir(d);
  std::sort(names.begin(), names.end());
  return names;
}

struct Sample {
  Model model;
  std::vector<Array> inputs, expected;
};

Sample open(const std::string& name) {
  auto model = load(kFolder + "/" + name);
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  auto file = read_file(kFolder + "/" + name.substr(0, name.find('/')) + "/data.npz");
  REQUIRE(file.ok());
  Sample s{*model, {}, {}};
  auto take = [&](const std::string& key) {
    auto one = read_npz(*file, key);
    REQUIRE_MESSAGE(one.ok(), key);
    return to_array(one->front().second);
  };
  for (const Port& p : model->inputs()) s.inputs.push_back(take("in_" + p.name));
  for (const Port& p : model->outputs()) s.expected.push_back(take("out_" + p.name));
  return s;
}

// Rows [begin, begin + n) of the first dimension, which is the batch everywhere here.
Array rows(const Array& a, int64_t begin, int64_t n) {
  Array part = a;
  const size_t row = a.bytes.size() / static_cast<size_t>(a.dims[0]);
  part.dims[0] = n;
  part.bytes.assign(a.bytes.begin() + static_cast<int64_t>(row) * begin, a.bytes.begin() + static_cast<int64_t>(row) * (begin + n));
  return part;
}
std::vector<Array> rows(const std::vector<Array>& arrays, int64_t begin, int64_t n) {
  std::vector<Array> out;
  for (const Array& a : arrays) out.push_back(rows(a, begin, n));
  return out;
}

// Two runs on one session; the second must repeat the first (no state stays behind).
std::vector<Array> run_plan(const Sample& s, const std::vector<Array>& inputs, const std::string& isa = "", int threads = 1) {
  std::vector<Dims> dims;
  for (const Array& a : inputs) dims.emplace_back(std::span<const int64_t>(a.dims));
  auto values = solve_dims(s.model.state().optimized, dims);
  REQUIRE(values.ok());
  auto session = s.model.session({.dims = *values, .threads = threads, .isa = isa});
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().message()));
  std::vector<Array> outputs;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      auto to = session->input_bytes(s.model.inputs()[i].name);
      REQUIRE(to.size() == inputs[i].bytes.size());
      std::memcpy(to.data(), inputs[i].bytes.data(), to.size());
    }
    session->run();
    for (size_t o = 0; o < s.expected.size(); ++o) {
      const std::string name = s.model.outputs()[o].name;
      auto from = session->output_bytes(name);
      if (round == 0) outputs.push_back({session->outputs()[o].dtype, session->dims(name), {from.begin(), from.end()}, {}});
      else CHECK(std::memcmp(outputs[o].bytes.data(), from.data(), from.size()) == 0);
    }
  }
  return outputs;
}

// The same with any number of threads, also more than the CPUs, which a session refuses.
std::vector<Array> run_threads(const Sample& s, const std::string& isa, int threads) {
  std::vector<Dims> dims;
  for (const Array& a : s.inputs) dims.emplace_back(std::span<const int64_t>(a.dims));
  auto values = solve_dims(s.model.state().optimized, dims);
  REQUIRE(values.ok());
  auto graph = specialize(s.model.state().optimized, *values, int64_t(64) << 20);
  REQUIRE(graph.ok());
  assign_layouts(*graph);
  PackStore packs;
  auto program = make_program(std::move(*graph), {.isa = best_isa(parse_isa(isa)), .threads = threads, .budget = int64_t(1) << 30});
  REQUIRE(program.ok());
  link_steps(**program, packs);
  auto plan = place(**program, {});
  REQUIRE(plan.ok());
  auto workers = Workers::start(plan->steps, {});
  REQUIRE(workers.ok());
  for (size_t i = 0; i < s.inputs.size(); ++i) std::memcpy(plan->inputs[i].data, s.inputs[i].bytes.data(), s.inputs[i].bytes.size());
  const FlushSubnormals flush;
  (*workers)->run();
  std::vector<Array> outputs;
  for (const PlanPort& p : plan->outputs) outputs.push_back({p.dtype, {p.dims.span().begin(), p.dims.span().end()}, {p.data, p.data + p.bytes}, {}});
  return outputs;
}

void check_same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].dims == b[i].dims);
    CHECK(a[i].bytes == b[i].bytes);
  }
}

}  // namespace

TEST_CASE("models: at least nine samples are there") { CHECK(model_names().size() >= 9); }

TEST_CASE("models: outputs are those that were recorded") {
  for (const std::string& name : model_names()) {
    CAPTURE(name);
    const Sample s = open(name);
    const std::vector<Array> actual = run_plan(s, s.inputs);
    for (size_t o = 0; o < actual.size(); ++o) {
      CHECK(actual[o].dims == s.expected[o].dims);
      REQUIRE(actual[o].dtype == DType::f32);
      const auto* x = reinterpret_cast<const float*>(actual[o].bytes.data());
      const auto* y = reinterpret_cast<const float*>(s.expected[o].bytes.data());
      // Another order of sums over some hundred terms of about 1: 1e-5 is about a hundred units in the last place of 1.
      for (size_t i = 0; i < s.expected[o].bytes.size() / 4; ++i) CHECK(std::fabs(x[i] - y[i]) <= 1e-5f + 1e-4f * std::fabs(y[i]));
    }
  }
}

TEST_CASE("models: the plan and the evaluator give the same bits") {
  for (const std::string& name : model_names()) {
    CAPTURE(name);
    const Sample s = open(name);
    auto evaluated = s.model.evaluate(s.inputs);
    REQUIRE_MESSAGE(evaluated.ok(), (evaluated.ok() ? "" : evaluated.error().message()));
    check_same_bits(run_plan(s, s.inputs), *evaluated);
  }
}

// More threads than there are cores wait for each other for milliseconds a step: all counts run with one ISA of a model, one count with the others, in turn.
TEST_CASE("models: every ISA and thread count gives the same bits") {
  const std::vector<const char*> isas = test::isa_names();
  const std::vector<int> crowds = {2, 3, 5};
  size_t turn = 0;
  for (const std::string& name : model_names()) {
    CAPTURE(name);
    const Sample s = open(name);
    const std::vector<Array> scalar = run_plan(s, s.inputs, "scalar");
    ++turn;
    for (size_t i = 0; i < isas.size(); ++i) {
      CAPTURE(isas[i]);
      for (int threads : test::thread_counts()) check_same_bits(run_plan(s, s.inputs, isas[i], threads), scalar);
      for (size_t t = 0; t < crowds.size(); ++t) {
        CAPTURE(crowds[t]);
        if (turn % isas.size() == i || (turn + i) % crowds.size() == t) check_same_bits(run_threads(s, isas[i], crowds[t]), scalar);
      }
    }
  }
}

TEST_CASE("models: a row has the same bits in every batch size") {
  for (const std::string& name : model_names()) {
    CAPTURE(name);
    const Sample s = open(name);
    const std::vector<Array> five = run_plan(s, rows(s.inputs, 0, 5));
    for (int64_t r = 0; r < 5; ++r) {
      CAPTURE(r);
      check_same_bits(run_plan(s, rows(s.inputs, r, 1)), rows(five, r, 1));
    }
    check_same_bits(rows(run_plan(s, s.inputs), 0, 5), five);
  }
}

}  // namespace in_models
