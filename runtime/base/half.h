// Conversions between f32 and the 16-bit floats, round to nearest even, in plain integer arithmetic (same bits everywhere,
// untouched by flush-to-zero). Next: shape.h.
#pragma once
#include <bit>

#include "tern/dtype.h"

namespace tern {

inline float to_f32(bf16 h) { return std::bit_cast<float>(static_cast<uint32_t>(h.bits) << 16); }

inline bf16 to_bf16(float f) {
  uint32_t u = std::bit_cast<uint32_t>(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((u >> 16) | 0x40)};  // a quiet NaN stays one
  return {static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1)) >> 16)};
}

inline float to_f32(f16 h) {
  uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16, exponent = (h.bits >> 10) & 31u, mantissa = h.bits & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  if (mantissa == 0) return std::bit_cast<float>(sign);
  int shift = std::countl_zero(mantissa) - 21;  // a subnormal half is a normal float: bring its leading one to bit 10
  return std::bit_cast<float>(sign | ((113u - static_cast<uint32_t>(shift)) << 23) | (((mantissa << shift) & 0x3ffu) << 13));
}

inline f16 to_f16(float f) {
  uint32_t u = std::bit_cast<uint32_t>(f), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  if (a > 0x7f800000u) return {static_cast<uint16_t>(sign | 0x7e00u | ((a >> 13) & 0x3ffu))};
  if (a >= 0x477ff000u) return {static_cast<uint16_t>(sign | 0x7c00u)};  // 65520 and above round to infinity
  if (a < 0x33000001u) return {static_cast<uint16_t>(sign)};             // up to 2^-25 rounds to zero
  uint32_t exponent = a >> 23;
  if (exponent < 113) {  // becomes a subnormal half
    uint32_t mantissa = (a & 0x7fffffu) | 0x800000u, shift = 126 - exponent, kept = mantissa >> shift;
    uint32_t rest = mantissa & ((1u << shift) - 1), half = 1u << (shift - 1);
    kept += rest > half || (rest == half && (kept & 1));
    return {static_cast<uint16_t>(sign | kept)};
  }
  uint32_t rounded = a + 0xfffu + ((a >> 13) & 1) - (112u << 23);
  return {static_cast<uint16_t>(sign | (rounded >> 13))};
}

// double to half needs its own rounding: through float it would round twice. Rounding to odd in float first is exact.
inline float round_to_odd(double d) {
  float f = static_cast<float>(d);
  uint32_t u = std::bit_cast<uint32_t>(f);
  if (f != f || static_cast<double>(f) == d || (u & 0x7fffffffu) >= 0x7f800000u) return f;
  double magnitude = d < 0 ? -d : d, got = f < 0 ? -static_cast<double>(f) : static_cast<double>(f);
  if (got > magnitude) --u;            // truncate
  return std::bit_cast<float>(u | 1);  // and mark that something was lost
}
inline f16 to_f16(double d) { return to_f16(round_to_odd(d)); }
inline bf16 to_bf16(double d) { return to_bf16(round_to_odd(d)); }

}  // namespace tern
