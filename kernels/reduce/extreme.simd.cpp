// ReduceMax and ReduceMin of every dtype but f32: what their folds end with is the last of the largest (smallest) elements, and that is searched for
// as ArgMax searches (largest.h). Of several NaN the last is given, where the fold keeps the first. See reduce.h.
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

// Runs of elements that lie together.
template <bool kMax, class T>
T of_runs(const T* x, const ReduceArgs& a, int64_t runs) {
  using K = KeyOf<T>;
  T best = x[place_of_largest<kMax, true>(x, a.run)];
  for (int64_t k = 1; k < runs; ++k) {
    const T* run = x + offset_of(a.reduced, k);  // [run]
    const T v = run[place_of_largest<kMax, true>(run, a.run)];
    best = choose(key_of<kMax, K>(comparable(v)) >= key_of<kMax, K>(comparable(best)), v, best);
  }
  return best;
}
// n <= kKeys outputs side by side.
template <bool kMax, class T>
void of_columns(const T* x, const ReduceArgs& a, int64_t rows, int64_t n, T* y) {
  using K = KeyOf<T>;
  K keys[kKeys], best[kKeys];
  int64_t at[kKeys];
  to_keys<kMax>(x, best, n);
  for (int64_t j = 0; j < n; ++j) at[j] = 0;
  for (int64_t k = 1; k < rows; ++k) {
    to_keys<kMax>(x + offset_of(a.reduced, k), keys, n);
    take_row<K, true>(keys, best, at, k, n);
  }
  for (int64_t j = 0; j < n; ++j) y[j] = x[offset_of(a.reduced, at[j]) + j];
}

template <bool kMax, class T>
void extreme(const ReduceArgs& a) {
  const int64_t folds = count_of(a.reduced);
  for (int64_t o = a.begin; o < a.end; ++o) {
    const T* x = static_cast<const T*>(a.x) + offset_of(a.kept, o);
    T* y = static_cast<T*>(a.y) + o * a.inner;  // [inner]
    if (a.count == 0) {
      for (int64_t j = 0; j < a.inner; ++j) y[j] = of_nothing<kMax, T>();
    } else if (a.inner == 1) {
      *y = of_runs<kMax>(x, a, folds);
    } else {
      for (int64_t j = 0; j < a.inner; j += kKeys) of_columns<kMax>(x + j, a, folds, a.inner - j < kKeys ? a.inner - j : kKeys, y + j);
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
