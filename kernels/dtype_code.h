// The numbers by which ONNX files name dtypes (TensorProto.DataType), and attributes such as Cast's `to` after them.
#pragma once
#include <cstdint>
#include <iterator>

#include "tern/dtype.h"

namespace tern {

// By number, with the names that old files and messages have; none: a dtype that tern does not have.
struct DTypeCode {
  const char* name;
  DType dtype;
};
inline constexpr DTypeCode kDTypeCodes[] = {
    {"UNDEFINED", DType::none},
    {"FLOAT", DType::f32},
    {"UINT8", DType::u8},
    {"INT8", DType::i8},
    {"UINT16", DType::u16},
    {"INT16", DType::i16},
    {"INT32", DType::i32},
    {"INT64", DType::i64},
    {"STRING", DType::string},
    {"BOOL", DType::boolean},
    {"FLOAT16", DType::f16},
    {"DOUBLE", DType::f64},
    {"UINT32", DType::u32},
    {"UINT64", DType::u64},
    {"COMPLEX64", DType::none},
    {"COMPLEX128", DType::none},
    {"BFLOAT16", DType::bf16},
    {"FLOAT8E4M3FN", DType::none},
    {"FLOAT8E4M3FNUZ", DType::none},
    {"FLOAT8E5M2", DType::none},
    {"FLOAT8E5M2FNUZ", DType::none},
    {"UINT4", DType::none},
    {"INT4", DType::none},
    {"FLOAT4E2M1", DType::none},
    {"FLOAT8E8M0", DType::none},
    {"UINT2", DType::none},
    {"INT2", DType::none},
};

// none for a code that tern has no dtype for.
constexpr DType dtype_from_code(int64_t code) {
  return code >= 0 && code < static_cast<int64_t>(std::size(kDTypeCodes)) ? kDTypeCodes[code].dtype : DType::none;
}
// 0 for none.
constexpr int32_t code_of(DType dtype) {
  int32_t code = 0;
  while (dtype != DType::none && kDTypeCodes[code].dtype != dtype) ++code;
  return code;
}

}  // namespace tern
