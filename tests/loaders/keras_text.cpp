// Preprocessing layers of Keras 3 and tf_keras (tests/data/keras/text/make.py) against what they answer, and vocabularies that are not to be had.
// Code: loaders/keras/layers/lookup.cpp and loaders/keras/layers/categories.cpp.
#include <doctest/doctest.h>

#include <cstring>
#include <map>

#include "loaders/keras/keras.h"
#include "loaders/load.h"
#include "tests/support/keras_zeros.h"
#include "tests/support/missing_library.h"
#include "tests/support/recorded.h"

namespace tern::test::in_keras_text {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/keras/text/";

struct NoAssets : ZeroWeights {
  Result<std::optional<std::string>> asset(const keras::WeightPlace&, std::string_view) override { return std::optional<std::string>(); }
};

// The error of a model of one layer: {class_name, config} in Python's own spelling of a Sequential.
std::string refusal(const std::string& class_name, const std::string& settings, const char* dtype = "string") {
  const std::string json =
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "InputLayer", "config": {"batch_shape": [null, 1], "dtype": ")" +
      std::string(dtype) + R"(", "name": "x"}}, {"class_name": ")" + class_name + R"(", "module": "keras.layers", "config": {"name": "layer", )" +
      settings + "}}]}}";
  NoAssets weights;
  auto graph = keras::graph_of_json(json, "3.15.0", weights, {});
  return graph ? "" : graph.error().message();
}

}  // namespace

TEST_CASE("keras text: numbers, words and sentences become what both Kerases make of them") {
  for (const char* stem : {"numbers3", "numbers2", "words3", "words2", "sentences3", "sentences2", "classifier3", "classifier2"}) {
    CAPTURE(std::string(stem));
    auto model = load(kFolder + stem + ".keras");
    if (!model.ok() && lacks_library(model.error().message())) continue;
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
    const auto arrays = recorded_arrays(kFolder + stem + ".npz");
    std::vector<Array> inputs;
    for (const Port& p : model->inputs()) {
      REQUIRE(arrays.contains("in_" + p.name));
      inputs.push_back(to_array(arrays.at("in_" + p.name)));
    }
    auto outputs = model->evaluate(inputs);
    REQUIRE_MESSAGE(outputs.ok(), (outputs.ok() ? std::string() : outputs.error().message()));
    REQUIRE(outputs->size() + inputs.size() == arrays.size());
    for (size_t o = 0; o < outputs->size(); ++o) {
      CAPTURE(o);
      CHECK(difference((*outputs)[o], to_array(arrays.at("out_" + std::to_string(o))), 1e-4, 1e-5) == "");
    }
  }
}

TEST_CASE("keras text: what follows the words of a classifier has a session, whose results are those of the whole") {
  for (const char* stem : {"classifier3", "classifier2"}) {
    auto model = load(kFolder + stem + ".keras");
    if (!model.ok() && lacks_library(model.error().message())) continue;
    REQUIRE(model.ok());
    auto parts = model->parts();
    REQUIRE((parts.ok() && parts->has_value() && (*parts)->before.has_value()));
    const auto arrays = recorded_arrays(kFolder + stem + ".npz");
    auto ids = (*parts)->before->evaluate(std::vector<Array>{to_array(arrays.at("in_text"))});
    REQUIRE(ids.ok());
    const Port crossing = (*parts)->rest.inputs()[0];
    CHECK(crossing.dtype == DType::i64);
    CHECK(crossing.shape == std::vector<std::string>{"batch", "8"});
    auto session = (*parts)->rest.session({.dims = {{"batch", 9}}});
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? std::string() : session.error().message()));
    std::memcpy(session->input_bytes(crossing.name).data(), (*ids)[0].bytes.data(), (*ids)[0].bytes.size());
    REQUIRE(session->run());
    const auto y = session->output_bytes(session->outputs()[0].name);
    const Array array{DType::f32, {9, 3}, {y.begin(), y.end()}, {}};
    CHECK(difference(array, to_array(arrays.at("out_0")), 1e-4, 1e-5) == "");
  }
}

TEST_CASE("keras text: a vocabulary that is a path is not opened, one that is nowhere is told") {
  auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  const std::string path = refusal("StringLookup", R"("vocabulary": "/etc/passwd")");
  CHECK(has(path, "layer (StringLookup)"));
  CHECK(has(path, "its vocabulary is the path of a file, /etc/passwd, and no file is opened because a model names it"));
  CHECK(has(refusal("TextVectorization", R"("vocabulary": "/etc/passwd")"), "the path of a file"));
  CHECK(has(refusal("IntegerLookup", R"("vocabulary": "numbers.txt")", "int64"), "the path of a file"));
  CHECK(has(refusal("StringLookup", R"("vocabulary": null)"), "the file does not hold its vocabulary"));
  CHECK(has(refusal("IntegerLookup", R"("vocabulary": ["x"])", "int64"), "holds 'x', which is no whole number"));
  CHECK(has(refusal("StringLookup", R"("vocabulary": ["a"], "num_oov_indices": -1)"), "num_oov_indices is -1"));
  CHECK(has(refusal("StringLookup", R"("vocabulary": ["a"], "output_mode": "multi_hot", "sparse": true)"), "sparse"));
  CHECK(has(refusal("StringLookup", R"("vocabulary": ["a"], "output_mode": "tf_idf")"), "no idf_weights"));
  CHECK(has(refusal("StringLookup", R"("vocabulary": ["a"], "output_mode": "words")"), "output_mode words"));
  CHECK(has(refusal("TextVectorization", R"("vocabulary": ["a"], "ragged": true)"), "ragged"));
  CHECK(has(refusal("TextVectorization", R"("vocabulary": ["a"], "standardize": "my_function")"), "standardize=my_function"));
  CHECK(has(refusal("TextVectorization", R"("vocabulary": ["a"], "split": "my_split")"), "split=my_split"));
  CHECK(has(refusal("Hashing", R"("num_bins": 0)"), "num_bins is 0"));
  CHECK(has(refusal("CategoryEncoding", R"("num_tokens": 100000000000)", "int32"), "100000000000 categories"));
  CHECK(has(refusal("Discretization", R"("bin_boundaries": null)", "float32"), "no bin_boundaries"));
  CHECK(refusal("StringLookup", R"("vocabulary": ["a", "b"])") == "");
}

}  // namespace tern::test::in_keras_text
