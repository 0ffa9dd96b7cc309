// What OneHot's kernels take, and which place an index names. Next: one_hot.cpp (a CPU's), shape.cu and launch.cpp (a device's).
#pragma once
#include <cstddef>
#include <type_traits>

#include "kernels/fast_div.h"
#include "kernels/row.h"

namespace tern {

// y [outer, depth, inner]; values [off, on]
struct OneHotArgs {
  const void* indices;
  const std::byte* values;
  std::byte* y;
  int64_t depth, inner, size, begin, end;  // elements of the indices
};
template <class Index>
TERN_HD inline int64_t hot_index(Index v, int64_t depth) {
  int64_t index;
  if constexpr (std::is_floating_point_v<Index>) {
    const double x = static_cast<double>(v);
    index = x > -9e15 && x < 9e15 ? static_cast<int64_t>(x) : INT64_MAX;  // NaN and far values are nobody's index
  } else {
    index = static_cast<int64_t>(v);
  }
  return index < 0 ? index + depth : index;
}

namespace cuda {

template <class Div>
struct OneHotLaunch {
  OneHotArgs of;
  Div depth, inner;
  int64_t count;  // elements of y
  DType dtype;    // of the indices
};
extern const KernelRow kOneHotRows[10];

}  // namespace cuda
}  // namespace tern
