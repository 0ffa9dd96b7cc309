// Which of norm.cu's kernels runs, and how wide. See launch.h.
#include "kernels/launch.h"

#include "kernels/norm/norm_device.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "norm/norm";

struct Names {
  const char *short_rows, *medium_rows, *long_rows, *huge_rows;
};
constexpr Names kLayer = {"layer_norm_short_f32", "layer_norm_medium_f32", "layer_norm_long_f32", "layer_norm_huge_f32"};
constexpr Names kRms = {"rms_norm_short_f32", "rms_norm_medium_f32", "rms_norm_long_f32", "rms_norm_huge_f32"};
constexpr Names kGroup = {"group_norm_short_f32", "group_norm_medium_f32", "group_norm_long_f32", "group_norm_huge_f32"};

// `args` for all but the longest rows, `huge` for those.
template <class Args, class Huge>
void add_rows(const Names& names, int64_t rows, int64_t cols, const Args& args, const Huge& huge, Launches& to) {
  const Dim3 half_warps{blocks_for(rows, kNormBlock / 16)}, blocks{blocks_for(rows, 1)};
  if (cols <= kNormShort) to.add(kModule, names.short_rows, half_warps, {kNormBlock}, 0, args);
  else if (cols <= kNormMedium) to.add(kModule, names.medium_rows, half_warps, {kNormBlock}, 0, args);
  else if (cols <= kNormLong) to.add(kModule, names.long_rows, blocks, {kNormLongBlock}, static_cast<uint32_t>(cols * 4), args);
  else to.add(kModule, names.huge_rows, blocks, {kNormLongBlock}, 0, huge);
}

template <const Names& kNames>
void launch_rows(const RowNormArgs& a, Launches& to) {
  add_rows(kNames, a.rows, a.cols, a, a, to);
}

void launch_groups(const GroupNormArgs& a, Launches& to) {
  const bool fast = a.inner < kFastDivMost;  // else its rows are huge
  add_rows(kGroup, a.rows, a.channels_per_group * a.inner, GroupNormUnits<FastDiv>{a, FastDiv(fast ? a.inner : 1)},
           GroupNormUnits<WideDiv>{a, WideDiv(a.inner)}, to);
}

// Those that have a thread an element of [rows, inner], row r of channel r % channels.
template <template <class> class Units, class Args>
void add_elements(const char* fast, const char* wide, const Args& a, Launches& to) {
  const int64_t units = a.rows * a.inner;
  const Dim3 grid{blocks_for(units, kNormBlock)}, block{kNormBlock};
  if (units < kFastDivMost && a.channels < kFastDivMost) {
    to.add(kModule, fast, grid, block, 0, Units<FastDiv>{a, FastDiv(a.inner), FastDiv(a.channels), static_cast<uint32_t>(units)});
  } else {
    to.add(kModule, wide, grid, block, 0, Units<WideDiv>{a, WideDiv(a.inner), WideDiv(a.channels), units});
  }
}

void launch_batch(const BatchNormArgs& a, Launches& to) {
  add_elements<BatchNormUnits>("batch_norm_elements_f32", "batch_norm_elements_wide_f32", a, to);
}
void launch_lrn(const LrnArgs& a, Launches& to) { add_elements<LrnUnits>("lrn_elements_f32", "lrn_elements_wide_f32", a, to); }

}  // namespace

constinit const KernelRow layer_norm_f32 = device_row<RowNormArgs, launch_rows<kLayer>>("layer_norm/f32/cuda", DType::f32);
constinit const KernelRow rms_norm_f32 = device_row<RowNormArgs, launch_rows<kRms>>("rms_norm/f32/cuda", DType::f32);
constinit const KernelRow group_norm_f32 = device_row<GroupNormArgs, launch_groups>("group_norm/f32/cuda", DType::f32);
constinit const KernelRow batch_norm_f32 = device_row<BatchNormArgs, launch_batch>("batch_norm/f32/cuda", DType::f32);
constinit const KernelRow lrn_f32 = device_row<LrnArgs, launch_lrn>("lrn/f32/cuda", DType::f32);

}  // namespace tern::cuda
