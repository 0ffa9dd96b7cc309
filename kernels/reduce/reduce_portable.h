// The reductions for every dtype but f32: one element after another, in order, but long runs of floats in sixteen lanes; reduce.cpp makes the rows,
// reduce_any.cu those of a device. See reduce.h.
#pragma once
#include <limits>
#include <type_traits>

#include "kernels/choose.h"
#include "kernels/portable_math.h"
#include "kernels/reduce/loops.h"
#include "runtime/base/half.h"
#include "runtime/base/host_device.h"

namespace tern::portable {

// What T folds in, and back.
template <class T>
using Folded = std::conditional_t<std::is_same_v<T, f16> || std::is_same_v<T, bf16>, float, T>;
template <class T>
TERN_HD inline Folded<T> widen(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return to_f32(v);
  else return v;
}
template <class T>
TERN_HD inline T narrow(Folded<T> v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else return v;
}

// Integers wrap around instead of overflowing.
template <class A>
TERN_HD inline A plus(A a, A b) {
  if constexpr (std::is_floating_point_v<A>) return a + b;
  else return static_cast<A>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
template <class A>
TERN_HD inline A times(A a, A b) {
  if constexpr (std::is_floating_point_v<A>) return a * b;
  else return static_cast<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}
template <class A>
TERN_HD A magnitude(A a) {
  if constexpr (std::is_unsigned_v<A>) return a;
  else if constexpr (std::is_floating_point_v<A>) return a < 0 ? -a : (a == 0 ? A(0) : a);
  else return a < 0 ? static_cast<A>(uint64_t(0) - static_cast<uint64_t>(a)) : a;
}
template <class A>
constexpr A kHighest = std::is_floating_point_v<A> ? std::numeric_limits<A>::infinity() : std::numeric_limits<A>::max();
template <class A>
constexpr A kLowest = std::is_floating_point_v<A> ? static_cast<A>(-kHighest<A>) : std::numeric_limits<A>::lowest();
template <class A>
TERN_HD A root(A a) {
  return static_cast<A>(__builtin_sqrt(static_cast<double>(a)));
}
template <class A>
TERN_HD inline A logarithm(A a) {
  return static_cast<A>(log(static_cast<double>(a)));
}

struct Sum {
  template <class A>
  TERN_HD static A start() {
    return A(0);
  }
  template <class A>
  TERN_HD static A step(A acc, A x, A) {
    return plus(acc, x);
  }
  template <class A>
  TERN_HD static A merge(A a, A b) {
    return plus(a, b);
  }
  template <class A>
  TERN_HD static A finish(A acc, A, int64_t) {
    return acc;
  }
  static constexpr bool kNeedsMax = false, kInLanes = true;
};
struct Mean : Sum {
  template <class A>
  TERN_HD static A finish(A acc, A, int64_t count) {
    if constexpr (std::is_floating_point_v<A>) return acc / static_cast<A>(count);
    else
      return count == 0 ? A(0)
                        : static_cast<A>(static_cast<std::conditional_t<std::is_unsigned_v<A>, uint64_t, int64_t>>(acc) /
                                         static_cast<std::conditional_t<std::is_unsigned_v<A>, uint64_t, int64_t>>(count));
  }
};
struct Max : Sum {
  template <class A>
  TERN_HD static A start() {
    return kLowest<A>;
  }
  template <class A>
  TERN_HD static A step(A acc, A x, A) {
    return choose((acc != acc) | (acc > x), acc, x);
  }
  static constexpr bool kInLanes = false;
};
struct Min : Sum {
  template <class A>
  TERN_HD static A start() {
    return kHighest<A>;
  }
  template <class A>
  TERN_HD static A step(A acc, A x, A) {
    return choose((acc != acc) | (acc < x), acc, x);
  }
  static constexpr bool kInLanes = false;
};
struct Prod : Sum {
  template <class A>
  TERN_HD static A start() {
    return A(1);
  }
  template <class A>
  TERN_HD static A step(A acc, A x, A) {
    return times(acc, x);
  }
  template <class A>
  TERN_HD static A merge(A a, A b) {
    return times(a, b);
  }
};
struct L1 : Sum {
  template <class A>
  TERN_HD static A step(A acc, A x, A) {
    return plus(acc, magnitude(x));
  }
};
struct SumSquare : Sum {
  template <class A>
  TERN_HD static A step(A acc, A x, A) {
    return plus(acc, times(x, x));
  }
};
struct L2 : SumSquare {
  template <class A>
  TERN_HD static A finish(A acc, A, int64_t) {
    return root(acc);
  }
};
struct LogSum : Sum {
  template <class A>
  TERN_HD static A finish(A acc, A, int64_t) {
    return logarithm(acc);
  }
};
struct LogSumExp : Sum {
  template <class A>
  TERN_HD static A step(A acc, A x, A m) {
    if constexpr (std::is_integral_v<A>)
      return plus(acc, static_cast<A>(static_cast<double>(x) == static_cast<double>(m)));  // of a whole exponent <= 0
    else return plus(acc, static_cast<A>(exp(static_cast<double>(x) - static_cast<double>(m))));
  }
  template <class A>
  TERN_HD static A finish(A acc, A m, int64_t) {
    return plus(logarithm(acc), m);
  }
  static constexpr bool kNeedsMax = true, kInLanes = false;
};

// Long runs of floats: lane i % kLanes of each run and a tree, as f32's (reduce.h). One chain would wait for each addition. Shorter runs would take
// longer so: there eight outputs are folded side by side (tuned on Sapphire Rapids).
constexpr int kLanes = 16;
constexpr int64_t kLongRun = 1024;
template <class T, class Op>
TERN_HD inline bool in_lanes(const ReduceArgs& a) {
  return std::is_floating_point_v<Folded<T>> && Op::kInLanes && a.run >= kLongRun;
}
template <class T, class Op>
TERN_HD Folded<T> fold_lanes(const T* x, const ReduceArgs& a, int64_t rows) {
  Folded<T> acc[kLanes];
  for (int l = 0; l < kLanes; ++l) acc[l] = Op::template start<Folded<T>>();
  for (int64_t k = 0; k < rows; ++k) {
    const T* row = x + offset_of(a.reduced, k);  // [run]
    int64_t i = 0;
    for (; i + kLanes <= a.run; i += kLanes) {
      for (int l = 0; l < kLanes; ++l) acc[l] = Op::step(acc[l], widen(row[i + l]), Folded<T>());
    }
    for (int l = 0; l < kLanes; ++l) {  // not as far as the tail: lanes are registers where each is named
      if (i + l < a.run) acc[l] = Op::step(acc[l], widen(row[i + l]), Folded<T>());
    }
  }
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) acc[l] = Op::merge(acc[l], acc[l + width]);
  }
  return acc[0];
}

template <class T, class Op>
TERN_HD Folded<T> fold(const T* x, const ReduceArgs& a, int64_t rows, Folded<T> m) {
  if constexpr (std::is_floating_point_v<Folded<T>> && Op::kInLanes) {
    if (in_lanes<T, Op>(a)) return fold_lanes<T, Op>(x, a, rows);
  }
  auto acc = Op::template start<Folded<T>>();
  for (int64_t k = 0; k < rows; ++k) {
    const T* row = x + offset_of(a.reduced, k);  // [run]
    for (int64_t i = 0; i < a.run; ++i) acc = Op::step(acc, widen(row[i]), m);
  }
  return acc;
}

template <class T, class Op>
TERN_HD T reduce_one(const T* x, const ReduceArgs& a, int64_t rows) {
  Folded<T> m{};
  if constexpr (Op::kNeedsMax) {
    m = fold<T, Max>(x, a, rows, m);
    if constexpr (std::is_floating_point_v<Folded<T>>) m = choose((m == kHighest<Folded<T>>) | (m == kLowest<Folded<T>>), Folded<T>(0), m);
  }
  return narrow<T>(Op::finish(fold<T, Op>(x, a, rows, m), m, a.count));
}

}  // namespace tern::portable
