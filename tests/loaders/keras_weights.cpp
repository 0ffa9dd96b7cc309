// The weights of Keras' files in all the forms that its versions gave them (tests/data/keras/weights/make.py): the models compute what predict()
// recorded. Code: loaders/keras/weights.
#include <doctest/doctest.h>

#include "loaders/hdf5/hdf5.h"
#include "loaders/keras/weights/hdf5_weights.h"
#include "loaders/keras/weights/sharded_weights.h"
#include "loaders/load.h"
#include "tests/support/recorded.h"

using namespace tern;
using namespace tern::keras;

namespace in_keras_weights {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/keras/weights/";

std::string text_of(const std::string& file) {
  auto bytes = read_file(kFolder + file);
  REQUIRE(bytes.ok());
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

std::string wrong(const std::string& file, const std::string& architecture) {
  LoadOptions options;
  if (!architecture.empty()) options.architecture = text_of(architecture);
  auto model = load(kFolder + file, options);
  return model ? test::wrong(*model, kFolder + file.substr(0, file.find('.')) + ".npz", 1e-5, 1e-6) : model.error().message();
}

hdf5::File file_of(const std::string& name) {
  auto source = map_file(kFolder + name);
  REQUIRE(source.ok());
  auto file = hdf5::File::open(*source, 1 << 20);
  REQUIRE(file.ok());
  return *file;
}

}  // namespace

TEST_CASE("keras weights: every form of one model's weights gives what it was recorded with") {
  for (const char* file : {"net3.weights.h5", "net3.old.weights.h5", "net3.windows.weights.h5", "net3.windows_old.weights.h5",
                           "net3.moved.weights.h5", "net3.sharded.weights.json"}) {
    CHECK_MESSAGE(wrong(file, "net3.json") == "", file << ": " << wrong(file, "net3.json"));
  }
  for (const char* file : {"net2.listed.h5", "net2.split.listed.h5", "net2.shifted.listed.h5"}) {
    CHECK_MESSAGE(wrong(file, "net2.json") == "", file << ": " << wrong(file, "net2.json"));
  }
  CHECK(wrong("net3.sharded.keras", "") == "");
}

TEST_CASE("keras weights: bfloat16 is told by an attribute") {
  const hdf5::File file = file_of("net3.bfloat16.weights.h5");
  auto id = file.find(file.root(), "layers/dense/vars/0");
  REQUIRE(id.ok());
  auto weight = read_weight(file, *id);
  REQUIRE(weight.ok());
  CHECK(weight->dtype == DType::bf16);
  CHECK(weight->dtype_name == "bf16");
  TreeWeights tree(file);
  auto found = tree.find({"layers/dense", {"dense"}}, "kernel", 0, {});
  REQUIRE((found.ok() && found->has_value()));
  CHECK((*found)->dtype == DType::bf16);
  auto full = file_of("net3.weights.h5").find(0, "layers/dense/vars/0");
  REQUIRE(full.ok());
  auto exact = read_weight(file_of("net3.weights.h5"), *full);
  REQUIRE(exact.ok());
  auto a = dense(*weight, 0), b = dense(*exact, 0);
  REQUIRE((a.ok() && b.ok()));
  for (int64_t i = 0; i < a->count(); ++i) {  // the upper half, rounded
    const uint32_t bits = __builtin_bit_cast(uint32_t, b->data<float>()[i]);
    CHECK(std::abs(int64_t(a->data<uint16_t>()[i]) - int64_t(bits >> 16)) <= 1);
  }
}

TEST_CASE("keras weights: what is not in the file is nothing, and not another weight") {
  TreeWeights tree(file_of("net3.weights.h5"));
  for (const WeightPlace& place : {WeightPlace{"layers/dense_9", {"dense_9"}}, WeightPlace{"layers/dense/cell", {"dense_3"}}, WeightPlace{"", {}}}) {
    auto found = tree.find(place, "kernel", 0, {});
    REQUIRE(found.ok());
    CHECK(!found->has_value());
  }
  auto third = tree.find({"layers/dense", {"dense"}}, "kernel", 2, {});
  REQUIRE(third.ok());
  CHECK(!third->has_value());
  const hdf5::File file = file_of("net2.listed.h5");
  ListedWeights listed(file, file.root());
  const std::string layer(file.name(file.children(file.root())[0]));
  auto probed = listed.find({"", {layer}}, "gamma", 0, {});
  REQUIRE(probed.ok());
  CHECK(!probed->has_value());
  auto other = listed.find({"", {layer}}, "gamma", 0, {123});
  REQUIRE(other.ok());
  CHECK(!other->has_value());
  CHECK(listed.begin({"a", "b"}).error().message() == "the file's layers are not the model's: it has 4, among them dense_2, and the model 2");
}

TEST_CASE("keras weights: an index of files says where they lie") {
  const auto open = [](const std::string& name) -> Result<Source> { return map_file(kFolder + name); };
  const auto refusal = [&](const std::string& index) { return open_shards(index, 1 << 20, open).error().message(); };
  CHECK(refusal("{}") == "the index of the weights has no weight_map");
  CHECK(refusal(R"({"weight_map": {"/layers": 1}})") == "weight_map has a value that is no file name");
  CHECK(refusal(R"({"weight_map": {"/layers": ["a", null]}})") == "weight_map has a value that is no file name");
  CHECK(refusal(R"({"weight_map": {"/layers": "net3.json"}})") == "net3.json: not an HDF5 file");
  CHECK(refusal(R"({"weight_map": {}})").empty());
  std::string many = R"({"weight_map": {"/layers": [)";
  for (int i = 0; i < 1025; ++i) many += (i > 0 ? ", \"" : "\"") + std::to_string(i) + "\"";
  CHECK(refusal(many + "]}}") == "weight_map names 1025 files, at most 1024 are read");
}

}  // namespace in_keras_weights
