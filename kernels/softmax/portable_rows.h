// One row of Softmax and LogSoftmax in double (f64, f16, bf16), and of Hardmax, on a device. nvcc includes it.
// Next: portable.cpp, portable.cu.
#pragma once
#include "kernels/choose.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"
#include "kernels/softmax/softmax.h"

namespace tern {
class Launches;
}
namespace tern::portable {

// Element (o, c, i) lies at (o * cols + c) * stride + i: where row `number` begins.
TERN_HD inline int64_t row_begin(const SoftmaxArgs& a, int64_t number) { return number / a.inner * a.cols * a.stride + number % a.inner; }

template <class T, bool kLog>
TERN_HD void softmax_row(const SoftmaxArgs& a, int64_t number) {
  const T* x = static_cast<const T*>(a.x) + row_begin(a, number);  // [cols], stride apart
  T* y = static_cast<T*>(a.y) + row_begin(a, number);
  double m = -__builtin_inf(), sum = 0;
  for (int64_t c = 0; c < a.cols; ++c) {
    const double v = widen(x[c * a.stride]);
    m = select(m < v, v, m);
  }
  for (int64_t c = 0; c < a.cols; ++c) sum += exp(widen(x[c * a.stride]) - m);
  const double log_sum = kLog ? log(sum) : 0;
  for (int64_t c = 0; c < a.cols; ++c) {
    const double centred = widen(x[c * a.stride]) - m;
    y[c * a.stride] = narrow<T>(kLog ? centred - log_sum : exp(centred) / sum);
  }
}

template <class T>
TERN_HD void hardmax_row(const SoftmaxArgs& a, int64_t number) {
  const T* x = static_cast<const T*>(a.x) + row_begin(a, number);  // [cols], stride apart
  T* y = static_cast<T*>(a.y) + row_begin(a, number);
  int64_t best = 0;
  double top = widen(x[0]);
  for (int64_t c = 1; c < a.cols; ++c) {
    const double v = widen(x[c * a.stride]);
    const bool take = (v > top) | ((v != v) & (top == top));
    top = choose(take, v, top);
    best = choose(take, c, best);
  }
  for (int64_t c = 0; c < a.cols; ++c) y[c * a.stride] = choose(c == best, narrow<T>(1.0), narrow<T>(0.0));
}

}  // namespace tern::portable

namespace tern::cuda {
constexpr int kPortableSoftmaxBlock = 64;  // threads, a row each
enum class SoftmaxKind : int32_t { softmax, log_softmax, hardmax };
template <SoftmaxKind kKind, DType kType>
void launch_portable(const SoftmaxArgs& a, Launches& to);
}  // namespace tern::cuda
