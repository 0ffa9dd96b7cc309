// The rows of a binary function for the dtypes without a SIMD form, and how a binary operator is bound.
//   kBinary<"add", Add{}, Ints>       rows add/i8/scalar, add/i16/scalar …
// A function of elements computes what it returns; one of doubles takes the floats, and its results are rounded once; bools that it returns
// are bools. Next: arithmetic.cpp.
#pragma once
#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/binary_functions.h"
#include "kernels/elementwise/element_rows.h"
#include "kernels/elementwise/nest.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_row.h"

namespace tern {

// The elements that a body for T works on: where signed and unsigned give the same bits (kF.kSameBits), one serves all integers of a width.
template <auto kF, class T>
constexpr auto body_element() {
  if constexpr (std::is_same_v<T, bool> && requires { kF.kSameBits; }) return uint8_t();
  else if constexpr (std::is_integral_v<T> && requires { kF.kSameBits; }) return Unsigned<T>();
  else return T();
}
template <auto kF, class T>
void portable_binary(const BinaryArgs& args) {
  using Y = std::conditional_t<std::is_same_v<decltype(on_elements<kF>(T(), T())), bool>, bool, T>;
  const T *a = static_cast<const T*>(args.a), *b = static_cast<const T*>(args.b);
  Y* y = static_cast<Y*>(args.y);
  const int64_t sa = args.nest.step[0], sb = args.nest.step[1];
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) {
    binary_row(a + from[0], sa, b + from[1], sb, y + at, n, [](T v, T w) { return on_elements<kF>(v, w); });
  });
}
template <Text kName, auto kF, class... T>
constexpr std::array<KernelRow, sizeof...(T)> binary_rows(Types<T...>) {
  return {portable_row<kName, T, BinaryArgs, portable_binary<kF, decltype(body_element<kF, T>())>>()...};
}
template <Text kName, auto kF, class Ts>
constexpr auto kBinary = binary_rows<kName, kF>(Ts());

struct Operand {
  Dims dims;
  Address<const std::byte> at;
  static Operand input(const BindContext& c, size_t i) { return {c.in(i).dims, c.input(i)}; }
  static Operand output(const BindContext& c) { return {c.out(0).dims, c.output(0)}; }
};
// Fills in `args`, which lie in the binding: output 0 = f(a, b) for the output's elements [begin, end).
void set_binary(BindContext& c, BinaryArgs& args, const Operand& a, const Operand& b, int64_t begin, int64_t end);
// Binds output 0 = f(input a, input b), this part of it, with the operator's rows or this one of them.
Status bind_binary(BindContext& c, const KernelRow* kernel, size_t a = 0, size_t b = 1);
Status bind_binary(BindContext& c);

template <bool (*kAllowed)(DType)>
Status infer_binary(InferContext& c) {
  if (Status s = same_dtypes(c, 0, kAllowed); !s) return s;
  return infer_broadcast(c, c.dtype(0));
}
using Symbolic = std::optional<Dim> (*)(std::span<const Dim>, const AttrReader&);
constexpr OpDef binary_op(const char* name, Status (*infer)(InferContext&), std::span<const KernelRow* const> rows, Symbolic symbolic = nullptr,
                          LayoutsFn layouts = nullptr) {
  return {.name = name,
          .inputs = {2, 2},
          .outputs = {1, 1},
          .infer = infer,
          .bind = bind_binary,
          .kernels = rows,
          .inplace_inputs = 3,
          .symbolic = symbolic,
          .layouts = layouts};
}

}  // namespace tern
