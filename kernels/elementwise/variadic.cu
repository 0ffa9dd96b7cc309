// See variadic.h, device.cuh.
#include "kernels/elementwise/device.cuh"
#include "kernels/elementwise/variadic.h"

namespace tern::cuda {
namespace {

using namespace functions;

// Where operand `i` of output element `at` is.
TERN_INLINE int64_t place_in(const RowNest& nest, int i, int64_t at) {
  int64_t rest = at / nest.inner, place = at % nest.inner * nest.step[i];
#pragma unroll 1
  for (int axis = nest.outer - 1; axis >= 0; --axis) {
    place += rest % nest.extent[axis] * nest.stride[i][axis];
    rest /= nest.extent[axis];
  }
  return place;
}
// y as an element of that dtype holds it.
TERN_INLINE double rounded(double y, DType dtype) {
  with_type(dtype, Floats(), [&]<class T>() { y = widen(narrow<T>(y)); });
  return y;
}

template <class T, class Load, class Step>
TERN_INLINE T steps(const VariadicArgs& a, int64_t i, Load load, Step step) {
  T y = load(a.steps[0].a, place_in(a.steps[0].nest, 0, i));
#pragma unroll 1
  for (int64_t s = 0; s < a.count; ++s) y = step(y, load(a.steps[s].b, place_in(a.steps[s].nest, 1, i)), a.mean && s == a.count - 1);
  return y;
}
template <auto kF>
TERN_INLINE void floats(const VariadicLaunch& l, int64_t i) {
  const double y = steps<double>(
      l.of, i, [&](const void* p, int64_t at) { return load_float(p, at, l.dtype); },
      [&](double a, double b, bool divides) { return rounded(divides ? a / b : kF(a, b), l.dtype); });
  store_float(l.of.steps[0].y, i, l.dtype, y);
}
// Of integers in 64 bits; only Max and Min take them.
template <auto kF>
TERN_INLINE void numbers(const VariadicLaunch& l, int64_t i) {
  if (is_float_type(l.dtype)) return floats<kF>(l, i);
  void* to = l.of.steps[0].y;
  if (l.dtype <= DType::i64) {
    const int64_t y = steps<int64_t>(
        l.of, i, [&](const void* p, int64_t at) { return load_signed(p, at, l.dtype); }, [&](int64_t a, int64_t b, bool) { return kF(a, b); });
    with_type(l.dtype, SignedInts(), [&]<class T>() { element<T>(to, i) = static_cast<T>(y); });
  } else {
    const uint64_t y = steps<uint64_t>(
        l.of, i, [&](const void* p, int64_t at) { return load_unsigned(p, at, l.dtype); }, [&](uint64_t a, uint64_t b, bool) { return kF(a, b); });
    with_type(l.dtype, UnsignedInts(), [&]<class T>() { element<T>(to, i) = static_cast<T>(y); });
  }
}
template <auto kF>
TERN_INLINE void of_all(const VariadicLaunch& l) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i < l.of.elements) numbers<kF>(l, i);
}

}  // namespace

extern "C" {
__global__ void max_of_any(const VariadicLaunch l) { of_all<Max{}>(l); }
__global__ void min_of_any(const VariadicLaunch l) { of_all<Min{}>(l); }
__global__ void sum_of_any(const VariadicLaunch l) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i < l.of.elements) floats<Add{}>(l, i);
}
}

}  // namespace tern::cuda
