// Which of copy.cu's kernels does a copy, with units of how many bytes. See launch.h and copy_launch.h.
#include <bit>

#include "kernels/launch.h"
#include "kernels/movement/copy.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

constexpr const char* kCopyModule = "movement/copy";
constexpr int kSizes = 5;  // units of 1, 2, 4, 8, 16 bytes: 2^i
constexpr const char* kBatches[kSizes] = {"copies_1", "copies_2", "copies_4", "copies_8", "copies_16"};
constexpr const char* kOnes[kSizes] = {"copy_1", "copy_2", "copy_4", "copy_8", "copy_16"};
constexpr const char* kWides[kSizes] = {"copy_wide_1", "copy_wide_2", "copy_wide_4", "copy_wide_8", "copy_wide_16"};
constexpr const char* kTiles[kSizes] = {"copy_tiles_1", "copy_tiles_2", "copy_tiles_4", "copy_tiles_8", "copy_tiles_16"};

// log2 of the largest unit that divides sizes, strides and addresses.
int unit_of(const Copy& c) {
  uint64_t all = 16 | static_cast<uint64_t>(c.size) | reinterpret_cast<uintptr_t>(c.from) | reinterpret_cast<uintptr_t>(c.to);
  for (int d = 0; d < c.rank; ++d) all |= static_cast<uint64_t>(c.loops[d].from_stride) | static_cast<uint64_t>(c.loops[d].to_stride);
  return std::countr_zero(all);
}

template <class Div, int kLoops>
void fill(UnitCopy<Div, kLoops>& to, const Copy& c, int unit) {
  to.from = c.from;
  to.to = c.to;
  to.rank = 0;
  int64_t units = 1;
  auto loop = [&](const CopyLoop& l) {
    to.loops[to.rank++] = {Div(l.n), l.from_stride, l.to_stride};
    units *= l.n;
  };
  for (int d = 0; d < c.rank; ++d) loop(c.loops[d]);
  if (const int64_t bytes = int64_t(1) << unit; c.size > bytes || c.rank == 0) loop({c.size / bytes, bytes, bytes});
  to.units = static_cast<typename Div::Int>(units);
}

class Copies {
 public:
  Copies(const CopyBlock& block, Launches& to) : in_order_(block.in_order), to_(to) {
    const Copy* copies = reinterpret_cast<const Copy*>(&block + 1);
    const CopyLoop* loops = reinterpret_cast<const CopyLoop*>(copies + block.count);
    const bool alone = block.count == 1;
    for (int64_t i = 0; i < block.count; ++i) {
      Copy c = copies[i];
      c.loops = loops;
      loops += c.rank;
      add(c, alone);
      if (in_order_) flush();
    }
    flush();
  }

 private:
  void add(const Copy& c, bool alone) {
    if (c.rank == 0 && (alone || in_order_)) return to_.copy(c.to, c.from, c.size);
    const int unit = unit_of(c);
    if (c.tiled && worth_tiles(c, unit)) return add_tiles(c, unit);
    int64_t units = c.size >> unit;
    for (int d = 0; d < c.rank; ++d) units *= c.loops[d].n;
    if (units >= kFastDivMost) {
      auto one = std::make_unique<CopyOneWide>();
      fill(one->copies[0], c, unit);
      to_.add(kCopyModule, kWides[unit], {blocks_for(units, kCopyBlock)}, {kCopyBlock}, 0, *one);
    } else if (alone || c.rank + 1 > kCopyLoops) {
      CopyOne one{};
      fill(one.copies[0], c, unit);
      to_.add(kCopyModule, kOnes[unit], {blocks_for(units, kCopyBlock)}, {kCopyBlock}, 0, one);
    } else {
      Batch& b = batches_[unit];
      fill(b.args.copies[b.count++], c, unit);
      b.most = std::max(b.most, units);
      if (b.count == kCopyBatch) flush(unit);
    }
  }

  // A unit is an element, and both edges long.
  static bool worth_tiles(const Copy& c, int unit) {
    const CopyLoop &rows = c.loops[c.rank - 2], &cols = c.loops[c.rank - 1];
    if (c.size != int64_t(1) << unit || rows.from_stride != c.size || cols.to_stride != c.size) return false;
    int64_t blocks = ceil_div(rows.n, kCopyTile) * ceil_div(cols.n, kCopyTile);
    for (int d = 0; d < c.rank - 2; ++d) blocks *= c.loops[d].n;
    return rows.n >= kCopyTileLeast && cols.n >= kCopyTileLeast && blocks < kFastDivMost;
  }
  void add_tiles(const Copy& c, int unit) {
    const CopyLoop &rows = c.loops[c.rank - 2], &cols = c.loops[c.rank - 1];
    TileCopy a{};
    a.from = c.from;
    a.to = c.to;
    a.rows = rows.n;
    a.cols = cols.n;
    a.from_stride = cols.from_stride;
    a.to_stride = rows.to_stride;
    a.row_tiles = FastDiv(ceil_div(rows.n, kCopyTile));
    a.col_tiles = FastDiv(ceil_div(cols.n, kCopyTile));
    int64_t blocks = int64_t(1) * a.row_tiles.d * a.col_tiles.d;
    for (int d = 0; d < c.rank - 2; ++d) {
      a.loops[a.rank++] = {FastDiv(c.loops[d].n), c.loops[d].from_stride, c.loops[d].to_stride};
      blocks *= c.loops[d].n;
    }
    to_.add(kCopyModule, kTiles[unit], {static_cast<uint32_t>(blocks)}, {kCopyTile, kCopyTileRows}, 0, a);
  }

  void flush(int unit) {
    Batch& b = batches_[unit];
    if (b.count > 0) to_.add(kCopyModule, kBatches[unit], {blocks_for(b.most, kCopyBlock), b.count}, {kCopyBlock}, 0, b.args);
    b = Batch();
  }
  void flush() {
    for (int unit = 0; unit < kSizes; ++unit) flush(unit);
  }

  // Of one size of unit.
  struct Batch {
    CopyBatch args{};
    uint32_t count = 0;
    int64_t most = 0;
  };
  const bool in_order_;
  Launches& to_;
  Batch batches_[kSizes];
};

}  // namespace

void launch_copies(const CopyBlock& block, Launches& to) { Copies(block, to); }

}  // namespace tern::cuda
