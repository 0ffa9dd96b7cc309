// GridSample's kernels: taps of a block of places, then channel after channel at these places, so that a plane of x is read and a line of y written
// while they are near. Every step is a plain loop over places that the compiler vectorises (-O3, CMakeLists.txt). See grid_sample.h.
#include "kernels/apart.h"
#include "kernels/resize/grid_taps.h"
#include "kernels/rows.h"

namespace tern::TERN_ISA {
namespace {

using Mode = GridSampleArgs::Mode;
using Padding = GridSampleArgs::Padding;

// Most places of a block, and most taps of all its places: 64 places of up to 16 taps, 16 of the 64 taps that four on each of three axes make. Those of
// 64 places would take 98 KB of stack.
constexpr int64_t kPlaces = 64, kBlockTaps = 1024;

// Taps of several places: of a block tap t of place p lies at t * n + p, of n places.
struct Taps {
  int64_t* offset;
  double* weight;
  uint64_t* inside;  // all ones, or 0: it reads as zero
};
template <int64_t kMost>
struct Room {
  int64_t offset[kMost];
  double weight[kMost];
  uint64_t inside[kMost];
  Taps taps() { return {offset, weight, inside}; }
};

// Where the places lie on one axis.
template <bool kAlign, class G>
[[gnu::noinline, gnu::flatten]] void positions_of(const GridSampleArgs& args, int axis, const G* __restrict grid, double* __restrict to, int64_t n) {
  GridSampleArgs a = args;  // whose align_corners the compiler knows: no branch in the loop
  a.align_corners = kAlign;
  for (int64_t p = 0; p < n; ++p) to[p] = grid::place_of(a, axis, grid[p * args.axes]);
}
// Their taps on that axis, kPlaces apart: what is that far apart for all blocks is computed in vectors.
template <Mode kMode, Padding kPadding>
[[gnu::noinline, gnu::flatten]] void axis_taps(const GridSampleArgs& args, int axis, const double* __restrict at, int64_t* __restrict offset,
                                               double* __restrict weight, uint64_t* __restrict inside, int64_t n) {
  GridSampleArgs a = args;
  a.padding = kPadding;
  for (int64_t p = 0; p < n; ++p) {
    const grid::AxisTaps t = grid::taps_of(a, kMode, axis, at[p]);
    for (int i = 0; i < grid::taps_an_axis(kMode); ++i) {
      offset[i * kPlaces + p] = t.index[i], weight[i * kPlaces + p] = t.weight[i], inside[i * kPlaces + p] = t.inside[i];
    }
  }
}
// Tap `to` of the block: a tap of the first axis, or the product of the block's tap `outer`, which may be the same, and a tap of one axis more.
[[gnu::noinline]] void put(const Taps& axis, int64_t tap, const Taps& block, int64_t to, int64_t n) {
  const int64_t from = tap * kPlaces, at = to * n;
  TERN_APART
  for (int64_t p = 0; p < n; ++p) {
    block.offset[at + p] = axis.offset[from + p], block.weight[at + p] = axis.weight[from + p], block.inside[at + p] = axis.inside[from + p];
  }
}
[[gnu::noinline]] void multiply(const Taps& block, int64_t outer, const Taps& axis, int64_t inner, int64_t extent, int64_t to, int64_t n) {
  const int64_t from = outer * n, by = inner * kPlaces, at = to * n;
  TERN_APART
  for (int64_t p = 0; p < n; ++p) block.offset[at + p] = block.offset[from + p] * extent + axis.offset[by + p];
  TERN_APART
  for (int64_t p = 0; p < n; ++p) block.weight[at + p] = block.weight[from + p] * axis.weight[by + p];
  TERN_APART
  for (int64_t p = 0; p < n; ++p) block.inside[at + p] = block.inside[from + p] & axis.inside[by + p];
}

template <class T>
[[gnu::noinline]] void gather(const T* __restrict x, const int64_t* __restrict offset, T* __restrict to, int64_t n) {
#pragma GCC unroll 4
  for (int64_t p = 0; p < n; ++p) to[p] = x[offset[p]];
}
// kTaps taps more, in order, from `tap` on.
template <int kTaps, class T>
[[gnu::noinline, gnu::flatten]] void accumulate(const Taps& taps, int64_t tap, const T (*__restrict v)[kPlaces], double* __restrict sum, int64_t n) {
  for (int64_t p = 0; p < n; ++p) {
    double s = sum[p];
    for (int64_t i = 0; i < kTaps; ++i) {
      const int64_t at = (tap + i) * n + p;
      s += taps.weight[at] * grid::masked(taps.inside[at], widen(v[i][p]));
    }
    sum[p] = s;
  }
}
template <class T>
[[gnu::noinline]] void narrow_block(const double* __restrict sum, T* __restrict y, int64_t n) {
  for (int64_t p = 0; p < n; ++p) y[p] = narrow<T>(sum[p]);
}

template <Mode kMode>
void axis_taps(const GridSampleArgs& a, int axis, const double* at, const Taps& to, int64_t n) {
  switch (a.padding) {
    case Padding::zeros: return axis_taps<kMode, Padding::zeros>(a, axis, at, to.offset, to.weight, to.inside, n);
    case Padding::border: return axis_taps<kMode, Padding::border>(a, axis, at, to.offset, to.weight, to.inside, n);
    case Padding::reflection: return axis_taps<kMode, Padding::reflection>(a, axis, at, to.offset, to.weight, to.inside, n);
  }
}

// All taps of n places from `grid` on; how many.
template <class G>
int taps_of(const GridSampleArgs& a, const G* grid, const Taps& taps, int64_t n) {
  Room<4 * kPlaces> room;
  const Taps along = room.taps();
  double at[kPlaces];
  const int count = grid::taps_an_axis(a.mode);
  int all = 0;
  for (int axis = 0; axis < a.axes; ++axis) {
    const G* innermost_first = grid + a.axes - 1 - axis;
    if (a.align_corners) positions_of<true>(a, axis, innermost_first, at, n);
    else positions_of<false>(a, axis, innermost_first, at, n);
    switch (a.mode) {
      case Mode::nearest: axis_taps<Mode::nearest>(a, axis, at, along, n); break;
      case Mode::linear: axis_taps<Mode::linear>(a, axis, at, along, n); break;
      case Mode::cubic: axis_taps<Mode::cubic>(a, axis, at, along, n); break;
    }
    if (axis == 0) {
      for (int i = 0; i < count; ++i) put(along, i, taps, i, n);
      all = count;
      continue;
    }
    for (int i = all - 1; i >= 0; --i) {  // backwards: tap i becomes taps i * count …, the last of them first, and tap 0 is one of its own
      for (int j = count - 1; j >= 0; --j) multiply(taps, i, along, j, a.in[axis], i * count + j, n);
    }
    all *= count;
  }
  return all;
}

template <class T, class G>
void grid_sample(const GridSampleArgs& a) {
  Room<kBlockTaps> room;
  const Taps taps = room.taps();
  constexpr int kTogether = 4;
  int64_t most = kBlockTaps;  // places of a block
  for (int axis = 0; axis < a.axes; ++axis) most /= grid::taps_an_axis(a.mode);
  if (most > kPlaces) most = kPlaces;
  T v[kTogether][kPlaces];
  double sum[kPlaces];
  for (int64_t at = a.begin; at < a.end;) {
    const int64_t image = at / a.points, p = at % a.points, left = a.end - at < a.points - p ? a.end - at : a.points - p;
    const int64_t n = left < most ? left : most;
    const int all = taps_of(a, static_cast<const G*>(a.grid) + at * a.axes, taps, n);
    const T* x = static_cast<const T*>(a.x) + image * a.channels * a.plane;  // [channels, plane]
    T* y = static_cast<T*>(a.y) + image * a.channels * a.points + p;         // [channels, points]
    for (int64_t c = 0; c < a.channels; ++c) {
      for (int64_t i = 0; i < n; ++i) sum[i] = 0;
      for (int i = 0; i < all; i += kTogether) {
        const int count = all - i < kTogether ? all - i : kTogether;
        for (int t = 0; t < count; ++t) gather(x + c * a.plane, taps.offset + (i + t) * n, v[t], n);
        if (count == kTogether) accumulate<kTogether>(taps, i, v, sum, n);
        else if (count == 2) accumulate<2>(taps, i, v, sum, n);
        else accumulate<1>(taps, i, v, sum, n);
      }
      narrow_block(sum, y + c * a.points, n);
    }
    at += n;
  }
}

}  // namespace

constinit const Rows<4> grid_sample_at_f32 = {{
    row<GridSampleArgs, grid_sample<float, float>>("grid_sample/f32_at_f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<double, float>>("grid_sample/f64_at_f32/" TERN_ISA_NAME, DType::f64, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<f16, float>>("grid_sample/f16_at_f32/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<bf16, float>>("grid_sample/bf16_at_f32/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA),
}};
constinit const Rows<4> grid_sample_at_f64 = {{
    row<GridSampleArgs, grid_sample<float, double>>("grid_sample/f32_at_f64/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<double, double>>("grid_sample/f64_at_f64/" TERN_ISA_NAME, DType::f64, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<f16, double>>("grid_sample/f16_at_f64/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<bf16, double>>("grid_sample/bf16_at_f64/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA),
}};
constinit const Rows<4> grid_sample_at_f16 = {{
    row<GridSampleArgs, grid_sample<float, f16>>("grid_sample/f32_at_f16/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<double, f16>>("grid_sample/f64_at_f16/" TERN_ISA_NAME, DType::f64, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<f16, f16>>("grid_sample/f16_at_f16/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<bf16, f16>>("grid_sample/bf16_at_f16/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA),
}};
constinit const Rows<4> grid_sample_at_bf16 = {{
    row<GridSampleArgs, grid_sample<float, bf16>>("grid_sample/f32_at_bf16/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<double, bf16>>("grid_sample/f64_at_bf16/" TERN_ISA_NAME, DType::f64, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<f16, bf16>>("grid_sample/f16_at_bf16/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
    row<GridSampleArgs, grid_sample<bf16, bf16>>("grid_sample/bf16_at_bf16/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA),
}};

}  // namespace tern::TERN_ISA
