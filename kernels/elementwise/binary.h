// The binary kernels: y = f(a, b) over the rows of a broadcast nest, one function f a row. See elementwise.h, broadcast.h.
// Next: binary.simd.cpp (f32 on every ISA), binary_rows.h (the other dtypes), binary_functions.h, arithmetic.cpp (operators), device.h (on a
// device).
#pragma once
#include <stdint.h>

#include "kernels/elementwise/broadcast.h"
#include "kernels/rows.h"

namespace tern {

struct BinaryArgs {
  const void *a, *b;
  void* y;
  RowNest nest;
};
TERN_EACH_ISA(extern const KernelRow add_f32, div_f32, max_f32, min_f32, mul_f32, prelu_f32, sub_f32;)  // binary.simd.cpp
TERN_EACH_ISA(extern const Rows<3> add_wide, div_wide, max_wide, min_wide, mul_wide, prelu_wide, sub_wide;
              extern const Rows<4> fmod_wide, mod_wide;)  // binary_wide.simd.cpp

}  // namespace tern
