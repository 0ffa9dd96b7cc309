// Hardmax: a search for the first largest element (reduce/largest.h), then zeros and a one. See softmax.h.
#include "kernels/elementwise/portable.h"
#include "kernels/reduce/largest.h"
#include "kernels/softmax/softmax.h"

namespace tern::TERN_ISA {
namespace {

template <class T>
[[gnu::noinline]] void clear_line(T* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = narrow<T>(0.0);
}
template <class T>
[[gnu::noinline]] void mark_row(const int64_t* at, int64_t row, T* y, int64_t n) {
  const T one = narrow<T>(1.0), none = narrow<T>(0.0);
  for (int64_t j = 0; j < n; ++j) y[j] = choose(at[j] == row, one, none);
}

// Short rows that lie together.
template <class T>
void hardmax_short(const SoftmaxArgs& a) {
  T turned[kShort * kTurned];
  int64_t at[kTurned];
  for (int64_t o = 0; o < a.outer; o += kTurned) {
    const int64_t n = a.outer - o < kTurned ? a.outer - o : kTurned;
    const T* x = static_cast<const T*>(a.x) + o * a.cols;  // [n, cols]
    T* y = static_cast<T*>(a.y) + o * a.cols;
    turn_lines(x, a.cols, a.cols, n, turned);
    places_of_largest<true, false>(turned, a.cols, kTurned, n, at);
    clear_line(y, n * a.cols);
    for (int64_t r = 0; r < n; ++r) y[r * a.cols + at[r]] = narrow<T>(1.0);
  }
}

template <class T>
void hardmax(const SoftmaxArgs& a) {
  if (a.stride == 1 && a.cols <= kShort) return hardmax_short<T>(a);
  int64_t at[kKeys];
  for (int64_t o = 0; o < a.outer; ++o) {
    const T* x = static_cast<const T*>(a.x) + o * a.cols * a.stride;  // [cols, inner], rows stride apart
    T* y = static_cast<T*>(a.y) + o * a.cols * a.stride;
    if (a.stride == 1) {
      const int64_t first = place_of_largest<true, false>(x, a.cols);
      clear_line(y, a.cols);
      y[first] = narrow<T>(1.0);
      continue;
    }
    for (int64_t i = 0; i < a.inner; i += kKeys) {
      const int64_t n = a.inner - i < kKeys ? a.inner - i : kKeys;
      places_of_largest<true, false>(x + i, a.cols, a.stride, n, at);
      for (int64_t c = 0; c < a.cols; ++c) mark_row(at, c, y + c * a.stride + i, n);
    }
  }
}

template <class T>
constexpr KernelRow hardmax_row(const char* name, DType dtype) {
  return row<SoftmaxArgs, hardmax<T>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<4> hardmax_any = {{
    hardmax_row<float>("hardmax/f32/" TERN_ISA_NAME, DType::f32),
    hardmax_row<double>("hardmax/f64/" TERN_ISA_NAME, DType::f64),
    hardmax_row<f16>("hardmax/f16/" TERN_ISA_NAME, DType::f16),
    hardmax_row<bf16>("hardmax/bf16/" TERN_ISA_NAME, DType::bf16),
}};

}  // namespace tern::TERN_ISA
