// Packs of a model, alone or together in blocks. Code: kernels/pack_store.cpp.
#include "kernels/pack_store.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/base/mapping.h"

namespace tern {
namespace in_pack_store {
namespace {

constexpr size_t kMiB = size_t(1) << 20;

Tensor source(uint8_t value) { return Tensor::of<uint8_t>({1}, std::span<const uint8_t>(&value, 1)); }

// Whether these bytes lie in a file without a name, which is not the process's memory.
bool has_left(const Tensor& t) {
  std::ifstream maps("/proc/self/maps");
  const auto at = reinterpret_cast<uintptr_t>(t.raw());
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2 && from <= at && at < to) return line.find("memfd:tern") != line.npos;
  }
  return false;
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

TEST_CASE("pack store: what is packed leaves the process when the packs are 32 MB, and not before") {
  PackStore store;
  std::vector<Tensor> sources;
  for (int i = 0; i < 33; ++i) {
    auto weights = Tensor::allocate(DType::u8, {static_cast<int64_t>(kMiB)});
    REQUIRE(weights.ok());
    std::memset(weights->mutable_raw(), i, kMiB);
    sources.push_back(*weights);
    store.find_or_make(*weights, "x", kMiB, [&](std::byte* to) { std::memcpy(to, weights->raw(), kMiB); });
    CHECK(has_left(*weights) == (i >= 31));
  }
  for (int i = 0; i < 33; ++i) CHECK(sources[static_cast<size_t>(i)].data<uint8_t>()[kMiB - 1] == i);
}

}  // namespace in_pack_store
}  // namespace tern
