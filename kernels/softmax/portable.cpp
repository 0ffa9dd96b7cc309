// Softmax and LogSoftmax of f64, f16 and bf16 (in double, rounded once), and Hardmax, which only compares. See softmax.h.
#include <algorithm>
#include <limits>

#include "kernels/choose.h"
#include "kernels/portable_math.h"
#include "kernels/softmax/softmax.h"
#include "runtime/base/half.h"

namespace tern::portable {
namespace {

double widen(double v) { return v; }
double widen(float v) { return v; }
double widen(f16 v) { return to_f32(v); }
double widen(bf16 v) { return to_f32(v); }
template <class T>
T narrow(double v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else return static_cast<T>(v);
}

// f(x, y) for each row: both with `cols` elements, a.stride apart.
template <class T, class F>
void each_row(const SoftmaxArgs& a, F f) {
  for (int64_t o = 0; o < a.outer; ++o) {
    for (int64_t i = 0; i < a.inner; ++i) {
      const int64_t at = o * a.cols * a.stride + i;
      f(static_cast<const T*>(a.x) + at, static_cast<T*>(a.y) + at);
    }
  }
}

template <class T, bool kLog>
void softmax(const SoftmaxArgs& a) {
  each_row<T>(a, [&](const T* x, T* y) {
    double m = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t c = 0; c < a.cols; ++c) m = std::max(m, widen(x[c * a.stride]));
    for (int64_t c = 0; c < a.cols; ++c) sum += exp(widen(x[c * a.stride]) - m);
    const double log_sum = kLog ? log(sum) : 0;
    for (int64_t c = 0; c < a.cols; ++c) {
      const double centred = widen(x[c * a.stride]) - m;
      y[c * a.stride] = narrow<T>(kLog ? centred - log_sum : exp(centred) / sum);
    }
  });
}

template <class T>
void hardmax(const SoftmaxArgs& a) {
  each_row<T>(a, [&](const T* x, T* y) {
    int64_t best = 0;
    double top = widen(x[0]);
    for (int64_t c = 1; c < a.cols; ++c) {
      const double v = widen(x[c * a.stride]);
      const bool take = (v > top) | ((v != v) & (top == top));
      top = choose(take, v, top);
      best = choose(take, c, best);
    }
    for (int64_t c = 0; c < a.cols; ++c) y[c * a.stride] = choose(c == best, narrow<T>(1.0), narrow<T>(0.0));
  });
}

}  // namespace

constinit const KernelRow kSoftmax[] = {
    row<SoftmaxArgs, softmax<double, false>>("softmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, softmax<f16, false>>("softmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, softmax<bf16, false>>("softmax/bf16/scalar", DType::bf16, Isa::scalar),
};
constinit const KernelRow kLogSoftmax[] = {
    row<SoftmaxArgs, softmax<double, true>>("log_softmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, softmax<f16, true>>("log_softmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, softmax<bf16, true>>("log_softmax/bf16/scalar", DType::bf16, Isa::scalar),
};
constinit const KernelRow kHardmax[] = {
    row<SoftmaxArgs, hardmax<float>>("hardmax/f32/scalar", DType::f32, Isa::scalar),
    row<SoftmaxArgs, hardmax<double>>("hardmax/f64/scalar", DType::f64, Isa::scalar),
    row<SoftmaxArgs, hardmax<f16>>("hardmax/f16/scalar", DType::f16, Isa::scalar),
    row<SoftmaxArgs, hardmax<bf16>>("hardmax/bf16/scalar", DType::bf16, Isa::scalar),
};

}  // namespace tern::portable
