// GridSample of f32 on a device: a thread a place, whose taps serve all channels. See grid_taps.h.
#include "kernels/resize/grid_taps.h"

namespace tern::cuda {
namespace {

// `t`: this thread's, in registers where loops over it are unrolled; the 64 taps of three cubic axes are too many for that.
template <GridSampleArgs::Mode kMode, int kAxes>
__device__ void grid_sample(const GridSampleArgs& a, grid::AxisTaps (&t)[kGridAxes]) {
  constexpr int kUnroll = kMode == GridSampleArgs::Mode::cubic && kAxes == 3 ? 1 : 4;
  constexpr int kCount = kMode == GridSampleArgs::Mode::nearest ? 1 : kMode == GridSampleArgs::Mode::linear ? 2 : 4;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * kGridBlock + threadIdx.x;
  if (at >= a.end) return;
  const int64_t n = at / a.points, p = at - n * a.points;
  const float* places = static_cast<const float*>(a.grid) + at * kAxes;  // [axes]
#pragma unroll
  for (int axis = 0; axis < kAxes; ++axis) t[axis] = grid::taps_of(a, kMode, axis, grid::place_of(a, axis, places[kAxes - 1 - axis]));
  const float* x = static_cast<const float*>(a.x) + n * a.channels * a.plane;  // [channels, plane]
  float* y = static_cast<float*>(a.y) + n * a.channels * a.points + p;         // [channels, points]
  for (int64_t c = 0; c < a.channels; ++c, x += a.plane) {
    double sum = 0;
#pragma unroll kUnroll
    for (int i = 0; i < kCount; ++i) {
#pragma unroll kUnroll
      for (int j = 0; j < (kAxes > 1 ? kCount : 1); ++j) {
#pragma unroll kUnroll
        for (int k = 0; k < (kAxes > 2 ? kCount : 1); ++k) {
          int64_t offset = t[0].index[i];
          double weight = t[0].weight[i];
          uint64_t inside = t[0].inside[i];
          if (kAxes > 1) {
            offset = offset * a.in[1] + t[1].index[j];
            weight = weight * t[1].weight[j];
            inside &= t[1].inside[j];
          }
          if (kAxes > 2) {
            offset = offset * a.in[2] + t[2].index[k];
            weight = weight * t[2].weight[k];
            inside &= t[2].inside[k];
          }
          sum += weight * grid::masked(inside, widen(x[offset]));
        }
      }
    }
    y[c * a.points] = narrow<float>(sum);
  }
}

template <GridSampleArgs::Mode kMode, int kAxes>
__device__ void grid_sample(const GridSampleArgs& a) {
  grid::AxisTaps taps[kGridAxes];
  grid_sample<kMode, kAxes>(a, taps);
}

}  // namespace

extern "C" {
__global__ void grid_sample_nearest_1_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::nearest, 1>(a); }
__global__ void grid_sample_nearest_2_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::nearest, 2>(a); }
__global__ void grid_sample_nearest_3_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::nearest, 3>(a); }
__global__ void grid_sample_linear_1_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::linear, 1>(a); }
__global__ void grid_sample_linear_2_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::linear, 2>(a); }
__global__ void grid_sample_linear_3_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::linear, 3>(a); }
__global__ void grid_sample_cubic_1_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::cubic, 1>(a); }
__global__ void grid_sample_cubic_2_f32(const GridSampleArgs a) { grid_sample<GridSampleArgs::Mode::cubic, 2>(a); }
__global__ void grid_sample_cubic_3_f32(const GridSampleArgs a) {
  __shared__ grid::AxisTaps taps[kGridBlock][kGridAxes];
  grid_sample<GridSampleArgs::Mode::cubic, 3>(a, taps[threadIdx.x]);
}
}

}  // namespace tern::cuda
