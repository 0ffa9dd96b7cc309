// Fuzzes the index of a checkpoint. What is read of it lies in the file. See fuzz.sh.
#include <cstdlib>

#include "loaders/tensorflow/bundle/table.h"
#include "runtime/base/guarded.h"

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto table = guarded([&] { return tensorflow::read_table(std::as_bytes(std::span(data, size)), int64_t(1) << 20); });
  if (!table && table.error().message().empty()) std::abort();
  return 0;
}
