// Buffers never overlap while both live, and share memory when they do not. Contract: runtime/plan_memory.h.
#include "runtime/plan_memory.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

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

}  // namespace tern
