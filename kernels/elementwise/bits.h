// The rows of And, Or, Xor, Not and BitShift, and of copies of bools that a caller wrote (UnaryArgs). Next: bits.simd.cpp (a CPU's), bitwise.cpp (operators).
#pragma once
#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/unary.h"

namespace tern {

TERN_EACH_ISA(extern const KernelRow and_bool, or_bool, xor_bool, not_bool, copy_bool; extern const Rows<4> shift_left_any, shift_right_any;)

}  // namespace tern
