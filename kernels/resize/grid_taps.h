// The taps of GridSample, for the CPU and for a device. See grid_sample.h for what they are. nvcc includes it. Next: grid_sample.cpp, grid_sample.cu.
#pragma once
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"
#include "kernels/resize/grid_sample.h"

namespace tern::grid {

constexpr double kFar = 1125899906842624;  // 2^50: doubles still tell halves apart

using portable::select;

// a, or 0, without a branch.
TERN_HD inline double masked(uint64_t mask, double a) { return __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, a) & mask); }
TERN_HD inline double clamp(double v, double low, double high) { return select(!(v >= low), low, select(v > high, high, v)); }  // NaN: low

// Precondition of both: |v| <= kFar.
TERN_HD inline double floor_of(double v) {
  const auto whole = static_cast<double>(static_cast<int64_t>(v));
  return whole - select(v < whole, 1, 0);  // of a converted bool compilers make a branch
}
TERN_HD inline double round_half_even(double v) {
  constexpr double kMagic = 6755399441055744;  // 1.5 * 2^52: adding it rounds to whole numbers
  return (v + kMagic) - kMagic;
}

// From -1..1 to indices, in the precision of the grid.
template <class F>
TERN_HD inline double place(F n, int64_t length, bool align_corners) {
  const F l = static_cast<F>(length);
  return align_corners ? (n + 1) / 2 * (l - 1) : ((n + 1) * l - 1) / 2;
}

// v mirrored at low and high until it lies between them.
TERN_HD inline double reflect(double v, double low, double high) {
  const double range = high - low, divisor = select(range > 0, range, 1);
  const double t = clamp(__builtin_fabs(v - low), 0, kFar);
  const double turns = floor_of(t / divisor), rest = t - turns * divisor;
  const double odd = turns - 2 * floor_of(turns / 2);  // 0 or 1; arithmetic, as compilers make a branch of a choice here
  return select(range > 0, low + rest + odd * (range - 2 * rest), low);
}

// The taps of one place along one axis.
struct AxisTaps {
  int64_t index[4];
  double weight[4];
  uint64_t inside[4];  // all ones, or 0: it reads as zero
};

TERN_HD inline int taps_an_axis(GridSampleArgs::Mode mode) {
  return mode == GridSampleArgs::Mode::nearest ? 1 : mode == GridSampleArgs::Mode::linear ? 2 : 4;
}

// `mode` is a.mode; where a kernel knows it beforehand, arrays are registers.
TERN_HD inline AxisTaps taps_of(const GridSampleArgs& a, GridSampleArgs::Mode mode, int axis, double v) {
  using Mode = GridSampleArgs::Mode;
  using Padding = GridSampleArgs::Padding;
  const auto last = static_cast<double>(a.in[axis] - 1);
  const double low = a.align_corners ? 0 : -0.5, high = a.align_corners ? last : last + 0.5;
  v = clamp(v, -kFar, kFar);
  if (mode == Mode::nearest) v = round_half_even(v);
  const bool outside = clamp(v, low, high) != v;
  if (a.padding == Padding::border) v = select(outside, clamp(v, 0, last), v);
  if (a.padding == Padding::reflection) v = select(outside, reflect(v, low, high), v);
  if (a.padding == Padding::zeros) v = clamp(v, -3, last + 3);  // all taps outside: as good as any place farther away
  AxisTaps t;
  const double first = mode == Mode::nearest ? v : floor_of(v), f = v - first;
  const int count = taps_an_axis(mode);
  const uint64_t everywhere = -static_cast<uint64_t>(a.padding != Padding::zeros);
  constexpr double kA = -0.75;
  if (mode == Mode::nearest) {
    t.weight[0] = 1;
  } else if (mode == Mode::linear) {
    t.weight[0] = 1 - f;
    t.weight[1] = f;
  } else {
    const double g = 1 - f;
    t.weight[0] = ((kA * (f + 1) - 5 * kA) * (f + 1) + 8 * kA) * (f + 1) - 4 * kA;
    t.weight[1] = ((kA + 2) * f - (kA + 3)) * f * f + 1;
    t.weight[2] = ((kA + 2) * g - (kA + 3)) * g * g + 1;
    t.weight[3] = ((kA * (g + 1) - 5 * kA) * (g + 1) + 8 * kA) * (g + 1) - 4 * kA;
  }
  for (int i = 0; i < count; ++i) {
    double at = first + (mode == Mode::cubic ? i - 1 : i);
    t.inside[i] = everywhere | -static_cast<uint64_t>((at >= 0) & (at <= last));  // of == compilers make a branch
    if (a.padding == Padding::reflection) at = select(clamp(at, low, high) != at, reflect(at, low, high), at);
    t.index[i] = static_cast<int64_t>(clamp(at, 0, last));
  }
  return t;
}

// Where a coordinate of a grid, whose elements are G, lies on an axis.
template <class G>
TERN_HD inline double place_of(const GridSampleArgs& a, int axis, G coordinate) {
  using F = std::conditional_t<std::is_same_v<G, double>, double, float>;
  const auto given = static_cast<F>(widen(coordinate));
  return place(static_cast<F>(select(given == given, static_cast<double>(given), -1)), a.in[axis], a.align_corners);
}

}  // namespace tern::grid

namespace tern {
class Launches;
namespace cuda {
constexpr int kGridBlock = 128;  // threads, a place each
void launch_grid_sample(const GridSampleArgs& a, Launches& to);
}  // namespace cuda
}  // namespace tern
