// See plan_memory.h.
#include "runtime/plan_memory.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "runtime/base/checked.h"
#include "runtime/base/tensor.h"

namespace tern {

int64_t plan_memory(std::span<Buffer> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  int64_t total = 0;
  std::vector<size_t> placed;  // sorted by offset
  for (size_t b : order) {
    Buffer& buffer = buffers[b];
    const int64_t size = round_up(buffer.bytes, kAlignment);
    int64_t at = 0;
    for (size_t p : placed) {
      const Buffer& other = buffers[p];
      if (other.last < buffer.first || other.first > buffer.last) continue;  // never at the same time
      if (other.offset >= at + size) break;
      at = std::max(at, other.offset + round_up(other.bytes, kAlignment));
    }
    buffer.offset = at;
    total = std::max(total, at + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), b, [&](size_t x, size_t y) { return buffers[x].offset < buffers[y].offset; }), b);
  }
  return total;
}

}  // namespace tern
