// The rows of numbers.simd.cpp: comparisons of f32, f64, i32 and i64, arithmetic of i32 and i64. Next: numbers.simd.cpp, arithmetic.cpp, compare.cpp.
#pragma once
#include "kernels/elementwise/binary.h"
#include "kernels/types.h"

namespace tern {

using NarrowFloats = Types<f16, bf16>;
using OtherInts = Types<int8_t, int16_t, uint8_t, uint16_t, uint32_t, uint64_t>;  // those that have no rows there
TERN_EACH_ISA(extern const Rows<4> equal_any, less_any, less_or_equal_any, greater_any, greater_or_equal_any;
              extern const Rows<2> add_int, sub_int, mul_int;)

}  // namespace tern
