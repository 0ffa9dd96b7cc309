// What attention layers share: masks of scores. Next: attention.cpp, then multi_head.cpp.
#pragma once
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {

// [queries, keys], bool: key j is no later than query i; and nearer than `window` places where that is not 0.
ValueId band(const Call& c, const Int& queries, const Int& keys, bool causal, int64_t window);
// 0 where the mask counts, else `least`: to be added to scores of dtype like `scores`.
ValueId additive(const Call& c, ValueId mask, ValueId scores, double least);

}  // namespace tern::keras
