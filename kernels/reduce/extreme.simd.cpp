// ReduceMax and ReduceMin of every dtype but f32. What their folds end with is the last of the largest (smallest) elements, NaN above all: a row joins
// what came before it, and a run of floats is searched as ArgMax searches (largest.h). Of several NaN any is given. See reduce.h.
#include <limits>

#include "kernels/reduce/largest.h"
#include "kernels/reduce/loops.h"

namespace tern::TERN_ISA {
namespace {

template <bool kMax, class T>
T of_nothing() {
  if constexpr (std::is_same_v<T, f16>) return {static_cast<uint16_t>(kMax ? 0xfc00 : 0x7c00)};
  else if constexpr (std::is_same_v<T, bf16>) return {static_cast<uint16_t>(kMax ? 0xff80 : 0x7f80)};
  else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(kMax ? -__builtin_inf() : __builtin_inf());
  else return kMax ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
}

template <class T>
constexpr bool kFloat = std::is_floating_point_v<T> || std::is_same_v<T, f16> || std::is_same_v<T, bf16>;

// v, or if it is as large x; a NaN is above all.
template <bool kMax, class T>
inline T larger(T x, T v) {
  if constexpr (kFloat<T>) {
    const auto a = comparable(x), b = comparable(v);
    return choose((b != b) | (kMax ? a < b : a > b), v, x);
  } else {
    return kMax ? (x > v ? x : v) : (x < v ? x : v);
  }
}

// Runs of elements that lie together.
template <bool kMax, class T>
[[gnu::noinline]] T of_run(const T* x, int64_t n) {
  if constexpr (kFloat<T>) return x[place_of_largest<kMax, true>(x, n)];
  T best = x[0];
  for (int64_t i = 1; i < n; ++i) best = larger<kMax>(x[i], best);
  return best;
}
template <bool kMax, class T>
T of_runs(const T* x, const ReduceArgs& a, int64_t runs) {
  T best = of_run<kMax>(x, a.run);
  for (int64_t k = 1; k < runs; ++k) best = larger<kMax>(of_run<kMax>(x + offset_of(a.reduced, k), a.run), best);
  return best;
}
// n <= kKeys outputs side by side: kRows rows join what came before them. Of doubles `best` takes what is as large, whatever it is beside a NaN, which
// `nan` keeps: a chain of one step, and a vector or a scalar alike.
template <bool kMax, int kRows, int kBytes>  // of a vector; n is as many doubles at least
[[gnu::noinline]] void join_doubles(const double* const* row, double* __restrict best, uint64_t* __restrict nan, int64_t n) {
  typedef double Doubles __attribute__((vector_size(kBytes)));
  typedef uint64_t Words __attribute__((vector_size(kBytes)));
  constexpr int64_t kDoubles = kBytes / 8;
  for (int64_t j = 0; j < n; j += kDoubles) {
    const int64_t from = j + kDoubles <= n ? j : n - kDoubles;  // what joins a second time changes nothing
    Doubles v, w;
    Words bad;
    __builtin_memcpy(&v, best + from, kBytes);
    __builtin_memcpy(&bad, nan + from, kBytes);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      __builtin_memcpy(&w, row[r] + from, kBytes);
      bad |= (Words)(w != w);
      v = kMax ? (v > w ? v : w) : (v < w ? v : w);
    }
    __builtin_memcpy(best + from, &v, kBytes);
    __builtin_memcpy(nan + from, &bad, kBytes);
  }
}
template <bool kMax, int kRows, class T>
[[gnu::noinline]] void join_rows(const T* const* row, T* __restrict best, uint64_t* nan, int64_t n) {
  if constexpr (std::is_same_v<T, double>) {
    if (n >= kKeyBytes / 8) return join_doubles<kMax, kRows, kKeyBytes>(row, best, nan, n);
    if (n >= 4) return join_doubles<kMax, kRows, 32>(row, best, nan, n);
    if (n >= 2) return join_doubles<kMax, kRows, 16>(row, best, nan, n);
    return join_doubles<kMax, kRows, 8>(row, best, nan, n);
  }
  const T* x[kRows];
  for (int r = 0; r < kRows; ++r) x[r] = row[r];
  for (int64_t j = 0; j < n; ++j) {
    T v = best[j];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) v = larger<kMax>(x[r][j], v);
    best[j] = v;
  }
}
template <bool kMax, class T>
void of_columns(const T* x, const ReduceLoops& reduced, int64_t rows, int64_t n, T* y) {
  constexpr int kRows = 4;
  alignas(64) T best[kKeys];
  alignas(64) uint64_t nan[std::is_same_v<T, double> ? kKeys : 1];
  const T* row[kRows];  // each [n]
  for (int64_t j = 0; j < n; ++j) best[j] = x[j];
  if constexpr (std::is_same_v<T, double>) {
    for (int64_t j = 0; j < n; ++j) nan[j] = uint64_t(0) - uint64_t(x[j] != x[j]);
  }
  int64_t k = 1;
  for (; k + kRows <= rows; k += kRows) {
    for (int r = 0; r < kRows; ++r) row[r] = x + offset_of(reduced, k + r);
    join_rows<kMax, kRows>(row, best, nan, n);
  }
  for (; k < rows; ++k) {
    row[0] = x + offset_of(reduced, k);
    join_rows<kMax, 1>(row, best, nan, n);
  }
  if constexpr (std::is_same_v<T, double>) {
    for (int64_t j = 0; j < n; ++j) y[j] = choose(nan[j] != 0, __builtin_nan(""), best[j]);
  } else {
    for (int64_t j = 0; j < n; ++j) y[j] = best[j];
  }
}

