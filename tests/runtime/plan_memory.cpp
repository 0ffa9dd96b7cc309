// Buffers never overlap while both live, and share memory when they do not. Contract: runtime/plan/plan_memory.h.
#include "runtime/plan/plan_memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/cheap.h"

namespace tern {

TEST_CASE("plan_memory: two buffers that never live together share their memory") {
  std::vector<Buffer> b = {{100, 0, 1}, {100, 2, 3}, {40, 1, 2}};
  CHECK(plan_memory(b) == 128 + 64);
  CHECK(b[0].offset == b[1].offset);
  CHECK(b[2].offset == 128);
}

TEST_CASE("plan_memory: random lifetimes never overlap in both time and space, and every offset is aligned") {
  std::mt19937 engine(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Buffer> b;
    int64_t sum = 0;
    for (int i = 0; i < 40; ++i) {
      const auto first = static_cast<int32_t>(engine() % 30);
      b.push_back({static_cast<int64_t>(engine() % 1000), first, first + static_cast<int32_t>(engine() % 6)});
      sum += (b.back().bytes + 63) / 64 * 64;
    }
    const int64_t total = plan_memory(b);
    CHECK(total <= sum);
    for (size_t i = 0; i < b.size(); ++i) {
      CHECK(b[i].offset % 64 == 0);
      CHECK(b[i].offset + b[i].bytes <= total);
      for (size_t j = i + 1; j < b.size(); ++j) {
        const bool together = b[i].first <= b[j].last && b[j].first <= b[i].last;
        const bool overlap = b[i].offset < b[j].offset + b[j].bytes && b[j].offset < b[i].offset + b[i].bytes;
        CHECK_FALSE((together && overlap));
      }
    }
  }
}

TEST_CASE("plan_memory: tens of thousands of buffers, all alive at once or two at a time") {
  const auto kMany = static_cast<int32_t>(test::flood(50000));
  std::vector<Buffer> together, chain;
  for (int32_t i = 0; i < kMany; ++i) {
    together.push_back({64 + i % 3 * 64, i, 2 * kMany - i});
    chain.push_back({64, i, i + 1});
  }
  int64_t sum = 0;
  for (const Buffer& b : together) sum += b.bytes;
  CHECK(plan_memory(together) == sum);
  CHECK(plan_memory(chain) == 128);
  std::vector<Buffer> huge(4, {INT64_MAX / 2, 0, 1});
  CHECK(plan_memory(huge) == INT64_MAX / 2);  // no overflow
}

TEST_CASE("plan_memory: when looking for gaps has taken too long, nothing overlaps either") {
  std::mt19937 engine(3);
  std::vector<Buffer> b;  // enough that all live at once to use up the looks
  for (int i = 0; i < 6000; ++i)
    b.push_back({static_cast<int64_t>(engine() % 1000), static_cast<int32_t>(engine() % 1000), 1000 + static_cast<int32_t>(engine() % 1000)});
  for (int i = 0; i < 3000; ++i) {
    const auto first = static_cast<int32_t>(engine() % 2000);
    b.push_back({static_cast<int64_t>(engine() % 200), first, first + static_cast<int32_t>(engine() % 6)});
  }
  const int64_t total = plan_memory(b);
  for (int32_t step : {0, 500, 999, 1000, 1500, 1999}) {
    std::vector<std::pair<int64_t, int64_t>> alive;
    for (const Buffer& x : b) {
      if (x.first <= step && step <= x.last && x.bytes > 0) alive.emplace_back(x.offset, x.offset + x.bytes);
    }
    std::sort(alive.begin(), alive.end());
    for (size_t i = 1; i < alive.size(); ++i) CHECK(alive[i - 1].second <= alive[i].first);
    CHECK((alive.empty() || alive.back().second <= total));
  }
}

}  // namespace tern
