// The binary functions of f32 on sixteen lanes, one row each: both operands move, one of them stands, or both. Next: binary_rows.h.
#include "kernels/elementwise/binary.h"

#include "kernels/elementwise/lanes.h"

namespace tern::TERN_ISA {
namespace {

// An operand of a row: sixteen elements from i, or the same one sixteen times.
struct Moving {
  const float* p;
  __attribute__((always_inline)) f32x16 at(int64_t i) const { return load(p + i); }
  __attribute__((always_inline)) f32x16 tail(int64_t i, int64_t n) const { return load_n(p + i, n); }
};
struct Standing {
  f32x16 v;
  __attribute__((always_inline)) f32x16 at(int64_t) const { return v; }
  __attribute__((always_inline)) f32x16 tail(int64_t, int64_t) const { return v; }
};

template <class F, class A, class B>
TERN_INLINE void row_of(F f, A a, B b, float* y, int64_t n) {
  const int64_t whole = n & ~int64_t(15);
  for (int64_t i = 0; i < whole; i += 16) store(y + i, f(a.at(i), b.at(i)));
  if (whole < n) store_n(y + whole, f(a.tail(whole, n - whole), b.tail(whole, n - whole)), n - whole);
}

template <auto kF>
void binary(const BinaryArgs& args) {
  constexpr auto f = kF;
  const float *a = static_cast<const float*>(args.a), *b = static_cast<const float*>(args.b);
  float* y = static_cast<float*>(args.y);
  const bool a_moves = args.nest.step[0] != 0, b_moves = args.nest.step[1] != 0;
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) {
    const float *ra = a + from[0], *rb = b + from[1];
    if (a_moves && b_moves) row_of(f, Moving{ra}, Moving{rb}, y + at, n);
    else if (a_moves) row_of(f, Moving{ra}, Standing{splat(*rb)}, y + at, n);
    else if (b_moves) row_of(f, Standing{splat(*ra)}, Moving{rb}, y + at, n);
    else row_of(f, Standing{splat(*ra)}, Standing{splat(*rb)}, y + at, n);
  });
}

template <auto kF>
constexpr KernelRow binary_row(const char* name) {
  return row<BinaryArgs, binary<kF>>(name, DType::f32, Isa::TERN_ISA);
}

}  // namespace

constinit const KernelRow add_f32 = binary_row<[](f32x16 a, f32x16 b) { return a + b; }>("add/f32/" TERN_ISA_NAME);
constinit const KernelRow div_f32 = binary_row<[](f32x16 a, f32x16 b) { return a / b; }>("div/f32/" TERN_ISA_NAME);
constinit const KernelRow max_f32 = binary_row<[](f32x16 a, f32x16 b) { return larger(a, b); }>("max/f32/" TERN_ISA_NAME);
constinit const KernelRow min_f32 = binary_row<[](f32x16 a, f32x16 b) { return smaller(a, b); }>("min/f32/" TERN_ISA_NAME);
constinit const KernelRow mul_f32 = binary_row<[](f32x16 a, f32x16 b) { return a * b; }>("mul/f32/" TERN_ISA_NAME);
constinit const KernelRow prelu_f32 = binary_row<[](f32x16 a, f32x16 b) { return prelu(a, b); }>("prelu/f32/" TERN_ISA_NAME);
constinit const KernelRow sub_f32 = binary_row<[](f32x16 a, f32x16 b) { return a - b; }>("sub/f32/" TERN_ISA_NAME);

}  // namespace tern::TERN_ISA
