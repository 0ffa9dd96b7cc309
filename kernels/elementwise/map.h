// y[i] = f(x[i]) on sixteen lanes. Included by *.simd.cpp only. Next: unary.simd.cpp.
#pragma once
#include "kernels/elementwise/unary.h"
#include "kernels/simd_math.h"

namespace tern::TERN_ISA {
namespace {

template <class F>
TERN_INLINE void map(const void* from, void* to, int64_t count, F f) {
  const float* x = static_cast<const float*>(from);  // [count]
  float* y = static_cast<float*>(to);                // [count]
  const int64_t whole = count & ~int64_t(15);
  for (int64_t i = 0; i < whole; i += 16) store(y + i, f(load(x + i)));
  if (whole < count) store_n(y + whole, f(load_n(x + whole, count - whole)), count - whole);
}

template <auto kF>
void unary(const UnaryArgs& a) {
  map(a.x, a.y, a.count, [alpha = a.alpha, beta = a.beta](f32x16 x) { return apply<kF>(x, alpha, beta); });
}
// "exp/f32/avx2" is unary_row<[](f32x16 x) { return exp(x); }>(...)
template <auto kF>
constexpr KernelRow unary_row(const char* name) {
  return row<UnaryArgs, unary<kF>>(name, DType::f32, Isa::TERN_ISA);
}

}  // namespace
}  // namespace tern::TERN_ISA
