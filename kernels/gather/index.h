// Indices: wrapped and clamped at run time, checked when they are known. Next: gather.cpp.
#pragma once
#include <algorithm>

#include "kernels/op.h"

namespace tern {

// -n..n-1 to 0..n-1, anything outside to the nearest end. Precondition: n > 0.
inline int64_t place_index(int64_t i, int64_t n) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n - 1); }

inline Status check_index_dtype(DType t) {
  return t == DType::i32 || t == DType::i64 ? Status() : Status(invalid(std::string("indices are ") + name(t) + ", expected i32 or i64"));
}

// An error when the contents of `indices` are known and one is outside of [-n, n).
inline Status check_indices(const Tensor* indices, const Dim& n) {
  if (indices == nullptr || !n.known()) return {};
  auto known = as_ints(indices->view());
  for (int64_t i : known.value_or(std::vector<int64_t>())) {
    if (i < -n.value() || i >= n.value()) return invalid("index " + std::to_string(i) + " is outside of an axis of " + n.text());
  }
  return {};
}

// The indices may be smaller than x, except along the axis (gather_elements.cpp).
Status check_elements_shapes(const Shape& x, const Shape& indices, int axis);
// Like check_indices, for tuples that index axes first, first + 1, ... of x (gather_elements.cpp).
Status check_tuples(const Tensor* indices, const Shape& x, int first, int depth);

}  // namespace tern
