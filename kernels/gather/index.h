// Indices: wrapped at run time, clamped and reported when outside; refused when they are known before. Next: gather.cpp.
#pragma once
#include <algorithm>

#include "kernels/gather/place.h"
#include "kernels/op.h"

namespace tern {

// What the caller is told, by the plan, the evaluator and inference alike.
inline std::string index_fault(int64_t n) { return "an index was out of range [" + std::to_string(-n) + ", " + std::to_string(n) + ")"; }

inline Status check_index_dtype(DType t) {
  return t == DType::i32 || t == DType::i64 ? Status() : Status(invalid(std::string("indices are ") + name(t) + ", expected i32 or i64"));
}

// An error when the contents of `indices` are known and one is outside of [-n, n). Indices of an output `y` without elements are read by
// nobody, here as in bind_op.
Status check_indices(const Tensor* indices, const Dim& n, const Shape& y);

// The indices may be smaller than x, except along the axis (gather_elements.cpp).
Status check_elements_shapes(const Shape& x, const Shape& indices, int axis);
// Like check_indices, for tuples that index axes first, first + 1, ... of x (gather_elements.cpp).
Status check_tuples(const Tensor* indices, const Shape& x, int first, int depth, const Shape& y);
std::string tuple_fault(std::span<const int64_t> n);

}  // namespace tern
