// What the portable kernels of this folder share: in which type each dtype is computed, and how the result is stored.
// Floats compute in double (f16 and bf16 are rounded once from it), integers in their own width, wrapping. Next: unary_rows.h.
#pragma once
#include <concepts>
#include <type_traits>

#include "runtime/base/half.h"
#include "tern/dtype.h"

namespace tern {

template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<T> || std::is_same_v<T, f16> || std::is_same_v<T, bf16>;

// The number that an element stands for: double for floats, itself for integers and bool.
TERN_HD inline double widen(float x) { return x; }
TERN_HD inline double widen(double x) { return x; }
TERN_HD inline double widen(f16 x) { return to_f32(x); }
TERN_HD inline double widen(bf16 x) { return to_f32(x); }
template <std::integral T>
TERN_HD inline T widen(T x) {
  return x;
}

template <class T>
TERN_HD inline T narrow(double x) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(x);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(x);
  else return static_cast<T>(x);
}

// Arithmetic that wraps around instead of overflowing.
template <class T>
using Unsigned = std::make_unsigned_t<T>;
template <class T>
TERN_HD inline T wrap_add(T a, T b) {
  return static_cast<T>(static_cast<Unsigned<T>>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b)));
}
template <class T>
TERN_HD inline T wrap_sub(T a, T b) {
  return static_cast<T>(static_cast<Unsigned<T>>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b)));
}
template <class T>
TERN_HD inline T wrap_mul(T a, T b) {  // in 64 bits: 16-bit operands would be promoted to int and overflow
  return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
template <class T>
TERN_HD inline T wrap_neg(T a) {
  return wrap_sub(T(0), a);
}

}  // namespace tern
