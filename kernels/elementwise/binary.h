// The binary kernel: y = a op b over the rows of a broadcast nest. See elementwise.h, broadcast.h. Next: binary.simd.cpp.
#pragma once
#include <stdint.h>

#include "kernels/elementwise/broadcast.h"

namespace tern {

enum class Binary : uint8_t {
  add, sub, mul, div, min, max,  // f32 on every ISA, the others portable
  prelu,                         // a < 0 ? a b : a
  mod_sign_of_divisor,           // Python's
  mod_sign_of_dividend,          // fmod
  bit_and, bit_or, bit_xor,      // of integers; of bool the logical ones
  shift_left, shift_right,
  equal, less, less_or_equal, greater, greater_or_equal,  // to bool
};

struct BinaryArgs {
  const void *a, *b;
  void* y;
  RowNest nest;
  Binary op;
};
namespace scalar { void binary_f32(const BinaryArgs&); }
namespace avx2 { void binary_f32(const BinaryArgs&); }
namespace avx512 { void binary_f32(const BinaryArgs&); }

}  // namespace tern
