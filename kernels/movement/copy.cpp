// The strided copy: collapsing at bind, odometer loops at run. See copy.h.
#include "kernels/movement/copy.h"

#include "kernels/launch.h"

namespace tern {
namespace {

// One loop of elements of a size that the compiler knows.
template <int Size>
void copy_line(const std::byte* from, std::byte* to, int64_t n, int64_t from_stride, int64_t to_stride) {
  struct Element {
    std::byte bytes[Size];
  } e;
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
  const auto [n, fs, ts] = c.loops[c.rank - 1];
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
  const CopyLoop rows = c.loops[c.rank - 2], cols = c.loops[c.rank - 1];
  for (int64_t i0 = 0; i0 < rows.n; i0 += kTile) {
    const int64_t i1 = std::min(i0 + kTile, rows.n);
    for (int64_t j0 = 0; j0 < cols.n; j0 += kTile) {
      const int64_t j1 = std::min(j0 + kTile, cols.n);
      for (int64_t i = i0; i < i1; ++i) {
        copy_line<Size>(from + i * Size + j0 * cols.from_stride, to + i * rows.to_stride + j0 * cols.to_stride, j1 - j0, cols.from_stride,
                        cols.to_stride);
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
      const auto [n, from_stride, to_stride] = c.loops[d];
      from += from_stride;
      to += to_stride;
      if (++at[d] < n) break;
      from -= n * from_stride;
      to -= n * to_stride;
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

void copy_all(const CopyArgs& a) {
  for (int64_t i = 0; i < a.count; ++i) copy_one(a.copies[i]);
}

bool element_sized(int64_t size) { return size == 1 || size == 2 || size == 4 || size == 8 || size == 16; }

void erase_loop(CopyRequest& c, int d) {
  std::copy(c.loops + d + 1, c.loops + c.rank, c.loops + d);
  --c.rank;
}

// The share of one copy; an empty one has a loop or a size of zero.
CopyRequest share(BindContext& c, CopyRequest copy) {
  if (copy.rank == 0) {
    const auto [begin, end] = c.range(copy.size, 64);
    copy.from = copy.from + begin;
    copy.to = copy.to + begin;
    copy.size = end - begin;
  } else {
    CopyLoop& outer = copy.loops[0];
    const auto [begin, end] = c.range(outer.n);
    copy.from = copy.from + begin * outer.from_stride;
    copy.to = copy.to + begin * outer.to_stride;
    outer.n = end - begin;
  }
  return copy;
}

bool empty(const CopyRequest& c) {
  return c.size == 0 || std::any_of(c.loops, c.loops + c.rank, [](const CopyLoop& l) { return l.n == 0; });
}

}  // namespace

constinit const KernelRow kCopyRows[2] = {
    row<CopyArgs, copy_all>("movement/copy/scalar", DType::none, Isa::scalar),
    device_row<CopyBlock, cuda::launch_copies>("movement/copy/cuda", DType::none),
};

std::array<int64_t, kMaxRank> dense_strides(const Dims& dims) {
  std::array<int64_t, kMaxRank> s{};
  int64_t step = 1;
  for (int d = dims.rank - 1; d >= 0; --d) {
    s[static_cast<size_t>(d)] = step;
    step *= dims[d];
  }
  return s;
}

CopyRequest collapse(const CopyRequest& copy) {
  CopyRequest c = copy;
  for (int d = c.rank - 1; d >= 0; --d) {
    if (c.loops[d].n == 1) erase_loop(c, d);
  }
  for (int d = c.rank - 2; d >= 0; --d) {  // loop d continues where loop d + 1 ends: one loop
    CopyLoop &outer = c.loops[d], &inner = c.loops[d + 1];
    if (outer.from_stride == inner.n * inner.from_stride && outer.to_stride == inner.n * inner.to_stride) {
      inner.n *= outer.n;
      erase_loop(c, d);
    }
  }
  if (c.rank > 0 && c.loops[c.rank - 1].from_stride == c.size && c.loops[c.rank - 1].to_stride == c.size) {  // a contiguous run
    c.size *= c.loops[c.rank - 1].n;
    --c.rank;
  }
  if (c.rank < 2 || !element_sized(c.size)) return c;
  for (int d = 0; d < c.rank - 1; ++d) {  // loops may run in any order: bring the one that is contiguous in x next to the innermost
    if (c.loops[d].from_stride != c.size) continue;
    std::rotate(c.loops + d, c.loops + d + 1, c.loops + c.rank - 1);
    c.tiled = true;
    break;
  }
  return c;
}

void CopyList::add(const CopyRequest& copy) {
  if (empty(copy)) return;
  const CopyRequest mine = split_ ? share(c_, collapse(copy)) : collapse(copy);
  if (empty(mine)) return;
  kept_.push_back({mine.from, mine.to, mine.size, mine.rank, mine.tiled});
  loops_.insert(loops_.end(), mine.loops, mine.loops + mine.rank);
}

void CopyList::set(Copy& to, const Kept& k) {
  to.size = k.size;
  to.rank = k.rank;
  to.tiled = k.tiled;
  c_.set(to.from, k.from);
  c_.set(to.to, k.to);
}

Status CopyList::bind() {
  if (kept_.empty()) return {};
  if (c_.isa == Isa::cuda) return bind_on_device();
  auto loops = c_.table<CopyLoop>(static_cast<int64_t>(loops_.size()), [&](CopyLoop* to) { std::copy(loops_.begin(), loops_.end(), to); });
  CopyArgs& a = c_.args<CopyArgs>();
  a.count = static_cast<int64_t>(kept_.size());
  c_.set(a.copies, c_.table<Copy>(a.count, [&](Copy* to) {
    for (const Kept& k : kept_) {
      set(*to, k);
      if (k.rank > 0) c_.set(to->loops, loops);
      loops = loops + k.rank;
      ++to;
    }
  }));
  c_.run(kCopyRows[0]);
  return {};
}

// Everything stands in the arguments: a launch reads no table.
Status CopyList::bind_on_device() {
  const size_t copies = kept_.size() * sizeof(Copy);
  CopyBlock* block = c_.args_before<CopyBlock>(copies + loops_.size() * sizeof(CopyLoop));
  if (block == nullptr) return {};
  block->count = static_cast<int64_t>(kept_.size());
  block->in_order = !split_;
  Copy* to = reinterpret_cast<Copy*>(block + 1);
  std::copy(loops_.begin(), loops_.end(), reinterpret_cast<CopyLoop*>(to + kept_.size()));
  for (const Kept& k : kept_) {
    set(*to++, k);
  }
  c_.run(kCopyRows[1]);
  return {};
}

Status bind_copy(BindContext& c, const CopyRequest& copy) {
  CopyList list(c);
  list.add(copy);
  return list.bind();
}

Status bind_flat_copy(BindContext& c, int64_t bytes) {
  if (c.in_place & 1) return {};
  CopyRequest copy(c.input(0), c.output(0), DType::u8);
  copy.size = bytes;
  return bind_copy(c, copy);
}

}  // namespace tern
