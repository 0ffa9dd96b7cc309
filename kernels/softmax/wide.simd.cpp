// Softmax and LogSoftmax of f64, f16 and bf16: in double, c ascending, rounded once. The loops over exponentials and quotients are the compiler's
// (-O3, CMakeLists.txt); the sum of a line that lies together is one chain. The bits are those of softmax_row (portable_rows.h). See softmax.h.
#include "kernels/elementwise/wide.h"

#include "kernels/portable_math.h"
#include "kernels/reduce/largest.h"
#include "kernels/softmax/softmax.h"

namespace tern::TERN_ISA {
namespace {

// v = x - m; one m for all, or (m_step 1) one for each.
template <class T>
[[gnu::noinline]] void centre(const T* __restrict x, const double* __restrict m, int64_t m_step, double* __restrict v, int64_t n) {
  widen_block(x, v, n);
  if (m_step == 0) {
    const double middle = *m;
    for (int64_t i = 0; i < n; ++i) v[i] -= middle;
  } else {
    for (int64_t i = 0; i < n; ++i) v[i] -= m[i];
  }
}
[[gnu::noinline, gnu::flatten]] void exponentials(double* v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = portable::exp(v[i]);
}
[[gnu::noinline, gnu::flatten]] void logarithms(double* v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) v[i] = portable::log(v[i]);
}
template <bool kLog>
[[gnu::noinline]] void finish(double* __restrict v, const double* __restrict last, int64_t last_step, int64_t n) {
  if (last_step == 0) {
    const double by = *last;
    for (int64_t i = 0; i < n; ++i) v[i] = kLog ? v[i] - by : v[i] / by;
  } else {
    for (int64_t i = 0; i < n; ++i) v[i] = kLog ? v[i] - last[i] : v[i] / last[i];
  }
}

template <class T, bool kLog>
void line(const T* x, T* y, int64_t cols) {  // [cols]
  const double m = widen(x[place_of_largest<true, false>(x, cols)]);
  double v[kBlock], sum = 0;
  for (int64_t c = 0; c < cols; c += kBlock) {
    const int64_t n = cols - c < kBlock ? cols - c : kBlock;
    centre(x + c, &m, 0, v, n);
    exponentials(v, n);
    for (int64_t i = 0; i < n; ++i) sum += v[i];
  }
  if (kLog) logarithms(&sum, 1);
  for (int64_t c = 0; c < cols; c += kBlock) {
    const int64_t n = cols - c < kBlock ? cols - c : kBlock;
    centre(x + c, &m, 0, v, n);
    if (!kLog) exponentials(v, n);
    finish<kLog>(v, &sum, 0, n);
    narrow_block(v, y + c, n);
  }
}

// n <= kBlock of them side by side, rows `stride` apart.
template <class T, bool kLog>
void lines(const T* x, T* y, int64_t cols, int64_t stride, int64_t n) {
  int64_t at[kKeys];
  double m[kBlock], v[kBlock], last[kBlock];
  places_of_largest<true, false>(x, cols, stride, n, at);
  for (int64_t j = 0; j < n; ++j) m[j] = widen(x[at[j] * stride + j]), last[j] = 0;
  for (int64_t c = 0; c < cols; ++c) {
    centre(x + c * stride, m, 1, v, n);
    exponentials(v, n);
    for (int64_t j = 0; j < n; ++j) last[j] += v[j];
  }
  if (kLog) logarithms(last, n);
  for (int64_t c = 0; c < cols; ++c) {
    centre(x + c * stride, m, 1, v, n);
    if (!kLog) exponentials(v, n);
    finish<kLog>(v, last, 1, n);
    narrow_block(v, y + c * stride, n);
  }
}

template <class T, bool kLog>
void softmax(const SoftmaxArgs& a) {
  static_assert(kBlock == kKeys);
  for (int64_t o = 0; o < a.outer; ++o) {
    const T* x = static_cast<const T*>(a.x) + o * a.cols * a.stride;  // [cols, inner], rows stride apart
    T* y = static_cast<T*>(a.y) + o * a.cols * a.stride;
    if (a.stride == 1) {
      line<T, kLog>(x, y, a.cols);
      continue;
    }
    for (int64_t i = 0; i < a.inner; i += kBlock) lines<T, kLog>(x + i, y + i, a.cols, a.stride, a.inner - i < kBlock ? a.inner - i : kBlock);
  }
}

template <class T, bool kLog>
constexpr KernelRow softmax_row_of(const char* name, DType dtype) {
  return row<SoftmaxArgs, softmax<T, kLog>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<3> softmax_wide = {{
    softmax_row_of<double, false>("softmax/f64/" TERN_ISA_NAME, DType::f64),
    softmax_row_of<f16, false>("softmax/f16/" TERN_ISA_NAME, DType::f16),
    softmax_row_of<bf16, false>("softmax/bf16/" TERN_ISA_NAME, DType::bf16),
}};
constinit const Rows<3> log_softmax_wide = {{
    softmax_row_of<double, true>("log_softmax/f64/" TERN_ISA_NAME, DType::f64),
    softmax_row_of<f16, true>("log_softmax/f16/" TERN_ISA_NAME, DType::f16),
    softmax_row_of<bf16, true>("log_softmax/bf16/" TERN_ISA_NAME, DType::bf16),
}};

}  // namespace tern::TERN_ISA
