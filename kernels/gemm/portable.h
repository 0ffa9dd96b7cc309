// The arithmetic of products in plain C++, on a CPU and on a device: what a sum is made of, and what becomes of it.
// Next: portable.simd.cpp, portable.cu (on a device).
#pragma once
#include <type_traits>

#include "kernels/elementwise/convert.h"
#include "kernels/gemm/gemm.h"
#include "runtime/base/half.h"

namespace tern::portable {

// The type that products and sums have: unsigned for integers, because it wraps.
template <class T>
struct SumOf {
  using type = float;
};
template <>
struct SumOf<double> {
  using type = double;
};
template <class T>
requires std::is_integral_v<T>
struct SumOf<T> {
  using type = std::make_unsigned_t<T>;
};

template <class T>
TERN_HD inline typename SumOf<T>::type to_sum(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
    return to_f32(v);
  } else {
    return static_cast<typename SumOf<T>::type>(v);
  }
}
template <class T>
TERN_HD inline T from_sum(typename SumOf<T>::type v) {
  if constexpr (std::is_same_v<T, f16>) {
    return to_f16(v);
  } else if constexpr (std::is_same_v<T, bf16>) {
    return to_bf16(v);
  } else {
    return static_cast<T>(v);
  }
}
TERN_HD inline bool whole(float f) { return f > -9.2e18f && f < 9.2e18f && static_cast<float>(static_cast<int64_t>(f)) == f; }

// alpha and beta are floats. When both are whole numbers the integers that they multiply stay exact, and wrap.
template <class T>
struct Factors {
  using S = typename SumOf<T>::type;
  bool fraction;
  S alpha, beta;
  TERN_HD explicit Factors(const PortableGemmArgs& g) : fraction(std::is_integral_v<T> && !(whole(g.alpha) && whole(g.beta))) {
    alpha = fraction ? S(1) : factor(g.alpha);
    beta = fraction ? S(0) : factor(g.beta);
  }
  TERN_HD static S factor(float f) {
    if constexpr (std::is_floating_point_v<S>) {
      return static_cast<S>(f);
    } else {
      return static_cast<S>(static_cast<int64_t>(f));
    }
  }
};

// Writes element `at` of y: row r and this column of its matrix.
template <class T>
TERN_HD inline void finish(const PortableGemmArgs& g, const Factors<T>& f, typename SumOf<T>::type sum, int64_t r, int64_t column, int64_t at) {
  using S = typename SumOf<T>::type;
  const T* c = g.c == nullptr ? nullptr : static_cast<const T*>(g.c) + r * g.c_row + column * g.c_column;
  if constexpr (std::is_integral_v<T>) {
    if (f.fraction) {  // in double and truncated
      const double v = static_cast<double>(g.alpha) * static_cast<double>(static_cast<T>(sum));
      static_cast<T*>(g.y)[at] = convert<T>(c != nullptr ? v + static_cast<double>(g.beta) * static_cast<double>(*c) : v);
      return;
    }
  }
  S v = static_cast<S>(f.alpha * sum);
  if (c != nullptr) v = static_cast<S>(v + f.beta * to_sum(*c));
  if (g.residual != nullptr) v = static_cast<S>(v + to_sum(static_cast<const T*>(g.residual)[at]));
  if constexpr (std::is_floating_point_v<S>) {
    if (g.relu) v = S(0) > v ? S(0) : v;
  }
  static_cast<T*>(g.y)[at] = from_sum<T>(v);
}

}  // namespace tern::portable
