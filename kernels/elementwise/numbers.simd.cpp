// Comparisons of the widest numbers, and sums, differences and products of integers of 32 and 64 bits, for which the vectors of plain x86-64 are short
// or missing: loops that the compiler vectorises (-O3, CMakeLists.txt). The narrower ones stay plain C++ (binary_rows.h). See elementwise.h.
#include "kernels/elementwise/numbers.h"

#include "kernels/elementwise/binary_functions.h"
#include "kernels/elementwise/element_rows.h"
#include "kernels/elementwise/wide.h"

namespace tern::TERN_ISA {
namespace {

template <auto kF, class T, class Y>
[[gnu::flatten]] void each(const BinaryArgs& args) {
  const T *a = static_cast<const T*>(args.a), *b = static_cast<const T*>(args.b);
  Y* y = static_cast<Y*>(args.y);
  const int64_t sa = args.nest.step[0], sb = args.nest.step[1];
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) { binary_row(a + from[0], sa, b + from[1], sb, y + at, n, kF); });
}
template <Word kOp, auto kF>
constexpr Rows<4> comparison() {
  return {{row<BinaryArgs, each<kF, float, bool>>(kRowName<kOp, "/f32/" TERN_ISA_NAME>.s, DType::f32, Isa::TERN_ISA),
           row<BinaryArgs, each<kF, double, bool>>(kRowName<kOp, "/f64/" TERN_ISA_NAME>.s, DType::f64, Isa::TERN_ISA),
           row<BinaryArgs, each<kF, int32_t, bool>>(kRowName<kOp, "/i32/" TERN_ISA_NAME>.s, DType::i32, Isa::TERN_ISA),
           row<BinaryArgs, each<kF, int64_t, bool>>(kRowName<kOp, "/i64/" TERN_ISA_NAME>.s, DType::i64, Isa::TERN_ISA)}};
}
template <Word kOp, auto kF>
constexpr Rows<2> arithmetic() {
  return {{row<BinaryArgs, each<kF, int32_t, int32_t>>(kRowName<kOp, "/i32/" TERN_ISA_NAME>.s, DType::i32, Isa::TERN_ISA),
           row<BinaryArgs, each<kF, int64_t, int64_t>>(kRowName<kOp, "/i64/" TERN_ISA_NAME>.s, DType::i64, Isa::TERN_ISA)}};
}

}  // namespace

// Greater ones are less ones of turned operands (compare.cpp).
constinit const Rows<4> equal_any = comparison<"equal", [](auto a, auto b) { return a == b; }>();
constinit const Rows<4> less_any = comparison<"less", [](auto a, auto b) { return a < b; }>();
constinit const Rows<4> less_or_equal_any = comparison<"less_or_equal", [](auto a, auto b) { return a <= b; }>();
constinit const Rows<4> greater_any = comparison<"greater", [](auto a, auto b) { return a < b; }>();
constinit const Rows<4> greater_or_equal_any = comparison<"greater_or_equal", [](auto a, auto b) { return a <= b; }>();
constinit const Rows<2> add_int = arithmetic<"add", functions::Add{}>();
constinit const Rows<2> sub_int = arithmetic<"sub", functions::Sub{}>();
constinit const Rows<2> mul_int = arithmetic<"mul", functions::Mul{}>();

}  // namespace tern::TERN_ISA
