// Elements of any float dtype as doubles: what the portable normalisations compute with. Next: layer_norm.cpp.
#pragma once
#include <bit>
#include <type_traits>

#include "runtime/base/half.h"

namespace tern::norm {

// One element as a double (exact).
template <class T>
TERN_HD inline double get(const T* p, int64_t i) {
  if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(p[i]);
  else return static_cast<double>(to_f32(p[i]));
}
// The same for a dtype known at run time (a parameter whose dtype differs from the data's).
TERN_HD inline double get(const void* p, DType t, int64_t i) {
  switch (t) {
    case DType::f64: return static_cast<const double*>(p)[i];
    case DType::f32: return get(static_cast<const float*>(p), i);
    case DType::f16: return get(static_cast<const f16*>(p), i);
    default: return get(static_cast<const bf16*>(p), i);
  }
}
// Rounds once, to nearest even.
template <class T>
TERN_HD inline void put(T* p, int64_t i, double v) {
  if constexpr (std::is_same_v<T, f16>) p[i] = to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) p[i] = to_bf16(v);
  else p[i] = static_cast<T>(v);
}
TERN_HD inline void put(void* p, DType t, int64_t i, double v) {
  switch (t) {
    case DType::f64: return put(static_cast<double*>(p), i, v);
    case DType::f32: return put(static_cast<float*>(p), i, v);
    case DType::f16: return put(static_cast<f16*>(p), i, v);
    default: return put(static_cast<bf16*>(p), i, v);
  }
}

// m ? yes : no without a branch: a kernel runs the same instructions whatever its inputs hold.
inline double select(bool m, double yes, double no) {
  const uint64_t mask = -static_cast<uint64_t>(m);
  return std::bit_cast<double>((std::bit_cast<uint64_t>(yes) & mask) | (std::bit_cast<uint64_t>(no) & ~mask));
}

// Mean and 1/sqrt(var + epsilon) of n elements, in double, two passes.
struct Moments {
  double mean, inv;
};
template <class T>
TERN_HD inline Moments moments(const T* x, int64_t n, double epsilon, bool center) {
  double mean = 0, squares = 0;
  if (center) {
    for (int64_t i = 0; i < n; ++i) mean += get(x, i);
    mean /= static_cast<double>(n);
  }
  for (int64_t i = 0; i < n; ++i) squares += (get(x, i) - mean) * (get(x, i) - mean);
  return {mean, 1.0 / __builtin_sqrt(squares / static_cast<double>(n) + epsilon)};
}

}  // namespace tern::norm
