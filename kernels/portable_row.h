// Rows of portable kernels, one a dtype: portable_row<"exp", double, UnaryArgs, portable_unary<exp, double>>() is the row "exp/f64/scalar".
// Next: elementwise/unary_rows.h.
#pragma once
#include <algorithm>
#include <array>

#include "kernels/row.h"
#include "kernels/types.h"
#include "tern/dtype.h"

namespace tern {

template <size_t N>
struct Text {
  char s[N];
  constexpr Text() : s{} {}
  constexpr Text(const char (&text)[N]) { std::copy_n(text, N, s); }
  constexpr std::string_view view() const { return {s, N - 1}; }
};

template <size_t M, size_t N>
constexpr auto operator+(const Text<M>& a, const Text<N>& b) {
  Text<M + N - 1> both;
  std::copy_n(b.s, N, std::copy_n(a.s, M - 1, both.s));
  return both;
}

template <Text kOp, DType kType, Isa kIsa = Isa::scalar>
constexpr auto kRowName = [] {
  constexpr std::string_view dtype = name(kType), isa = name(kIsa);
  std::array<char, kOp.view().size() + 1 + dtype.size() + 1 + isa.size() + 1> text{};
  char* to = std::copy(kOp.view().begin(), kOp.view().end(), text.begin());
  *to++ = '/';
  to = std::copy(dtype.begin(), dtype.end(), to);
  *to++ = '/';
  std::copy(isa.begin(), isa.end(), to);
  return text;
}();

template <Text kOp, class T, class Args, void (*F)(const Args&)>
constexpr KernelRow portable_row() {
  return row<Args, F>(kRowName<kOp, dtype_of<T>()>.data(), dtype_of<T>(), Isa::scalar);
}

}  // namespace tern
