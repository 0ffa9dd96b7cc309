// Quantizing one element, on a CPU and on a device; and what the kernels of quantize.h take.
// Next: quantize.simd.cpp and quantize.cpp (a CPU's), quantize.cu and launch.cpp (a device's).
#pragma once
#include <limits>

#include "kernels/choose.h"
#include "kernels/fast_div.h"
#include "kernels/quantize/scale.h"
#include "kernels/rows.h"

namespace tern {

// x seen as [outer, n, inner] along the axis; the scale of element (o, i, j) is number o * per_outer + i / block * per_block + j * step.
struct QuantArgs {
  const void *x, *scale, *zero_point;
  void* y;
  int64_t n, inner, block, per_outer, per_block, step;
  int64_t begin, end;        // of outer * n
  DType scale_dtype, other;  // other: of y when quantizing, of y when dequantizing
};

template <class T>
TERN_HD inline float widen_f32(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return to_f32(v);
  else return static_cast<float>(v);
}
template <class T>
TERN_HD inline T narrow_f32(float v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else return static_cast<T>(v);
}
template <class Q>
constexpr float kLowest = static_cast<float>(std::numeric_limits<Q>::lowest());
template <class Q>
constexpr float kHighest = static_cast<float>(std::numeric_limits<Q>::max());
// A comparison with NaN fails, so that NaN becomes the lowest.
template <class Q>
TERN_HD inline Q quantized(float x, float scale, int32_t zero_point) {
  // Beyond 2^20 every dtype saturates, whatever the zero point; below, adding 1.5 * 2^23 rounds to even (the library's rint may branch).
  const float ratio = x / scale, above = choose(ratio > -0x1p20f, ratio, -0x1p20f), bounded = choose(above < 0x1p20f, above, 0x1p20f);
  const float r = ((bounded + 0x1.8p23f) - 0x1.8p23f) + static_cast<float>(zero_point);
  constexpr float low = kLowest<Q>, high = kHighest<Q>;
  const float floored = choose(r > low, r, low);
  return static_cast<Q>(choose(floored < high, floored, high));
}

struct DynamicArgs {
  const float* x;
  uint8_t* y;
  float* scale;
  uint8_t* zero_point;
  int64_t count;
  float* ranges;  // of a device: [kRangeBlocks, 2], the lowest and the highest that each block saw
};

TERN_HD inline float dynamic_scale(float low, float high) {
  const float span = (high - low) / 255.0f;
  return choose(span == 0, 1.0f, span);
}

TERN_EACH_ISA(extern const Rows<4> quantize_any; extern const Rows<5> dequantize_any;
              extern const KernelRow dynamic_quantize_f32;)  // quantize.simd.cpp

namespace cuda {

constexpr int kQuantBlock = 256;   // threads
constexpr int kRangeBlocks = 128;  // at most, of the search for the range

template <class Div>
struct QuantLaunch {
  QuantArgs of;
  Div n, inner, block;
  int64_t count;
  DType x_dtype;
};
struct DynamicScale {
  DynamicArgs of;
  uint32_t blocks;  // <= kRangeBlocks
};
static_assert(kRangeBlocks <= kQuantBlock);
extern const KernelRow kQuantize[4], kDequantize[5], kDynamicQuantize;

}  // namespace cuda
}  // namespace tern
