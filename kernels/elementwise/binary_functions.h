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

// Floats of 32 bits and less compare as f32: doubles would halve the lanes.
TERN_HD inline float comparable(float x) { return x; }
TERN_HD inline float comparable(f16 x) { return to_f32(x); }
TERN_HD inline float comparable(bf16 x) { return to_f32(x); }
inline std::string_view comparable(StringRef x) { return x.view(); }
template <class T>
TERN_HD auto comparable(T x) {
  return widen(x);
}

struct Equal {
  static constexpr bool kSameBits = true;
  template <class T>
  TERN_HD bool operator()(T a, T b) const {
    return comparable(a) == comparable(b);
  }
};
struct Less {
  template <class T>
  TERN_HD bool operator()(T a, T b) const {
    return comparable(a) < comparable(b);
  }
};
struct LessOrEqual {
  template <class T>
  TERN_HD bool operator()(T a, T b) const {
    return comparable(a) <= comparable(b);
  }
};

}  // namespace functions
}  // namespace tern
