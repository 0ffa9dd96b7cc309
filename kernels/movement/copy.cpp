// The strided copy: collapsing at bind, odometer loops at run. See copy.h.
#include "kernels/movement/copy.h"

#include "kernels/launch.h"

namespace tern {
namespace {

// An element as something that lies in a register.
typedef uint64_t Sixteen __attribute__((vector_size(16)));
template <int Size>
using Bytes = std::conditional_t<
    Size == 1, uint8_t,
    std::conditional_t<Size == 2, uint16_t, std::conditional_t<Size == 4, uint32_t, std::conditional_t<Size == 8, uint64_t, Sixteen>>>>;

// n times the same element.
template <int Size>
void repeat(const std::byte* from, std::byte* to, int64_t n) {
  std::byte pattern[16];
  for (int i = 0; i < 16; i += Size) std::memcpy(pattern + i, from, Size);
  Sixteen v;
  std::memcpy(&v, pattern, 16);
  const int64_t bytes = n * Size, whole = bytes & ~int64_t(63);
  for (int64_t i = 0; i < whole; i += 64) {
    for (int k = 0; k < 64; k += 16) std::memcpy(to + i + k, &v, 16);
  }
  for (int64_t i = whole; i < bytes; i += Size) std::memcpy(to + i, from, Size);
}

// Elements that are two apart, which the compiler takes from whole vectors.
template <int Size>
void every_second(const std::byte* from, std::byte* to, int64_t n) {
  typedef Bytes<Size> Unaligned __attribute__((aligned(1), may_alias));
  const auto* __restrict x = reinterpret_cast<const Unaligned*>(from);
  auto* __restrict y = reinterpret_cast<Unaligned*>(to);
  for (int64_t i = 0; i < n; ++i) y[i] = x[2 * i];
}

// A run of x to elements of y that are apart, and elements of x that are apart to a run of y.
template <int Size>
void spread(const std::byte* from, std::byte* to, int64_t n, int64_t to_stride) {
#pragma GCC unroll 4
  for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * to_stride, from + i * Size, Size);
}
template <int Size>
void collect(const std::byte* from, std::byte* to, int64_t n, int64_t from_stride) {
#pragma GCC unroll 4
  for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * Size, from + i * from_stride, Size);
}

// One loop of elements of a size that the compiler knows.
template <int Size>
void copy_line(const std::byte* from, std::byte* to, int64_t n, int64_t from_stride, int64_t to_stride) {
  if (from_stride == 0 && to_stride == Size) return repeat<Size>(from, to, n);
  if (Size <= 8 && from_stride == 2 * Size && to_stride == Size) return every_second<Size>(from, to, n);
  if (to_stride == Size) return collect<Size>(from, to, n, from_stride);
  for (int64_t i = 0; i < n; ++i) {
    Bytes<Size> e;
    std::memcpy(&e, from + i * from_stride, Size);
    std::memcpy(to + i * to_stride, &e, Size);
  }
}

// The same of runs for which a call would be the most of it.
template <int Size>
void copy_blocks(const std::byte* from, std::byte* to, int64_t n, int64_t from_stride, int64_t to_stride) {
  for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * to_stride, from + i * from_stride, Size);
}

void copy_runs(const Copy& c, const std::byte* from, std::byte* to) {
  const auto [n, fs, ts] = c.loops[c.rank - 1];
  switch (c.size) {
    case 1: return copy_line<1>(from, to, n, fs, ts);
    case 2: return copy_line<2>(from, to, n, fs, ts);
    case 4: return copy_line<4>(from, to, n, fs, ts);
    case 8: return copy_line<8>(from, to, n, fs, ts);
    case 16: return copy_line<16>(from, to, n, fs, ts);
    case 32: return copy_blocks<32>(from, to, n, fs, ts);
    case 64: return copy_blocks<64>(from, to, n, fs, ts);
    case 128: return copy_blocks<128>(from, to, n, fs, ts);
    default:
      for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * ts, from + i * fs, static_cast<size_t>(c.size));
  }
}

