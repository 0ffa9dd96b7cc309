// Memory apart from the heap, which leaves the process when it is retired. Code: runtime/base/mapping.cpp.
#include "runtime/base/mapping.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/tensor.h"
#include "tests/support/cheap.h"

namespace tern {
namespace in_mapping {
namespace {

constexpr size_t kMiB = size_t(1) << 20;

// What of these bytes lies in the process, in KB: the sum of Rss of their mappings.
int64_t resident_kb(const std::byte* begin, size_t bytes) {
  std::ifstream maps("/proc/self/smaps");
  const auto first = reinterpret_cast<uintptr_t>(begin), last = first + bytes;
  int64_t sum = 0;
  bool ours = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) ours = from < last && to > first;
    if (ours && line.starts_with("Rss:")) sum += std::atoll(line.c_str() + 4);
  }
  return sum;
}

std::shared_ptr<std::byte> counted(size_t bytes) {
  auto memory = map_memory(bytes);
  REQUIRE(memory.ok());
  for (size_t i = 0; i < bytes; ++i) memory->get()[i] = static_cast<std::byte>(i * 7 % 251);
  return *memory;
}
bool is_counted(const std::byte* p, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    if (p[i] != static_cast<std::byte>(i * 7 % 251)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("mapping: memory is zeros, aligned, with room to read behind, and a large one begins where a large page may") {
  for (size_t bytes : {size_t(0), size_t(1), size_t(4096), size_t(100'000), 2 * kMiB - 64, 5 * kMiB + 3}) {
    CAPTURE(bytes);
    auto memory = map_memory(bytes);
    REQUIRE(memory.ok());
    CHECK(is_mapped(*memory));
    CHECK(!is_in_place(*memory));
    CHECK(reinterpret_cast<uintptr_t>(memory->get()) % (bytes >= 2 * kMiB ? 2 * kMiB : 4096) == 0);
    CHECK(std::accumulate(memory->get(), memory->get() + bytes + kAlignment, 0, [](int sum, std::byte b) { return sum + static_cast<int>(b); }) == 0);
  }
}

TEST_CASE("mapping: what is retired leaves the process, stays what it was, and may be retired again; its neighbours stay") {
  const size_t size = 8 * kMiB;
  const auto memory = counted(size);
  protect(memory);
  CHECK(resident_kb(memory.get(), size) >= 8 * 1024);
  const auto part = [&](size_t from, size_t bytes) { retire(memory, {memory.get() + from, bytes}); };
  part(3 * kMiB + 100, 2 * kMiB);
  CHECK(resident_kb(memory.get(), size) <= 6 * 1024 + 64);
  CHECK(is_counted(memory.get(), size));
  CHECK(resident_kb(memory.get(), size) >= 8 * 1024 - 64);  // it came back
  part(3 * kMiB + 100, 2 * kMiB);                           // dropped this time
  part(3 * kMiB + 5000, kMiB);
  part(2 * kMiB, 2 * kMiB);  // over the first
  CHECK(resident_kb(memory.get(), size) <= 5 * 1024 + 64);
  part(0, size);
  CHECK(resident_kb(memory.get(), size) <= 64);
  CHECK(is_counted(memory.get(), size));
}

TEST_CASE("mapping: what is kept resident does not leave when it is retired; what has left cannot be kept, nor a file in place") {
  const size_t size = 4 * kMiB;
  const auto memory = counted(size);
  protect(memory);
  const auto at = [&](size_t from, size_t bytes) { return std::span<const std::byte>(memory.get() + from, bytes); };
  CHECK(keep_resident(memory, at(kMiB + 10, kMiB)));
  retire(memory, at(kMiB, kMiB / 2));  // pages of both
  retire(memory, at(0, size));
  CHECK(resident_kb(memory.get(), size) >= 4 * 1024);
  retire(memory, at(3 * kMiB, kMiB));
  CHECK(resident_kb(memory.get(), size) <= 3 * 1024 + 64);
  CHECK_FALSE(keep_resident(memory, at(3 * kMiB, 100)));
  CHECK(keep_resident(memory, at(0, 100)));
  CHECK(is_counted(memory.get(), size));
  const std::shared_ptr<std::byte> heap = allocate_aligned(100);
  CHECK(keep_resident(heap, {heap.get(), 100}));
}

TEST_CASE("mapping: hundreds of thousands of small pieces are kept resident in the time of a few each") {
  const size_t size = 4 * kMiB, step = 16;
  const auto memory = counted(size);
  protect(memory);
  const auto kept = [&] {
    size_t all = 0;
    for (size_t from = 0; from < size; from += step) all += keep_resident(memory, {memory.get() + from, step / 2});
    return Result<size_t>(all);
  };
  for (int again : {0, 1}) {
    CAPTURE(again);
    CHECK(*test::cheaply(size, kept) == size / step);
  }
  retire(memory, {memory.get(), size});
  CHECK(resident_kb(memory.get(), size) >= 4 * 1024);
}

TEST_CASE("mapping: a piece that is held outlives the mapping, and pages that nobody holds any more go") {
  const size_t size = 8 * kMiB;
  auto memory = counted(size);
  const std::byte* begin = memory.get();
  const auto piece = [&](size_t from, size_t bytes) { return hold(memory, {begin + from, bytes}); };
  auto first = piece(kMiB + 100, kMiB), over = piece(kMiB + kMiB / 2, kMiB), last = piece(size - 5000, 5000);
  const auto inner = hold(over, {begin + 2 * kMiB, 64 << 10});  // of a piece
  CHECK(is_mapped(first));
  protect(memory);
  memory = nullptr;
  const auto resident = [&] { return resident_kb(begin, size); };
  CHECK(resident() <= 1536 + 3 * 8);
  CHECK(resident() >= 1536);
  CHECK(first.get()[77] == static_cast<std::byte>((kMiB + 177) * 7 % 251));
  first = nullptr;
  CHECK(resident() <= 1024 + 2 * 8);
  retire(over, {over.get(), kMiB});
  CHECK(resident() <= 2 * 8 + 8);
  CHECK(over.get()[77] == static_cast<std::byte>((kMiB + kMiB / 2 + 77) * 7 % 251));
  over = nullptr;
  CHECK(inner.get()[77] == static_cast<std::byte>((2 * kMiB + 77) * 7 % 251));
  CHECK(last.get()[4999] == static_cast<std::byte>((size - 1) * 7 % 251));
  CHECK(resident() <= 64 + 2 * 8);
}

TEST_CASE("mapping: behind a piece as many bytes may be read as behind a tensor, also where it ends with its page") {
  auto memory = counted(4 * kMiB);
  const std::byte* begin = memory.get();
  const auto piece = hold(memory, {begin, kMiB});
  memory = nullptr;
  CHECK(resident_kb(begin, 4 * kMiB) <= 1024 + 8);
  CHECK(is_counted(piece.get(), kMiB + kAlignment));
}

TEST_CASE("mapping: protected memory is written again by who holds it alone, and never when a part of it was retired") {
  std::shared_ptr<const std::byte> memory = counted(kMiB);
  protect(memory);
  {
    const auto other = memory;
    CHECK(!unprotect(memory));
  }
  auto piece = hold(memory, {memory.get() + 5000, 5000});
  CHECK(!unprotect(memory));
  CHECK(!unprotect(piece));
  piece = nullptr;
  REQUIRE(unprotect(memory));
  const_cast<std::byte*>(memory.get())[7] = std::byte{7};
  protect(memory);
  retire(memory, {memory.get(), kMiB});
  CHECK(!unprotect(memory));
  CHECK(!unprotect(allocate_aligned(kMiB)));
  CHECK(!unprotect(nullptr));
}

TEST_CASE("mapping: a piece is written by who holds its bytes alone, whoever holds others of its pages") {
  std::shared_ptr<const std::byte> memory = counted(4 * kMiB);
  const std::byte* begin = memory.get();
  const auto before = hold(memory, {begin, 5000}), behind = hold(memory, {begin + 5000 + kMiB, 777}), nothing = hold(memory, {begin + 6000, 0});
  const std::shared_ptr<const std::byte> piece = hold(memory, {begin + 5000, kMiB});
  protect(memory);
  CHECK(!unprotect(piece));  // `memory` has it too
  memory = nullptr;
  {
    const auto again = piece;
    CHECK(!unprotect(piece));
  }
  auto last = hold(piece, {piece.get() + kMiB - 1, 2});  // one byte of it, one of its neighbour
  CHECK(!unprotect(piece));
  CHECK(!unprotect(behind));
  REQUIRE(unprotect(before));
  protect(before);
  last = nullptr;
  REQUIRE(unprotect(piece));
  std::memset(const_cast<std::byte*>(piece.get()), 9, kMiB);
  protect(piece);
  for (size_t i = 0; i < 5000; ++i) REQUIRE(before.get()[i] == static_cast<std::byte>(i * 7 % 251));
  for (size_t i = 0; i < 777; ++i) REQUIRE(behind.get()[i] == static_cast<std::byte>((i + 5000 + kMiB) * 7 % 251));
  retire(piece, {piece.get() + 70'000, 100'000});
  CHECK(!unprotect(piece));
  CHECK(unprotect(before));
}

TEST_CASE("mapping: memory that will be filled is there at once, as zeros") {
  for (const size_t bytes : {size_t(5000), kMiB, kMiB + 300'000, 5 * kMiB + 3, 7 * kMiB}) {
    CAPTURE(bytes);
    auto memory = map_memory(bytes, true);
    REQUIRE(memory.ok());
    const auto kb = static_cast<int64_t>(bytes / 1024);
    CHECK(resident_kb(memory->get(), bytes) >= kb);
    CHECK(resident_kb(memory->get(), bytes) <= kb + 1024 + 8);
    CHECK(std::all_of(memory->get(), memory->get() + bytes + kAlignment, [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST_CASE("mapping: a whole mapping is written again, whoever holds pieces of it") {
  auto memory = counted(kMiB);
  const auto piece = hold(memory, {memory.get() + 5000, 5000});
  protect(memory);
  REQUIRE(unprotect_whole(memory));
  memory.get()[6000] = std::byte{1};
  CHECK(piece.get()[1000] == std::byte{1});
  protect(memory);
  CHECK(!unprotect_whole(allocate_aligned(kMiB)));
  CHECK(!unprotect_whole(nullptr));
}

TEST_CASE("mapping: a piece of the heap is held as its owner is") {
  const std::shared_ptr<const std::byte> heap = allocate_aligned(kMiB, true);
  const auto piece = hold(heap, {heap.get() + 64, 4096});
  CHECK(heap.use_count() == 2);
  CHECK(!is_mapped(piece));
}

TEST_CASE("mapping: little things and the heap are not retired") {
  const auto small = counted(60'000);
  retire(small, {small.get(), 60'000});
  CHECK(resident_kb(small.get(), 60'000) > 0);
  const auto heap = allocate_aligned(kMiB, true);
  heap.get()[5000] = std::byte{7};
  retire(heap, {heap.get(), kMiB});
  CHECK(heap.get()[5000] == std::byte{7});
  retire(nullptr, {heap.get(), kMiB});
  CHECK(heap.get()[5000] == std::byte{7});
}

TEST_CASE("mapping: other threads may read what is being retired") {
  const size_t size = 16 * kMiB;
  const auto memory = counted(size);
  std::atomic<bool> end = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      for (size_t i = static_cast<size_t>(t) * 1000; !end; i = (i + 4099) % size) wrong += memory.get()[i] != static_cast<std::byte>(i * 7 % 251);
    });
  }
  for (size_t at = 0; at < size; at += kMiB) retire(memory, {memory.get() + at, kMiB});
  for (size_t at = 0; at < size; at += kMiB / 2) retire(memory, {memory.get() + at, kMiB / 2});
  end = true;
  for (std::thread& t : readers) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("mapping: a large tensor that is allocated lies in a mapping, a small one does not") {
  CHECK(is_mapped(Tensor::allocate(DType::f32, {256, 256})->storage()));
  CHECK(!is_mapped(Tensor::allocate(DType::f32, {255, 256})->storage()));
}

}  // namespace in_mapping
}  // namespace tern
