// FusedAttention on a device: what attention.cu's kernels are given. The order of sums is attention.h's.
//   How       a block takes sixteen rows of q of one head: their scores, a tile of keys at a time, then their exponentials, half a warp a row, then
//             the product with v. The scores stay in shared memory, or in the workspace where that is too small (then few blocks walk over all rows).
// Next: launch.cpp, attention.cu.
#pragma once
#include "kernels/attention/attention.h"

namespace tern::cuda {

struct AttentionArgs {
  const float *q, *k, *v, *mask;  // mask null: none
  float* y;
  const int64_t* mask_head;  // [heads]
  float* scores;             // [kAttentionBlocks, kAttentionTile, S16]; null: shared memory holds [kAttentionTile, S16]
  int64_t heads, T, S, D, E, S16;
  int64_t mask_row, mask_column;
  float scale;
};
extern const KernelRow attention_f32;

constexpr int kAttentionTile = 16;         // rows of a block
constexpr int kAttentionThreads = 256;     // sixteen a row
constexpr int64_t kAttentionBlocks = 264;  // two for each multiprocessor of an H100: when the scores do not fit
constexpr int64_t kAttentionShared = 576;  // most keys whose scores fit beside the tiles in 48 KB

}  // namespace tern::cuda
