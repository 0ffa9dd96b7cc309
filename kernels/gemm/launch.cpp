// Which of gemm.cu's kernels runs, and how wide. See launch.h.
#include "kernels/gemm/launch.h"

#include <algorithm>
#include <iterator>

#include "kernels/launch.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "gemm/gemm";

// Smaller tiles below so many blocks: about one for each multiprocessor of a large card (an A100 has 108, an H100 132).
constexpr int64_t kEnough = 108;
constexpr int64_t kFewRows = 8;  // most rows that the kernels for few are for

bool aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }
int64_t tiles(const ProductArgs& a, int64_t rows, int64_t columns) { return (a.m + rows - 1) / rows * ((a.n + columns - 1) / columns) * a.batches; }

void launch(const GemmArgs& a, Launches& to) {
  launch_arrange(a.x, to);
  launch_arrange(a.w, to);
  launch_product(a.product, to);
}

template <DType kType>
void launch_portable(const PortableGemmArgs& g, Launches& to) {
  constexpr const char* kNames[] = {"gemm_f64", "gemm_f16", "gemm_bf16", "gemm_i32", "gemm_i64", "gemm_u32", "gemm_u64"};
  constexpr DType kTypes[] = {DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64, DType::u32, DType::u64};
  const char* name = kNames[std::find(std::begin(kTypes), std::end(kTypes), kType) - std::begin(kTypes)];
  to.add("gemm/portable", name, {blocks_for((g.row_end - g.row_begin) * g.n, kPortableGemmBlock)}, {kPortableGemmBlock}, 0, g);
}
template <DType kType>
constexpr KernelRow portable_row(const char* name) {
  return device_row<PortableGemmArgs, launch_portable<kType>>(name, kType);
}

}  // namespace

void launch_product(const ProductArgs& args, Launches& to) {
  ProductArgs a = args;
  a.wide = aligned(a.x) && aligned(a.w) && a.k % 4 == 0 && a.x_row % 4 == 0 && a.w_k % 4 == 0 && a.w_k >= (a.n + 3) / 4 * 4;
  a.wide_y = a.n % 4 == 0 && a.y_row % 4 == 0 && aligned(a.y) && aligned(a.residual);
  auto add = [&](const char* kernel, int64_t blocks, uint32_t threads) { to.add(kModule, kernel, {blocks_for(blocks, 1)}, {threads}, 0, a); };
  if (a.chains == 0) {
    const bool four = a.n >= 4 && a.m * a.n * a.batches >= kEnough * 64;
    const int64_t halves = (four ? (a.n + 3) / 4 : a.n) * a.m * a.batches;
    return add(four ? "gemm_dot_4_f32" : "gemm_dot_1_f32", (halves + kDotBlock / 16 - 1) / (kDotBlock / 16), kDotBlock);
  }
  if (a.m <= kFewRows) {
    const bool broad = a.chains == 1 && a.m <= 4 && tiles(a, 4, 32) >= kEnough;
    const int64_t rows = broad ? 4 : a.chains == 1 ? 8 : 16 / a.chains;
    return add(broad    ? (a.wide ? "gemm_few_rows_32_f32" : "gemm_few_rows_32_narrow_f32")
               : a.wide ? "gemm_few_rows_8_f32"
                        : "gemm_few_rows_8_narrow_f32",
               tiles(a, rows, broad ? 32 : 8), kFewRowsBlock);
  }
  if (a.chains == 2) return add(a.wide ? "gemm_64x32_2_chains_f32" : "gemm_64x32_2_chains_narrow_f32", tiles(a, 64, 32), 128);
  if (a.chains == 4) return add(a.wide ? "gemm_64x32_4_chains_f32" : "gemm_64x32_4_chains_narrow_f32", tiles(a, 64, 32), 128);
  if (a.wide && tiles(a, 128, 128) >= kEnough) return add("gemm_128x128_f32", tiles(a, 128, 128), 256);
  if (tiles(a, 64, 64) >= kEnough) return add(a.wide ? "gemm_64x64_f32" : "gemm_64x64_narrow_f32", tiles(a, 64, 64), 256);
  add(a.wide ? "gemm_32x32_f32" : "gemm_32x32_narrow_f32", tiles(a, 32, 32), 128);
}

void launch_arrange(const ArrangeArgs& a, Launches& to) {
  if (a.from != nullptr) to.add(kModule, "gemm_arrange_f32", {blocks_for(a.rows * a.to_row, kArrangeBlock)}, {kArrangeBlock}, 0, a);
}

constinit const KernelRow kPortableGemm[] = {
    portable_row<DType::f64>("gemm/f64/cuda"), portable_row<DType::f16>("gemm/f16/cuda"), portable_row<DType::bf16>("gemm/bf16/cuda"),
    portable_row<DType::i32>("gemm/i32/cuda"), portable_row<DType::i64>("gemm/i64/cuda"), portable_row<DType::u32>("gemm/u32/cuda"),
    portable_row<DType::u64>("gemm/u64/cuda"),
};
constinit const KernelRow gemm_f32 = device_row<GemmArgs, launch>("gemm/f32/cuda", DType::f32);

}  // namespace tern::cuda
