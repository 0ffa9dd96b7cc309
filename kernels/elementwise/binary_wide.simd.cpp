// The binary functions of the floats without lanes of their own: f64, f16 and bf16 of all, f32 too of remainders. See wide.h.
// Next: binary_rows.h.
#include "kernels/elementwise/binary.h"
#include "kernels/elementwise/binary_functions.h"
#include "kernels/elementwise/mod.h"
#include "kernels/elementwise/wide.h"

namespace tern::TERN_ISA {
namespace {

// An operand moves (a step of 1) or stands (0). y may be what moves.
template <auto kF>
[[gnu::noinline, gnu::flatten]] void map_blocks(const double* a, int64_t a_step, const double* b, int64_t b_step, double* y, int64_t n) {
  if (a_step == 1 && b_step == 1) {
    TERN_APART
    for (int64_t i = 0; i < n; ++i) y[i] = kF(a[i], b[i]);
  } else if (a_step == 1) {
    const double vb = *b;
    TERN_APART
    for (int64_t i = 0; i < n; ++i) y[i] = kF(a[i], vb);
  } else {
    const double va = *a;
    TERN_APART
    for (int64_t i = 0; i < n; ++i) y[i] = kF(va, b[i * b_step]);
  }
}

template <auto kF, class T>
void binary_wide(const BinaryArgs& args) {
  const T *a = static_cast<const T*>(args.a), *b = static_cast<const T*>(args.b);
  T* y = static_cast<T*>(args.y);
  const int64_t sa = args.nest.step[0], sb = args.nest.step[1];
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) {
    if constexpr (std::is_same_v<T, double>) {
      map_blocks<kF>(a + from[0], sa, b + from[1], sb, y + at, n);
    } else {
      double va[kBlock], vb[kBlock], v[kBlock];
      for (int64_t i = 0; i < n; i += kBlock) {
        const int64_t some = n - i < kBlock ? n - i : kBlock;
        widen_block(a + from[0] + i * sa, va, sa == 0 ? 1 : some);
        widen_block(b + from[1] + i * sb, vb, sb == 0 ? 1 : some);
        map_blocks<kF>(va, sa, vb, sb, v, some);
        narrow_block(v, y + at + i, some);
      }
    }
  });
}

template <Word kOp, auto kF>
constexpr Rows<3> binary_rows() {
  return {{row<BinaryArgs, binary_wide<kF, double>>(kRowName<kOp, "/f64/" TERN_ISA_NAME>.s, DType::f64, Isa::TERN_ISA),
           row<BinaryArgs, binary_wide<kF, f16>>(kRowName<kOp, "/f16/" TERN_ISA_NAME>.s, DType::f16, Isa::TERN_ISA),
           row<BinaryArgs, binary_wide<kF, bf16>>(kRowName<kOp, "/bf16/" TERN_ISA_NAME>.s, DType::bf16, Isa::TERN_ISA)}};
}
// The remainders of doubles, a loop for each step (mod.h).
[[gnu::noinline, gnu::flatten]] void begin_divisions(const double* __restrict a, const double* __restrict b, double* __restrict m,
                                                     double* __restrict inverse, double* __restrict power, double* __restrict whole,
                                                     uint64_t* __restrict distance, uint64_t* __restrict exponent, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const functions::Division d = functions::begin_division(a[i], b[i]);
    m[i] = d.m, inverse[i] = d.inverse, power[i] = d.power, whole[i] = d.whole, distance[i] = d.distance, exponent[i] = d.exponent;
  }
}
[[gnu::noinline, gnu::flatten]] void square_powers(double* __restrict power, const uint64_t* __restrict distance, int bit, const double* __restrict m,
                                                   const double* __restrict inverse, int64_t n) {
  for (int64_t i = 0; i < n; ++i) power[i] = functions::square_power(power[i], distance[i], bit, m[i], inverse[i]);
}
template <bool kOfDivisor>
[[gnu::noinline, gnu::flatten]] void end_divisions(const double* __restrict a, const double* __restrict b, const double* __restrict m,
                                                   const double* __restrict inverse, const double* __restrict power, const double* __restrict whole,
                                                   const uint64_t* __restrict exponent, double* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double r = functions::end_division(a[i], b[i], {m[i], inverse[i], power[i], whole[i], 0, exponent[i]});
    y[i] = kOfDivisor ? functions::with_sign_of(b[i], r) : r;
  }
}
template <bool kOfDivisor>
void remainders(const BinaryArgs& args) {
  const double *a = static_cast<const double*>(args.a), *b = static_cast<const double*>(args.b);
  double* y = static_cast<double*>(args.y);
  const int64_t sa = args.nest.step[0], sb = args.nest.step[1];
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) {
    double va[kBlock], vb[kBlock], m[kBlock], inverse[kBlock], power[kBlock], whole[kBlock];
    uint64_t distance[kBlock], exponent[kBlock];
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t some = n - i < kBlock ? n - i : kBlock;
      for (int64_t j = 0; j < some; ++j) va[j] = a[from[0] + (i + j) * sa], vb[j] = b[from[1] + (i + j) * sb];
      begin_divisions(va, vb, m, inverse, power, whole, distance, exponent, some);
      for (int bit = functions::division::kBits - 1; bit >= 0; --bit) square_powers(power, distance, bit, m, inverse, some);
      end_divisions<kOfDivisor>(va, vb, m, inverse, power, whole, exponent, y + at + i, some);
    }
  });
}

