// A value as a strided view of another one: through Transpose, Reshape, Squeeze, Unsqueeze, Flatten, Identity, Slice and Split with steps of one or more,
// Gather of one constant index, Expand, and Tile of extents of 1, none of which needs to be computed for an operator that takes strides. Needs shapes of
// numbers.
// Next: strided_view.cpp, read_in_place.h.
#pragma once
#include <vector>

#include "runtime/graph.h"

namespace tern {

// Element [i0, i1, …] of the viewed value is element offset + i0 * strides[0] + … of `base`, which is row-major. A stride of 0 repeats.
struct StridedView {
  ValueId base = kNone;
  std::vector<int64_t> dims, strides;
  int64_t offset = 0;
};
// Of v itself: dense.
StridedView whole_view(const Graph& graph, ValueId v);
// Whether it is the base's first elements in their order.
bool is_dense(const StridedView& v);
// The view of v on the farthest value that has one; whole_view where there is none. `by`: producers().
StridedView view_of(const Graph& graph, const std::vector<NodeId>& by, ValueId v);

}  // namespace tern
