// Fuzzes SavedModels and frozen graphs without a folder. See fuzz.sh.
#include <cstdlib>

#include "loaders/load.h"
#include "loaders/tensorflow/tensorflow.h"
#include "runtime/base/guarded.h"
#include "runtime/verify.h"

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Source source{std::as_bytes(std::span(data, size)), nullptr, {}, {}};
  const Content content(source);
  for (const auto load : {tensorflow::load_saved_model, tensorflow::load_frozen_graph}) {
    const auto graph = guarded([&] { return load(content, {}); });
    if (!graph && graph.error().message().empty()) std::abort();
    if (graph && !verify(*graph)) std::abort();
  }
  return 0;
}
