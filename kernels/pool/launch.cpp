// Which of pool.cu's kernels runs, and how wide. See launch.h.
#include "kernels/launch.h"

#include "kernels/pool/pool_device.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "pool/pool";

// Whether 32-bit numbers hold every position, and the sums that taps() makes of them.
bool fits(const PoolWindow<int64_t>& w) {
  int64_t all = 0, plane = 1;
  for (int i = 0; i < 3; ++i) {
    const auto reach = checked_mul(w.kernel[i], w.dilation[i]), steps = checked_mul(w.out[i], w.stride[i]);
    const auto next = checked_mul(plane, std::max<int64_t>(w.in[i], 1));
    if (!reach || !steps || !next) return false;
    for (int64_t n : {*reach, *steps, w.begin[i], w.end[i], w.in[i]}) all = std::max(all, n);
    plane = *next;
  }
  return all < kFastDivMost / 8 && plane < kFastDivMost / 2;
}

template <class Div>
PoolUnits<Div> units_of(const PoolArgs& a, int64_t planes) {
  PoolUnits<Div> u{a.x, a.y, a.indices, {}, {}, 0, 1, a.p, a.include_pad, a.column_major};
  int64_t units = planes;
  for (int i = 0; i < 3; ++i) {
    auto put = [&](auto(&to)[3], const int64_t(&from)[3]) { to[i] = static_cast<std::remove_reference_t<decltype(to[0])>>(from[i]); };
    put(u.window.in, a.window.in);
    put(u.window.out, a.window.out);
    put(u.window.kernel, a.window.kernel);
    put(u.window.stride, a.window.stride);
    put(u.window.dilation, a.window.dilation);
    put(u.window.begin, a.window.begin);
    put(u.window.end, a.window.end);
    u.out[i] = Div(a.window.out[i]);
    u.plane *= a.window.in[i];
    units *= a.window.out[i];
  }
  u.units = static_cast<typename Div::Int>(units);
  return u;
}

void launch_windows(const char* fast, const char* wide, const PoolArgs& a, Launches& to) {
  const int64_t planes = a.end;  // a device's share is all
  const int64_t units = planes * a.window.out[0] * a.window.out[1] * a.window.out[2];
  const Dim3 grid{blocks_for(units, kPoolBlock)}, block{kPoolBlock};
  if (units < kFastDivMost && fits(a.window)) to.add(kModule, fast, grid, block, 0, units_of<FastDiv>(a, planes));
  else to.add(kModule, wide, grid, block, 0, units_of<WideDiv>(a, planes));
}

void launch_global(const char* kernel, const PoolArgs& a, Launches& to) {
  const int64_t cols = a.window.in[2], rows = cols == 0 ? 0 : a.window.in[0] * a.window.in[1];
  to.add(kModule, kernel, {blocks_for(a.end, kPoolBlock / 32)}, {kPoolBlock}, 0, GlobalPool{a.x, a.y, a.end, rows, cols, a.p});
}

// By dtype, as number_of() counts them.
constexpr const char* kKernels[][6] = {
    {"max_pool_f32", "max_pool_f64", "max_pool_f16", "max_pool_bf16", "max_pool_i8", "max_pool_u8"},
    {"average_pool_f32", "average_pool_f64", "average_pool_f16", "average_pool_bf16"},
    {"lp_pool_f32", "lp_pool_f64", "lp_pool_f16", "lp_pool_bf16"},
    {"global_max_pool_f32", "global_max_pool_f64", "global_max_pool_f16", "global_max_pool_bf16", "global_max_pool_i8", "global_max_pool_u8"},
    {"global_average_pool_f32", "global_average_pool_f64", "global_average_pool_f16", "global_average_pool_bf16"},
    {"global_lp_pool_f32", "global_lp_pool_f64", "global_lp_pool_f16", "global_lp_pool_bf16"},
};
constexpr const char* kWideKernels[][6] = {
    {"max_pool_wide_f32", "max_pool_wide_f64", "max_pool_wide_f16", "max_pool_wide_bf16", "max_pool_wide_i8", "max_pool_wide_u8"},
    {"average_pool_wide_f32", "average_pool_wide_f64", "average_pool_wide_f16", "average_pool_wide_bf16"},
    {"lp_pool_wide_f32", "lp_pool_wide_f64", "lp_pool_wide_f16", "lp_pool_wide_bf16"},
};
constexpr int number_of(DType t) {
  constexpr DType kTypes[] = {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i8, DType::u8};
  int n = 0;
  while (kTypes[n] != t) ++n;
  return n;
}

}  // namespace

template <PoolKind kKind, DType kType>
void launch_pool(const PoolArgs& a, Launches& to) {
  constexpr int kRow = static_cast<int>(kKind), kColumn = number_of(kType);
  if constexpr (kKind >= PoolKind::global_max) launch_global(kKernels[kRow][kColumn], a, to);
  else launch_windows(kKernels[kRow][kColumn], kWideKernels[kRow][kColumn], a, to);
}
template void launch_pool<PoolKind::max, DType::f32>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::max, DType::f64>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::max, DType::f16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::max, DType::bf16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::max, DType::i8>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::max, DType::u8>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::mean, DType::f32>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::mean, DType::f64>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::mean, DType::f16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::mean, DType::bf16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::norm, DType::f32>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::norm, DType::f64>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::norm, DType::f16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::norm, DType::bf16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_max, DType::f32>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_max, DType::f64>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_max, DType::f16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_max, DType::bf16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_max, DType::i8>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_max, DType::u8>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_mean, DType::f32>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_mean, DType::f64>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_mean, DType::f16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_mean, DType::bf16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_norm, DType::f32>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_norm, DType::f64>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_norm, DType::f16>(const PoolArgs&, Launches&);
template void launch_pool<PoolKind::global_norm, DType::bf16>(const PoolArgs&, Launches&);

}  // namespace tern::cuda
