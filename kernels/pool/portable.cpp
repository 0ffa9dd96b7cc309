// See portable.h.
#include "kernels/pool/portable.h"

#include "kernels/launch.h"
#include "kernels/pool/pool_device.h"
#include "kernels/pool/windows.h"
#include "kernels/portable_row.h"

namespace tern {
namespace {

using pool::Taps;

template <class T, PoolKind kKind>
void pool_plane(const PoolArgs& a, const T* plane, int64_t plane_index, T* y, int64_t* indices) {
  const PoolWindow<int64_t>& w = a.window;
  int64_t at = 0;
  for (int64_t oz = 0; oz < w.out[0]; ++oz) {
    const Taps<int64_t> d = pool::taps(w, 0, oz);
    for (int64_t oy = 0; oy < w.out[1]; ++oy) {
      const Taps<int64_t> h = pool::taps(w, 1, oy);
      for (int64_t ox = 0; ox < w.out[2]; ++ox, ++at) {
        const Taps<int64_t> k = pool::taps(w, 2, ox);
        if constexpr (kKind == PoolKind::mean) {
          y[at] = pool::mean_of(w, a.include_pad, plane, d, h, k);
        } else if constexpr (kKind == PoolKind::norm) {
          y[at] = pool::norm_of(w, pool::Power{a.p}, plane, d, h, k);
        } else {
          const auto best = pool::best_of(w, plane, d, h, k);
          y[at] = pool::narrow<T>(best.v);
          if (indices == nullptr) continue;
          const int64_t position = best.position < 0 ? 0 : best.position;
          indices[at] = plane_index * w.in[0] * w.in[1] * w.in[2] + (a.column_major ? pool::column_major(w, position) : position);
        }
      }
    }
  }
}

template <class T, PoolKind kKind>
T global(const PoolArgs& a, const T* plane) {
  const int64_t cols = a.window.in[2], rows = cols == 0 ? 0 : a.window.in[0] * a.window.in[1];
  const pool::Power power{a.p};
  auto total = pool::kGlobalStart<T, kKind>;
  for (int64_t r = 0; r < rows; ++r) total = pool::global_join<T, kKind>(total, pool::global_row<T, kKind>(plane + r * cols, cols, power));
  return pool::global_end<T, kKind>(total, rows * cols, power);
}

template <class T, PoolKind kKind>
void pool_planes(const PoolArgs& a) {
  const PoolWindow<int64_t>& w = a.window;
  const int64_t in = w.in[0] * w.in[1] * w.in[2], out = w.out[0] * w.out[1] * w.out[2];
  for (int64_t i = a.begin; i < a.end; ++i) {
    const T* x = static_cast<const T*>(a.x) + i * in;
    T* y = static_cast<T*>(a.y) + i * out;
    if constexpr (kKind >= PoolKind::global_max) *y = global<T, kKind>(a, x);
    else pool_plane<T, kKind>(a, x, i, y, a.indices == nullptr ? nullptr : a.indices + i * out);
  }
}

template <Text kName, PoolKind kKind, class... T>
constexpr std::array<KernelRow, sizeof...(T)> device_rows(Types<T...>) {
  return {device_row<PoolArgs, cuda::launch_pool<kKind, dtype_of<T>()>>(kRowName<kName, dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>())...};
}
// Portable ones, and those of a device.
template <Text kName, PoolKind kKind, class... T>
constexpr std::array<KernelRow, 2 * sizeof...(T)> pool_rows(Types<T...>) {
  return {portable_row<kName, T, PoolArgs, pool_planes<T, kKind>>()...,
          device_row<PoolArgs, cuda::launch_pool<kKind, dtype_of<T>()>>(kRowName<kName, dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>())...};
}
using MaxTypes = Types<float, double, f16, bf16, int8_t, uint8_t>;

}  // namespace

constinit const std::array<KernelRow, 12> portable::kMaxPool = pool_rows<"max_pool", PoolKind::max>(MaxTypes());
constinit const std::array<KernelRow, 8> portable::kAveragePool = pool_rows<"average_pool", PoolKind::mean>(Floats());
constinit const std::array<KernelRow, 8> portable::kLpPool = pool_rows<"lp_pool", PoolKind::norm>(Floats());
constinit const std::array<KernelRow, 6> portable::kGlobalMaxPool = device_rows<"global_max_pool", PoolKind::global_max>(MaxTypes());
constinit const std::array<KernelRow, 4> portable::kGlobalAveragePool = device_rows<"global_average_pool", PoolKind::global_mean>(Floats());
constinit const std::array<KernelRow, 8> portable::kGlobalLpPool = pool_rows<"global_lp_pool", PoolKind::global_norm>(Floats());

}  // namespace tern
