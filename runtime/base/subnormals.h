// Subnormals among elements that come from outside: weights are used where they lie only when there are none (the numbers contract).
// Next: subnormals.cpp, then tensor.h (normalize_elements).
#pragma once
#include <cstddef>
#include <span>

#include "tern/dtype.h"

namespace tern {

// Whether an f32 or f64 among these bytes is subnormal; false for other dtypes. They need no alignment; a last part of an element is not looked at.
bool any_subnormal(DType dtype, std::span<const std::byte> elements);

}  // namespace tern
