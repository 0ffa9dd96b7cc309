// Functions of doubles on blocks of elements, for every dtype of floats that has no lanes of its own: elements become doubles, the function is
// a plain loop over them that the compiler vectorises (at -O3, CMakeLists.txt), results are rounded once. So a function is compiled once for all
// dtypes, and its bits are those of one call an element. Included by *.simd.cpp only. Next: unary_wide.simd.cpp.
#pragma once
#include "kernels/apart.h"
#include "kernels/elementwise/portable.h"
#include "kernels/elementwise/unary.h"

namespace tern::TERN_ISA {
namespace {

constexpr int64_t kBlock = 256;  // doubles: 2 KB, three of them in L1

template <class T>
[[gnu::noinline]] void widen_block(const T* __restrict x, double* __restrict v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = widen(x[i]);
}
template <class T>
[[gnu::noinline]] void narrow_block(const double* __restrict v, T* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = narrow<T>(v[i]);
}
template <auto kF>
[[gnu::noinline, gnu::flatten]] void map_block(double* v, int64_t n, float alpha, float beta) {
  for (int64_t i = 0; i < n; ++i) v[i] = apply<kF>(v[i], alpha, beta);
}

// y may be x: a block is read before it is written.
template <auto kF, class T>
void unary_wide(const UnaryArgs& a) {
  const T* x = static_cast<const T*>(a.x);  // [count]
  T* y = static_cast<T*>(a.y);              // [count]
  double v[kBlock];
  for (int64_t i = 0; i < a.count; i += kBlock) {
    const int64_t n = a.count - i < kBlock ? a.count - i : kBlock;
    widen_block(x + i, v, n);
    map_block<kF>(v, n, a.alpha, a.beta);
    narrow_block(v, y + i, n);
  }
}

// A function that gives bools, in one loop.
template <auto kF, class T>
[[gnu::flatten]] void unary_test(const UnaryArgs& a) {
  const T* x = static_cast<const T*>(a.x);  // [count]
  uint8_t* y = static_cast<uint8_t*>(a.y);  // [count], bools
  const float alpha = a.alpha, beta = a.beta;
  const int64_t count = a.count;
  TERN_APART
  for (int64_t i = 0; i < count; ++i) y[i] = apply<kF>(widen(x[i]), alpha, beta);
}

// ---- the rows: wide_rows<"exp", [](double x) { return portable::exp(x); }>() are exp/f64/avx2, exp/f16/avx2, exp/bf16/avx2 ----

template <size_t N>
struct Word {
  char s[N];
  constexpr Word(const char (&text)[N]) : s{} {
    for (size_t i = 0; i < N; ++i) s[i] = text[i];
  }
};
template <Word kOp, Word kDType>
struct RowName {  // "exp" and "/f64/avx2"
  char s[sizeof kOp.s + sizeof kDType.s - 1] = {};
  constexpr RowName() {
    for (size_t i = 0; i < sizeof kOp.s; ++i) s[i] = kOp.s[i];
    for (size_t i = 0; i < sizeof kDType.s; ++i) s[sizeof kOp.s - 1 + i] = kDType.s[i];
  }
};
template <Word kOp, Word kDType>
constexpr RowName<kOp, kDType> kRowName;

// kOfFloat: the same function of what is no double, perhaps by a shorter way.
template <Word kOp, auto kF, auto kOfFloat = kF>
constexpr Rows<3> wide_rows() {
  return {{row<UnaryArgs, unary_wide<kF, double>>(kRowName<kOp, "/f64/" TERN_ISA_NAME>.s, DType::f64, Isa::TERN_ISA),
           row<UnaryArgs, unary_wide<kOfFloat, f16>>(kRowName<kOp, "/f16/" TERN_ISA_NAME>.s, DType::f16, Isa::TERN_ISA),
           row<UnaryArgs, unary_wide<kOfFloat, bf16>>(kRowName<kOp, "/bf16/" TERN_ISA_NAME>.s, DType::bf16, Isa::TERN_ISA)}};
}
// And exp/f32/avx2, of a function that f32 has on no lanes of its own.
template <Word kOp, auto kF, auto kOfFloat = kF>
constexpr Rows<4> any_rows() {
  const Rows<3> others = wide_rows<kOp, kF, kOfFloat>();
  return {{row<UnaryArgs, unary_wide<kOfFloat, float>>(kRowName<kOp, "/f32/" TERN_ISA_NAME>.s, DType::f32, Isa::TERN_ISA), others.row[0],
           others.row[1], others.row[2]}};
}
// The same of a function that gives bools.
template <Word kOp, auto kF>
constexpr Rows<4> test_rows() {
  return {{row<UnaryArgs, unary_test<kF, float>>(kRowName<kOp, "/f32/" TERN_ISA_NAME>.s, DType::f32, Isa::TERN_ISA),
           row<UnaryArgs, unary_test<kF, double>>(kRowName<kOp, "/f64/" TERN_ISA_NAME>.s, DType::f64, Isa::TERN_ISA),
           row<UnaryArgs, unary_test<kF, f16>>(kRowName<kOp, "/f16/" TERN_ISA_NAME>.s, DType::f16, Isa::TERN_ISA),
           row<UnaryArgs, unary_test<kF, bf16>>(kRowName<kOp, "/bf16/" TERN_ISA_NAME>.s, DType::bf16, Isa::TERN_ISA)}};
}

}  // namespace
}  // namespace tern::TERN_ISA
