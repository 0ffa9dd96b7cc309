// Attention on a device: how wide attention.cu's kernels are. Arguments and the order of sums are attention.h's.
//   How       a block takes sixteen rows of q of one head: their scores, a tile of keys at a time, then their exponentials, half a warp a row, then
//             the product with v. The scores stay in shared memory, or in the workspace where that is too small (then few blocks walk over all rows).
// Next: launch.cpp, attention.cu.
#pragma once
#include "kernels/attention/attention.h"

namespace tern::cuda {

extern const KernelRow attention_f32;

constexpr int kAttentionTile = kAttentionBlock;  // rows of a block
constexpr int kAttentionThreads = 256;           // sixteen a row
constexpr int64_t kAttentionBlocks = 264;        // two for each multiprocessor of an H100: when the scores do not fit
constexpr int64_t kAttentionShared = 576;        // most keys whose scores fit beside the tiles in 48 KB

}  // namespace tern::cuda
