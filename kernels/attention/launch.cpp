// Which of attention.cu's kernels runs, and how wide. See launch.h.
#include "kernels/attention/launch.h"

#include "kernels/launch.h"

namespace tern::cuda {
namespace {

void launch(const AttentionArgs& a, Launches& to) {
  const int64_t tiles = a.heads * ((a.T + kAttentionTile - 1) / kAttentionTile);
  const Dim3 block{kAttentionThreads};
  if (a.scores == nullptr) {
    to.add("attention/attention", "attention_rows_f32", {blocks_for(tiles, 1)}, block, static_cast<uint32_t>(kAttentionTile * a.S16 * 4), a);
  } else {
    to.add("attention/attention", "attention_long_rows_f32", {blocks_for(tiles < kAttentionBlocks ? tiles : kAttentionBlocks, 1)}, block, 0, a);
  }
}

}  // namespace

constinit const KernelRow attention_f32 = device_row<AttentionArgs, launch>("attention/f32/cuda", DType::f32);

}  // namespace tern::cuda
