// The element types of tensors, bare: no C++ library, so that a kernel compiled for one ISA may include them. Next: dtype.h.
#pragma once
#include <stdint.h>

namespace tern {

enum class DType : uint8_t { none, f64, f32, f16, bf16, i8, i16, i32, i64, u8, u16, u32, u64, boolean, string };

// 16-bit floats are carried as their bits; base/half.h converts.
struct f16 {
  uint16_t bits;
};
struct bf16 {
  uint16_t bits;
};

}  // namespace tern
