// QuantizeLinear, DequantizeLinear: a thread an element. DynamicQuantizeLinear: the range block by block, the scale by one thread, then the same.
// See linear.h. Next: launch.cpp.
#include "kernels/any_dtype.cuh"
#include "kernels/quantize/linear.h"

namespace tern::cuda {
namespace {

using Reals = Types<float, f16, bf16, int32_t>;
using Quantized = Types<uint8_t, int8_t, uint16_t, int16_t>;
using Dequantized = Types<uint8_t, int8_t, uint16_t, int16_t, int32_t>;

// The number of element i's scale.
template <class Div>
TERN_INLINE int64_t scale_of(const QuantLaunch<Div>& l, typename Div::Int i) {
  const typename Div::Int j = take_last(i, l.inner), row = take_last(i, l.n);
  return static_cast<int64_t>(i) * l.of.per_outer + static_cast<int64_t>(l.block.quotient(row)) * l.of.per_block +
         static_cast<int64_t>(j) * l.of.step;
}
template <class Div>
TERN_INLINE void quantize(const QuantLaunch<Div>& l) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kQuantBlock + threadIdx.x;
  if (i >= l.count) return;
  const int64_t s = scale_of(l, static_cast<typename Div::Int>(i));
  float x = 0;
  with_type(l.x_dtype, Reals(), [&]<class T>() { x = widen_f32(element<T>(l.of.x, i)); });
  const float scale = scale_at(l.of.scale, l.of.scale_dtype, s);
  with_type(l.of.other, Quantized(),
            [&]<class Q>() { element<Q>(l.of.y, i) = quantized<Q>(x, scale, l.of.zero_point != nullptr ? element<Q>(l.of.zero_point, s) : 0); });
}
template <class Div>
TERN_INLINE void dequantize(const QuantLaunch<Div>& l) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kQuantBlock + threadIdx.x;
  if (i >= l.count) return;
  const int64_t s = scale_of(l, static_cast<typename Div::Int>(i));
  int64_t distance = 0;
  with_type(l.x_dtype, Dequantized(), [&]<class Q>() {
    distance = static_cast<int64_t>(element<Q>(l.of.x, i)) - (l.of.zero_point != nullptr ? static_cast<int64_t>(element<Q>(l.of.zero_point, s)) : 0);
  });
  const float y = static_cast<float>(distance) * scale_at(l.of.scale, l.of.scale_dtype, s);
  with_type(l.of.other, Types<float, f16, bf16>(), [&]<class T>() { element<T>(l.of.y, i) = narrow_f32<T>(y); });
}

struct Span {
  float low = 0, high = 0;
};
TERN_INLINE void widen_span(Span& s, float low, float high) {
  s.low = choose(low < s.low, low, s.low);
  s.high = choose(high > s.high, high, s.high);
}
// The span of all threads of a block, in thread 0.
TERN_INLINE Span span_of_block(Span s) {
  __shared__ Span warps[kQuantBlock / 32];
  for (int width = 16; width > 0; width /= 2) {
    const float low = __shfl_xor_sync(0xffffffffu, s.low, width), high = __shfl_xor_sync(0xffffffffu, s.high, width);
    widen_span(s, low, high);
  }
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = s;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < kQuantBlock / 32; ++w) widen_span(s, warps[w].low, warps[w].high);
  }
  return s;
}

}  // namespace

extern "C" {
__global__ void quantize_any(const QuantLaunch<FastDiv> l) { quantize(l); }
__global__ void quantize_large(const QuantLaunch<WideDiv> l) { quantize(l); }
__global__ void dequantize_any(const QuantLaunch<FastDiv> l) { dequantize(l); }
__global__ void dequantize_large(const QuantLaunch<WideDiv> l) { dequantize(l); }

__global__ void dynamic_quantize_ranges(const DynamicArgs a) {
  Span s;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kQuantBlock + threadIdx.x; i < a.count; i += static_cast<int64_t>(gridDim.x) * kQuantBlock) {
    widen_span(s, a.x[i], a.x[i]);
  }
  s = span_of_block(s);
  if (threadIdx.x == 0) {
    a.ranges[2 * blockIdx.x] = s.low;
    a.ranges[2 * blockIdx.x + 1] = s.high;
  }
}
// One block; `blocks` ranges were found.
__global__ void dynamic_quantize_scale(const DynamicScale l) {
  Span s;
  if (threadIdx.x < l.blocks) widen_span(s, l.of.ranges[2 * threadIdx.x], l.of.ranges[2 * threadIdx.x + 1]);
  s = span_of_block(s);
  if (threadIdx.x == 0) {
    *l.of.scale = dynamic_scale(s.low, s.high);
    *l.of.zero_point = quantized<uint8_t>(-s.low, *l.of.scale, 0);
  }
}
__global__ void dynamic_quantize(const DynamicArgs a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kQuantBlock + threadIdx.x;
  if (i < a.count) a.y[i] = quantized<uint8_t>(a.x[i], *a.scale, *a.zero_point);
}
}

}  // namespace tern::cuda
