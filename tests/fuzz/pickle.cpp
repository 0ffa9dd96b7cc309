// Fuzzes the unpickler and what is made of it: the input as a file (legacy, bare pickle, zip), and as the data.pkl of an archive with a few
// storages, so that tensors find their data. See fuzz.sh.
#include <cstdlib>
#include <cstring>

#include "loaders/torch/pickle/checkpoint.h"
#include "tests/support/zip_writer.h"

using namespace tern;

namespace {

constexpr int64_t kBudget = 1 << 20;

void use(const StoredTensor& t) {
  (void)checksum(t, kBudget);
  auto made = dense(t, kBudget);
  if (!made) return;
  if (made->bytes() > 0 && std::memcmp(made->raw(), made->raw(), made->bytes()) != 0) std::abort();  // all of it can be read
}

void open(std::span<const std::byte> bytes) {
  auto opened = torch::Checkpoint::open(Source{bytes, nullptr, {}, {}});
  if (!opened) return;
  const torch::Checkpoint& c = *opened;
  (void)c.unknown_globals();
  auto all = c.list();
  for (const torch::Checkpoint::Candidate& candidate : c.candidates()) {
    auto weights = c.state_dict(candidate);
    if (weights && weights->entries.size() < 100) {
      for (const auto& e : weights->entries) use(e.tensor);
    }
    if (!c.is_module(candidate.id)) continue;
    if (auto tree = c.module(candidate.id)) (void)torch::print(**tree);
  }
  if (all && all->entries.size() < 100) {
    for (const auto& e : all->entries) use(e.tensor);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  open(bytes);
  if (size == 0 || data[0] == 'P') return 0;
  test::ZipWriter zip;
  zip.add("a/data.pkl", {reinterpret_cast<const char*>(data), size});
  for (const char* key : {"a/data/0", "a/data/1", "a/data/2"}) zip.add(key, std::string(96, '\x3f'));
  const std::string archive = zip.finish();
  open(std::as_bytes(std::span(archive.data(), archive.size())));
  return 0;
}
