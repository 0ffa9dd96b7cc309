// See dtypes.h.
#include "loaders/torch/module/dtypes.h"

#include <algorithm>

namespace tern::torch {
namespace {

constexpr ElementType kElements[] = {
    {"float64", "double", "Double", 8, DType::f64, 8},
    {"float32", "float", "Float", 7, DType::f32, 4},
    {"float16", "half", "Half", 6, DType::f16, 2},
    {"bfloat16", "", "BFloat16", 13, DType::bf16, 2},
    {"int64", "long", "Long", 5, DType::i64, 8},
    {"int32", "int", "Int", 4, DType::i32, 4},
    {"int16", "short", "Short", 3, DType::i16, 2},
    {"int8", "", "Char", 2, DType::i8, 1},
    {"uint8", "", "Byte", 1, DType::u8, 1},
    {"bool", "", "Bool", 12, DType::boolean, 1},
    {"uint16", "", "", 28, DType::u16, 2},
    {"uint32", "", "", 34, DType::u32, 4},
    {"uint64", "", "", 35, DType::u64, 8},
    {"complex64", "", "ComplexFloat", 10, DType::none, 8},
    {"complex128", "", "ComplexDouble", 11, DType::none, 16},
    {"complex32", "", "", 9, DType::none, 4},
    {"quint8", "", "QUInt8", 0, DType::none, 1},
    {"qint8", "", "QInt8", 0, DType::none, 1},
    {"qint32", "", "QInt32", 0, DType::none, 4},
    {"quint4x2", "", "QUInt4x2", 0, DType::none, 1},
    {"quint2x4", "", "QUInt2x4", 0, DType::none, 1},
    {"float8_e4m3fn", "", "", 29, DType::none, 1},
    {"float8_e5m2", "", "", 30, DType::none, 1},
    {"float8_e4m3fnuz", "", "", 31, DType::none, 1},
    {"float8_e5m2fnuz", "", "", 32, DType::none, 1},
    {"float8_e8m0fnu", "", "", 33, DType::none, 1},
    {"float4_e2m1fn_x2", "", "", 0, DType::none, 1},
    {"bits8", "", "", 0, DType::none, 1},
    {"bits16", "", "", 0, DType::none, 2},
    {"bits1x8", "", "", 0, DType::none, 1},
    {"bits2x4", "", "", 0, DType::none, 1},
    {"bits4x2", "", "", 0, DType::none, 1},
    {"bcomplex32", "", "", 0, DType::none, 4},
    {"", "", "Untyped", 0, DType::u8, 1},
};

template <class Is>
const ElementType* find(Is is) {
  const auto row = std::find_if(std::begin(kElements), std::end(kElements), is);
  return row == std::end(kElements) ? nullptr : row;
}

}  // namespace

const ElementType* element_named(std::string_view name) {
  return name.empty() ? nullptr : find([&](const ElementType& e) { return name == e.name; });
}

const ElementType* element_of_storage(std::string_view cls) {
  constexpr std::string_view kEnd = "Storage";
  if (!cls.ends_with(kEnd) || cls.size() == kEnd.size()) return nullptr;
  cls.remove_suffix(kEnd.size());
  return find([&](const ElementType& e) { return cls == e.storage; });
}

const ElementType* element_of_code(int64_t code) {
  return code == 0 ? nullptr : find([&](const ElementType& e) { return code == e.code; });
}

const ElementType* element_of(DType dtype) {
  return dtype == DType::none ? nullptr : find([&](const ElementType& e) { return dtype == e.dtype; });
}

void set_type(StoredTensor& t, const ElementType& type) {
  t.dtype = type.dtype;
  t.dtype_name = type.text();
  t.element_size = type.bytes;
}

std::optional<DType> dtype_named(std::string_view name) {
  if (name.starts_with("torch.")) name.remove_prefix(6);
  if (name.empty()) return std::nullopt;
  const ElementType* row =
      find([&](const ElementType& e) { return e.dtype != DType::none && (name == e.name || name == e.alias || name == e.text()); });
  return row == nullptr ? std::nullopt : std::optional(row->dtype);
}

}  // namespace tern::torch
