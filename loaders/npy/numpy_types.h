// The element types of NumPy by their codes, for .npy files and for arrays in pickles. Next: npy.cpp.
#pragma once
#include <string_view>

#include "tern/dtype.h"

namespace tern {

struct NumpyType {
  std::string_view code;  // kind and bytes: "f4"
  const char* name;       // "float32"
  DType dtype;            // none: tern does not compute with it
};
inline constexpr NumpyType kNumpyTypes[] = {
    {"f8", "float64", DType::f64},    {"f4", "float32", DType::f32},      {"f2", "float16", DType::f16}, {"i8", "int64", DType::i64},
    {"i4", "int32", DType::i32},      {"i2", "int16", DType::i16},        {"i1", "int8", DType::i8},     {"u8", "uint64", DType::u64},
    {"u4", "uint32", DType::u32},     {"u2", "uint16", DType::u16},       {"u1", "uint8", DType::u8},    {"b1", "bool", DType::boolean},
    {"c8", "complex64", DType::none}, {"c16", "complex128", DType::none},
};

// Null when there is no such row.
constexpr const NumpyType* numpy_type(std::string_view code) {
  for (const NumpyType& row : kNumpyTypes) {
    if (row.code == code) return &row;
  }
  return nullptr;
}
constexpr const NumpyType* numpy_type(DType dtype) {
  for (const NumpyType& row : kNumpyTypes) {
    if (dtype != DType::none && row.dtype == dtype) return &row;
  }
  return nullptr;
}

}  // namespace tern
