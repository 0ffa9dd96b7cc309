// ArgMax and ArgMin: a search for every line, or for neighbouring lines side by side. See largest.h. Next: arg.cpp.
#include "kernels/reduce/largest.h"
#include "kernels/reduce/reduce.h"

namespace tern::TERN_ISA {
namespace {

// `count` <= kTurned lines that begin at line, of which few lie side by side: a row of what is at one place of each at a time.
template <class T, bool kMax, bool kLast>
void arg_narrow(const ArgArgs& a, int64_t line, int64_t count) {
  using K = KeyOf<T>;
  const T* x[kTurned];
  T row[kTurned];
  K keys[kTurned], best[kTurned];
  for (int64_t j = 0; j < count; ++j) x[j] = static_cast<const T*>(a.x) + a.lines.first(line + j);
  for (int64_t i = 0; i < a.lines.n; ++i) {
    for (int64_t j = 0; j < count; ++j) row[j] = x[j][i * a.lines.inner];
    to_keys<kMax>(row, i == 0 ? best : keys, count);
    if (i == 0) {
      for (int64_t j = 0; j < count; ++j) a.y[line + j] = 0;
    } else {
      take_row<K, kLast>(keys, best, a.y + line, i, count);
    }
  }
}
template <class T, bool kMax, bool kLast>
void arg_lines(const ArgArgs& a) {
  const Lines& l = a.lines;
  int64_t at[kKeys];
  for (int64_t line = l.begin; line < l.end;) {
    const T* x = static_cast<const T*>(a.x) + l.first(line);
    if (l.inner == 1 && l.n <= kShort) {
      const int64_t n = l.end - line < kTurned ? l.end - line : kTurned;
      T turned[kShort * kTurned];
      turn_lines(x, l.n, l.n, n, turned);
      places_of_largest<kMax, kLast>(turned, l.n, kTurned, n, a.y + line);
      line += n;
      continue;
    }
    if (l.inner == 1) {
      a.y[line++] = place_of_largest<kMax, kLast>(x, l.n);
      continue;
    }
    if (l.inner < 16) {
      const int64_t some = l.end - line < kTurned ? l.end - line : kTurned;
      arg_narrow<T, kMax, kLast>(a, line, some);
      line += some;
      continue;
    }
    int64_t n = l.inner - line % l.inner;  // side by side
    n = n < l.end - line ? n : l.end - line;
    n = n < kKeys ? n : kKeys;
    places_of_largest<kMax, kLast>(x, l.n, l.inner, n, at);
    for (int64_t j = 0; j < n; ++j) a.y[line + j] = at[j];
    line += n;
  }
}
template <class T, bool kMax>
void arg(const ArgArgs& a) {
  if (a.last) arg_lines<T, kMax, true>(a);
  else arg_lines<T, kMax, false>(a);
}

template <class T, bool kMax>
constexpr KernelRow arg_row(const char* name, DType dtype) {
  return row<ArgArgs, arg<T, kMax>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<12> arg_max_any = {{
    arg_row<float, true>("arg_max/f32/" TERN_ISA_NAME, DType::f32),
    arg_row<double, true>("arg_max/f64/" TERN_ISA_NAME, DType::f64),
    arg_row<f16, true>("arg_max/f16/" TERN_ISA_NAME, DType::f16),
    arg_row<bf16, true>("arg_max/bf16/" TERN_ISA_NAME, DType::bf16),
    arg_row<int8_t, true>("arg_max/i8/" TERN_ISA_NAME, DType::i8),
    arg_row<int16_t, true>("arg_max/i16/" TERN_ISA_NAME, DType::i16),
    arg_row<int32_t, true>("arg_max/i32/" TERN_ISA_NAME, DType::i32),
    arg_row<int64_t, true>("arg_max/i64/" TERN_ISA_NAME, DType::i64),
    arg_row<uint8_t, true>("arg_max/u8/" TERN_ISA_NAME, DType::u8),
    arg_row<uint16_t, true>("arg_max/u16/" TERN_ISA_NAME, DType::u16),
    arg_row<uint32_t, true>("arg_max/u32/" TERN_ISA_NAME, DType::u32),
    arg_row<uint64_t, true>("arg_max/u64/" TERN_ISA_NAME, DType::u64),
}};
constinit const Rows<12> arg_min_any = {{
    arg_row<float, false>("arg_min/f32/" TERN_ISA_NAME, DType::f32),
    arg_row<double, false>("arg_min/f64/" TERN_ISA_NAME, DType::f64),
    arg_row<f16, false>("arg_min/f16/" TERN_ISA_NAME, DType::f16),
    arg_row<bf16, false>("arg_min/bf16/" TERN_ISA_NAME, DType::bf16),
    arg_row<int8_t, false>("arg_min/i8/" TERN_ISA_NAME, DType::i8),
    arg_row<int16_t, false>("arg_min/i16/" TERN_ISA_NAME, DType::i16),
    arg_row<int32_t, false>("arg_min/i32/" TERN_ISA_NAME, DType::i32),
    arg_row<int64_t, false>("arg_min/i64/" TERN_ISA_NAME, DType::i64),
    arg_row<uint8_t, false>("arg_min/u8/" TERN_ISA_NAME, DType::u8),
    arg_row<uint16_t, false>("arg_min/u16/" TERN_ISA_NAME, DType::u16),
    arg_row<uint32_t, false>("arg_min/u32/" TERN_ISA_NAME, DType::u32),
    arg_row<uint64_t, false>("arg_min/u64/" TERN_ISA_NAME, DType::u64),
}};

}  // namespace tern::TERN_ISA
