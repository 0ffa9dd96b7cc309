// What copy.cu's kernels read. A copy's innermost run is cut into units of 1 to 16 bytes, the most that sizes, strides and addresses allow, and a
// thread moves one unit; a transposition moves through tiles. Plain C: nvcc includes it. Next: launch.cpp.
#pragma once
#include <cstddef>

#include "kernels/fast_div.h"

namespace tern {

constexpr int kMaxCopyRank = 16;

struct CopyLoop {
  int64_t n, from_stride, to_stride;
};
// What runs: loops are outermost first; `size` bytes move at the heart. tiled: the last two loops are a transposition.
struct Copy {
  const std::byte* from;
  std::byte* to;
  const CopyLoop* loops;
  int64_t size;
  int32_t rank;
  bool tiled;
};

namespace cuda {

constexpr int kCopyBlock = 256;    // threads
constexpr int kCopyBatch = 16;     // copies of one launch
constexpr int kCopyLoops = 4;      // of those; a launch of one copy takes any number
constexpr int kCopyTile = 32;      // units of a tile's edge: a warp reads one line of it, and writes one
constexpr int kCopyTileRows = 8;   // warps of a tile
constexpr int kCopyTileLeast = 8;  // shorter edges are not worth a tile

template <class Div>
struct UnitLoop {
  Div n;
  int64_t from_stride, to_stride;  // bytes
};
template <class Div, int kLoops>
struct UnitCopy {
  const std::byte* from;
  std::byte* to;
  typename Div::Int units;
  int32_t rank;
  UnitLoop<Div> loops[kLoops];  // outermost first, the last over the units of a run
};
template <class Div, int kLoops, int kCopies>
struct UnitCopies {
  UnitCopy<Div, kLoops> copies[kCopies];
};
using CopyBatch = UnitCopies<FastDiv, kCopyLoops, kCopyBatch>;  // block y: number of the copy
using CopyOne = UnitCopies<FastDiv, kMaxCopyRank + 1, 1>;
using CopyOneWide = UnitCopies<WideDiv, kMaxCopyRank + 1, 1>;  // of 2^31 units and more

// Tiles of [rows, cols] units: x steps by one unit along rows, y along cols.
struct TileCopy {
  const std::byte* from;
  std::byte* to;
  int64_t rows, cols, from_stride, to_stride;  // from_stride: to the next of cols, in x; to_stride: to the next of rows, in y; bytes
  FastDiv row_tiles, col_tiles;
  int32_t rank;
  UnitLoop<FastDiv> loops[kMaxCopyRank];  // around them
};

}  // namespace cuda
}  // namespace tern