// Runs that are short, one behind the other at equal distances.
template <bool kMax, class T>
void of_short_runs(const ReduceArgs& a) {
  const int64_t apart = a.kept.rank == 0 ? 0 : a.kept.stride[0];
  const ReduceLoops turned_loops{1, {a.run}, {kTurned}};
  T turned[kShort * kTurned];
  for (int64_t o = a.begin; o < a.end; o += kTurned) {
    const int64_t n = a.end - o < kTurned ? a.end - o : kTurned;
    turn_lines(static_cast<const T*>(a.x) + o * apart, apart, a.run, n, turned);
    of_columns<kMax>(turned, turned_loops, a.run, n, static_cast<T*>(a.y) + o);
  }
}

template <bool kMax, class T>
void extreme(const ReduceArgs& a) {
  const int64_t folds = count_of(a.reduced);
  if (a.inner == 1 && folds == 1 && a.run <= kShort && a.count > 0 && a.kept.rank <= 1) return of_short_runs<kMax, T>(a);
  for (int64_t o = a.begin; o < a.end; ++o) {
    const T* x = static_cast<const T*>(a.x) + offset_of(a.kept, o);
    T* y = static_cast<T*>(a.y) + o * a.inner;  // [inner]
    if (a.count == 0) {
      for (int64_t j = 0; j < a.inner; ++j) y[j] = of_nothing<kMax, T>();
    } else if (a.inner == 1) {
      *y = of_runs<kMax>(x, a, folds);
    } else {
      for (int64_t j = 0; j < a.inner; j += kKeys) of_columns<kMax>(x + j, a.reduced, folds, a.inner - j < kKeys ? a.inner - j : kKeys, y + j);
    }
  }
}

template <bool kMax, class T>
constexpr KernelRow extreme_row(const char* name, DType dtype) {
  return row<ReduceArgs, extreme<kMax, T>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<10> reduce_max_any = {{
    extreme_row<true, double>("reduce_max/f64/" TERN_ISA_NAME, DType::f64),
    extreme_row<true, f16>("reduce_max/f16/" TERN_ISA_NAME, DType::f16),
    extreme_row<true, bf16>("reduce_max/bf16/" TERN_ISA_NAME, DType::bf16),
    extreme_row<true, int32_t>("reduce_max/i32/" TERN_ISA_NAME, DType::i32),
    extreme_row<true, int64_t>("reduce_max/i64/" TERN_ISA_NAME, DType::i64),
    extreme_row<true, uint32_t>("reduce_max/u32/" TERN_ISA_NAME, DType::u32),
    extreme_row<true, uint64_t>("reduce_max/u64/" TERN_ISA_NAME, DType::u64),
    extreme_row<true, int8_t>("reduce_max/i8/" TERN_ISA_NAME, DType::i8),
    extreme_row<true, uint8_t>("reduce_max/u8/" TERN_ISA_NAME, DType::u8),
    extreme_row<true, bool>("reduce_max/bool/" TERN_ISA_NAME, DType::boolean),
}};
constinit const Rows<10> reduce_min_any = {{
    extreme_row<false, double>("reduce_min/f64/" TERN_ISA_NAME, DType::f64),
    extreme_row<false, f16>("reduce_min/f16/" TERN_ISA_NAME, DType::f16),
    extreme_row<false, bf16>("reduce_min/bf16/" TERN_ISA_NAME, DType::bf16),
    extreme_row<false, int32_t>("reduce_min/i32/" TERN_ISA_NAME, DType::i32),
    extreme_row<false, int64_t>("reduce_min/i64/" TERN_ISA_NAME, DType::i64),
    extreme_row<false, uint32_t>("reduce_min/u32/" TERN_ISA_NAME, DType::u32),
    extreme_row<false, uint64_t>("reduce_min/u64/" TERN_ISA_NAME, DType::u64),
    extreme_row<false, int8_t>("reduce_min/i8/" TERN_ISA_NAME, DType::i8),
    extreme_row<false, uint8_t>("reduce_min/u8/" TERN_ISA_NAME, DType::u8),
    extreme_row<false, bool>("reduce_min/bool/" TERN_ISA_NAME, DType::boolean),
}};

}  // namespace tern::TERN_ISA
