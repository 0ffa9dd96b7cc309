// f16 and bf16 arithmetic: exact in f32 or double, rounded once. The canonical NaN of both is 0x7fff. Internal linkage, as numbers.h. Next: execute_half.cpp.
#pragma once
#include <bit>
#include <cstdint>

namespace ptxsim {
namespace {

// float to a type of 16 bits with `mantissa` bits, nearest even; bits beyond are in `odd` (the number was not exact): it then rounds as if one more
// bit were there.
inline float f16_value(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000u) << 16, exponent = (h >> 10) & 31u, mantissa = h & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float v = float(int32_t(mantissa)) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(v));
}
inline float bf16_value(uint16_t h) { return std::bit_cast<float>(uint32_t(h) << 16); }

// mode: 0 nearest even, 1 zero, 2 minus, 3 plus infinity. From double, for all narrower formats: `digits` of the significand with its hidden bit,
// exponents from `least` (of the smallest normal number) to `most`. Subnormals are kept.
inline uint32_t narrowed(double v, int digits, int least, int most, int mode) {
  const uint64_t u = std::bit_cast<uint64_t>(v);
  const uint32_t sign = uint32_t(u >> 63);
  const int exponent = int(u >> 52 & 2047);
  const uint64_t fraction = u & ((uint64_t(1) << 52) - 1);
  const uint32_t infinity = uint32_t(most - least + 2) << (digits - 1);
  const int width = digits == 11 ? 16 : digits == 8 ? 16 : 32;
  const uint32_t signed_bit = sign << (width - 1);
  if (exponent == 2047) return fraction != 0 ? (uint32_t(1) << (width - 1)) - 1 : signed_bit | infinity;
  if (exponent == 0 && fraction == 0) return signed_bit;
  uint64_t significand = exponent == 0 ? fraction : fraction | uint64_t(1) << 52;
  int e = exponent == 0 ? -1022 : exponent - 1023;
  while ((significand >> 52) == 0) significand <<= 1, --e;
  int drop = 53 - digits;
  if (e < least) drop += least - e;
  if (drop > 60) drop = 60;
  uint64_t kept = significand >> drop;
  const uint64_t lost = significand & ((uint64_t(1) << drop) - 1), half = uint64_t(1) << (drop - 1);
  const bool up = mode == 0 ? lost > half || (lost == half && (kept & 1) != 0) : mode == 1 ? false : lost != 0 && (mode == 2) == (sign != 0);
  kept += up;
  // the hidden bit adds one to the exponent field
  uint64_t field = e < least ? kept : (uint64_t(e - least) << (digits - 1)) + kept;
  if (field >= infinity) {
    const bool to_infinity = mode == 0 || (mode == 2 && sign != 0) || (mode == 3 && sign == 0);
    field = to_infinity ? infinity : infinity - 1;
  }
  return signed_bit | uint32_t(field);
}
inline uint16_t to_f16_bits(double v, int mode = 0) { return uint16_t(narrowed(v, 11, -14, 15, mode)); }
inline uint16_t to_bf16_bits(double v, int mode = 0) { return uint16_t(narrowed(v, 8, -126, 127, mode)); }

// a + b in double, rounded to odd: a later rounding to fewer digits is then as if of the exact sum.
inline double sum_to_odd(double a, double b) {
  const double s = a + b;
  if (!(s - s == 0)) return s;
  const double bb = s - a, error = (a - (s - bb)) + (b - bb);
  uint64_t u = std::bit_cast<uint64_t>(s);
  if (error == 0 || (u & 1) != 0) return s;
  const bool away = (error > 0) == (s > 0);
  return std::bit_cast<double>(s == 0 ? u : away ? u + 1 : u - 1);
}

}  // namespace
}  // namespace ptxsim
