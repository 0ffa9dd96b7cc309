// Conversions between f32 and the 16-bit floats, round to nearest even: the same bits everywhere, untouched by
// flush-to-zero. All cases are computed and masks take one: no branch on data. On a device too. Next: shape.h.
#pragma once
#include "runtime/base/host_device.h"
#include "tern/dtype.h"

namespace tern {

TERN_HD inline uint32_t select_bits(bool c, uint32_t yes, uint32_t no) {
  const uint32_t m = uint32_t(0) - uint32_t(c);
  return (yes & m) | (no & ~m);
}

TERN_HD inline float to_f32(bf16 h) { return __builtin_bit_cast(float, static_cast<uint32_t>(h.bits) << 16); }

TERN_HD inline bf16 to_bf16(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f);
  const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1)) >> 16, nan = (u >> 16) | 0x40;  // a quiet NaN stays one
  return {static_cast<uint16_t>(select_bits((u & 0x7fffffffu) > 0x7f800000u, nan, rounded))};
}

TERN_HD inline float to_f32(f16 h) {
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16, exponent = (h.bits >> 10) & 31u, mantissa = h.bits & 0x3ffu;
  const uint32_t normal = ((exponent + 112 + select_bits(exponent == 31, 112, 0)) << 23) | (mantissa << 13);  // 31, infinity and NaN, is 255
  const uint32_t subnormal = __builtin_bit_cast(uint32_t, static_cast<float>(static_cast<int32_t>(mantissa)) * 0x1p-24f);  // a normal float
  return __builtin_bit_cast(float, sign | select_bits(exponent == 0, subnormal, normal));
}

TERN_HD inline f16 to_f16(float f) {
  const uint32_t u = __builtin_bit_cast(uint32_t, f), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  const uint32_t normal = (a + 0xfffu + ((a >> 13) & 1) - (112u << 23)) >> 13;
  // Next to 0.5 the unit of a float is 2^-24, that of a subnormal half: the addition rounds.
  const uint32_t subnormal = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, a) + 0.5f) - 0x3f000000u;
  uint32_t h = select_bits(a < (113u << 23), subnormal, normal);
  h = select_bits(a >= 0x477ff000u, 0x7c00u, h);  // 65520 and above round to infinity
  h = select_bits(a > 0x7f800000u, 0x7e00u | ((a >> 13) & 0x3ffu), h);
  return {static_cast<uint16_t>(sign | h)};
}

// double to half needs its own rounding: through float it would round twice. Rounding to odd in float first is exact.
TERN_HD inline float round_to_odd(double d) {
  const float f = static_cast<float>(d);
  const uint32_t u = __builtin_bit_cast(uint32_t, f);
  constexpr uint64_t kMagnitude = ~uint64_t(0) >> 1;
  const double back = static_cast<double>(f);
  const bool above = (__builtin_bit_cast(uint64_t, back) & kMagnitude) > (__builtin_bit_cast(uint64_t, d) & kMagnitude);
  const bool lost = (back != d) & ((u & 0x7fffffffu) < 0x7f800000u);
  return __builtin_bit_cast(float, select_bits(lost, (u - uint32_t(above)) | 1, u));  // truncate, and mark that something was lost
}
TERN_HD inline f16 to_f16(double d) { return to_f16(round_to_odd(d)); }
TERN_HD inline bf16 to_bf16(double d) { return to_bf16(round_to_odd(d)); }

}  // namespace tern
