// A row of f32 as integers below 2^bits times a power of two, which its own largest element chooses. See weights.h. Included by *.simd.cpp only.
// Next: weights_int8.simd.cpp, int8_quads.h.
#pragma once
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

// The largest magnitude of a row, NaN when an element is not finite.
TERN_INLINE float largest(const float* x, int64_t k) {
  f32x16 most = zero();
  int64_t i = 0;
  for (; i + 16 <= k; i += 16) most = max_nan(most, abs(load(x + i)));
  most = max_nan(abs(load_n(x + i, k - i)), most);
  return reduce_max_raw(most) + reduce_add(most - most);  // 0, or NaN of what is not finite
}

struct IntegerScale {
  f32x16 up;
  float factor;  // what the integers are to be multiplied with; NaN of a row that is not finite
};
TERN_INLINE IntegerScale integer_scale(const float* x, int64_t k, int bits) {
  constexpr int32_t kLeast = 27 << 23;  // of exponents: 2^-100
  const float most = largest(x, k);
  int32_t exponent;
  __builtin_memcpy(&exponent, &most, 4);
  exponent &= 0x7f800000;
  const int32_t some = ~((exponent - kLeast) >> 31), shift = (bits - 1) << 23;
  const uint32_t up_of_any = (uint32_t{254} << 23) - static_cast<uint32_t>(exponent) + static_cast<uint32_t>(shift);  // of zeros it wraps
  const int32_t up_bits = static_cast<int32_t>(up_of_any) & some, down_bits = (exponent - shift) & some;
  float up, down;
  __builtin_memcpy(&up, &up_bits, 4);
  __builtin_memcpy(&down, &down_bits, 4);
  return {splat(up), down + (most - most)};
}
// Of the first n of sixteen elements, n > 0, zeros behind them; |integer| <= limit, as the largest may round up to 2^bits.
TERN_INLINE i32x16 scaled_integers(const float* x, int64_t n, f32x16 up, float limit) {
  const f32x16 v = (n < 16 ? load_n(x, n) : load(x)) * up, most = splat(limit);
  return to_int_trunc(round_even(max_raw(min_raw(v, most), neg(most))));
}

}  // namespace
}  // namespace tern::TERN_ISA
