// Which of attention.cu's kernels runs, and how wide. See launch.h.
#include "kernels/attention/launch.h"

#include <algorithm>

#include "kernels/launch.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

void launch(const AttentionArgs& a, Launches& to) {
  const Dim3 block{kAttentionThreads};
  if (a.present_key != nullptr || a.present_value != nullptr) {
    const int64_t elements = (a.present_end - a.present_begin) * a.S * std::max(a.D, a.E);
    to.add("attention/attention", "attention_present_f32", {blocks_for(elements, kAttentionThreads)}, block, 0, a);
  }
  const int64_t tiles = (a.end - a.begin) * ((a.T + kAttentionTile - 1) / kAttentionTile);
  if (tiles == 0) return;
  if (a.weights == nullptr) {
    const int64_t shared = kAttentionTile * round_up(a.S, 16) * static_cast<int64_t>(sizeof(float));
    to.add("attention/attention", "attention_rows_f32", {blocks_for(tiles, 1)}, block, static_cast<uint32_t>(shared), a);
  } else {
    to.add("attention/attention", "attention_long_rows_f32", {blocks_for(tiles < kAttentionBlocks ? tiles : kAttentionBlocks, 1)}, block, 0, a);
  }
}

}  // namespace

constinit const KernelRow attention_f32 = device_row<AttentionArgs, launch>("attention/f32/cuda", DType::f32);

}  // namespace tern::cuda
