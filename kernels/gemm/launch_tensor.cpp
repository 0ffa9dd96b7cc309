// Which of tensor.cu's kernels runs. See tensor.h.
#include "kernels/gemm/tensor.h"
#include "kernels/launch.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

constexpr const char* kTensorModule = "gemm/tensor";
// Smaller tiles below so many blocks: about one for each multiprocessor of a large card.
constexpr int64_t kTensorEnough = 108;

struct Names {
  const char *round, *tile_128x128, *tile_64x64, *tile_16x64;
};
constexpr Names kNames[] = {{"gemm_round_tf32", "gemm_128x128_by_tf32", "gemm_64x64_by_tf32", "gemm_16x64_by_tf32"},
                            {"gemm_round_f16", "gemm_128x128_by_f16", "gemm_64x64_by_f16", "gemm_16x64_by_f16"},
                            {"gemm_round_bf16", "gemm_128x128_by_bf16", "gemm_64x64_by_bf16", "gemm_16x64_by_bf16"}};

void round(const RoundArgs& a, const char* kernel, Launches& to) {
  if (a.from == nullptr) return;
  const int64_t tiles = a.matrices * ceil_div(a.rows, kRoundTile) * ceil_div(a.to_k, kRoundTile);
  to.add(kTensorModule, kernel, {blocks_for(tiles, 1)}, {kRoundBlock}, 0, a);
}

template <Precision kPrecision>
void launch(const TensorGemmArgs& g, Launches& to) {
  constexpr const Names& names = kNames[static_cast<int>(kPrecision) - 1];
  round(g.x, names.round, to);
  round(g.w, names.round, to);
  TensorArgs a = g.product;
  ProductArgs& p = a.product;
  p.wide_y = p.n % 2 == 0 && reinterpret_cast<uintptr_t>(p.y) % 8 == 0 && reinterpret_cast<uintptr_t>(p.residual) % 8 == 0;
  const auto tiles = [&](int64_t rows, int64_t columns) { return ceil_div(p.m, rows) * ceil_div(p.n, columns) * p.batches; };
  if (p.m <= 16) return to.add(kTensorModule, names.tile_16x64, {blocks_for(tiles(16, 64), 1)}, {128}, 0, a);
  if (tiles(128, 128) >= kTensorEnough) return to.add(kTensorModule, names.tile_128x128, {blocks_for(tiles(128, 128), 1)}, {256}, 0, a);
  to.add(kTensorModule, names.tile_64x64, {blocks_for(tiles(64, 64), 1)}, {128}, 0, a);
}

template <class T, T (*kRound)(float)>
void round_rows(const RoundArgs& a, const float* from, std::byte* to) {
  for (int64_t b = 0; b < a.matrices; ++b) {
    for (int64_t r = 0; r < a.rows; ++r) {
      T* row = reinterpret_cast<T*>(to) + (b * a.rows + r) * a.to_k;  // [to_k]
      for (int64_t k = 0; k < a.k; ++k) row[k] = kRound(a.factor * from[b * a.matrix + r * a.row + k * a.column]);
    }
  }
}

template <Precision kPrecision>
constexpr KernelRow tensor_row_of(const char* name) {
  return device_row<TensorGemmArgs, launch<kPrecision>>(name, DType::f32);
}

}  // namespace

void round_on_host(Precision precision, const RoundArgs& a, const float* from, std::byte* to) {
  if (precision == Precision::tf32) round_rows<tf32, to_tf32>(a, from, to);
  else if (precision == Precision::f16) round_rows<f16, to_f16>(a, from, to);
  else round_rows<bf16, to_bf16>(a, from, to);
}

constinit const KernelRow kTensorGemm[] = {tensor_row_of<Precision::tf32>("gemm_tf32/f32/cuda"), tensor_row_of<Precision::f16>("gemm_f16/f32/cuda"),
                                           tensor_row_of<Precision::bf16>("gemm_bf16/f32/cuda")};
const KernelRow& tensor_row(Precision precision) { return kTensorGemm[static_cast<int>(precision) - 1]; }

}  // namespace tern::cuda
