// Pow on blocks of elements, plain loops that the compiler vectorises (-O3, CMakeLists.txt): of floats as doubles (wide.h), of integers by squares
// of as many elements at a time. The exponents of a block become doubles, or whole numbers. See pow.h.
#include "kernels/elementwise/pow_args.h"
#include "kernels/elementwise/wide.h"
#include "kernels/portable_math.h"

namespace tern::TERN_ISA {
namespace {

// In three loops: in one its chains are too long for a core to see more than an element ahead.
[[gnu::noinline, gnu::flatten]] void logarithms(const double* __restrict a, const double* __restrict b, double* __restrict e, int64_t n) {
  for (int64_t i = 0; i < n; ++i) e[i] = portable::pow_log(a[i], b[i]);
}
[[gnu::noinline, gnu::flatten]] void exponentials(double* v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = portable::exp(v[i]);
}
// kStanding: one exponent for all, so that what it alone decides is found once.
template <bool kStanding>
[[gnu::noinline, gnu::flatten]] void finish_powers(const double* __restrict a, const double* __restrict b, const double* __restrict e,
                                                   double* __restrict y, int64_t n) {
  const double one = b[0];
  for (int64_t i = 0; i < n; ++i) y[i] = portable::pow_of(a[i], kStanding ? one : b[i], e[i]);
}

// n elements from x on, or x[0] n times; of a dtype as doubles, of an integer as an exponent of 64 bits.
template <class T>
[[gnu::noinline]] void widen_operand(const T* __restrict x, int64_t step, double* __restrict v, int64_t n) {
  if (step == 1) {
    for (int64_t i = 0; i < n; ++i) v[i] = static_cast<double>(widen(x[i]));
  } else {
    const auto one = static_cast<double>(widen(x[0]));
    for (int64_t i = 0; i < n; ++i) v[i] = one;
  }
}
template <class T>
[[gnu::noinline]] void whole_operand(const T* __restrict x, int64_t step, int64_t* __restrict v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) == 8 && T(-1) > T(0)) v[i] = whole_exponent(x[i * step]);
    else v[i] = static_cast<int64_t>(x[i * step]);
  }
}
// f of a pointer to exponents of the dtype, `from` elements further on.
template <class F>
inline void with_exponents(const void* b, DType dtype, int64_t from, F f) {
  switch (dtype) {
    case DType::f32: return f(static_cast<const float*>(b) + from);
    case DType::f64: return f(static_cast<const double*>(b) + from);
    case DType::f16: return f(static_cast<const f16*>(b) + from);
    case DType::bf16: return f(static_cast<const bf16*>(b) + from);
    case DType::i8: return f(static_cast<const int8_t*>(b) + from);
    case DType::i16: return f(static_cast<const int16_t*>(b) + from);
    case DType::i32: return f(static_cast<const int32_t*>(b) + from);
    case DType::i64: return f(static_cast<const int64_t*>(b) + from);
    case DType::u8: return f(static_cast<const uint8_t*>(b) + from);
    case DType::u16: return f(static_cast<const uint16_t*>(b) + from);
    case DType::u32: return f(static_cast<const uint32_t*>(b) + from);
    case DType::u64: return f(static_cast<const uint64_t*>(b) + from);
    default: return;
  }
}

template <class T>
void float_powers(const PowArgs& args) {
  const T* a = static_cast<const T*>(args.binary.a);
  T* y = static_cast<T*>(args.binary.y);
  const int64_t sa = args.binary.nest.step[0], sb = args.binary.nest.step[1];
  for_rows(args.binary.nest, [&args, a, y, sa, sb](int64_t at, const int64_t* from, int64_t n) {
    double va[kBlock], vb[kBlock], e[kBlock], v[kBlock];
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t some = n - i < kBlock ? n - i : kBlock;
      if (sa == 1 || i == 0) widen_operand(a + from[0] + i * sa, sa, va, some);
      if (sb == 1 || i == 0) with_exponents(args.binary.b, args.exponent, from[1] + i * sb, [&](auto* b) { widen_operand(b, sb, vb, some); });
      logarithms(va, vb, e, some);
      exponentials(e, some);
      if (sb == 0) finish_powers<true>(va, vb, e, v, some);
      else finish_powers<false>(va, vb, e, v, some);
      narrow_block(v, y + at + i, some);
    }
  });
}

