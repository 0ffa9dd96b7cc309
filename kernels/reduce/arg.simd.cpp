// ArgMax and ArgMin as searches for the largest key: elements become integers in whose order the one that is looked for is the largest, a block at
// a time, and then all is plain loops over integers that the compiler vectorises (-O3, CMakeLists.txt): the same instructions whatever the
// values are. The order is arg_takes' (lines_device.h). [[gnu::noinline]]: one loop for all dtypes. Next: arg.cpp.
#include "kernels/reduce/key.h"
#include "kernels/reduce/reduce.h"

namespace tern::TERN_ISA {
namespace {

constexpr int64_t kBlock = 256;

template <bool kMax, class T, class K>
[[gnu::noinline]] void to_keys(const T* x, K* __restrict keys, int64_t n) {
  for (int64_t i = 0; i < n; ++i) keys[i] = key_of<kMax, K>(comparable(x[i]));
}
template <class K>
[[gnu::noinline]] K largest(const K* keys, int64_t n) {
  K m = keys[0];
  for (int64_t i = 1; i < n; ++i) m = m > keys[i] ? m : keys[i];
  return m;
}
template <class K, bool kLast>
[[gnu::noinline]] int32_t place(const K* keys, K key, int64_t n) {
  int32_t at = kLast ? -1 : static_cast<int32_t>(n);
  for (int32_t i = 0; i < static_cast<int32_t>(n); ++i) {
    const int32_t here = keys[i] == key ? i : kLast ? -1 : static_cast<int32_t>(kBlock);
    at = kLast ? (at > here ? at : here) : (at < here ? at : here);
  }
  return at;
}
template <class K, bool kLast>
[[gnu::noinline]] void take_row(const K* __restrict keys, K* __restrict best, int64_t* __restrict at, int64_t row, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    const bool takes = kLast ? keys[j] >= best[j] : keys[j] > best[j];
    best[j] = choose(takes, keys[j], best[j]);
    at[j] = choose(takes, row, at[j]);
  }
}

template <class T, bool kMax, bool kLast>
void arg_lines(const ArgArgs& a) {
  using K = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  const Lines& l = a.lines;
  K keys[kBlock], best[kBlock];
  int64_t at[kBlock];
  for (int64_t line = l.begin; line < l.end;) {
    const T* x = static_cast<const T*>(a.x) + l.first(line);
    if (l.inner == 1) {
      for (int64_t i = 0; i < l.n; i += kBlock) {
        const int64_t n = l.n - i < kBlock ? l.n - i : kBlock;
        to_keys<kMax>(x + i, keys, n);
        const K m = largest(keys, n);
        const int64_t here = i + place<K, kLast>(keys, m, n);
        const bool takes = i == 0 || (kLast ? m >= best[0] : m > best[0]);
        best[0] = choose(takes, m, best[0]);
        at[0] = choose(takes, here, at[0]);
      }
      a.y[line++] = at[0];
      continue;
    }
    int64_t n = l.inner - line % l.inner;  // neighbouring lines, side by side
    n = n < l.end - line ? n : l.end - line;
    n = n < kBlock ? n : kBlock;
    to_keys<kMax>(x, best, n);
    for (int64_t j = 0; j < n; ++j) at[j] = 0;
    for (int64_t i = 1; i < l.n; ++i) {
      to_keys<kMax>(x + i * l.inner, keys, n);
      take_row<K, kLast>(keys, best, at, i, n);
    }
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
