// The strided copy: collapsing at bind, odometer loops at run. See copy.h.
#include "kernels/movement/copy.h"

namespace tern {
namespace {

// One loop of elements of a size that the compiler knows.
template <int Size>
void copy_line(const std::byte* from, std::byte* to, int64_t n, int64_t from_stride, int64_t to_stride) {
  struct Element { std::byte bytes[Size]; } e;
  if (from_stride == 0 && to_stride == Size) {
    std::memcpy(&e, from, Size);
    for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * Size, &e, Size);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(&e, from + i * from_stride, Size);
    std::memcpy(to + i * to_stride, &e, Size);
  }
}

void copy_runs(const Copy& c, const std::byte* from, std::byte* to) {
  const int d = c.rank - 1;
  const int64_t n = c.n[d], fs = c.from_stride[d], ts = c.to_stride[d];
  switch (c.size) {
    case 1: return copy_line<1>(from, to, n, fs, ts);
    case 2: return copy_line<2>(from, to, n, fs, ts);
    case 4: return copy_line<4>(from, to, n, fs, ts);
    case 8: return copy_line<8>(from, to, n, fs, ts);
    case 16: return copy_line<16>(from, to, n, fs, ts);
    default:
      for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * ts, from + i * fs, static_cast<size_t>(c.size));
  }
}

// The last two loops: `rows` steps through contiguous elements of x, `cols` through those of y. A tile touches kTile lines of either
// side, which L1 holds together whatever the strides.
template <int Size>
void copy_tiles(const Copy& c, const std::byte* from, std::byte* to) {
  constexpr int64_t kTile = 16;
  const int r = c.rank - 2, q = c.rank - 1;
  for (int64_t i0 = 0; i0 < c.n[r]; i0 += kTile) {
    const int64_t i1 = std::min(i0 + kTile, c.n[r]);
    for (int64_t j0 = 0; j0 < c.n[q]; j0 += kTile) {
      const int64_t j1 = std::min(j0 + kTile, c.n[q]);
      for (int64_t i = i0; i < i1; ++i) {
        copy_line<Size>(from + i * Size + j0 * c.from_stride[q], to + i * c.to_stride[r] + j0 * c.to_stride[q], j1 - j0, c.from_stride[q],
                        c.to_stride[q]);
      }
    }
  }
}

void copy_inner(const Copy& c, const std::byte* from, std::byte* to) {
  if (!c.tiled) return copy_runs(c, from, to);
  switch (c.size) {
    case 1: return copy_tiles<1>(c, from, to);
    case 2: return copy_tiles<2>(c, from, to);
    case 4: return copy_tiles<4>(c, from, to);
    case 8: return copy_tiles<8>(c, from, to);
    default: return copy_tiles<16>(c, from, to);
  }
}

