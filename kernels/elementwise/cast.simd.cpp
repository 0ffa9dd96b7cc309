// Cast between numbers: from and to f32 in one loop a pair; the other pairs by way of blocks of doubles, or of i64 between integers, so that there
// are two loops a dtype and not one a pair. The element is convert.h's everywhere. Next: cast.h.
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/wide.h"
#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

template <class From, class To>
[[gnu::noinline]] void convert_all(const From* x, To* y, int64_t n) {
  TERN_APART
  for (int64_t i = 0; i < n; ++i) y[i] = convert<To>(x[i]);
}
#if defined(__AVX2__)  // whose instructions for f16 give the same bits
void convert_all(const float* x, f16* y, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  for (; i < n; ++i) y[i] = convert<f16>(x[i]);
}
void convert_all(const f16* x, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
  for (; i < n; ++i) y[i] = convert<float>(x[i]);
}
#endif

template <class From>
[[gnu::noinline]] void to_doubles(const From* __restrict x, double* __restrict v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = static_cast<double>(widen(x[i]));
}
template <class From>
[[gnu::noinline]] void to_ints(const From* __restrict x, int64_t* __restrict v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = static_cast<int64_t>(x[i]);
}

// Integers of one width have the same bits.
template <class T>
using Bits = std::conditional_t<std::is_same_v<T, bool>, bool, std::make_unsigned_t<std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>>>;

template <class From, class To>
void cast_from(const CastArgs& a) {
  const From* x = static_cast<const From*>(a.x);  // [count]
  To* y = static_cast<To*>(a.y);                  // [count]
  if constexpr (std::is_same_v<From, To>) {
    __builtin_memmove(y, x, static_cast<size_t>(a.count) * sizeof(To));
  } else if constexpr (std::is_same_v<From, float> || std::is_same_v<To, float>) {
    convert_all(x, y, a.count);
  } else {
    constexpr bool kInts = std::is_integral_v<From> && std::is_integral_v<To>;
    std::conditional_t<kInts, int64_t, double> v[kBlock];
    for (int64_t i = 0; i < a.count; i += kBlock) {
      const int64_t n = a.count - i < kBlock ? a.count - i : kBlock;
      if constexpr (kInts) {
        to_ints(x + i, v, n);
        convert_all(v, reinterpret_cast<Bits<To>*>(y + i), n);
      } else {
        to_doubles(x + i, v, n);
        convert_all(v, y + i, n);
      }
    }
  }
}

template <class To>
void cast(const CastArgs& a) {
  visit(a.from, [&]<class From>() {
    if constexpr (std::is_same_v<From, bool> && !std::is_same_v<To, bool>) cast_from<uint8_t, To>(a);  // 0 and 1
    else if constexpr (!std::is_void_v<From> && !std::is_same_v<From, StringRef>) cast_from<From, To>(a);
  });
}
template <class To>
constexpr KernelRow cast_row(const char* name) {
  return row<CastArgs, cast<To>>(name, dtype_of<To>(), Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<13> cast_any = {{
    cast_row<float>("cast/f32/" TERN_ISA_NAME),
    cast_row<double>("cast/f64/" TERN_ISA_NAME),
    cast_row<f16>("cast/f16/" TERN_ISA_NAME),
    cast_row<bf16>("cast/bf16/" TERN_ISA_NAME),
    cast_row<int8_t>("cast/i8/" TERN_ISA_NAME),
    cast_row<int16_t>("cast/i16/" TERN_ISA_NAME),
    cast_row<int32_t>("cast/i32/" TERN_ISA_NAME),
    cast_row<int64_t>("cast/i64/" TERN_ISA_NAME),
    cast_row<uint8_t>("cast/u8/" TERN_ISA_NAME),
    cast_row<uint16_t>("cast/u16/" TERN_ISA_NAME),
    cast_row<uint32_t>("cast/u32/" TERN_ISA_NAME),
    cast_row<uint64_t>("cast/u64/" TERN_ISA_NAME),
    cast_row<bool>("cast/bool/" TERN_ISA_NAME),
}};

}  // namespace tern::TERN_ISA
