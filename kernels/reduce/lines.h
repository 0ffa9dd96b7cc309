// Lines along one axis, of a tensor of any rank and dtype: ArgMax, CumSum, TopK. Next: arg.cpp.
#pragma once
#include "kernels/op.h"
#include "kernels/reduce/lines_device.h"

namespace tern {

inline Lines lines_of(BindContext& c, const Dims& dims, int axis) {
  const int64_t inner = dims.count(axis + 1, dims.rank);
  const auto [begin, end] = c.range(dims.count(0, axis) * inner);
  return {dims[axis], inner, begin, end};
}

}  // namespace tern
