// The kernel tables of the binary operators and how they are bound. Next: binary_portable.cpp, binary.cpp.
#pragma once
#include <array>

#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/nest.h"

namespace tern {

extern const std::array<KernelRow, 15> kBinaryRows;   // numbers and bool to the same dtype
extern const std::array<KernelRow, 12> kModRows;      // numbers, portable: Mod has no SIMD form
extern const std::array<KernelRow, 14> kCompareRows;  // anything to bool

struct Operand {
  Dims dims;
  Address<const std::byte> at;
  static Operand input(const BindContext& c, size_t i) { return {c.in(i).dims, c.input(i)}; }
  static Operand output(const BindContext& c) { return {c.out(0).dims, c.output(0)}; }
};
// Fills in `args`, which lie in the binding: output 0 = a op b for the output's elements [begin, end).
void set_binary(BindContext& c, BinaryArgs& args, const Operand& a, const Operand& b, Binary op, int64_t begin, int64_t end);
// Binds output 0 = input 0 op input 1, this part of it.
Status bind_binary(BindContext& c, std::span<const KernelRow> rows, Binary op);

}  // namespace tern
