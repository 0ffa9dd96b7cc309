// Elements whose dtype is an argument of a kernel, the same for all its threads: how the rarer dtypes of an operator share one kernel.
// Floats come as doubles, integers in 64 bits: both hold all of them. Next: elementwise/device.cuh.
#pragma once
#include "kernels/elementwise/portable.h"
#include "kernels/simd.h"
#include "kernels/types.h"

namespace tern::cuda {
namespace {

template <class T>
constexpr DType kDType = dtype_of<T>();
// f.operator()<T>() with the T of `dtype`, which is one of these: the same for all threads.
template <class F, class... T>
TERN_INLINE void with_type(DType dtype, Types<T...>, F f) {
  ((dtype == kDType<T> ? f.template operator()<T>() : void()), ...);
}
template <class T>
TERN_INLINE const T& element(const void* p, int64_t i) {
  return static_cast<const T*>(p)[i];
}
template <class T>
TERN_INLINE T& element(void* p, int64_t i) {
  return static_cast<T*>(p)[i];
}
TERN_INLINE bool is_float_type(DType t) { return t <= DType::bf16; }
TERN_INLINE double load_float(const void* p, int64_t i, DType dtype) {
  double v = 0;
  with_type(dtype, Floats(), [&]<class T>() { v = widen(element<T>(p, i)); });
  return v;
}
TERN_INLINE int64_t load_signed(const void* p, int64_t i, DType dtype) {
  int64_t v = 0;
  with_type(dtype, SignedInts(), [&]<class T>() { v = element<T>(p, i); });
  return v;
}
TERN_INLINE uint64_t load_unsigned(const void* p, int64_t i, DType dtype) {  // bools too
  uint64_t v = 0;
  with_type(dtype, UnsignedInts(), [&]<class T>() { v = element<T>(p, i); });
  if (dtype == DType::boolean) v = element<uint8_t>(p, i) != 0;
  return v;
}
TERN_INLINE void store_float(void* p, int64_t i, DType dtype, double v) {
  with_type(dtype, Floats(), [&]<class T>() { element<T>(p, i) = narrow<T>(v); });
}

}  // namespace
}  // namespace tern::cuda
