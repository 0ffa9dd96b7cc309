// Files of Keras 3 and tf_keras (tests/data/keras/graphs/make.py): what they compute is what predict() recorded. Code: loaders/keras.
#include "loaders/keras/keras.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "loaders/keras/summary.h"
#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "tests/support/cases.h"

using namespace tern;

namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/keras/graphs/";

Array array_of(const Tensor& t) {
  Array a;
  a.dtype = t.dtype();
  a.dims.assign(t.dims().span().begin(), t.dims().span().end());
  a.bytes.assign(t.raw(), t.raw() + t.bytes());
  return a;
}

Result<Model> load_file(const std::string& file) {
  LoadOptions options;
  const std::string stem = file.substr(0, file.find('.'));
  if (file.find(".weights.") != file.npos || file.find(".listed.") != file.npos) {
    auto text = read_file(kFolder + stem + ".json");
    REQUIRE(text.ok());
    options.architecture.assign(reinterpret_cast<const char*>(text->data()), text->size());
  }
  return load(kFolder + file, options);
}

// Empty when the outputs of evaluate() and of a session are what was recorded.
std::string wrong(const std::string& file) {
  auto model = load_file(file);
  if (!model) return model.error().message();
  auto bytes = read_file(kFolder + file.substr(0, file.find('.')) + ".npz");
  if (!bytes) return bytes.error().message();
  auto recorded = read_npz(*bytes);
  if (!recorded) return recorded.error().message();
  std::map<std::string, Array> arrays;
  for (const auto& [name, tensor] : *recorded) arrays.emplace(name, array_of(tensor));
  std::vector<Array> inputs;
  for (const Port& p : model->inputs()) {
    if (!arrays.contains("in_" + p.name)) return "no input is called " + p.name;
    inputs.push_back(arrays["in_" + p.name]);
  }
  auto outputs = model->evaluate(inputs);
  if (!outputs) return outputs.error().message();
  if (outputs->size() + inputs.size() != arrays.size()) return "other inputs and outputs than recorded";
  const std::vector<Port> ports = model->outputs();
  for (size_t i = 0; i < ports.size(); ++i) {
    if (!arrays.contains("out_" + ports[i].name)) return "no output was called " + ports[i].name;
    const std::string d = test::difference((*outputs)[i], arrays["out_" + ports[i].name], 1e-4, 1e-5);
    if (!d.empty()) return ports[i].name + ": " + d;
  }
  return "";
}

}  // namespace

TEST_CASE("keras: models in every file that they are saved as compute what predict() did") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".keras") && !file.ends_with(".h5")) continue;
    CHECK_MESSAGE(wrong(file) == "", file << ": " << wrong(file));
    ++seen;
  }
  CHECK(seen == 18);
}

TEST_CASE("keras: inputs and outputs are called after their layers, the batch is a symbol") {
  auto model = load_file("nested3.keras");
  REQUIRE(model.ok());
  REQUIRE(model->inputs().size() == 2);
  CHECK(model->inputs()[0].name == "a");
  CHECK(model->inputs()[0].shape == std::vector<std::string>{"batch", "6"});
  CHECK(model->outputs()[2].name == "w");
  CHECK(model->format() == "keras");
  CHECK(model->producer() == "keras 3.15.1");
}

TEST_CASE("keras: weights alone ask for their architecture") {
  for (const std::string& file :
       {kFolder + "chain3.weights.h5", kFolder + "chain2.listed.h5", std::string(TERN_TEST_DATA) + "/formats/keras.weights.h5"}) {
    auto model = load(file);
    REQUIRE(!model.ok());
    CHECK(model.error().code() == Code::kUnsupported);
    CHECK_MESSAGE(model.error().message().find("what model.to_json() writes in LoadOptions::architecture") != std::string::npos,
                  model.error().message());
  }
}

TEST_CASE("keras: the summary has the rows of model.summary()") {
  auto source = map_file(kFolder + "nested3.keras");
  REQUIRE(source.ok());
  auto summary = keras::summary_of(*source, {});
  REQUIRE(summary.ok());
  std::string rows;
  for (const keras::SummaryRow& row : *summary) {
    rows += row.name + " " + row.type + " ";
    for (const Shape& shape : row.shapes) rows += shape.text();
    rows += " " + std::to_string(row.parameters);
    for (const std::string& input : row.inputs) rows += " " + input;
    rows += "\n";
  }
  CHECK(rows ==
        "a InputLayer [batch,6] 0\n"
        "b InputLayer [batch,6] 0\n"
        "shared Dense [batch,6] 42 a[0][0] b[0][0]\n"
        "inner Sequential [batch,5] 35 shared[0][0] shared[1][0]\n"
        "middle Functional [batch,2][batch,5] 42 inner[0][0] inner[1][0]\n"
        "late Activation [batch,2] 0 middle[1][0]\n");
}
