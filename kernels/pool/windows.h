// One output of a pool of plain tensors, for every dtype: the CPU and a device share it. See pool.h for the arithmetic. nvcc includes it.
// Next: portable.cpp, pool.cu.
#pragma once
#include <limits>
#include <type_traits>

#include "kernels/choose.h"
#include "kernels/pool/portable.h"
#include "kernels/portable_math.h"
#include "runtime/base/half.h"

namespace tern::pool {

template <class T>
constexpr bool kHalf = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
// What T is pooled in.
template <class T>
using Wide = std::conditional_t<kHalf<T>, float, T>;

template <class T>
TERN_HD inline Wide<T> widen(T v) {
  if constexpr (kHalf<T>) return to_f32(v);
  else return v;
}
template <class T>
TERN_HD inline T narrow(Wide<T> v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else return v;
}
template <class W>
constexpr W kLowest = std::numeric_limits<W>::has_infinity ? static_cast<W>(-std::numeric_limits<W>::infinity()) : std::numeric_limits<W>::lowest();

template <class W>
TERN_HD inline bool takes_over(W x, W v) {
  return (x > v) | (x != x);
}

// The terms of a p-norm, and what their sum becomes: exact operations for p = 1 and 2.
struct Power {
  int64_t p;
  template <class W>
  TERN_HD W raised(W x) const {
    const W magnitude = choose(x < 0, static_cast<W>(-x), x);
    if (p == 1) return magnitude;
    if (p == 2) return x * x;
    const double a = static_cast<double>(magnitude);
    return static_cast<W>(p < 64 ? by_squaring(a) : portable::pow(a, static_cast<double>(p)));
  }
  // What portable::pow does with such exponents, without what it does for others.
  TERN_HD double by_squaring(double a) const {
    double product = 1;
    for (int64_t rest = p; rest != 0; rest >>= 1, a = a * a) {
      if ((rest & 1) != 0) product = product * a;
    }
    return product;
  }
  template <class W>
  TERN_HD W root(W sum) const {
    if (p == 1) return sum;
    if (p > 2) return static_cast<W>(portable::pow(static_cast<double>(sum), 1.0 / static_cast<double>(p)));
    if constexpr (sizeof(W) == 4) return __builtin_sqrtf(sum);
    else return __builtin_sqrt(sum);
  }
};

// The taps [first, last) of one axis that fall inside x, and how many fall inside the padded x.
template <class Int>
struct Taps {
  Int first, last, padded, at;
};
template <class Int>
TERN_HD inline Taps<Int> taps(const PoolWindow<Int>& w, int axis, Int o) {
  const Int d = w.dilation[axis], at = o * w.stride[axis] - w.begin[axis];
  auto below = [&](Int limit) {
    const Int n = limit <= at ? 0 : (limit - at + d - 1) / d;
    return n < w.kernel[axis] ? n : w.kernel[axis];
  };
  const Int last = below(w.in[axis]), first = at < 0 ? (-at + d - 1) / d : 0;
  return {first < last ? first : last, last, below(w.in[axis] + w.end[axis]), at};
}

// f(position in the plane) for every tap inside x, in order.
template <class Int, class F>
TERN_HD inline void each_place(const PoolWindow<Int>& w, const Taps<Int>& d, const Taps<Int>& h, const Taps<Int>& k, F f) {
  if (h.first >= h.last || k.first >= k.last) return;  // the other axes may be of any extent
  for (Int z = d.first; z < d.last; ++z) {
    for (Int y = h.first; y < h.last; ++y) {
      const Int row = ((d.at + z * w.dilation[0]) * w.in[1] + h.at + y * w.dilation[1]) * w.in[2] + k.at;
      for (Int i = k.first; i < k.last; ++i) f(row + i * w.dilation[2]);
    }
  }
}
// f(element, position in the plane)
template <class T, class Int, class F>
TERN_HD inline void each_tap(const PoolWindow<Int>& w, const T* plane, const Taps<Int>& d, const Taps<Int>& h, const Taps<Int>& k, F f) {
  each_place(w, d, h, k, [&](Int place) { f(widen(plane[place]), place); });
}
// What the sum of a window is divided by.
template <class Int>
TERN_HD inline int64_t taps_of_mean(bool include_pad, const Taps<Int>& d, const Taps<Int>& h, const Taps<Int>& k) {
  if (include_pad) return static_cast<int64_t>(d.padded) * h.padded * k.padded;
  return static_cast<int64_t>(d.last - d.first) * (h.last - h.first) * (k.last - k.first);
}

template <class Int>
TERN_HD int64_t column_major(const PoolWindow<Int>& w, Int at) {
  const int64_t x = at % w.in[2], y = at / w.in[2] % w.in[1], z = at / w.in[2] / w.in[1];
  return z + w.in[0] * (y + w.in[1] * x);
}

// One output of MaxPool; position -1 when no tap falls inside x.
template <class T, class Int>
struct Best {
  Wide<T> v = kLowest<Wide<T>>;
  Int position = -1;
};
template <class T, class Int>
TERN_HD Best<T, Int> best_of(const PoolWindow<Int>& w, const T* plane, const Taps<Int>& d, const Taps<Int>& h, const Taps<Int>& k) {
  Best<T, Int> best;
  each_tap(w, plane, d, h, k, [&](Wide<T> x, Int position) {
    const bool take = takes_over(x, best.v) | (best.position < 0);
    best = {choose(take, x, best.v), choose(take, position, best.position)};
  });
  return best;
}

template <class T, class Int>
TERN_HD T mean_of(const PoolWindow<Int>& w, bool include_pad, const T* plane, const Taps<Int>& d, const Taps<Int>& h, const Taps<Int>& k) {
  Wide<T> sum = 0;
  each_tap(w, plane, d, h, k, [&](Wide<T> x, Int) { sum += x; });
  return narrow<T>(sum / static_cast<Wide<T>>(taps_of_mean(include_pad, d, h, k)));
}
template <class T, class Int>
TERN_HD T norm_of(const PoolWindow<Int>& w, const Power& power, const T* plane, const Taps<Int>& d, const Taps<Int>& h, const Taps<Int>& k) {
  Wide<T> sum = 0;
  each_tap(w, plane, d, h, k, [&](Wide<T> x, Int) { sum += power.raised(x); });
  return narrow<T>(power.root(sum));
}

// A row of a plane, and how the rows come together: the Global* pools.
template <class T, PoolKind kKind>
constexpr Wide<T> kGlobalStart = kKind == PoolKind::global_max ? kLowest<Wide<T>> : Wide<T>(0);
template <class T, PoolKind kKind>
TERN_HD Wide<T> global_row(const T* row, int64_t cols, const Power& power) {
  Wide<T> v = kGlobalStart<T, kKind>;
  for (int64_t i = 0; i < cols; ++i) {
    const Wide<T> x = widen(row[i]);
    if constexpr (kKind == PoolKind::global_max) v = choose(takes_over(x, v), x, v);
    else if constexpr (kKind == PoolKind::global_mean) v += x;
    else v += power.raised(x);
  }
  return v;
}
template <class T, PoolKind kKind>
TERN_HD Wide<T> global_join(Wide<T> total, Wide<T> row) {
  if constexpr (kKind == PoolKind::global_max) return choose(takes_over(row, total), row, total);
  else return total + row;
}
template <class T, PoolKind kKind>
TERN_HD T global_end(Wide<T> total, int64_t count, const Power& power) {
  if constexpr (kKind == PoolKind::global_mean) total /= static_cast<Wide<T>>(count);
  if constexpr (kKind == PoolKind::global_norm) total = power.root(total);
  return narrow<T>(total);
}

}  // namespace tern::pool