void copy_one(const Copy& c) {
  if (c.rank == 0) {
    std::memcpy(c.to, c.from, static_cast<size_t>(c.size));
    return;
  }
  const int outer = c.rank - (c.tiled ? 2 : 1);
  int64_t at[kMaxCopyRank] = {};
  const std::byte* from = c.from;
  std::byte* to = c.to;
  for (;;) {
    copy_inner(c, from, to);
    int d = outer - 1;
    for (; d >= 0; --d) {
      from += c.from_stride[d];
      to += c.to_stride[d];
      if (++at[d] < c.n[d]) break;
      from -= c.n[d] * c.from_stride[d];
      to -= c.n[d] * c.to_stride[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

void copy_all(const CopyArgs& a) {
  for (int64_t i = 0; i < a.count; ++i) copy_one(a.copies[i]);
}

bool element_sized(int64_t size) { return size == 1 || size == 2 || size == 4 || size == 8 || size == 16; }

void erase_loop(Copy& c, int d) {
  for (int i = d; i + 1 < c.rank; ++i) {
    c.n[i] = c.n[i + 1];
    c.from_stride[i] = c.from_stride[i + 1];
    c.to_stride[i] = c.to_stride[i + 1];
  }
  --c.rank;
}

// The share of one copy; an empty one has n[0] or size zero.
Copy share(BindContext& c, Copy copy) {
  if (copy.rank == 0) {
    const auto [begin, end] = c.range(copy.size, 64);
    copy.from += begin;
    copy.to += begin;
    copy.size = end - begin;
  } else {
    const auto [begin, end] = c.range(copy.n[0]);
    copy.from += begin * copy.from_stride[0];
    copy.to += begin * copy.to_stride[0];
    copy.n[0] = end - begin;
  }
  return copy;
}

bool empty(const Copy& c) {
  for (int d = 0; d < c.rank; ++d) {
    if (c.n[d] == 0) return true;
  }
  return c.size == 0;
}

}  // namespace

const KernelRow kCopyRows[1] = {row<CopyArgs, copy_all>("movement/copy/scalar", DType::none, Isa::scalar)};

void Copy::loop(int64_t extent, int64_t from_step, int64_t to_step) {
  n[rank] = extent;
  from_stride[rank] = from_step * size;
  to_stride[rank] = to_step * size;
  ++rank;
}

std::array<int64_t, kMaxRank> dense_strides(const Dims& dims) {
  std::array<int64_t, kMaxRank> s{};
  int64_t step = 1;
  for (int d = dims.rank - 1; d >= 0; --d) {
    s[static_cast<size_t>(d)] = step;
    step *= dims[d];
  }
  return s;
}

Copy collapse(const Copy& copy) {
  Copy c = copy;
  for (int d = c.rank - 1; d >= 0; --d) {
    if (c.n[d] == 1) erase_loop(c, d);
  }
  for (int d = c.rank - 2; d >= 0; --d) {  // loop d continues where loop d + 1 ends: one loop
    if (c.from_stride[d] == c.n[d + 1] * c.from_stride[d + 1] && c.to_stride[d] == c.n[d + 1] * c.to_stride[d + 1]) {
      c.n[d + 1] *= c.n[d];
      erase_loop(c, d);
    }
  }
  if (c.rank > 0 && c.from_stride[c.rank - 1] == c.size && c.to_stride[c.rank - 1] == c.size) {  // a contiguous run
    c.size *= c.n[c.rank - 1];
    --c.rank;
  }
  if (c.rank < 2 || !element_sized(c.size)) return c;
  for (int d = 0; d < c.rank - 1; ++d) {  // loops may run in any order: bring the one that is contiguous in x next to the innermost
    if (c.from_stride[d] != c.size) continue;
    const int64_t n = c.n[d], from = c.from_stride[d], to = c.to_stride[d];
    erase_loop(c, d);
    const int q = c.rank - 1;
    c.n[q + 1] = c.n[q];
    c.from_stride[q + 1] = c.from_stride[q];
    c.to_stride[q + 1] = c.to_stride[q];
    c.n[q] = n;
    c.from_stride[q] = from;
    c.to_stride[q] = to;
    ++c.rank;
    c.tiled = true;
    break;
  }
  return c;
}

Status bind_copies(BindContext& c, std::span<const Copy> copies, bool split) {
  std::vector<Copy> kept;
  for (const Copy& copy : copies) {
    if (empty(copy)) continue;
    const Copy mine = split ? share(c, collapse(copy)) : collapse(copy);
    if (!empty(mine)) kept.push_back(mine);
  }
  const int64_t count = static_cast<int64_t>(kept.size());
  if (count == 0) return {};
  c.run(kCopyRows[0], CopyArgs{c.table<Copy>(count, [&](Copy* to) { std::copy(kept.begin(), kept.end(), to); }), count});
  return {};
}

Status bind_flat_copy(BindContext& c, const void* from, void* to, int64_t bytes) {
  if (from == to && !c.measuring()) return {};
  Copy copy(from, to, DType::u8);
  copy.size = bytes;
  return bind_copies(c, std::span(&copy, 1));
}

}  // namespace tern
