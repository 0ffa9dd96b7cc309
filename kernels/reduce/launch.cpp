// Which kernel of reduce.cu, reduce_any.cu or lines.cu runs, and how wide. See launch.h.
#include "kernels/launch.h"

#include "kernels/reduce/lines_device.h"
#include "kernels/reduce/reduce.h"

namespace tern::cuda {
namespace {

// ---- reductions of f32 ----

struct Names {
  const char *short_rows, *rows, *long_rows, *columns;
};
// So many outputs fill a large card with one warp each; a long output of fewer gets a block.
constexpr int64_t kManyOutputs = 1024;

template <const Names& kNames>
void launch_f32(const ReduceArgs& a, Launches& to) {
  constexpr const char* kModule = "reduce/reduce";
  const Dim3 block{kReduceBlock};
  if (a.inner > 1) {
    to.add(kModule, kNames.columns, {blocks_for(a.end * a.inner, kReduceBlock)}, block, 0, a);
  } else if (a.run < 64) {
    to.add(kModule, kNames.short_rows, {blocks_for(a.end, kReduceBlock / 16)}, block, 0, a);
  } else if (a.run < kReduceChunk || a.end > kManyOutputs || a.count == 0) {
    to.add(kModule, kNames.rows, {blocks_for(a.end, kReduceBlock / 32)}, block, 0, a);
  } else {
    to.add(kModule, kNames.long_rows, {static_cast<uint32_t>(a.end)}, {kReduceLongBlock}, 0, a);
  }
}

constexpr Names kSum = {"reduce_sum_short_f32", "reduce_sum_rows_f32", "reduce_sum_long_f32", "reduce_sum_columns_f32"};
constexpr Names kMean = {"reduce_mean_short_f32", "reduce_mean_rows_f32", "reduce_mean_long_f32", "reduce_mean_columns_f32"};
constexpr Names kMax = {"reduce_max_short_f32", "reduce_max_rows_f32", "reduce_max_long_f32", "reduce_max_columns_f32"};
constexpr Names kMin = {"reduce_min_short_f32", "reduce_min_rows_f32", "reduce_min_long_f32", "reduce_min_columns_f32"};
constexpr Names kProd = {"reduce_prod_short_f32", "reduce_prod_rows_f32", "reduce_prod_long_f32", "reduce_prod_columns_f32"};
constexpr Names kL1 = {"reduce_l1_short_f32", "reduce_l1_rows_f32", "reduce_l1_long_f32", "reduce_l1_columns_f32"};
constexpr Names kL2 = {"reduce_l2_short_f32", "reduce_l2_rows_f32", "reduce_l2_long_f32", "reduce_l2_columns_f32"};
constexpr Names kSumSquare = {"reduce_sum_square_short_f32", "reduce_sum_square_rows_f32", "reduce_sum_square_long_f32",
                              "reduce_sum_square_columns_f32"};
constexpr Names kLogSum = {"reduce_log_sum_short_f32", "reduce_log_sum_rows_f32", "reduce_log_sum_long_f32", "reduce_log_sum_columns_f32"};
constexpr Names kLogSumExp = {"reduce_log_sum_exp_short_f32", "reduce_log_sum_exp_rows_f32", "reduce_log_sum_exp_long_f32",
                              "reduce_log_sum_exp_columns_f32"};

// ---- the others ----

// Kernels of each dtype, in the order of DType; null where there is none.
constexpr const char* kAny[] = {nullptr,         "reduce_any_f64", nullptr,          "reduce_any_f16", "reduce_any_bf16",
                                "reduce_any_i8", nullptr,          "reduce_any_i32", "reduce_any_i64", "reduce_any_u8",
                                nullptr,         nullptr,          nullptr,          "reduce_any_bool"};
struct LineNames {
  const char *arg_across, *arg_along, *rank, *select, *cumulate_across = nullptr, *cumulate_along = nullptr;
};
constexpr LineNames kLines[] = {
    {},
    {"arg_across_f64", "arg_along_f64", "topk_rank_f64", "topk_select_f64", "cumulate_across_f64", "cumulate_along_f64"},
    {"arg_across_f32", "arg_along_f32", "topk_rank_f32", "topk_select_f32", "cumulate_across_f32", "cumulate_along_f32"},
    {"arg_across_f16", "arg_along_f16", "topk_rank_f16", "topk_select_f16", "cumulate_across_f16", "cumulate_along_f16"},
    {"arg_across_bf16", "arg_along_bf16", "topk_rank_bf16", "topk_select_bf16", "cumulate_across_bf16", "cumulate_along_bf16"},
    {"arg_across_i8", "arg_along_i8", "topk_rank_i8", "topk_select_i8"},
    {"arg_across_i16", "arg_along_i16", "topk_rank_i16", "topk_select_i16"},
    {"arg_across_i32", "arg_along_i32", "topk_rank_i32", "topk_select_i32", "cumulate_across_i32", "cumulate_along_i32"},
    {"arg_across_i64", "arg_along_i64", "topk_rank_i64", "topk_select_i64", "cumulate_across_i64", "cumulate_along_i64"},
    {"arg_across_u8", "arg_along_u8", "topk_rank_u8", "topk_select_u8"},
    {"arg_across_u16", "arg_along_u16", "topk_rank_u16", "topk_select_u16"},
    {"arg_across_u32", "arg_along_u32", "topk_rank_u32", "topk_select_u32", "cumulate_across_u32", "cumulate_along_u32"},
    {"arg_across_u64", "arg_along_u64", "topk_rank_u64", "topk_select_u64", "cumulate_across_u64", "cumulate_along_u64"},
};
constexpr const char* kLinesModule = "reduce/lines";

}  // namespace

constinit const KernelRow reduce_sum_f32 = device_row<ReduceArgs, launch_f32<kSum>>("reduce_sum/f32/cuda", DType::f32);
constinit const KernelRow reduce_mean_f32 = device_row<ReduceArgs, launch_f32<kMean>>("reduce_mean/f32/cuda", DType::f32);
constinit const KernelRow reduce_max_f32 = device_row<ReduceArgs, launch_f32<kMax>>("reduce_max/f32/cuda", DType::f32);
constinit const KernelRow reduce_min_f32 = device_row<ReduceArgs, launch_f32<kMin>>("reduce_min/f32/cuda", DType::f32);
constinit const KernelRow reduce_prod_f32 = device_row<ReduceArgs, launch_f32<kProd>>("reduce_prod/f32/cuda", DType::f32);
constinit const KernelRow reduce_l1_f32 = device_row<ReduceArgs, launch_f32<kL1>>("reduce_l1/f32/cuda", DType::f32);
constinit const KernelRow reduce_l2_f32 = device_row<ReduceArgs, launch_f32<kL2>>("reduce_l2/f32/cuda", DType::f32);
constinit const KernelRow reduce_sum_square_f32 = device_row<ReduceArgs, launch_f32<kSumSquare>>("reduce_sum_square/f32/cuda", DType::f32);
constinit const KernelRow reduce_log_sum_f32 = device_row<ReduceArgs, launch_f32<kLogSum>>("reduce_log_sum/f32/cuda", DType::f32);
constinit const KernelRow reduce_log_sum_exp_f32 = device_row<ReduceArgs, launch_f32<kLogSumExp>>("reduce_log_sum_exp/f32/cuda", DType::f32);

template <DType kType, ReduceKind kKind>
void launch_reduce(const ReduceArgs& a, Launches& to) {
  to.add("reduce/reduce_any", kAny[static_cast<int>(kType)], {blocks_for(a.end * a.inner, kReduceBlock)}, {kReduceBlock}, 0, ReduceAny{a, kKind});
}

template <DType kType, bool kMax>
void launch_arg(const ArgArgs& a, Launches& to) {
  constexpr const LineNames& kNames = kLines[static_cast<int>(kType)];
  const bool along = a.lines.inner == 1;
  to.add(kLinesModule, along ? kNames.arg_along : kNames.arg_across, {blocks_for(a.lines.end, along ? kLinesBlock / 32 : kLinesBlock)}, {kLinesBlock},
         0, ArgLaunch{a, kMax});
}

template <DType kType, bool kProduct>
void launch_cumulate(const CumulateArgs& a, Launches& to) {
  constexpr const LineNames& kNames = kLines[static_cast<int>(kType)];
  if (a.lines.inner == 1) to.add(kLinesModule, kNames.cumulate_along, {blocks_for(a.lines.end, 32)}, {32}, 0, CumulateLaunch{a, kProduct});
  else to.add(kLinesModule, kNames.cumulate_across, {blocks_for(a.lines.end, kLinesBlock)}, {kLinesBlock}, 0, CumulateLaunch{a, kProduct});
}

template <DType kType>
void launch_topk(const TopKArgs& a, Launches& to) {
  constexpr const LineNames& kNames = kLines[static_cast<int>(kType)];
  const int64_t chunks = (a.lines.n + kTopKTile - 1) / kTopKTile;
  if (a.lines.n / a.k >= kTopKSelected) to.add(kLinesModule, kNames.select, {blocks_for(a.lines.end, 1)}, {kLinesBlock}, 0, TopKLaunch{a, 1});
  else to.add(kLinesModule, kNames.rank, {blocks_for(a.lines.end * chunks, 1)}, {kTopKTile}, 0, TopKLaunch{a, chunks});
}

template void launch_reduce<DType::f64, ReduceKind::sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::mean>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::prod>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::l1>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::l2>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::sum_square>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::log_sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f64, ReduceKind::log_sum_exp>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::mean>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::prod>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::l1>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::l2>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::sum_square>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::log_sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::f16, ReduceKind::log_sum_exp>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::mean>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::prod>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::l1>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::l2>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::sum_square>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::log_sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::bf16, ReduceKind::log_sum_exp>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::mean>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::prod>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::l1>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::l2>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i32, ReduceKind::sum_square>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::sum>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::mean>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::prod>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::l1>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::l2>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i64, ReduceKind::sum_square>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i8, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::i8, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::u8, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::u8, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::boolean, ReduceKind::max>(const ReduceArgs&, Launches&);
template void launch_reduce<DType::boolean, ReduceKind::min>(const ReduceArgs&, Launches&);
template void launch_arg<DType::f32, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::f32, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::f32, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::f32, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::f32>(const TopKArgs&, Launches&);
template void launch_arg<DType::f64, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::f64, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::f64, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::f64, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::f64>(const TopKArgs&, Launches&);
template void launch_arg<DType::f16, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::f16, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::f16, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::f16, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::f16>(const TopKArgs&, Launches&);
template void launch_arg<DType::bf16, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::bf16, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::bf16, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::bf16, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::bf16>(const TopKArgs&, Launches&);
template void launch_arg<DType::i8, true>(const ArgArgs&, Launches&);
template void launch_arg<DType::i8, false>(const ArgArgs&, Launches&);
template void launch_topk<DType::i8>(const TopKArgs&, Launches&);
template void launch_arg<DType::i16, true>(const ArgArgs&, Launches&);
template void launch_arg<DType::i16, false>(const ArgArgs&, Launches&);
template void launch_topk<DType::i16>(const TopKArgs&, Launches&);
template void launch_arg<DType::i32, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::i32, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::i32, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::i32, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::i32>(const TopKArgs&, Launches&);
template void launch_arg<DType::i64, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::i64, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::i64, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::i64, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::i64>(const TopKArgs&, Launches&);
template void launch_arg<DType::u8, true>(const ArgArgs&, Launches&);
template void launch_arg<DType::u8, false>(const ArgArgs&, Launches&);
template void launch_topk<DType::u8>(const TopKArgs&, Launches&);
template void launch_arg<DType::u16, true>(const ArgArgs&, Launches&);
template void launch_arg<DType::u16, false>(const ArgArgs&, Launches&);
template void launch_topk<DType::u16>(const TopKArgs&, Launches&);
template void launch_arg<DType::u32, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::u32, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::u32, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::u32, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::u32>(const TopKArgs&, Launches&);
template void launch_arg<DType::u64, true>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::u64, true>(const CumulateArgs&, Launches&);
template void launch_arg<DType::u64, false>(const ArgArgs&, Launches&);
template void launch_cumulate<DType::u64, false>(const CumulateArgs&, Launches&);
template void launch_topk<DType::u64>(const TopKArgs&, Launches&);

}  // namespace tern::cuda
