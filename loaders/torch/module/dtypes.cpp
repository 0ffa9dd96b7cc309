// See dtypes.h.
#include "loaders/torch/module/dtypes.h"

namespace tern::torch {

std::optional<DType> dtype_named(std::string_view name) {
  struct Row {
    std::string_view name;
    DType dtype;
  };
  constexpr Row kRows[] = {
      {"float64", DType::f64}, {"double", DType::f64},  {"float32", DType::f32},   {"float", DType::f32},  {"float16", DType::f16},
      {"half", DType::f16},    {"int8", DType::i8},     {"bfloat16", DType::bf16}, {"int16", DType::i16},  {"short", DType::i16},
      {"int32", DType::i32},   {"int", DType::i32},     {"int64", DType::i64},     {"long", DType::i64},   {"uint8", DType::u8},
      {"uint16", DType::u16},  {"uint32", DType::u32},  {"uint64", DType::u64},    {"bool", DType::boolean},
  };
  if (name.starts_with("torch.")) name.remove_prefix(6);
  for (const Row& row : kRows) {
    if (name == row.name) return row.dtype;
  }
  for (auto t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::u32,
                 DType::u64}) {
    if (name == tern::name(t)) return t;
  }
  return std::nullopt;
}

int64_t onnx_number(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1;
    case DType::u8: return 2;
    case DType::i8: return 3;
    case DType::u16: return 4;
    case DType::i16: return 5;
    case DType::i32: return 6;
    case DType::i64: return 7;
    case DType::string: return 8;
    case DType::boolean: return 9;
    case DType::f16: return 10;
    case DType::f64: return 11;
    case DType::u32: return 12;
    case DType::u64: return 13;
    case DType::bf16: return 16;
    case DType::none: break;
  }
  return 0;
}

}  // namespace tern::torch
