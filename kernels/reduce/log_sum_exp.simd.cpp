// ReduceLogSumExp of every float but f32: the exponentials of a block in a loop that the compiler vectorises (-O3, CMakeLists.txt), then their sum in
// order, as reduce_portable.h folds. See reduce.h.
#include "kernels/reduce/reduce_portable.h"

namespace tern::TERN_ISA {
namespace {

using portable::Folded;
using portable::LogSumExp;
using portable::Max;

constexpr int64_t kBlock = 256;

template <class F>
F finite_or_zero(F m) {
  return choose((m == portable::kHighest<F>) | (m == portable::kLowest<F>), F(0), m);
}
template <class T, class F>
[[gnu::noinline, gnu::flatten]] void exponentials(const T* __restrict x, const F* __restrict m, int64_t m_step, F* __restrict e, int64_t n) {
  if (m_step == 0) {
    const auto from = static_cast<double>(*m);
    for (int64_t i = 0; i < n; ++i) e[i] = static_cast<F>(portable::exp(static_cast<double>(portable::widen(x[i])) - from));
  } else {
    for (int64_t i = 0; i < n; ++i) e[i] = static_cast<F>(portable::exp(static_cast<double>(portable::widen(x[i])) - static_cast<double>(m[i])));
  }
}

// Runs of elements that lie together.
template <class T>
T of_runs(const T* x, const ReduceArgs& a, int64_t runs) {
  using F = Folded<T>;
  F m = portable::kLowest<F>, sum = 0, e[kBlock];
  for (int64_t k = 0; k < runs; ++k) {
    const T* row = x + offset_of(a.reduced, k);
    for (int64_t i = 0; i < a.run; ++i) m = Max::step(m, portable::widen(row[i]), m);
  }
  m = finite_or_zero(m);
  for (int64_t k = 0; k < runs; ++k) {
    const T* row = x + offset_of(a.reduced, k);
    for (int64_t i = 0; i < a.run; i += kBlock) {
      const int64_t n = a.run - i < kBlock ? a.run - i : kBlock;
      exponentials(row + i, &m, 0, e, n);
      for (int64_t j = 0; j < n; ++j) sum = sum + e[j];
    }
  }
  return portable::narrow<T>(LogSumExp::finish(sum, m, a.count));
}
// n <= kBlock outputs side by side.
template <class T>
void of_columns(const T* x, const ReduceArgs& a, int64_t rows, int64_t n, T* y) {
  using F = Folded<T>;
  F m[kBlock], sum[kBlock] = {}, e[kBlock];
  for (int64_t j = 0; j < n; ++j) m[j] = portable::kLowest<F>;
  for (int64_t k = 0; k < rows; ++k) {
    const T* row = x + offset_of(a.reduced, k);
    for (int64_t j = 0; j < n; ++j) m[j] = Max::step(m[j], portable::widen(row[j]), m[j]);
  }
  for (int64_t j = 0; j < n; ++j) m[j] = finite_or_zero(m[j]);
  for (int64_t k = 0; k < rows; ++k) {
    exponentials(x + offset_of(a.reduced, k), m, 1, e, n);
    for (int64_t j = 0; j < n; ++j) sum[j] = sum[j] + e[j];
  }
  for (int64_t j = 0; j < n; ++j) y[j] = portable::narrow<T>(LogSumExp::finish(sum[j], m[j], a.count));
}
template <class T>
void log_sum_exp(const ReduceArgs& a) {
  const int64_t folds = count_of(a.reduced);
  for (int64_t o = a.begin; o < a.end; ++o) {
    const T* x = static_cast<const T*>(a.x) + offset_of(a.kept, o);
    T* y = static_cast<T*>(a.y) + o * a.inner;  // [inner]
    if (a.inner == 1) *y = of_runs(x, a, folds);
    else
      for (int64_t j = 0; j < a.inner; j += kBlock) of_columns(x + j, a, folds, a.inner - j < kBlock ? a.inner - j : kBlock, y + j);
  }
}

template <class T>
constexpr KernelRow float_row(const char* name, DType dtype) {
  return row<ReduceArgs, log_sum_exp<T>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<3> reduce_log_sum_exp_any = {{
    float_row<double>("reduce_log_sum_exp/f64/" TERN_ISA_NAME, DType::f64),
    float_row<f16>("reduce_log_sum_exp/f16/" TERN_ISA_NAME, DType::f16),
    float_row<bf16>("reduce_log_sum_exp/bf16/" TERN_ISA_NAME, DType::bf16),
}};

}  // namespace tern::TERN_ISA
