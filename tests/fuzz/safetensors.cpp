// Fuzzes safetensors files and the index of a sharded set. Every byte of every tensor lies in the file. See fuzz.sh.
#include "loaders/safetensors/safetensors.h"

#include <cstdlib>
#include <cstring>

#include "loaders/torch/weights_file.h"
#include "loaders/weights/shards.h"

using namespace tern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Source source{std::as_bytes(std::span(data, size)), nullptr, {}, {}};
  auto tensors = looks_like_shard_index(source.bytes) ? load_shards(source, torch::load_shard) : load_safetensors(source);
  if (!tensors) {
    if (tensors.error().message().empty()) std::abort();
    return 0;
  }
  for (const auto& e : tensors->entries) {
    auto t = dense(e.tensor, 1 << 20);
    if (t && t->bytes() > 0 && std::memcmp(t->raw(), t->raw(), t->bytes()) != 0) std::abort();
  }
  return 0;
}
