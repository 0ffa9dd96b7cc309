// Cast between numbers: from and to f32 in one loop a pair; the other pairs by way of blocks of doubles, or of i64 between integers, so that there
// are two loops a dtype and not one a pair. The element is convert.h's everywhere. Next: cast.h.
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/wide.h"
#include "kernels/simd_half.h"
#include "kernels/simd_round.h"

namespace tern::TERN_ISA {
namespace {

template <class From, class To>
[[gnu::noinline]] void convert_all(const From* x, To* y, int64_t n) {
  TERN_APART
  for (int64_t i = 0; i < n; ++i) y[i] = convert<To>(x[i]);
}
#if defined(__AVX2__)  // whose instructions for f16 give the same bits; gcc 12 vectorises neither rounding well
TERN_INLINE __m256i words(f32x16 x, const f16*) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
#if defined(__AVX512F__)
  return _mm512_cvtps_ph(x.v, kNearest);
#else
  return _mm256_set_m128i(_mm256_cvtps_ph(x.hi, kNearest), _mm256_cvtps_ph(x.lo, kNearest));
#endif
}
TERN_INLINE __m256i words(f32x16 x, const bf16*) {
  const i32x16 u = shift_right_logical(bits(round_bf16(x)), 16);
#if defined(__AVX512F__)
  return _mm512_cvtepi32_epi16(u.v);
#else
  return _mm256_permute4x64_epi64(_mm256_packus_epi32(u.lo, u.hi), _MM_SHUFFLE(3, 1, 2, 0));  // packed within halves
#endif
}
template <class To>
TERN_INLINE void round_all(const float* x, To* y, int64_t n) {
  const int64_t whole = n & ~int64_t(15), tail = n - whole;
  for (int64_t i = 0; i < whole; i += 16) _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), words(load(x + i), y));
  if (tail == 0) return;
  const __m256i last = words(load_n(x + whole, tail), y);
#if defined(__AVX512F__)
  _mm256_mask_storeu_epi16(y + whole, first_lanes(tail), last);
#else
  To some[16];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(some), last);
  for (int64_t i = 0; i < tail; ++i) y[whole + i] = some[i];
#endif
}
void convert_all(const float* x, f16* y, int64_t n) { round_all(x, y, n); }
void convert_all(const float* x, bf16* y, int64_t n) { round_all(x, y, n); }
template <class From>
TERN_INLINE void widen_all(const From* x, float* y, int64_t n) {
  const int64_t whole = n & ~int64_t(15), tail = n - whole;
  for (int64_t i = 0; i < whole; i += 16) store(y + i, load(x + i));
  if (tail != 0) store_n(y + whole, load_n(x + whole, tail), tail);
}
void convert_all(const f16* x, float* y, int64_t n) { widen_all(x, y, n); }
void convert_all(const bf16* x, float* y, int64_t n) { widen_all(x, y, n); }
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
