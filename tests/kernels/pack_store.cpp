// Packs of a model, alone or together in blocks. Code: kernels/pack_store.cpp.
#include "kernels/pack_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/base/mapping.h"

namespace tern {
namespace in_pack_store {
namespace {

constexpr size_t kMiB = size_t(1) << 20;

Tensor source(uint8_t value) { return Tensor::of<uint8_t>({1}, std::span<const uint8_t>(&value, 1)); }

// Whether the page at p is in the process.
bool is_present(const std::byte* p) {
  const int pages = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);  // 8 bytes a page; the highest bit
  uint64_t entry = 0;
  const auto page = static_cast<off_t>(reinterpret_cast<uintptr_t>(p) / static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE)));
  REQUIRE(::pread(pages, &entry, sizeof entry, page * off_t(sizeof entry)) == sizeof entry);
  ::close(pages);
  return entry >> 63 != 0;
}

}  // namespace

TEST_CASE("pack store: small, large and many packs are aligned zeros before they are filled, and keep what was filled") {
  PackStore store;
  const size_t sizes[] = {1, 100, kMiB, 3 * kMiB, kMiB + 1, kMiB, 5 * kMiB, 700'000, 2 * kMiB - 64, 2 * kMiB};
  std::vector<Tensor> sources;
  std::vector<const std::byte*> packs;
  size_t sum = 0;
  for (uint8_t i = 0; i < 40; ++i) {
    const size_t bytes = sizes[i % std::size(sizes)];
    sum += bytes;
    sources.push_back(source(i));
    packs.push_back(store.find_or_make(sources.back(), "x", bytes, [&](std::byte* to) {
      CHECK(reinterpret_cast<uintptr_t>(to) % 64 == 0);
      bool zeros = true;
      for (size_t b = 0; b < bytes; ++b) zeros = zeros && to[b] == std::byte{0};
      CHECK(zeros);
      std::memset(to, i + 1, bytes);
    }));
  }
  CHECK(store.bytes() == sum);
  for (uint8_t i = 0; i < 40; ++i) {
    const size_t bytes = sizes[i % std::size(sizes)];
    bool kept = true;
    for (size_t b = 0; b < bytes; ++b) kept = kept && packs[i][b] == static_cast<std::byte>(i + 1);
    CHECK(kept);
    CHECK(store.find_or_make(sources[i], "x", bytes, [](std::byte*) { FAIL("it is there"); }) == packs[i]);
  }
  CHECK(store.bytes() == sum);
}

TEST_CASE("pack store: a source in a mapping is what it was after it was packed") {
  PackStore store;
  auto weights = Tensor::allocate(DType::u8, {static_cast<int64_t>(kMiB)});
  REQUIRE(weights.ok());
  std::memset(weights->mutable_raw(), 7, kMiB);
  REQUIRE(is_mapped(weights->storage()));
  store.find_or_make(*weights, "x", kMiB, [&](std::byte* to) { std::memcpy(to, weights->raw(), kMiB); });
  CHECK(std::memcmp(weights->raw(), store.find_or_make(*weights, "x", kMiB, nullptr), kMiB) == 0);
  CHECK(weights->raw()[kMiB - 1] == std::byte{7});
}

TEST_CASE("pack store: what is packed of a file in place leaves the process, and of memory stays in it") {
  PackStore store;
  const std::vector<char> bytes(kMiB, 5);
  const std::string path = std::filesystem::temp_directory_path() / ("tern_pack_store_" + std::to_string(::getpid()));
  std::ofstream(path).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::filesystem::remove(path);
  REQUIRE(fd >= 0);
  auto mapped = map_in_place(fd, kMiB);
  ::close(fd);
  REQUIRE(mapped.ok());
  const Tensor in_place(DType::u8, {static_cast<int64_t>(kMiB)}, *mapped);
  auto copied = Tensor::allocate(DType::u8, {static_cast<int64_t>(kMiB)});
  REQUIRE(copied.ok());
  std::memset(copied->mutable_raw(), 5, kMiB);
  for (const Tensor& t : {in_place, *copied}) {
    const std::byte* pack = store.find_or_make(t, "x", kMiB, [&](std::byte* to) { std::memcpy(to, t.raw(), kMiB); });
    CHECK(is_present(t.raw() + kMiB / 2) == !is_in_place(t.storage()));
    CHECK(std::memcmp(pack, bytes.data(), kMiB) == 0);
    CHECK(std::memcmp(pack, t.raw(), kMiB) == 0);
  }
}

}  // namespace in_pack_store
}  // namespace tern
