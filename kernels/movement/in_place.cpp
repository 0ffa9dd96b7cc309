// See in_place.h.
#include "kernels/movement/in_place.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "kernels/movement/copy.h"

namespace tern {
namespace {

constexpr int64_t kShort = 64;  // bytes of a chunk for which a jump in memory is worth it: a line of the cache
constexpr int64_t kLong = 512;  // and from where on another pass that lengthens it is not

// `outer` arrays side by side, each x[a, b, chunk] -> x[b, a, chunk].
struct Swap {
  int64_t outer, a, b, chunk;  // chunk: bytes
  int64_t bytes() const { return a * b * chunk; }
  bool fits() const { return bytes() <= kInPlaceBuffer; }
};

// The most neighbours out of n that the buffer holds where one takes `each` bytes, and that divide n.
int64_t neighbours(int64_t n, int64_t each) {
  int64_t count = std::min(n, kInPlaceBuffer / each);
  while (count > 1 && n % count != 0) --count;
  return count;
}

// What is done of a swap, in this order: each fits into the buffer or has long chunks. False: there is no way.
bool add_passes(const Swap& s, std::vector<Swap>& passes) {
  const auto add = [&](Swap pass) { passes.push_back(pass); };
  if (s.fits() || s.chunk >= kLong) return add(s), true;
  const int64_t a = neighbours(s.a, s.b * s.chunk), b = neighbours(s.b, s.a * s.chunk), most = std::max(a, b);
  if (most > 1 && most * s.chunk >= kShort) {
    if (a >= b) {
      add({s.outer * (s.a / a), a, s.b, s.chunk});
      add({s.outer, s.a / a, s.b, a * s.chunk});
    } else {
      add({s.outer, s.a, s.b / b, b * s.chunk});
      add({s.outer * (s.b / b), s.a, b, s.chunk});
    }
    return true;
  }
  if (s.chunk < kShort) return false;
  return add(s), true;
}

void through_buffer(const Swap& s, std::byte* data, std::byte* buffer) {
  const CopyLoop loops[2] = {{s.b, s.chunk, s.a * s.chunk}, {s.a, s.b * s.chunk, s.chunk}};
  const bool tiled = s.chunk == 1 || s.chunk == 2 || s.chunk == 4 || s.chunk == 8 || s.chunk == 16;
  for (int64_t o = 0; o < s.outer; ++o, data += s.bytes()) {
    const Copy copy{data, buffer, loops, s.chunk, 2, tiled};
    const CopyArgs args{&copy, 1};
    kCopyRows[0].run(&args);
    std::memcpy(data, buffer, static_cast<size_t>(s.bytes()));
  }
}

// `size` bytes at the begin of every chunk. What comes to place i = b * A + a lies at a * B + b.
void along_cycles(const Swap& s, std::byte* data, int64_t size, std::byte* buffer, std::vector<bool>& moved) {
  const int64_t count = s.a * s.b;
  const auto bytes = static_cast<size_t>(size);
  moved.assign(static_cast<size_t>(count), false);
  for (int64_t first = 0; first < count; ++first) {
    if (moved[static_cast<size_t>(first)]) continue;
    std::memcpy(buffer, data + first * s.chunk, bytes);
    for (int64_t to = first;;) {
      moved[static_cast<size_t>(to)] = true;
      const int64_t from = to % s.a * s.b + to / s.a;
      std::memcpy(data + to * s.chunk, from == first ? buffer : data + from * s.chunk, bytes);
      if (from == first) break;
      to = from;
    }
  }
}

// The swaps of a permutation: axes that stay side by side are one, and each in turn comes to its place.
std::vector<Swap> swaps_of(int64_t size, const Dims& dims, std::span<const int> perm) {
  std::vector<int> left;
  for (int axis : perm) {
    if (dims[axis] != 1) left.push_back(axis);
  }
  std::vector<int> lie = left;
  std::sort(lie.begin(), lie.end());
  const auto product = [&](size_t begin, size_t end) {
    int64_t n = 1;
    for (size_t i = begin; i < end; ++i) n *= dims[lie[i]];
    return n;
  };
  std::vector<Swap> swaps;
  for (size_t i = 0; i < left.size();) {
    const auto at = static_cast<size_t>(std::find(lie.begin(), lie.end(), left[i]) - lie.begin());
    size_t run = 1;
    while (i + run < left.size() && at + run < lie.size() && left[i + run] == lie[at + run]) ++run;
    if (at > i) swaps.push_back({product(0, i), product(i, at), product(at, at + run), product(at + run, lie.size()) * size});
    const auto begin = lie.begin() + static_cast<std::ptrdiff_t>(i), middle = lie.begin() + static_cast<std::ptrdiff_t>(at);
    std::rotate(begin, middle, middle + static_cast<std::ptrdiff_t>(run));
    i += run;
  }
  return swaps;
}

}  // namespace

bool transpose_in_place(std::byte* data, int64_t size, const Dims& dims, std::span<const int> perm) {
  if (dims.count() == 0) return true;
  std::vector<Swap> passes;
  for (const Swap& s : swaps_of(size, dims, perm)) {
    if (!add_passes(s, passes)) return false;
  }
  size_t chunks = 0;
  for (const Swap& s : passes) chunks = std::max(chunks, s.fits() ? 0 : static_cast<size_t>(s.a * s.b));
  std::vector<bool> moved;
  moved.reserve(chunks);
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(kInPlaceBuffer));
  for (const Swap& s : passes) {
    if (s.fits()) {
      through_buffer(s, data, buffer.get());
      continue;
    }
    for (int64_t o = 0; o < s.outer; ++o) {
      for (int64_t at = 0; at < s.chunk; at += kInPlaceBuffer)
        along_cycles(s, data + o * s.bytes() + at, std::min(kInPlaceBuffer, s.chunk - at), buffer.get(), moved);
    }
  }
  return true;
}

bool reorder_in_place(std::byte* data, int64_t outer, int64_t block, std::span<const int64_t> order) {
  const int64_t array = static_cast<int64_t>(order.size()) * block;
  if (array > kInPlaceBuffer) return false;
  const auto was = std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(array));
  for (int64_t o = 0; o < outer; ++o, data += array) {
    std::memcpy(was.get(), data, static_cast<size_t>(array));
    for (size_t i = 0; i < order.size(); ++i)
      std::memcpy(data + static_cast<int64_t>(i) * block, was.get() + order[i] * block, static_cast<size_t>(block));
  }
  return true;
}

}  // namespace tern
