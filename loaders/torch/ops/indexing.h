// What indexing is made of, for x[…] and for ATen's indexed reads. Next: indexing.cpp.
#pragma once
#include <vector>

#include "loaders/torch/ops/common.h"

namespace tern::torch {

// x[:, index, :] along an axis, which is then gone. Negative ones count from the end; known ones outside are refused.
ValueId select(Builder& b, ValueId x, int axis, const Int& index);

// One of start:stop:step. Bounds clamp as Python's.
struct SliceOf {
  int axis;
  Int start, stop;
  int64_t step = 1;
};
ValueId slices(Builder& b, ValueId x, const std::vector<SliceOf>& parts);

// x[…, i, …, j, …]: an index tensor (or kNone: the whole axis) for each of the first axes, broadcast with one another as NumPy and torch do.
// The dimensions that they make stand where the index tensors stood when those are neighbours, else in front. Masks are refused.
ValueId advanced_index(Builder& b, ValueId x, const std::vector<ValueId>& indices);
// The same places as coordinates for GatherND and ScatterND: [broadcast…, how many indices].
ValueId coordinates(Builder& b, std::vector<ValueId> indices);
// Is it something that may index? Fails the builder for masks and reals.
bool is_index(Builder& b, ValueId v);
// The argument as an index tensor of i32 or i64.
ValueId index_of(Builder& b, const Arguments& a, const char* name);

}  // namespace tern::torch
