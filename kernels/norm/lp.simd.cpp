// LpNormalization's kernels: the loops of axis_norm.h, which the compiler vectorises for each ISA (-O3, CMakeLists.txt). See axis_norm.cpp.
#include "kernels/apart.h"
#include "kernels/norm/axis_norm.h"

namespace tern::TERN_ISA {
namespace {

// x / length, rounded as a division rounds: the nearest double to 1 / length makes a quotient, and twice what is left over, which fma has exactly, corrects
// it (Markstein 1990; the second time all that is wrong with it is its rounding). An eighth of the time of a division. Of what is no double, so that
// nothing is near the ends of their exponents. An infinite length leaves nothing to be corrected.
template <class T>
inline double quotient(double x, double length, [[maybe_unused]] double inverse) {
#if defined(__FMA__) || defined(TERN_NEON)
  if constexpr (!std::is_same_v<T, double>) {
    const double q = x * inverse;
    const double once = __builtin_fma(__builtin_fma(-q, length, x), inverse, q);
    const double twice = __builtin_fma(__builtin_fma(-once, length, x), inverse, once);
    return portable::select(length < __builtin_inf(), twice, q);  // no branch: a length that is NaN would take another way
  }
#endif
  return x / length;
}

// n <= kSide lines that lie side by side, each in its order.
constexpr int64_t kSide = 128;
template <class T>
[[gnu::noinline, gnu::flatten]] void lp_side(const WalkArgs& a, const T* x, T* y, int64_t n) {
  const int64_t count = a.reduced.count, stride = a.reduced.stride[0];
  const int p = a.p;
  double length[kSide] = {};
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < n; ++j) length[j] += norm::lp_term(p, norm::get(x + i * stride, j));
  }
  double inverse[kSide];
  for (int64_t j = 0; j < n; ++j) length[j] = norm::lp_length(p, length[j]);
  for (int64_t j = 0; j < n; ++j) inverse[j] = 1 / length[j];
  for (int64_t i = 0; i < count; ++i) {
    TERN_APART  // y may be x
        for (int64_t j = 0; j < n; ++j) norm::put(y + i * stride, j, quotient<T>(norm::get(x + i * stride, j), length[j], inverse[j]));
  }
}

template <class T>
[[gnu::noinline, gnu::flatten]] void divide_line(const T* x, T* y, int64_t n, double length) {
  const double inverse = 1 / length;
  TERN_APART  // y may be x
      for (int64_t i = 0; i < n; ++i) norm::put(y, i, quotient<T>(norm::get(x, i), length, inverse));
}

// Additions take three cycles and more, two of them begin in each: eight lines at a time.
template <int kLines, class T>
[[gnu::flatten]] void lp_some(const WalkArgs& a, int64_t k) {
  int64_t at[kLines];
  double length[kLines];
  norm::lp_lengths<kLines, T>(a, k, at, length);
  for (int l = 0; l < kLines; ++l) divide_line(static_cast<const T*>(a.x) + at[l], static_cast<T*>(a.y) + at[l], a.reduced.count, length[l]);
}
template <class T>
void lp_lines(const WalkArgs& a) {
  int64_t k = a.begin;
  for (; k + 8 <= a.end; k += 8) lp_some<8, T>(a, k);
  for (; k < a.end; ++k) lp_some<1, T>(a, k);
}
template <class T>
void lp(const WalkArgs& a) {
  const int64_t stride = a.reduced.stride[0];
  if (stride == 1) return lp_lines<T>(a);
  for (int64_t k = a.begin, n; k < a.end; k += n) {
    n = stride - k % stride;
    n = n < a.end - k ? n : a.end - k;
    n = n < kSide ? n : kSide;
    const int64_t at = a.kept.offset(k);
    lp_side(a, static_cast<const T*>(a.x) + at, static_cast<T*>(a.y) + at, n);
  }
}

}  // namespace

constinit const Rows<4> lp_norm_any = {{
    row<WalkArgs, lp<double>>("lp_norm/f64/" TERN_ISA_NAME, DType::f64, Isa::TERN_ISA),
    row<WalkArgs, lp<float>>("lp_norm/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA),
    row<WalkArgs, lp<f16>>("lp_norm/f16/" TERN_ISA_NAME, DType::f16, Isa::TERN_ISA),
    row<WalkArgs, lp<bf16>>("lp_norm/bf16/" TERN_ISA_NAME, DType::bf16, Isa::TERN_ISA),
}};

}  // namespace tern::TERN_ISA
