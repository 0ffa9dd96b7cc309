// Lists of axes, as Squeeze, Slice, the reductions and others take them. Next: reshape.cpp.
#pragma once
#include "kernels/op.h"

namespace tern {

// Each axis brought to [0, rank); an error when one is outside or named twice.
Result<std::vector<int>> normalize_axes(std::span<const int64_t> axes, int rank);
// Those of Transpose's perm, or of none: all of them in reverse (transpose.cpp).
Result<std::vector<int>> transposed_axes(const AttrReader& attrs, int rank);
// An unknown shape of a known rank.
Shape fresh_shape(int rank, InferContext& c);
// The number of elements of a rank-1 input, when its type says so.
std::optional<int64_t> length_of(const InferContext& c, size_t input);

}  // namespace tern
