// Rows of portable kernels, one a dtype: portable_row<"exp", double, UnaryArgs, portable_unary<exp, double>>() is the row "exp/f64/scalar".
// Next: elementwise/unary_rows.h.
#pragma once
#include <algorithm>
#include <array>

#include "kernels/row.h"
#include "tern/dtype.h"

namespace tern {

template <size_t N>
struct Text {
  char s[N];
  constexpr Text(const char (&text)[N]) { std::copy_n(text, N, s); }
  constexpr std::string_view view() const { return {s, N - 1}; }
};

template <Text kOp, DType kType>
constexpr auto kRowName = [] {
  constexpr std::string_view dtype = name(kType), isa = "/scalar";
  std::array<char, kOp.view().size() + 1 + dtype.size() + isa.size() + 1> text{};
  char* to = std::copy(kOp.view().begin(), kOp.view().end(), text.begin());
  *to++ = '/';
  to = std::copy(dtype.begin(), dtype.end(), to);
  std::copy(isa.begin(), isa.end(), to);
  return text;
}();

template <Text kOp, class T, class Args, void (*F)(const Args&)>
constexpr KernelRow portable_row() {
  return row<Args, F>(kRowName<kOp, dtype_of<T>()>.data(), dtype_of<T>(), Isa::scalar);
}

// The dtypes that an operator has rows for.
template <class... T>
struct Types {};
using OtherFloats = Types<double, f16, bf16>;  // those without a SIMD form
using Floats = Types<float, double, f16, bf16>;
using SignedInts = Types<int8_t, int16_t, int32_t, int64_t>;
using UnsignedInts = Types<uint8_t, uint16_t, uint32_t, uint64_t>;
using Ints = Types<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;

}  // namespace tern
