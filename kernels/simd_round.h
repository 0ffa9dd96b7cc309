// f32 lanes rounded to the nearest f16 or bf16, ties to even, and still f32: the bits of to_f32(to_f16(x)) and to_f32(to_bf16(x))
// of runtime/base/half.h, but for an f16 NaN's. Next: simd_activation.h, gemm/bf16_pairs.h.
#pragma once
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

// A NaN stays one.
TERN_INLINE f32x16 round_bf16(f32x16 x) {
  const i32x16 u = bits(x), odd = shift_right_logical(u, 16) & splat_i32(1), rounded = u + splat_i32(0x7fff) + odd;
  const f32x16 chosen = select(unordered(x, x), from_bits(u | splat_i32(0x400000)), from_bits(rounded));
  return from_bits(bits(chosen) & splat_i32(-0x10000));
}

#if defined(__AVX512F__)
TERN_INLINE f32x16 round_f16(f32x16 x) { return {_mm512_cvtph_ps(_mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))}; }
#elif defined(__AVX2__)
TERN_INLINE f32x16 round_f16(f32x16 x) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_cvtph_ps(_mm256_cvtps_ph(x.lo, kNearest)), _mm256_cvtph_ps(_mm256_cvtps_ph(x.hi, kNearest))};
}
#else
TERN_INLINE f32x16 round_f16(f32x16 x) {
  const i32x16 u = bits(abs(x)), odd = shift_right_logical(u, 13) & splat_i32(1);
  const f32x16 normal = from_bits((u + splat_i32(0xfff) + odd) & splat_i32(-0x2000));
  const f32x16 a = abs(x), half = splat(0.5f);
  f32x16 y =
      select(lt(a, splat(0x1p-14f)), (a + half) - half, normal);  // next to 0.5 the unit of a float is that of a subnormal half: the sum rounds
  y = select(le(splat(65520.0f), a), splat(__builtin_inff()), y);
  return select(eq(x, x), copysign(y, x), x);
}
#endif

}  // namespace
}  // namespace tern::TERN_ISA
