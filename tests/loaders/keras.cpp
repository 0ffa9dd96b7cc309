// Files of Keras 3 and tf_keras (tests/data/keras/graphs/make.py): what they compute is what predict() recorded. Code: loaders/keras.
#include "loaders/keras/keras.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "loaders/load.h"
#include "tests/support/recorded.h"

using namespace tern;

namespace in_keras {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/keras/graphs/";

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

std::string wrong(const std::string& file) {
  auto model = load_file(file);
  return model ? test::wrong(*model, kFolder + file.substr(0, file.find('.')) + ".npz", 1e-4, 1e-5) : model.error().message();
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
  auto model = load_file("nested3.keras");
  REQUIRE(model.ok());
  std::string rows;
  for (const SummaryRow& row : model->state().graph.summary) {
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

}  // namespace in_keras
