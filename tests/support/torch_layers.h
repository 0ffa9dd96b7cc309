// Layers that torch recorded (tests/data/torch/make/nn.py): trees, weights, inputs and outputs; and running a graph against them.
#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "loaders/torch/nn/whole.h"
#include "loaders/torch/pickle/checkpoint.h"
#include "runtime/model.h"

namespace tern::test {

struct LayerCase {
  std::string name;  // "conv.c3"
  std::string constructor, printed, keys;
  std::shared_ptr<torch::Module> module;  // as the pickle has it
  std::vector<Tensor> inputs, outputs;
};

inline std::vector<LayerCase> load_family(const std::string& family) {
  const std::string stem = std::string(TERN_TEST_DATA) + "/torch/nn/" + family;
  auto source = map_file(stem + ".pt");
  auto bytes = read_file(stem + ".npz");
  REQUIRE(source.ok());
  REQUIRE(bytes.ok());
  auto file = torch::Checkpoint::open(*source);
  auto arrays = read_npz(*bytes);
  REQUIRE_MESSAGE(file.ok(), (file.ok() ? "" : file.error().message()));
  REQUIRE(arrays.ok());
  auto root = file->module(file->root());
  REQUIRE_MESSAGE(root.ok(), (root.ok() ? "" : root.error().message()));
  std::map<std::string, Tensor> by_name(arrays->begin(), arrays->end());
  auto text = [&](const std::string& name) {
    const Tensor& t = by_name.at(name);
    return std::string(reinterpret_cast<const char*>(t.raw()), t.bytes());
  };
  std::vector<LayerCase> cases;
  for (const auto& [name, module] : (*root)->children) {
    LayerCase c{family + "." + name, text(name + ".constructor"), text(name + ".repr"), text(name + ".keys"), module, {}, {}};
    for (int i = 0; by_name.contains(name + ".in" + std::to_string(i)); ++i) c.inputs.push_back(by_name.at(name + ".in" + std::to_string(i)));
    for (int i = 0; by_name.contains(name + ".out" + std::to_string(i)); ++i) c.outputs.push_back(by_name.at(name + ".out" + std::to_string(i)));
    cases.push_back(std::move(c));
  }
  return cases;
}

// What is known of the inputs by what was recorded, in order.
inline LoadOptions options_for(const LayerCase& c) {
  LoadOptions options;
  for (const Tensor& t : c.inputs) {
    Port port{"", t.dtype(), {}};
    for (int64_t n : t.dims().span()) port.shape.push_back(std::to_string(n));
    options.inputs.push_back(port);
  }
  return options;
}

// rtol 1e-4, atol 1e-5: what is asked of whole models. NaN only where torch has it.
inline bool close(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || !(a.dims() == b.dims())) return false;
  if (a.dtype() != DType::f32) return std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
  for (int64_t i = 0; i < a.count(); ++i) {
    const float x = a.data<float>()[i], y = b.data<float>()[i];
    if (std::isnan(x) != std::isnan(y) || std::fabs(x - y) > 1e-5f + 1e-4f * std::fabs(y)) return false;
  }
  return true;
}

// Runs it, evaluated and (where shapes allow) planned.
inline void check_outputs(Graph graph, const LayerCase& c, const std::string& how) {
  INFO(c.name << " (" << how << "): " << c.constructor);
  auto model = make_model(std::move(graph), {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  std::vector<Array> inputs;
  for (const Tensor& t : c.inputs) inputs.push_back(to_array(t));
  auto got = model->evaluate(inputs);
  CHECK_MESSAGE(got.ok(), (got.ok() ? "" : got.error().message()));
  if (!got.ok()) return;
  CHECK(got->size() == c.outputs.size());
  for (size_t i = 0; i < std::min(got->size(), c.outputs.size()); ++i) {
    auto tensor = to_tensor((*got)[i]);
    REQUIRE(tensor.ok());
    CHECK_MESSAGE(close(*tensor, c.outputs[i]),
                  "output " << i << " of shape " << to_string(tensor->dims()) << ", torch has " << to_string(c.outputs[i].dims()));
  }
}

}  // namespace tern::test
