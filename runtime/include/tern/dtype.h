// The element types of tensors, as ONNX names them, with their sizes and spellings.
// Next: tern.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/element.h"

namespace tern {

// What a value is. A sequence holds tensors of one dtype; an optional holds a tensor, or a sequence, or nothing.
enum class ValueKind : uint8_t { tensor, sequence, optional, optional_sequence };
constexpr const char* name(ValueKind k) {
  constexpr const char* kNames[] = {"tensor", "sequence", "optional", "optional sequence"};
  return kNames[static_cast<int>(k)];
}

// A string element: bytes that some pool owns (UTF-8 by convention, never checked). Copied like a number.
struct StringRef {
  const char* data;
  int64_t size;
  std::string_view view() const { return {data, static_cast<size_t>(size)}; }
};

// "f32", "i64", "bool", "string" …; "none" for DType::none.
constexpr const char* name(DType t) {
  constexpr const char* kNames[] = {"none", "f64", "f32", "f16", "bf16", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool", "string"};
  return kNames[static_cast<int>(t)];
}

// Bytes of one element; 0 for none.
constexpr size_t size_of(DType t) {
  constexpr uint8_t kSizes[] = {0, 8, 4, 2, 2, 1, 2, 4, 8, 1, 2, 4, 8, 1, sizeof(StringRef)};
  return kSizes[static_cast<int>(t)];
}

constexpr bool is_float(DType t) { return t >= DType::f64 && t <= DType::bf16; }
constexpr bool is_signed_int(DType t) { return t >= DType::i8 && t <= DType::i64; }
constexpr bool is_unsigned_int(DType t) { return t >= DType::u8 && t <= DType::u64; }
constexpr bool is_int(DType t) { return t >= DType::i8 && t <= DType::u64; }
constexpr bool is_number(DType t) { return t >= DType::f64 && t <= DType::u64; }

// dtype_of<float>() == DType::f32; none for types that are no elements.
// clang-format off
template <class T> constexpr DType dtype_of() { return DType::none; }
template <> constexpr DType dtype_of<double>() { return DType::f64; }
template <> constexpr DType dtype_of<float>() { return DType::f32; }
template <> constexpr DType dtype_of<f16>() { return DType::f16; }
template <> constexpr DType dtype_of<bf16>() { return DType::bf16; }
template <> constexpr DType dtype_of<int8_t>() { return DType::i8; }
template <> constexpr DType dtype_of<int16_t>() { return DType::i16; }
template <> constexpr DType dtype_of<int32_t>() { return DType::i32; }
template <> constexpr DType dtype_of<int64_t>() { return DType::i64; }
template <> constexpr DType dtype_of<uint8_t>() { return DType::u8; }
template <> constexpr DType dtype_of<uint16_t>() { return DType::u16; }
template <> constexpr DType dtype_of<uint32_t>() { return DType::u32; }
template <> constexpr DType dtype_of<uint64_t>() { return DType::u64; }
template <> constexpr DType dtype_of<bool>() { return DType::boolean; }
template <> constexpr DType dtype_of<StringRef>() { return DType::string; }
// clang-format on

// Calls f.template operator()<T>() with the C++ type of `t` (bool for boolean) and returns what it returns.
// f must accept every T, none included as void.
template <class F>
decltype(auto) visit(DType t, F&& f) {
  switch (t) {
    case DType::f64: return f.template operator()<double>();
    case DType::f32: return f.template operator()<float>();
    case DType::f16: return f.template operator()<f16>();
    case DType::bf16: return f.template operator()<bf16>();
    case DType::i8: return f.template operator()<int8_t>();
    case DType::i16: return f.template operator()<int16_t>();
    case DType::i32: return f.template operator()<int32_t>();
    case DType::i64: return f.template operator()<int64_t>();
    case DType::u8: return f.template operator()<uint8_t>();
    case DType::u16: return f.template operator()<uint16_t>();
    case DType::u32: return f.template operator()<uint32_t>();
    case DType::u64: return f.template operator()<uint64_t>();
    case DType::boolean: return f.template operator()<bool>();
    case DType::string: return f.template operator()<StringRef>();
    case DType::none: break;
  }
  return f.template operator()<void>();
}

}  // namespace tern
