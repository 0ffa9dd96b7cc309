// The gathers and scatters on a device: their arguments, and what the kernels of gather.cu and scatter.cu read besides. Plain C: nvcc includes it.
// Next: launch.cpp.
#pragma once
#include <cstddef>

#include "kernels/fast_div.h"
#include "kernels/gather/combine.h"
#include "tern/element.h"

namespace tern {

class Launches;

// x [outer, n, run] bytes, indices [count], y [outer, count, run]; this part computes outputs [begin, end) of outer * count.
struct GatherArgs {
  const std::byte* x;
  const void* indices;
  std::byte* y;
  int64_t n, count, run, begin, end;
  uint32_t* fault;
};
struct GatherElementsArgs {
  const std::byte* x;
  const void* indices;
  std::byte* y;
  int rank;
  int64_t n[8], stride[8];  // of the indices; strides in x, zero along the axis
  int64_t axis_n, axis_stride, size, begin, end;
  uint32_t* fault;
};
struct GatherNdArgs {
  const std::byte* x;
  const void* indices;
  std::byte* y;
  int64_t depth, n[8], stride[8];        // of the indexed axes, strides in bytes
  int64_t run, per_batch, batch_stride;  // bytes; tuples a batch; bytes
  int64_t begin, end;
  uint32_t* fault;
};

// Where update number u goes: a tuple of `depth` indices, and the position of the run in y when `rank` > 0 (ScatterElements).
struct ScatterArgs {
  const std::byte* x;
  const void* indices;
  const std::byte* updates;
  std::byte* y;
  int64_t bytes, size;             // of x and y; of an element
  int64_t count, run;              // updates, elements each
  int64_t depth, n[8], stride[8];  // of the indexed axes, strides in elements
  int rank, axis;
  int64_t at_n[8], at_stride[8];  // dims of the indices and their strides in y, zero along the axis
  Reduction reduction;
  bool wide_indices;
  uint32_t* fault;
  uint64_t* last;  // workspace on a device [elements of y / run], for reduction none: one more than the number of the last update of each place
};

namespace cuda {

constexpr int kGatherBlock = 256;  // threads

// A thread moves one unit (of 1 to 16 bytes) of y.
template <class Div>
struct GatherUnits {
  GatherArgs a;
  Div run, count;  // run: in units
  typename Div::Int units;
  bool wide_indices;
};
template <class Div>
struct GatherElementsUnits {
  GatherElementsArgs a;
  Div n[8];
  typename Div::Int units;
  bool wide_indices;
};
template <class Div>
struct GatherNdUnits {
  GatherNdArgs a;
  Div run, per_batch;
  typename Div::Int units;
  bool wide_indices;
};

// A thread an element of the updates. For reduction none the last update of each place is found first, and then moved; any other takes the
// updates of one place in order, in one thread.
template <class Div>
struct ScatterUnits {
  ScatterArgs a;
  Div at_n[8], run;
  typename Div::Int units;
};

template <bool kWideIndices>
void launch_gather(const GatherArgs& a, Launches& to);
template <bool kWideIndices>
void launch_gather_elements(const GatherElementsArgs& a, Launches& to);
template <bool kWideIndices>
void launch_gather_nd(const GatherNdArgs& a, Launches& to);
template <DType kType>
void launch_scatter(const ScatterArgs& a, Launches& to);

}  // namespace cuda
}  // namespace tern