// Of remainders: kOfFloat of what is no double.
template <Word kOp, bool kOfDivisor, auto kOfFloat>
constexpr Rows<4> remainder_rows() {
  return {{row<BinaryArgs, binary_wide<kOfFloat, float>>(kRowName<kOp, "/f32/" TERN_ISA_NAME>.s, DType::f32, Isa::TERN_ISA),
           row<BinaryArgs, remainders<kOfDivisor>>(kRowName<kOp, "/f64/" TERN_ISA_NAME>.s, DType::f64, Isa::TERN_ISA),
           row<BinaryArgs, binary_wide<kOfFloat, f16>>(kRowName<kOp, "/f16/" TERN_ISA_NAME>.s, DType::f16, Isa::TERN_ISA),
           row<BinaryArgs, binary_wide<kOfFloat, bf16>>(kRowName<kOp, "/bf16/" TERN_ISA_NAME>.s, DType::bf16, Isa::TERN_ISA)}};
}

}  // namespace

constinit const Rows<3> add_wide = binary_rows<"add", [](double a, double b) { return functions::Add{}(a, b); }>();
constinit const Rows<3> div_wide = binary_rows<"div", [](double a, double b) { return functions::Div{}(a, b); }>();
constinit const Rows<3> max_wide = binary_rows<"max", [](double a, double b) { return functions::Max{}(a, b); }>();
constinit const Rows<3> min_wide = binary_rows<"min", [](double a, double b) { return functions::Min{}(a, b); }>();
constinit const Rows<3> mul_wide = binary_rows<"mul", [](double a, double b) { return functions::Mul{}(a, b); }>();
constinit const Rows<3> prelu_wide = binary_rows<"prelu", [](double a, double b) { return functions::PRelu{}(a, b); }>();
constinit const Rows<3> sub_wide = binary_rows<"sub", [](double a, double b) { return functions::Sub{}(a, b); }>();
constinit const Rows<4> fmod_wide = remainder_rows<"fmod", false, [](double a, double b) { return functions::remainder_of_floats(a, b); }>();
constinit const Rows<4> mod_wide =
    remainder_rows<"mod", true, [](double a, double b) { return functions::with_sign_of(b, functions::remainder_of_floats(a, b)); }>();

}  // namespace tern::TERN_ISA