// r *= s^(the lowest eight bits of e), which go; s becomes s^256. In U, whose products wrap.
template <class U>
[[gnu::noinline]] void eight_squares(U* __restrict r, U* __restrict s, U* __restrict e, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    U product = r[i], square = s[i];
    const U bits = e[i];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k, square *= square) product *= ((square - 1) & (U(0) - (bits >> k & 1))) + 1;
    r[i] = product, s[i] = square, e[i] = bits >> 8;
  }
}
// r *= s^e, where s is a 2^24th power (of 32 bits a 2^16th): of an even number 0, of an odd one 1 + v with so many zeros below v that of the binomial
// series 1 + e v + e (e - 1) / 2 v^2 the rest is 0 (of 32 bits v^2 is).
template <class U>
[[gnu::noinline]] void last_squares(U* __restrict r, const U* __restrict s, const U* __restrict e, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const U v = s[i] - 1, m = e[i], odd = U(0) - (s[i] & 1);
    U power = 1 + m * v;
    if constexpr (sizeof(U) == 8) power += (m >> 1) * ((m - 1) | 1) * v * v;
    r[i] *= (power & odd) | (static_cast<U>(m == 0) & ~odd);
  }
}
// For 32 bits of exponent: the squares of even numbers end in zeros after five steps, those of odd ones come round after thirty.
inline uint32_t low_exponent(uint64_t e) { return static_cast<uint32_t>(e) | static_cast<uint32_t>(uint64_t(e > 0x7fffffff) << 31); }
template <class T>
void int_powers(const PowArgs& args) {
  using U = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  const T* a = static_cast<const T*>(args.binary.a);
  T* y = static_cast<T*>(args.binary.y);
  const int64_t sa = args.binary.nest.step[0], sb = args.binary.nest.step[1];
  for_rows(args.binary.nest, [&args, a, y, sa, sb](int64_t at, const int64_t* from, int64_t n) {
    int64_t whole[kBlock];
    T base[kBlock];
    U r[kBlock], s[kBlock], e[kBlock];
    int bytes = 0;
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t some = n - i < kBlock ? n - i : kBlock;
      with_exponents(args.binary.b, args.exponent, from[1] + i * sb, [&](auto* b) {
        using B = std::remove_cv_t<std::remove_pointer_t<decltype(b)>>;
        if constexpr (std::is_integral_v<B>) whole_operand(b, sb, whole, some), bytes = sizeof(B);
      });
      for (int64_t j = 0; j < some; ++j) base[j] = a[from[0] + (i + j) * sa];
      for (int64_t j = 0; j < some; ++j) {
        r[j] = 1, s[j] = static_cast<U>(base[j]);
        e[j] = sizeof(U) == 8 ? static_cast<U>(whole[j]) : low_exponent(static_cast<uint64_t>(whole[j]));
      }
      constexpr int kPasses = sizeof(U) == 8 ? 3 : 2;
      for (int pass = 0; pass < kPasses && pass < bytes; ++pass) eight_squares(r, s, e, some);
      if (bytes > kPasses) last_squares(r, s, e, some);
      for (int64_t j = 0; j < some; ++j) y[at + i + j] = signed_power(base[j], whole[j], static_cast<uint64_t>(r[j]));
    }
  });
}

template <class T>
constexpr KernelRow float_row(const char* name, DType dtype) {
  return row<PowArgs, float_powers<T>>(name, dtype, Isa::TERN_ISA);
}
template <class T>
constexpr KernelRow int_row(const char* name, DType dtype) {
  return row<PowArgs, int_powers<T>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<4> pow_floats = {{
    float_row<float>("pow/f32/" TERN_ISA_NAME, DType::f32),
    float_row<double>("pow/f64/" TERN_ISA_NAME, DType::f64),
    float_row<f16>("pow/f16/" TERN_ISA_NAME, DType::f16),
    float_row<bf16>("pow/bf16/" TERN_ISA_NAME, DType::bf16),
}};
constinit const Rows<4> pow_ints = {{
    int_row<int8_t>("pow/i8/" TERN_ISA_NAME, DType::i8),
    int_row<int16_t>("pow/i16/" TERN_ISA_NAME, DType::i16),
    int_row<int32_t>("pow/i32/" TERN_ISA_NAME, DType::i32),
    int_row<int64_t>("pow/i64/" TERN_ISA_NAME, DType::i64),
}};

}  // namespace tern::TERN_ISA
