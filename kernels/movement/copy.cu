// Strided copies on a device. Threads are numbered along y, so that what is written lies together; a transposition reads lines of a tile along x
// and writes them along y, through shared memory whose lines are one unit longer than a tile: neither side meets a bank twice.
// See copy_launch.h.
#include "kernels/movement/copy_launch.h"

namespace tern::cuda {
namespace {

// Loads and stores of one instruction.
struct alignas(16) Unit16 {
  uint32_t v[4];
};

template <class Unit, class Copies>
__device__ void copy_units(const Copies& a, int number) {
  const auto& c = a.copies[number];
  using Int = decltype(c.units + 0);
  Int rest = static_cast<Int>(blockIdx.x) * kCopyBlock + threadIdx.x;
  if (rest >= c.units) return;
  const std::byte* from = c.from;
  std::byte* to = c.to;
  for (int d = c.rank - 1; d > 0; --d) {
    const int64_t at = take_last(rest, c.loops[d].n);
    from += at * c.loops[d].from_stride;
    to += at * c.loops[d].to_stride;
  }
  from += static_cast<int64_t>(rest) * c.loops[0].from_stride;
  to += static_cast<int64_t>(rest) * c.loops[0].to_stride;
  *reinterpret_cast<Unit*>(to) = *reinterpret_cast<const Unit*>(from);
}

template <class Unit>
__device__ void copy_tile(const TileCopy& a) {
  __shared__ Unit tile[kCopyTile][kCopyTile + 1];  // [cols, rows]
  uint32_t rest = blockIdx.x;
  const int64_t col = static_cast<int64_t>(take_last(rest, a.col_tiles)) * kCopyTile,
                row = static_cast<int64_t>(take_last(rest, a.row_tiles)) * kCopyTile;
  const std::byte* from = a.from;
  std::byte* to = a.to;
  for (int d = a.rank - 1; d >= 0; --d) {
    const int64_t at = take_last(rest, a.loops[d].n);
    from += at * a.loops[d].from_stride;
    to += at * a.loops[d].to_stride;
  }
  const int64_t lane = threadIdx.x, line = threadIdx.y;
  for (int64_t c = line; c < kCopyTile; c += kCopyTileRows) {
    if (col + c < a.cols && row + lane < a.rows)
      tile[c][lane] = *reinterpret_cast<const Unit*>(from + (col + c) * a.from_stride + (row + lane) * static_cast<int64_t>(sizeof(Unit)));
  }
  __syncthreads();
  for (int64_t r = line; r < kCopyTile; r += kCopyTileRows) {
    if (row + r < a.rows && col + lane < a.cols)
      *reinterpret_cast<Unit*>(to + (row + r) * a.to_stride + (col + lane) * static_cast<int64_t>(sizeof(Unit))) = tile[lane][r];
  }
}

}  // namespace

extern "C" {
__global__ void copies_1(const __grid_constant__ CopyBatch a) { copy_units<uint8_t>(a, blockIdx.y); }
__global__ void copies_2(const __grid_constant__ CopyBatch a) { copy_units<uint16_t>(a, blockIdx.y); }
__global__ void copies_4(const __grid_constant__ CopyBatch a) { copy_units<uint32_t>(a, blockIdx.y); }
__global__ void copies_8(const __grid_constant__ CopyBatch a) { copy_units<uint64_t>(a, blockIdx.y); }
__global__ void copies_16(const __grid_constant__ CopyBatch a) { copy_units<Unit16>(a, blockIdx.y); }
__global__ void copy_1(const __grid_constant__ CopyOne a) { copy_units<uint8_t>(a, 0); }
__global__ void copy_2(const __grid_constant__ CopyOne a) { copy_units<uint16_t>(a, 0); }
__global__ void copy_4(const __grid_constant__ CopyOne a) { copy_units<uint32_t>(a, 0); }
__global__ void copy_8(const __grid_constant__ CopyOne a) { copy_units<uint64_t>(a, 0); }
__global__ void copy_16(const __grid_constant__ CopyOne a) { copy_units<Unit16>(a, 0); }
__global__ void copy_wide_1(const __grid_constant__ CopyOneWide a) { copy_units<uint8_t>(a, 0); }
__global__ void copy_wide_2(const __grid_constant__ CopyOneWide a) { copy_units<uint16_t>(a, 0); }
__global__ void copy_wide_4(const __grid_constant__ CopyOneWide a) { copy_units<uint32_t>(a, 0); }
__global__ void copy_wide_8(const __grid_constant__ CopyOneWide a) { copy_units<uint64_t>(a, 0); }
__global__ void copy_wide_16(const __grid_constant__ CopyOneWide a) { copy_units<Unit16>(a, 0); }
__global__ void copy_tiles_1(const __grid_constant__ TileCopy a) { copy_tile<uint8_t>(a); }
__global__ void copy_tiles_2(const __grid_constant__ TileCopy a) { copy_tile<uint16_t>(a); }
__global__ void copy_tiles_4(const __grid_constant__ TileCopy a) { copy_tile<uint32_t>(a); }
__global__ void copy_tiles_8(const __grid_constant__ TileCopy a) { copy_tile<uint64_t>(a); }
__global__ void copy_tiles_16(const __grid_constant__ TileCopy a) { copy_tile<Unit16>(a); }
}

}  // namespace tern::cuda
