// The bodies of elementwise kernels on a device, one a kind: device.h says what they take. On lanes (f32) a thread is one lane of simd.h, so the
// functions are those of the CPU's vectors; in plain C++ they are those of unary_functions.h and binary_functions.h. Next: unary.cu.
#pragma once
#pragma nv_diag_suppress 186  // x < 0 of unsigned integers: one function for all
#include "kernels/any_dtype.cuh"
#include "kernels/elementwise/binary_functions.h"
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/lanes.h"
#include "kernels/elementwise/unary_functions.h"

namespace tern::cuda {
namespace {

// ---- kWide elements at once ----

template <class T>
struct alignas(kWide * sizeof(T)) Wide {
  T v[kWide];
};
// From p on, or *p over and over where the operand stands.
template <class T>
TERN_INLINE Wide<T> load_wide(const T* p, bool moves) {
  if (moves) return *reinterpret_cast<const Wide<T>*>(p);
  const T one = *p;
  return {one, one, one, one};
}

// ---- a nest ----

// Where operand i of an item begins.
struct Place {
  uint32_t from[kMaxOperands] = {};
};
TERN_INLINE Place place_of(const DeviceNest& n, uint32_t item) {
  Place p;
  const int last = n.axes - 1;
  uint32_t rest = item;
#pragma unroll 1
  for (int axis = 0; axis < last; ++axis) {
    const uint32_t index = take_last(rest, n.extent[axis]);
    for (int i = 0; i < kMaxOperands; ++i) p.from[i] += index * n.stride[i][axis];
  }
  for (int i = 0; i < kMaxOperands; ++i) p.from[i] += rest * n.stride[i][last];
  return p;
}

// ---- unary ----

// y[i] = f(x[i]) of f32. Neighbours where they are aligned; if not, a thread's elements lie a block apart.
template <class F>
TERN_INLINE void on_lanes(const void* from, void* to, int64_t count, bool wide, F f) {
  const float* x = static_cast<const float*>(from);  // [count]
  float* y = static_cast<float*>(to);                // [count]
  const int64_t first = static_cast<int64_t>(blockIdx.x) * (kElementBlock * kWide) + (wide ? threadIdx.x * kWide : threadIdx.x);
  if (wide && first + kWide <= count) {
    const Wide<float> in = *reinterpret_cast<const Wide<float>*>(x + first);
    Wide<float> out;
#pragma unroll
    for (int i = 0; i < kWide; ++i) out.v[i] = f(f32x16{in.v[i]}).v;
    *reinterpret_cast<Wide<float>*>(y + first) = out;
  } else {
    const int step = wide ? 1 : kElementBlock;
#pragma unroll 1
    for (int i = 0; i < kWide; ++i) {
      const int64_t at = first + i * step;
      if (at < count) y[at] = f(f32x16{x[at]}).v;
    }
  }
}
// A CPU's min and max flush what they give. Here they are a comparison and a choice, which do not: the product with 1 does.
TERN_INLINE f32x16 flushed(f32x16 x) { return {__fmul_rn(x.v, 1.0f)}; }

template <class F>
TERN_INLINE void unary_lanes(const UnaryLaunch& a, F f) {
  on_lanes(a.of.x, a.of.y, a.of.count, a.wide, [&](f32x16 x) {
    if constexpr (requires { f(x, 0.0f, 0.0f); }) return f(x, a.of.alpha, a.of.beta);
    else return f(x);
  });
}
// Floats as doubles, integers (and bools) of Ts as they are: what portable_unary is on a CPU. kOfFloat: the same function of what is no double.
template <auto kF, class Ts = Types<>, auto kOfFloat = kF>
TERN_INLINE void unary_any(const UnaryLaunch& a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= a.of.count) return;
  if constexpr (
      requires { kF(0.0); } || requires { kF(0.0, 0.0f, 0.0f); }) {
    if (is_float_type(a.dtype)) {
      const double x = load_float(a.of.x, i, a.dtype);
      const auto v = a.dtype == DType::f64 ? apply<kF>(x, a.of.alpha, a.of.beta) : apply<kOfFloat>(x, a.of.alpha, a.of.beta);
      if constexpr (std::is_same_v<decltype(v), const bool>) element<bool>(a.of.y, i) = v;
      else store_float(a.of.y, i, a.dtype, v);
    }
  }
  with_type(a.dtype, Ts(), [&]<class T>() { element<T>(a.of.y, i) = apply<kF>(widen(element<T>(a.of.x, i)), a.of.alpha, a.of.beta); });
}

// ---- binary ----

template <class Y, class F>
TERN_INLINE void binary_lanes(const BinaryLaunch& l, F f) {
  const uint32_t item = blockIdx.x * kElementBlock + threadIdx.x;
  if (item >= l.nest.items) return;
  const Place p = place_of(l.nest, item);
  const float *a = static_cast<const float*>(l.a) + p.from[0], *b = static_cast<const float*>(l.b) + p.from[1];
  Y* y = static_cast<Y*>(l.y);
  if (!l.nest.wide) {
    y[item] = f(*a, *b);
    return;
  }
  const uint32_t first = item * kWide;
  const bool a_moves = l.nest.stride[0][0] != 0, b_moves = l.nest.stride[1][0] != 0;
  if (first + kWide <= l.nest.elements) {
    const Wide<float> va = load_wide(a, a_moves), vb = load_wide(b, b_moves);
    Wide<Y> out;
#pragma unroll
    for (int i = 0; i < kWide; ++i) out.v[i] = f(va.v[i], vb.v[i]);
    *reinterpret_cast<Wide<Y>*>(y + first) = out;
  } else {
#pragma unroll 1
    for (uint32_t i = 0; first + i < l.nest.elements; ++i) y[first + i] = f(a[a_moves ? i : 0], b[b_moves ? i : 0]);
  }
}
// Where signed and unsigned give the same bits (kF.kSameBits), the dtype whose body computes both.
template <auto kF>
TERN_INLINE DType computed_as(DType t) {
  if constexpr (requires { kF.kSameBits; }) {
    if (t >= DType::i8 && t <= DType::i64) return static_cast<DType>(static_cast<int>(t) + static_cast<int>(DType::u8) - static_cast<int>(DType::i8));
    if (t == DType::boolean) return DType::u8;
  }
  return t;
}
// What portable_binary is on a CPU, for elements of these Ts.
template <auto kF, class... Ts>
TERN_INLINE void binary_any(const BinaryLaunch& l) {
  const uint32_t item = blockIdx.x * kElementBlock + threadIdx.x;
  if (item >= l.nest.items) return;
  const Place p = place_of(l.nest, item);
  auto one = [&]<class T>() {
    using Y = std::conditional_t<std::is_same_v<decltype(on_elements<kF>(T(), T())), bool>, bool, T>;
    element<Y>(l.y, item) = on_elements<kF>(element<T>(l.a, p.from[0]), element<T>(l.b, p.from[1]));
  };
  (with_type(computed_as<kF>(l.dtype), Ts(), one), ...);
}

}  // namespace
}  // namespace tern::cuda
