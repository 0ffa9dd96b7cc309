// Functions as layers (tests/data/keras/operations/make.py): what keras.ops, TensorFlow's functions of Keras 2 and TensorFlowOpLayer compute is what
// the frameworks recorded. Code: loaders/keras/ops.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>

#include "loaders/keras/layers/layer.h"
#include "loaders/load.h"
#include "tests/support/missing_library.h"
#include "tests/support/recorded.h"

using namespace tern;

namespace in_keras_operations {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/keras/operations/";

std::string wrong(const std::string& file) {
  auto model = load(kFolder + file);
  return model ? test::wrong(*model, kFolder + file.substr(0, file.find('.')) + ".npz", 1e-4, 1e-5) : model.error().message();
}

}  // namespace

TEST_CASE("keras operations: every family of functions computes what Keras recorded") {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".keras") && !file.ends_with(".h5")) continue;
    ++seen;
    const std::string what = wrong(file);
    if (!test::lacks_library(what)) CHECK_MESSAGE(what == "", file << ": " << what);
  }
  CHECK(seen == 46);
}

TEST_CASE("keras operations: no two rows of the tables have one name") {
  std::map<std::string, int> names;
  for (const auto& table : keras::all_layers()) {
    for (const keras::LayerRow& row : table) {
      std::string name;
      for (const char* at = row.names;; ++at) {
        if (*at != ' ' && *at != 0) {
          name += *at;
          continue;
        }
        CHECK_MESSAGE(++names[name] == 1, name);
        name.clear();
        if (*at == 0) break;
      }
    }
  }
  CHECK(names.size() > 400);
}

}  // namespace in_keras_operations
