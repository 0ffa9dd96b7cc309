// The functions of two elements that more than one kind of kernel computes: plain C++ for a CPU (binary_rows.h), the same for a device (*.cu).
//   on_elements<Add{}>(a, b)      of two elements of one dtype: a function of elements as it is; one of doubles takes floats, and is rounded once
// f32 on lanes: lanes.h. Next: arithmetic.cpp.
#pragma once
#include "kernels/elementwise/int_div.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"

namespace tern {

// What kF gives for elements of T.
template <auto kF, class T>
TERN_HD auto on_elements(T a, T b) {
  if constexpr (requires { kF(a, b); }) return kF(a, b);
  else return narrow<T>(kF(widen(a), widen(b)));
}

namespace functions {

struct Add {
  static constexpr bool kSameBits = true;
  TERN_HD double operator()(double a, double b) const { return a + b; }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return wrap_add(a, b);
  }
};
struct Sub {
  static constexpr bool kSameBits = true;
  TERN_HD double operator()(double a, double b) const { return a - b; }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return wrap_sub(a, b);
  }
};
struct Mul {
  static constexpr bool kSameBits = true;
  TERN_HD double operator()(double a, double b) const { return a * b; }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return wrap_mul(a, b);
  }
};
struct Div {
  TERN_HD double operator()(double a, double b) const { return a / b; }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return int_div(a, b);
  }
};
struct PRelu {  // b: the slope
  TERN_HD double operator()(double a, double b) const { return portable::select(a < 0, a * b, a); }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return a < 0 ? wrap_mul(a, b) : a;
  }
};

struct Max {
  TERN_HD double operator()(double a, double b) const { return portable::max_nan(a, b); }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};
struct Min {
  TERN_HD double operator()(double a, double b) const { return portable::min_nan(a, b); }
  template <std::integral T>
  TERN_HD T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};

// On bits: a bool is a byte, 0 or 1.
struct And {
  static constexpr bool kSameBits = true;
  template <class U>
  TERN_HD U operator()(U a, U b) const {
    return static_cast<U>(a & b);
  }
};
struct Or {
  static constexpr bool kSameBits = true;
  template <class U>
  TERN_HD U operator()(U a, U b) const {
    return static_cast<U>(a | b);
  }
};
struct Xor {
  static constexpr bool kSameBits = true;
  template <class U>
  TERN_HD U operator()(U a, U b) const {
    return static_cast<U>(a ^ b);
  }
};
// By the width or more gives 0.
template <bool kLeft>
struct Shift {
  static constexpr bool kSameBits = true;
  template <class U>
  TERN_HD U operator()(U a, U b) const {
    constexpr U kWidth = sizeof(U) * 8;
    const U by = b < kWidth ? b : U(0);
    const U r = kLeft ? static_cast<U>(a << by) : static_cast<U>(a >> by);
    return b < kWidth ? r : U(0);
  }
};

// ---- comparisons ----

// Floats of 32 bits and less compare as f32 (halves here as integers): doubles would halve the lanes.
TERN_HD inline float comparable(float x) { return x; }
TERN_HD inline float comparable(f16 x) { return to_f32(x); }
TERN_HD inline float comparable(bf16 x) { return to_f32(x); }
inline std::string_view comparable(StringRef x) { return x.view(); }
template <class T>
TERN_HD auto comparable(T x) {
  return widen(x);
}

// Halves compare as integers of their own width, four times as many lanes: zeros of both signs are 0, and a NaN is none of the numbers.
TERN_HD inline int16_t in_order(f16 x) {
  const auto sign = static_cast<int16_t>(static_cast<int16_t>(x.bits) >> 15);
  return static_cast<int16_t>(((x.bits & 0x7fff) ^ sign) - sign);
}
TERN_HD inline bool is_ordered(f16 x) { return (x.bits & 0x7fff) <= 0x7c00; }

struct Equal {
  static constexpr bool kSameBits = true;
  template <class T>
  TERN_HD bool operator()(T a, T b) const {
    if constexpr (std::is_same_v<T, f16>) return (in_order(a) == in_order(b)) & is_ordered(a);
    else return comparable(a) == comparable(b);
  }
};
struct Less {
  template <class T>
  TERN_HD bool operator()(T a, T b) const {
    if constexpr (std::is_same_v<T, f16>) return (in_order(a) < in_order(b)) & is_ordered(a) & is_ordered(b);
    else return comparable(a) < comparable(b);
  }
};
struct LessOrEqual {
  template <class T>
  TERN_HD bool operator()(T a, T b) const {
    if constexpr (std::is_same_v<T, f16>) return (in_order(a) <= in_order(b)) & is_ordered(a) & is_ordered(b);
    else return comparable(a) <= comparable(b);
  }
};

}  // namespace functions
}  // namespace tern