template <class V, int... kIndex>
void interleave(V a, V b, V& low, V& high, std::integer_sequence<int, kIndex...>) {
  constexpr int kN = sizeof...(kIndex);
  low = __builtin_shufflevector(a, b, (kIndex / 2 + kIndex % 2 * kN)...);
  high = __builtin_shufflevector(a, b, ((kIndex + kN) / 2 + kIndex % 2 * kN)...);
}
// Sixteen bytes of elements from each of as many places, transposed: neighbours of one place become elements of one vector, by interleaving the first
// half of the vectors with the second as often as it takes.
template <class U>
void transpose_tile(const std::byte* from, std::byte* to, int64_t from_stride, int64_t to_stride) {
  typedef U Vector __attribute__((vector_size(16)));
  constexpr int kN = 16 / static_cast<int>(sizeof(U));
  Vector v[kN], next[kN];
  for (int j = 0; j < kN; ++j) std::memcpy(&v[j], from + j * from_stride, 16);
  for (int stage = 1; stage < kN; stage *= 2) {
    for (int i = 0; i < kN / 2; ++i) interleave(v[i], v[i + kN / 2], next[2 * i], next[2 * i + 1], std::make_integer_sequence<int, kN>());
    for (int i = 0; i < kN; ++i) v[i] = next[i];
  }
  for (int i = 0; i < kN; ++i) std::memcpy(to + i * to_stride, &v[i], 16);
}

// Loops of which the outer is contiguous in x and the inner in y, in tiles; what is left at the ends of them element by element.
template <int Size>
void transpose_lines(const CopyLoop& rows, const CopyLoop& cols, const std::byte* from, std::byte* to) {
  constexpr int64_t kN = 16 / Size, kWide = 64 / Size;  // a tile; tiles beside each other share the lines of x that they touch
  const int64_t whole_rows = rows.n / kN * kN, whole_cols = cols.n / kN * kN;
  const int64_t wide = whole_cols == 0 ? 16 * kWide : kWide;  // of a few columns alone y is a run that L1 holds
  for (int64_t i0 = 0; i0 < whole_rows; i0 += wide) {
    const int64_t i1 = std::min(i0 + wide, whole_rows);
    for (int64_t j = 0; j < whole_cols; j += kN) {
      for (int64_t i = i0; i < i1; i += kN) {
        transpose_tile<Bytes<Size>>(from + i * Size + j * cols.from_stride, to + i * rows.to_stride + j * Size, cols.from_stride, rows.to_stride);
      }
    }
    for (int64_t j = whole_cols; j < cols.n; ++j)
      spread<Size>(from + i0 * Size + j * cols.from_stride, to + i0 * rows.to_stride + j * Size, i1 - i0, rows.to_stride);
  }
  for (int64_t i = whole_rows; i < rows.n; ++i) copy_line<Size>(from + i * Size, to + i * rows.to_stride, cols.n, cols.from_stride, Size);
}

// The last two loops: `rows` steps through contiguous elements of x, `cols` through those of y. A tile touches kTile lines of either
// side, which L1 holds together whatever the strides.
template <int Size>
void copy_tiles(const Copy& c, const std::byte* from, std::byte* to) {
  constexpr int64_t kTile = 16;
  const CopyLoop rows = c.loops[c.rank - 2], cols = c.loops[c.rank - 1];
  if constexpr (Size <= 4) {
    if (cols.to_stride == Size) return transpose_lines<Size>(rows, cols, from, to);
  }
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

constexpr int64_t kWorthTiling = 4;  // elements that lie together in x: fewer are not worth another order of loops

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
  // Loops may run in any order: innermost one that is contiguous in y, and next to it one that is contiguous in x.
  auto bring = [&](int d, int to) { std::rotate(c.loops + d, c.loops + d + 1, c.loops + to + 1); };
  const int last = c.rank - 1;
  for (int d = 0; d < last && c.loops[last].to_stride != c.size; ++d) {
    if (c.loops[d].to_stride == c.size) bring(d, last);
  }
  for (int d = 0; d < last && c.loops[last].from_stride != 0 && !c.tiled; ++d) {
    if (c.loops[d].from_stride != c.size || c.loops[d].n < kWorthTiling) continue;
    bring(d, last - 1);
    c.tiled = true;
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
