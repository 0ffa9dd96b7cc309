// The numbers by which ONNX files name dtypes (TensorProto.DataType), as attributes such as Cast's `to` carry them.
#pragma once
#include <cstdint>

#include "tern/dtype.h"

namespace tern {

// none for a code that tern has no dtype for.
constexpr DType dtype_from_code(int64_t code) {
  constexpr DType kTypes[] = {DType::none, DType::f32, DType::u8,   DType::i8,      DType::u16, DType::i16, DType::i32, DType::i64, DType::string,
                              DType::boolean, DType::f16, DType::f64, DType::u32, DType::u64, DType::none, DType::none, DType::bf16};
  return code > 0 && code <= 16 ? kTypes[code] : DType::none;
}

}  // namespace tern
