// The search for the largest element (or the smallest), NaN above all: elements become integers in whose order the one that is looked for is the
// largest (key.h), a block at a time, and then all is plain loops over integers that the compiler vectorises (-O3, CMakeLists.txt): the same
// instructions whatever the values are. The order is arg_takes' (lines_device.h). [[gnu::noinline]]: one loop for all dtypes.
// Included by *.simd.cpp only. Next: arg.simd.cpp, extreme.simd.cpp, softmax/hardmax.simd.cpp, pool/plain.simd.cpp.
#pragma once
#include <limits>

#include "kernels/reduce/key.h"

namespace tern::TERN_ISA {
namespace {

constexpr int64_t kKeys = 256;  // of a block

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;

template <bool kMax, class T, class K>
[[gnu::noinline]] void to_keys(const T* x, K* __restrict keys, int64_t n) {
  for (int64_t i = 0; i < n; ++i) keys[i] = key_of<kMax, K>(comparable(x[i]));
}
template <class K>
[[gnu::noinline]] K largest(const K* keys, int64_t n) {
  K m = keys[0];
  for (int64_t i = 1; i < n; ++i) m = m > keys[i] ? m : keys[i];
  return m;
}
template <class K, bool kLast>
[[gnu::noinline]] int32_t place(const K* keys, K key, int64_t n) {
  int32_t at = kLast ? -1 : static_cast<int32_t>(n);
  for (int32_t i = 0; i < static_cast<int32_t>(n); ++i) {
    const int32_t here = keys[i] == key ? i : kLast ? -1 : static_cast<int32_t>(kKeys);
    at = kLast ? (at > here ? at : here) : (at < here ? at : here);
  }
  return at;
}
template <class K, bool kLast>
[[gnu::noinline]] void take_row(const K* __restrict keys, K* __restrict best, int64_t* __restrict at, int64_t row, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    const bool takes = kLast ? keys[j] >= best[j] : keys[j] > best[j];
    best[j] = choose(takes, keys[j], best[j]);
    at[j] = choose(takes, row, at[j]);
  }
}

// m ? yes : no of vectors. Where there is no instruction for it, compilers make a branch for each element, on the data.
template <class M, class V>
inline V pick(M m, V yes, V no) {
#if defined(__AVX2__) || defined(TERN_NEON)
  return m ? yes : no;
#else
  return (V)(((M)yes & m) | ((M)no & ~m));
#endif
}

#if defined(__AVX512F__)
constexpr int kKeyBytes = 64;  // of a vector
#else
constexpr int kKeyBytes = 32;
#endif
// Of float and double, count >= kKeyLanes: each lane of a vector searches its own elements, then the lanes are searched. One pass.
template <class T>
constexpr int64_t kKeyLanes = kKeyBytes / static_cast<int64_t>(sizeof(T));
template <bool kMax, bool kLast, class T>
int64_t place_by_lanes(const T* x, int64_t count) {
  using K = KeyOf<T>;
  typedef K Keys __attribute__((vector_size(kKeyBytes)));
  typedef T Elements __attribute__((vector_size(kKeyBytes)));
  constexpr K kLeast = std::numeric_limits<K>::min(), kMost = std::numeric_limits<K>::max();
  const K inf = __builtin_bit_cast(K, static_cast<T>(__builtin_inf()));
  Keys best = Keys{} + kLeast, place{}, lane{};
  for (int l = 0; l < kKeyLanes<T>; ++l) lane[l] = static_cast<K>(l);
  for (int64_t i = 0; i < count; i += kKeyLanes<T>) {
    const int64_t from = i + kKeyLanes<T> <= count ? i : count - kKeyLanes<T>;  // the last vector overlaps the one before it
    Elements v;
    __builtin_memcpy(&v, x + from, sizeof v);
    const Keys u = (Keys)(v + T(0)), ordered = u ^ ((u < 0) & kMost);  // key.h
    const Keys key = pick((u & kMost) > inf, Keys{} + kMost, kMax ? ordered : ~ordered);
    const Keys takes = kLast ? key >= best : key > best;
    place = pick(takes, lane + static_cast<K>(from), place);
    best = pick(takes, key, best);
  }
  K keys[kKeyLanes<T>], places[kKeyLanes<T>], most = kLeast, at = kLast ? -1 : kMost;
  __builtin_memcpy(keys, &best, sizeof best);
  __builtin_memcpy(places, &place, sizeof place);
  for (int l = 0; l < kKeyLanes<T>; ++l) most = most > keys[l] ? most : keys[l];
  for (int l = 0; l < kKeyLanes<T>; ++l) {
    const K here = choose(keys[l] == most, places[l], kLast ? K(-1) : kMost);
    at = kLast ? (at > here ? at : here) : (at < here ? at : here);
  }
  return at;
}

// Where the largest of n > 0 elements is that lie together: the first, or the last.
template <bool kMax, bool kLast, class T>
int64_t place_of_largest(const T* x, int64_t count) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    if (count >= kKeyLanes<T> && count <= INT32_MAX) return place_by_lanes<kMax, kLast>(x, count);
  }
  using K = KeyOf<T>;
  K keys[kKeys], best = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < count; i += kKeys) {
    const int64_t n = count - i < kKeys ? count - i : kKeys;
    to_keys<kMax>(x + i, keys, n);
    const K m = largest(keys, n);
    const int64_t here = i + place<K, kLast>(keys, m, n);
    const bool takes = i == 0 || (kLast ? m >= best : m > best);
    best = choose(takes, m, best);
    at = choose(takes, here, at);
  }
  return at;
}
// The same of n <= kKeys lines side by side, of `count` elements each, `stride` apart.
template <bool kMax, bool kLast, class T>
void places_of_largest(const T* x, int64_t count, int64_t stride, int64_t n, int64_t* at) {
  using K = KeyOf<T>;
  K keys[kKeys], best[kKeys];
  to_keys<kMax>(x, best, n);
  for (int64_t j = 0; j < n; ++j) at[j] = 0;
  for (int64_t i = 1; i < count; ++i) {
    to_keys<kMax>(x + i * stride, keys, n);
    take_row<K, kLast>(keys, best, at, i, n);
  }
}

// Short lines that lie together, of n <= kShort elements: `count` of them, `apart` elements from one to the next, as lines side by side, kTurned elements
// apart, so that one loop searches all of them.
constexpr int64_t kShort = 32, kTurned = 64;
template <class T>
[[gnu::noinline]] void turn_lines(const T* x, int64_t apart, int64_t n, int64_t count, T* __restrict turned) {
  for (int64_t l = 0; l < count; ++l) {
    for (int64_t i = 0; i < n; ++i) turned[i * kTurned + l] = x[l * apart + i];
  }
}

}  // namespace
}  // namespace tern::TERN_ISA
