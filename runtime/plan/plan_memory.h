// plan_memory: where every buffer of a plan lies in the arena. Buffers whose lifetimes do not overlap share memory.
// You are here: stop 10 of the tour. Next: link_steps.cpp, ../session.cpp.
#pragma once
#include <cstdint>
#include <span>

namespace tern {

// A block that must exist from step `first` to step `last`, both included.
struct Buffer {
  int64_t bytes = 0;
  int32_t first = 0, last = 0;
  int64_t offset = 0;  // the answer: a multiple of 64
};

// Fills the offsets; returns the bytes needed, INT64_MAX / 2 when it is that or more. Largest first, each at the lowest gap that its
// lifetime leaves (greedy by size, Pisarchyk and Lee 2020). Looking for gaps takes a bounded number of steps, which only thousands of
// buffers that all exist at the same time use up: the rest then lie above whatever exists with them, in O(n log n).
int64_t plan_memory(std::span<Buffer> buffers);

}  // namespace tern
