// Lists of C++ types of elements: the dtypes that an operator has rows for. Next: portable_row.h.
#pragma once
#include <stdint.h>

#include "tern/element.h"

namespace tern {

template <class... T>
struct Types {};
using OtherFloats = Types<double, f16, bf16>;  // those without a SIMD form
using Floats = Types<float, double, f16, bf16>;
using SignedInts = Types<int8_t, int16_t, int32_t, int64_t>;
using UnsignedInts = Types<uint8_t, uint16_t, uint32_t, uint64_t>;
using Ints = Types<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using Numbers = Types<float, double, f16, bf16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using NumbersAndBool = Types<float, double, f16, bf16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>;

}  // namespace tern
