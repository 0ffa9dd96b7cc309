// The SIMD vocabulary: vectors of sixteen virtual lanes, the same on every ISA, so that a kernel written once gives the same bits
// everywhere. AVX-512 holds one in a register, AVX2 in two, NEON in four, scalar code in an array; on a device sixteen threads are one.
//
// Included by *.simd.cpp and *.cu only; such a file is compiled once per ISA with TERN_ISA set to its name, puts everything into
// `namespace tern::TERN_ISA`, its own pieces into an unnamed namespace, and includes no C++ library header.
//
//   f32x16, i32x16, mask16    values           load store load_n store_n splat      memory (any alignment; _n: the first n lanes, the rest 0)
//   + - * /  fma fnma sqrt    arithmetic       min_raw max_raw                      a < b ? a : b, a > b ? a : b   (NaN gives b)
//   min_nan max_nan           NaN if either is reduce_add reduce_max_raw   fixed tree: halves, quarters, pairs
//   lt le gt ge eq ne unordered                select(m, yes, no)                   compares are false on NaN (ne, unordered: true)
//   round_even floor ceil trunc abs neg copysign bits from_bits                     to_int_trunc: saturates nowhere, callers clamp
// Next: simd_math.h, then softmax/softmax.simd.cpp.
#pragma once
#include <stddef.h>
#include <stdint.h>

// The scalar kernels are compiled for AArch64 too, where NEON is always there: TERN_NEON says that these are the others.
#if defined(__CUDACC__)
#elif defined(__AVX2__)
#include <immintrin.h>
#elif defined(TERN_NEON)
#include <arm_neon.h>
#endif

#if defined(__CUDACC__)
#define TERN_INLINE [[maybe_unused]] static __device__ __forceinline__
#else
#define TERN_INLINE [[maybe_unused]] static inline __attribute__((always_inline))
#endif

#if defined(__CUDACC__)
#include "kernels/simd/cuda.h"
#elif defined(__AVX512F__)
#include "kernels/simd/avx512.h"
#elif defined(__AVX2__)
#include "kernels/simd/avx2.h"
#elif defined(TERN_NEON)
#include "kernels/simd/neon.h"
#else
#include "kernels/simd/scalar.h"
#endif

namespace tern::TERN_ISA {
namespace {

// ---- the same on every ISA, in terms of the above ----

TERN_INLINE f32x16 max_nan(f32x16 a, f32x16 b) { return select(unordered(a, a), a, max_raw(a, b)); }
TERN_INLINE f32x16 min_nan(f32x16 a, f32x16 b) { return select(unordered(a, a), a, min_raw(a, b)); }
TERN_INLINE f32x16 neg(f32x16 a) { return from_bits(bits(a) ^ splat_i32(INT32_MIN)); }
TERN_INLINE f32x16 abs(f32x16 a) { return from_bits(bits(a) & splat_i32(INT32_MAX)); }
TERN_INLINE f32x16 copysign(f32x16 magnitude, f32x16 sign) {
  return from_bits((bits(magnitude) & splat_i32(INT32_MAX)) | (bits(sign) & splat_i32(INT32_MIN)));
}
TERN_INLINE f32x16 zero() { return splat(0.0f); }

// Halves, quarters, pairs: lane i with i + 8, then + 4, + 2, + 1, on every ISA.
#if defined(__CUDACC__)  // simd/cuda.h has them
#elif defined(__AVX2__)
TERN_INLINE __m256 low_half(f32x16 a) {
#if defined(__AVX512F__)
  return _mm512_castps512_ps256(a.v);
#else
  return a.lo;
#endif
}
TERN_INLINE __m256 high_half(f32x16 a) {
#if defined(__AVX512F__)
  return _mm512_extractf32x8_ps(a.v, 1);
#else
  return a.hi;
#endif
}
TERN_INLINE float reduce_add(f32x16 a) {
  const __m256 eight = _mm256_add_ps(low_half(a), high_half(a));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
// The largest lane; when one is NaN, any lane.
TERN_INLINE float reduce_max_raw(f32x16 a) {
  const __m256 eight = _mm256_max_ps(low_half(a), high_half(a));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
#elif defined(TERN_NEON)
TERN_INLINE float reduce_add(f32x16 a) {
  const float32x4_t four = vaddq_f32(vaddq_f32(a.v[0], a.v[2]), vaddq_f32(a.v[1], a.v[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
// The largest lane; when one is NaN, any lane.
TERN_INLINE float reduce_max_raw(f32x16 a) {
  const float32x4_t four = vmaxq_f32(vmaxq_f32(a.v[0], a.v[2]), vmaxq_f32(a.v[1], a.v[3]));
  return vmaxvq_f32(four);
}
#else
TERN_INLINE float reduce_add(f32x16 a) {
  float t[16];
  store(t, a);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) t[i] = t[i] + t[i + width];
  }
  return t[0];
}
// The largest lane; when one is NaN, any lane.
TERN_INLINE float reduce_max_raw(f32x16 a) {
  float t[16];
  store(t, a);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) t[i] = t[i] > t[i + width] ? t[i] : t[i + width];
  }
  return t[0];
}
#endif

}  // namespace
}  // namespace tern::TERN_ISA
