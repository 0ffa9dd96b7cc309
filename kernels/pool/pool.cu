// Pooling on a device: windows.h as it stands, a thread an output. Global*: a warp a plane, each lane whole rows, which are joined in order.
// See pool_device.h, and launch.cpp, which chooses.
#include "kernels/pool/pool_device.h"
#include "kernels/pool/windows.h"

namespace tern::cuda {
namespace {

template <class T, PoolKind kKind, class Div>
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
  const T* x = static_cast<const T*>(a.x) + plane * a.plane;  // [in0, in1, in2]
  T& y = static_cast<T*>(a.y)[number];
  if constexpr (kKind == PoolKind::mean) {
    y = pool::mean_of(a.window, a.include_pad, x, d, h, k);
  } else if constexpr (kKind == PoolKind::norm) {
    y = pool::norm_of(a.window, pool::Power{a.p}, x, d, h, k);
  } else {
    const auto best = pool::best_of(a.window, x, d, h, k);
    y = pool::narrow<T>(best.v);
    if (a.indices == nullptr) return;
    const Signed position = best.position < 0 ? 0 : best.position;
    a.indices[number] = plane * a.plane + (a.column_major ? pool::column_major(a.window, position) : position);
  }
}

template <class T, PoolKind kKind>
__device__ void global_pool(const GlobalPool& a) {
  const int64_t plane = static_cast<int64_t>(blockIdx.x) * (kPoolBlock / 32) + threadIdx.x / 32;
  const bool there = plane < a.planes;  // warps past the last go along
  const int lane = threadIdx.x % 32;
  const T* x = static_cast<const T*>(a.x) + (there ? plane : 0) * a.rows * a.cols;  // [rows, cols]
  const pool::Power power{a.p};
  pool::Wide<T> total = pool::kGlobalStart<T, kKind>;
  for (int64_t first = 0; first < a.rows; first += 32) {
    const int many = a.rows - first < 32 ? static_cast<int>(a.rows - first) : 32;
    const pool::Wide<T> mine = pool::global_row<T, kKind>(x + (first + lane) * a.cols, lane < many ? a.cols : 0, power);
    for (int r = 0; r < many; ++r) total = pool::global_join<T, kKind>(total, static_cast<pool::Wide<T>>(__shfl_sync(0xffffffffu, +mine, r)));
  }
  const T v = pool::global_end<T, kKind>(total, a.rows * a.cols, power);
  if (there && lane == 0) static_cast<T*>(a.y)[plane] = v;
}

}  // namespace

extern "C" {
__global__ void max_pool_f32(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<float, PoolKind::max>(a); }
__global__ void max_pool_wide_f32(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<float, PoolKind::max>(a); }
__global__ void global_max_pool_f32(const GlobalPool a) { global_pool<float, PoolKind::global_max>(a); }
__global__ void max_pool_f64(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<double, PoolKind::max>(a); }
__global__ void max_pool_wide_f64(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<double, PoolKind::max>(a); }
__global__ void global_max_pool_f64(const GlobalPool a) { global_pool<double, PoolKind::global_max>(a); }
__global__ void max_pool_f16(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<f16, PoolKind::max>(a); }
__global__ void max_pool_wide_f16(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<f16, PoolKind::max>(a); }
__global__ void global_max_pool_f16(const GlobalPool a) { global_pool<f16, PoolKind::global_max>(a); }
__global__ void max_pool_bf16(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<bf16, PoolKind::max>(a); }
__global__ void max_pool_wide_bf16(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<bf16, PoolKind::max>(a); }
__global__ void global_max_pool_bf16(const GlobalPool a) { global_pool<bf16, PoolKind::global_max>(a); }
__global__ void max_pool_i8(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<int8_t, PoolKind::max>(a); }
__global__ void max_pool_wide_i8(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<int8_t, PoolKind::max>(a); }
__global__ void global_max_pool_i8(const GlobalPool a) { global_pool<int8_t, PoolKind::global_max>(a); }
__global__ void max_pool_u8(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<uint8_t, PoolKind::max>(a); }
__global__ void max_pool_wide_u8(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<uint8_t, PoolKind::max>(a); }
__global__ void global_max_pool_u8(const GlobalPool a) { global_pool<uint8_t, PoolKind::global_max>(a); }
__global__ void average_pool_f32(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<float, PoolKind::mean>(a); }
__global__ void average_pool_wide_f32(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<float, PoolKind::mean>(a); }
__global__ void global_average_pool_f32(const GlobalPool a) { global_pool<float, PoolKind::global_mean>(a); }
__global__ void average_pool_f64(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<double, PoolKind::mean>(a); }
__global__ void average_pool_wide_f64(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<double, PoolKind::mean>(a); }
__global__ void global_average_pool_f64(const GlobalPool a) { global_pool<double, PoolKind::global_mean>(a); }
__global__ void average_pool_f16(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<f16, PoolKind::mean>(a); }
__global__ void average_pool_wide_f16(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<f16, PoolKind::mean>(a); }
__global__ void global_average_pool_f16(const GlobalPool a) { global_pool<f16, PoolKind::global_mean>(a); }
__global__ void average_pool_bf16(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<bf16, PoolKind::mean>(a); }
__global__ void average_pool_wide_bf16(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<bf16, PoolKind::mean>(a); }
__global__ void global_average_pool_bf16(const GlobalPool a) { global_pool<bf16, PoolKind::global_mean>(a); }
__global__ void lp_pool_f32(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<float, PoolKind::norm>(a); }
__global__ void lp_pool_wide_f32(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<float, PoolKind::norm>(a); }
__global__ void global_lp_pool_f32(const GlobalPool a) { global_pool<float, PoolKind::global_norm>(a); }
__global__ void lp_pool_f64(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<double, PoolKind::norm>(a); }
__global__ void lp_pool_wide_f64(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<double, PoolKind::norm>(a); }
__global__ void global_lp_pool_f64(const GlobalPool a) { global_pool<double, PoolKind::global_norm>(a); }
__global__ void lp_pool_f16(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<f16, PoolKind::norm>(a); }
__global__ void lp_pool_wide_f16(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<f16, PoolKind::norm>(a); }
__global__ void global_lp_pool_f16(const GlobalPool a) { global_pool<f16, PoolKind::global_norm>(a); }
__global__ void lp_pool_bf16(const __grid_constant__ PoolUnits<FastDiv> a) { pool_window<bf16, PoolKind::norm>(a); }
__global__ void lp_pool_wide_bf16(const __grid_constant__ PoolUnits<WideDiv> a) { pool_window<bf16, PoolKind::norm>(a); }
__global__ void global_lp_pool_bf16(const GlobalPool a) { global_pool<bf16, PoolKind::global_norm>(a); }
}

}  // namespace tern::cuda
