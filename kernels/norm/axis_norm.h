// LpNormalization, MeanVarianceNormalization and the LRN of any exponent, in double, one result after another: the CPU and a device share them.
// nvcc includes it. Next: axis_norm.cpp, lp.simd.cpp, axis_norm.cu.
#pragma once
#include "kernels/norm/portable.h"
#include "kernels/portable_math.h"
#include "kernels/rows.h"

namespace tern {

class Launches;

// Positions of a tensor along some of its axes, counted row-major.
struct Walk {
  int rank = 0;
  int64_t extent[8], stride[8];
  int64_t count = 1;
  void add(int64_t n, int64_t s) {
    extent[rank] = n;
    stride[rank++] = s;
    count *= n;
  }
  TERN_HD int64_t offset(int64_t i) const {
    int64_t at = 0;
    for (int d = rank - 1; d >= 0; --d) {
      at += i % extent[d] * stride[d];
      i /= extent[d];
    }
    return at;
  }
};

struct WalkArgs {
  const void* x;
  void* y;
  Walk kept, reduced;  // one result a kept position, over all reduced ones
  int64_t begin, end;  // of the kept positions
  int p;
};

struct PortableLrnArgs {
  const void* x;
  void* y;
  int64_t first, rows, channels, inner, before, after;
  double alpha_over_size, beta, bias;
};

TERN_EACH_ISA(extern const Rows<4> lp_norm_any;)  // lp.simd.cpp

namespace norm {

// Kept position k.
template <class T>
TERN_HD void mean_variance(const WalkArgs& a, int64_t k) {
  const T* x = static_cast<const T*>(a.x) + a.kept.offset(k);
  T* y = static_cast<T*>(a.y) + a.kept.offset(k);
  double mean = 0, var = 0;
  for (int64_t i = 0; i < a.reduced.count; ++i) mean += get(x, a.reduced.offset(i));
  mean /= static_cast<double>(a.reduced.count);
  for (int64_t i = 0; i < a.reduced.count; ++i) {
    const double d = get(x, a.reduced.offset(i)) - mean;
    var += d * d;
  }
  const double spread = __builtin_sqrt(var / static_cast<double>(a.reduced.count)) + 1e-9;
  for (int64_t i = 0; i < a.reduced.count; ++i) {
    const int64_t at = a.reduced.offset(i);
    put(y, at, (get(x, at) - mean) / spread);
  }
}
// A term of a p-norm, and the norm from their sum. Where it is 0, all x are, and 0 / 1 is 0. In integers, which no compiler turns into a branch.
TERN_HD inline double lp_term(int p, double v) { return p == 1 ? __builtin_fabs(v) : v * v; }
TERN_HD inline double lp_length(int p, double sum) {
  const double length = p == 1 ? sum : __builtin_sqrt(sum);
  return length + static_cast<double>(static_cast<int64_t>((__builtin_bit_cast(uint64_t, length) - 1) >> 63));
}
// The norms of kept positions k to k + kLines, which begin at `at`: each sum is one chain, and chains side by side do not wait for each other.
template <int kLines, class T>
TERN_HD inline void lp_lengths(const WalkArgs& a, int64_t k, int64_t* at, double* length) {
  const int64_t n = a.reduced.count, stride = a.reduced.stride[0];
  double sum[kLines] = {};
  for (int l = 0; l < kLines; ++l) at[l] = a.kept.offset(k + l);
  const T* x = static_cast<const T*>(a.x);
  for (int64_t i = 0; i < n; ++i) {
    for (int l = 0; l < kLines; ++l) sum[l] += lp_term(a.p, get(x, at[l] + i * stride));
  }
  for (int l = 0; l < kLines; ++l) length[l] = lp_length(a.p, sum[l]);
}
template <class T>
TERN_HD inline void lp(const WalkArgs& a, int64_t k) {
  const int64_t n = a.reduced.count, stride = a.reduced.stride[0];
  int64_t at;
  double length;
  lp_lengths<1, T>(a, k, &at, &length);
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  for (int64_t i = 0; i < n; ++i) put(y, at + i * stride, get(x, at + i * stride) / length);
}

// Element i of a row, which is channel c of an image.
template <class T>
TERN_HD void lrn(const PortableLrnArgs& a, int64_t row, int64_t i) {
  const int64_t c = row % a.channels, low = c < a.before ? 0 : c - a.before, high = c + a.after < a.channels ? c + a.after : a.channels - 1;
  const T* x = static_cast<const T*>(a.x) + (row - c) * a.inner;  // [channels, inner]
  double sum = 0;
  for (int64_t k = low; k <= high; ++k) sum += get(x, k * a.inner + i) * get(x, k * a.inner + i);
  put(static_cast<T*>(a.y), row * a.inner + i, get(x, c * a.inner + i) / portable::pow(a.bias + a.alpha_over_size * sum, a.beta));
}

}  // namespace norm

namespace cuda {
template <DType kType>
void launch_mean_variance(const WalkArgs& a, Launches& to);
template <DType kType>
void launch_lp(const WalkArgs& a, Launches& to);
template <DType kType>
void launch_lrn_pow(const PortableLrnArgs& a, Launches& to);
}  // namespace cuda

}  // namespace tern
