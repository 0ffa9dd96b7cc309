// The kernel tables of the binary operators and how they are bound. Next: binary_portable.cpp, binary.cpp.
#pragma once
#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/nest.h"

namespace tern {

extern const std::array<KernelRow, 15> kBinaryRows;   // numbers and bool to the same dtype
extern const std::array<KernelRow, 12> kModRows;      // numbers, portable: Mod has no SIMD form
extern const std::array<KernelRow, 14> kCompareRows;  // anything to bool

// The args of y = a op b for the output elements [begin, end); y has the dims of the broadcast.
BinaryArgs binary_args(const TensorView& a, const TensorView& b, const TensorView& y, Binary op, int64_t begin, int64_t end);
// Binds output 0 = input 0 op input 1, this part of it.
Status bind_binary(BindContext& c, std::span<const KernelRow> rows, Binary op);

}  // namespace tern
