// Fuzzes Keras' files: JSON of a model alone, whose weights are zeros, and whole archives and .h5 files. See fuzz.sh.
#include "loaders/keras/keras.h"

#include <cstdlib>

#include "loaders/hdf5/hdf5.h"
#include "loaders/load.h"
#include "runtime/base/guarded.h"
#include "runtime/verify.h"
#include "tests/support/keras_zeros.h"

using namespace tern;

namespace {

Result<Graph> graph_of(const std::string& text) {
  if (!text.starts_with('{')) return load_graph(Source{std::as_bytes(std::span(text.data(), text.size())), nullptr, {}, {}}, {});
  test::ZeroWeights zeros;
  return guarded([&] { return keras::graph_of_json(text, "", zeros, {}); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto graph = graph_of(std::string(reinterpret_cast<const char*>(data), size));
  if (!graph && graph.error().message().empty()) std::abort();
  if (graph && !verify(*graph)) std::abort();
  return 0;
}
