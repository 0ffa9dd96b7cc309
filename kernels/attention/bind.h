// What binding the two operators on attention.h has in common. Next: attention.cpp.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/op.h"

namespace tern {

// Chooses the row and the workspace for `a`, whose sizes, strides and pointers are set, and the heads of this part. S > 0.
void run_attention(BindContext& c, AttentionArgs& a, int64_t batches);

}  // namespace tern
