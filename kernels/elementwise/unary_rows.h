// The kernel tables of the unary operators and how they are bound. Next: unary.cpp, unary_portable.cpp.
#pragma once
#include <array>

#include "kernels/elementwise/nest.h"
#include "kernels/elementwise/unary.h"

namespace tern {

extern const std::array<KernelRow, 14> kUnaryRows;  // f32 on every ISA, the other numbers portable
extern const std::array<KernelRow, 4> kRareRows;    // functions without a SIMD form: floats, portable
extern const std::array<KernelRow, 9> kNotRows;     // integers and bool

// Binds output 0 = f(input 0), this part of it.
Status bind_unary(BindContext& c, std::span<const KernelRow> rows, Unary op, ActivationSpec spec = {});

}  // namespace tern
