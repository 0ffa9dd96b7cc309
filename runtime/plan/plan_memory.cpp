// See plan_memory.h. Of what is placed already only buffers that exist at the same time matter: they are found in O(log n) each.
#include "runtime/plan/plan_memory.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "runtime/base/checked.h"
#include "runtime/base/tensor.h"

namespace tern {
namespace {

constexpr int64_t kMost = INT64_MAX / 2;  // no sum of sizes gets larger, and no budget allows it

int64_t sum(int64_t a, int64_t b) { return a > kMost - b ? kMost : a + b; }
int64_t size_of(const Buffer& b) { return b.bytes > kMost - static_cast<int64_t>(kAlignment) ? kMost : round_up(b.bytes, kAlignment); }
int64_t end_of(const Buffer& b) { return sum(b.offset, size_of(b)); }

// The buffers that have an offset, by when they exist. A segment tree over the steps at which any buffer begins or ends: each buffer
// is noted at the O(log n) nodes that make up its lifetime.
class Placed {
 public:
  explicit Placed(std::span<const Buffer> buffers) : buffers_(buffers) {
    for (const Buffer& b : buffers) {
      steps_.push_back(b.first);
      steps_.push_back(b.last);
    }
    std::sort(steps_.begin(), steps_.end());
    steps_.erase(std::unique(steps_.begin(), steps_.end()), steps_.end());
    here_.resize(2 * steps_.size());
    end_here_.resize(2 * steps_.size());
    end_below_.resize(2 * steps_.size());
  }

  void insert(size_t b) {
    const int64_t end = end_of(buffers_[b]);
    begins_.emplace(buffers_[b].first, b);
    nodes_of(buffers_[b], [&](size_t n) {
      here_[n].push_back(b);
      end_here_[n] = std::max(end_here_[n], end);
      for (size_t up = n; up > 0; up /= 2) end_below_[up] = std::max(end_below_[up], end);
    });
  }

  // Into `out`: those that exist at some step of this lifetime. False: there are more than `most`.
  bool overlapping(const Buffer& b, size_t most, std::vector<size_t>& out) const {
    out.clear();
    for (size_t n = leaf(b.first); n > 0; n /= 2) {  // they exist when it begins
      if (out.size() + here_[n].size() > most) return false;
      out.insert(out.end(), here_[n].begin(), here_[n].end());
    }
    for (auto at = begins_.upper_bound(b.first); at != begins_.end() && at->first <= b.last; ++at) {  // or begin later
      if (out.size() == most) return false;
      out.push_back(at->second);
    }
    return true;
  }

  // Where the highest of them ends.
  int64_t top(const Buffer& b) const {
    int64_t top = 0;
    nodes_of(b, [&](size_t n) {
      top = std::max(top, end_below_[n]);
      for (size_t up = n / 2; up > 0; up /= 2) top = std::max(top, end_here_[up]);
    });
    return top;
  }

 private:
  size_t leaf(int32_t step) const {
    return steps_.size() + static_cast<size_t>(std::lower_bound(steps_.begin(), steps_.end(), step) - steps_.begin());
  }
  void nodes_of(const Buffer& b, auto f) const {
    for (size_t l = leaf(b.first), r = leaf(b.last) + 1; l < r; l /= 2, r /= 2) {
      if (l & 1) f(l++);
      if (r & 1) f(--r);
    }
  }

  std::span<const Buffer> buffers_;
  std::vector<int32_t> steps_;
  std::vector<std::vector<size_t>> here_;
  std::vector<int64_t> end_here_, end_below_;  // the highest end of those noted at a node, and at it or below
  std::multimap<int32_t, size_t> begins_;
};

}  // namespace

int64_t plan_memory(std::span<Buffer> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  int64_t total = 0;
  Placed placed(buffers);
  std::vector<size_t> others;
  size_t looks = (size_t(1) << 21) + 64 * buffers.size();  // at other buffers, in search of gaps
  for (size_t b : order) {
    Buffer& buffer = buffers[b];
    const int64_t size = size_of(buffer);
    int64_t at = 0;
    if (placed.overlapping(buffer, looks, others)) {
      looks -= others.size();
      std::sort(others.begin(), others.end(), [&](size_t x, size_t y) { return buffers[x].offset < buffers[y].offset; });
      for (size_t o : others) {
        if (buffers[o].offset >= sum(at, size)) break;
        at = std::max(at, end_of(buffers[o]));
      }
    } else {
      at = placed.top(buffer);
    }
    buffer.offset = at;
    total = std::max(total, sum(at, size));
    placed.insert(b);
  }
  return total;
}

}  // namespace tern
