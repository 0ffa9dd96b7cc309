// Convolutions of f64, f16 and bf16 on a device: a thread an element of y, in the order of conv.h. Next: launch.cpp.
#include <type_traits>

#include "kernels/conv/launch.h"
#include "kernels/simd.h"
#include "runtime/base/half.h"

namespace tern::cuda {
namespace {

TERN_INLINE double widened(double v) { return v; }
TERN_INLINE float widened(f16 v) { return to_f32(v); }
TERN_INLINE float widened(bf16 v) { return to_f32(v); }
TERN_INLINE double fused(double a, double b, double c) { return ::fma(a, b, c); }
TERN_INLINE float fused(float a, float b, float c) { return ::fmaf(a, b, c); }
template <class T>
TERN_INLINE T narrowed(double v) {
  return v;
}
template <>
__device__ __forceinline__ f16 narrowed<f16>(double v) {
  return to_f16(static_cast<float>(v));
}
template <>
__device__ __forceinline__ bf16 narrowed<bf16>(double v) {
  return to_bf16(static_cast<float>(v));
}

// Where `at` of an axis lies in x, which is spread out; -1: padding, or between its elements.
TERN_INLINE int64_t place(const PortableConvStep& a, int axis, int64_t at) {
  if (at < 0 || at % a.spread[axis] != 0) return -1;
  const int64_t i = at / a.spread[axis];
  return i < a.in[axis] ? i : -1;
}

template <class T>
TERN_INLINE void convolve(const PortableConvStep& a) {
  using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const int64_t pixels = a.out[0] * a.out[1] * a.out[2], plane = a.in[0] * a.in[1] * a.in[2], total = a.images * a.groups * a.ocs * pixels;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kPortableConvBlock;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kPortableConvBlock + threadIdx.x; i < total; i += step) {
    const int64_t channel = i / pixels % (a.groups * a.ocs), image = i / pixels / (a.groups * a.ocs), group = channel / a.ocs, pixel = i % pixels;
    const int64_t row = pixel / a.out[2], o[3] = {row / a.out[1], row % a.out[1], pixel % a.out[2]};
    const T* x = static_cast<const T*>(a.x) + (image * a.groups + group) * a.ics * plane;
    const T* w = static_cast<const T*>(a.w) + group * a.w_group + channel % a.ocs * a.w_oc;
    Sum sum = a.bias == nullptr ? Sum(0) : widened(static_cast<const T*>(a.bias)[channel]);
    const int64_t taps = a.kernel[0] * a.kernel[1] * a.kernel[2], block = a.ics < kBlock ? 1 : kBlock;
    for (int64_t first = 0; first < a.ics; first += block) {
      const int64_t end = first + block < a.ics ? first + block : a.ics;
      for (int64_t t = 0; t < taps; ++t) {
        const int64_t z = place(a, 0, o[0] * a.stride[0] + t / (a.kernel[1] * a.kernel[2]) * a.dilation[0] - a.begin[0]),
                      y = place(a, 1, o[1] * a.stride[1] + t / a.kernel[2] % a.kernel[1] * a.dilation[1] - a.begin[1]),
                      v = place(a, 2, o[2] * a.stride[2] + t % a.kernel[2] * a.dilation[2] - a.begin[2]);
        const bool there = z >= 0 && y >= 0 && v >= 0;
        const int64_t at = (z * a.in[1] + y) * a.in[2] + v;
        for (int64_t ic = first; ic < end; ++ic) {
          const Sum under = there ? widened(x[ic * plane + at]) : Sum(0);
          sum = fused(under, widened(w[ic * a.w_ic + (a.mirrored ? taps - 1 - t : t)]), sum);
        }
      }
    }
    static_cast<T*>(a.y)[i] = narrowed<T>(sum);
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kPortableConvBlock, 4) void conv_f64(const PortableConvStep a) { convolve<double>(a); }
__global__ __launch_bounds__(kPortableConvBlock, 4) void conv_f16(const PortableConvStep a) { convolve<f16>(a); }
__global__ __launch_bounds__(kPortableConvBlock, 4) void conv_bf16(const PortableConvStep a) { convolve<bf16>(a); }
}

}  // namespace tern::cuda
