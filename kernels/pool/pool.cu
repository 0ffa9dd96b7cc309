// Pooling of f32 on a device: windows.h as it stands, a thread an output. Global*: a warp a plane, each lane whole rows, which are joined in order.
// See pool_device.h, and launch.cpp, which chooses.
#include "kernels/pool/pool_device.h"
#include "kernels/pool/windows.h"

namespace tern::cuda {
namespace {

template <PoolKind kKind, class Div>
__device__ void pool_window(const PoolUnits<Div>& a) {
  using Int = typename Div::Int;
  using Signed = std::make_signed_t<Int>;
  const Int number = static_cast<Int>(blockIdx.x) * kPoolBlock + threadIdx.x;
  if (number >= a.units) return;
  Int rest = number;
  const auto k = pool::taps(a.window, 2, static_cast<Signed>(take_last(rest, a.out[2])));
  const auto h = pool::taps(a.window, 1, static_cast<Signed>(take_last(rest, a.out[1])));
  const auto d = pool::taps(a.window, 0, static_cast<Signed>(take_last(rest, a.out[0])));
  const int64_t plane = rest;
  const float* x = a.x + plane * a.plane;  // [in0, in1, in2]
  if constexpr (kKind == PoolKind::mean) {
    a.y[number] = pool::mean_of(a.window, a.include_pad, x, d, h, k);
  } else if constexpr (kKind == PoolKind::norm) {
    a.y[number] = pool::norm_of(a.window, pool::ExactPower{a.p}, x, d, h, k);
  } else {
    const auto best = pool::best_of(a.window, x, d, h, k);
    a.y[number] = best.v;
    if (a.indices == nullptr) return;
    const Signed position = best.position < 0 ? 0 : best.position;
    a.indices[number] = plane * a.plane + (a.column_major ? pool::column_major(a.window, position) : position);
  }
}

template <PoolKind kKind>
__device__ void global_pool(const GlobalPool& a) {
  const int64_t plane = static_cast<int64_t>(blockIdx.x) * (kPoolBlock / 32) + threadIdx.x / 32;
  const bool there = plane < a.planes;  // warps past the last go along
  const int lane = threadIdx.x % 32;
  const float* x = a.x + (there ? plane : 0) * a.rows * a.cols;  // [rows, cols]
  const pool::ExactPower power{a.p};
  float total = pool::kGlobalStart<float, kKind>;
  for (int64_t first = 0; first < a.rows; first += 32) {
    const int many = a.rows - first < 32 ? static_cast<int>(a.rows - first) : 32;
    const float mine = pool::global_row<float, kKind>(x + (first + lane) * a.cols, lane < many ? a.cols : 0, power);
    for (int r = 0; r < many; ++r) total = pool::global_join<float, kKind>(total, __shfl_sync(0xffffffffu, mine, r));
  }
  const float v = pool::global_end<float, kKind>(total, a.rows * a.cols, power);
  if (there && lane == 0) a.y[plane] = v;
}

}  // namespace

extern "C" {
__global__ void max_pool_f32(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<PoolKind::max>(a); }
__global__ void max_pool_wide_f32(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<PoolKind::max>(a); }
__global__ void average_pool_f32(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<PoolKind::mean>(a); }
__global__ void average_pool_wide_f32(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<PoolKind::mean>(a); }
__global__ void lp_pool_f32(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<PoolKind::norm>(a); }
__global__ void lp_pool_wide_f32(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<PoolKind::norm>(a); }
__global__ void global_max_pool_f32(const GlobalPool a) { global_pool<PoolKind::global_max>(a); }
__global__ void global_average_pool_f32(const GlobalPool a) { global_pool<PoolKind::global_mean>(a); }
__global__ void global_lp_pool_f32(const GlobalPool a) { global_pool<PoolKind::global_norm>(a); }
}

}  // namespace tern::cuda
