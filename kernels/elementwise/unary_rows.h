// The rows of a unary function for the dtypes without a SIMD form, and how a unary operator is bound.
//   kUnary<"sin", portable::sin, Floats>     rows sin/f32/scalar, sin/f64/scalar …: floats in double, rounded once; integers as they are;
//                                            bools that it returns are bools
// Next: unary.cpp.
#pragma once
#include "kernels/apart.h"
#include "kernels/elementwise/nest.h"
#include "kernels/elementwise/portable.h"
#include "kernels/elementwise/unary.h"
#include "kernels/epilogue.h"
#include "kernels/portable_row.h"

namespace tern {

template <auto kF, class T>
void portable_unary(const UnaryArgs& a) {
  using R = decltype(apply<kF>(widen(T()), 0, 0));
  using Y = std::conditional_t<std::is_same_v<R, bool>, bool, T>;
  const T* x = static_cast<const T*>(a.x);  // [count]
  Y* y = static_cast<Y*>(a.y);              // [count]
  const float alpha = a.alpha, beta = a.beta;
  const int64_t count = a.count;  // not in the arguments, which bytes of y might be
  TERN_APART
  for (int64_t i = 0; i < count; ++i) {
    const R v = apply<kF>(widen(x[i]), alpha, beta);
    if constexpr (kIsFloat<Y>) y[i] = narrow<Y>(v);
    else y[i] = v;
  }
}
template <Text kName, auto kF, class... T>
constexpr std::array<KernelRow, sizeof...(T)> unary_rows(Types<T...>) {
  return {portable_row<kName, T, UnaryArgs, portable_unary<kF, T>>()...};
}
template <Text kName, auto kF, class Ts>
constexpr auto kUnary = unary_rows<kName, kF>(Ts());

// Output 0 is of the dtype of input 0.
template <bool (*kAllowed)(DType)>
Status infer_unary(InferContext& c) {
  if (!kAllowed(c.dtype(0))) return bad_dtype(c.dtype(0));
  return infer_same(c);
}
// Binds output 0 = f(input 0), this part of it, with the operator's rows or these of them.
Status bind_unary(BindContext& c, const KernelRow* kernel, float alpha, float beta);
Status bind_unary(BindContext& c);

constexpr OpDef unary_op(const char* name, Status (*infer)(InferContext&), std::span<const KernelRow* const> rows,
                         Status (*bind)(BindContext&) = bind_unary) {
  return {.name = name, .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer, .bind = bind, .kernels = rows, .inplace_inputs = 1};
}
// Of floats alone.
constexpr OpDef float_op(const char* name, std::span<const KernelRow* const> rows) { return unary_op(name, infer_unary<is_float>, rows); }
// The same operator, which products, convolutions and maps can compute behind themselves (epilogue.h).
constexpr OpDef as_epilogue(OpDef op, ActivationFn activation = activation_by_name) {
  op.activation = activation;
  op.layouts = activation_layouts;
  return op;
}

}  // namespace tern
