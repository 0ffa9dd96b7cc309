// TopK: the k best so far in a heap whose root is the worst of them; of the elements that follow only those get in that are better, which a loop over
// keys asks of thirty-two at once (-O3, CMakeLists.txt). Then the heap is taken apart, the worst first. An element and its place are one integer, so
// that equal ones keep their order. See reduce.h.
#include "kernels/reduce/largest.h"
#include "kernels/reduce/reduce.h"

namespace tern::TERN_ISA {
namespace {

// The better the larger: a key (key.h) above, and below what is left to the last place.
__extension__ typedef __int128 Wide;
template <class K>
using Entry = std::conditional_t<sizeof(K) == 4, int64_t, Wide>;
template <class K>
inline Entry<K> entry_of(K key, int64_t place) {
  using U = std::conditional_t<sizeof(K) == 4, uint32_t, uint64_t>;
  return static_cast<Entry<K>>(key) << 8 * sizeof(K) | static_cast<Entry<K>>(static_cast<U>(~static_cast<U>(place)));
}
template <class K>
inline K key_in(Entry<K> e) {
  return static_cast<K>(e >> 8 * sizeof(K));
}
template <class K>
inline int64_t place_in(Entry<K> e) {
  using U = std::conditional_t<sizeof(K) == 4, uint32_t, uint64_t>;
  return static_cast<int64_t>(static_cast<U>(~static_cast<U>(e)));
}

// `e` takes the place at `at` of a heap of n, whose children are heaps.
template <class E>
inline void sift(E* heap, int64_t n, int64_t at, E e) {
  for (int64_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
    child += child + 1 < n && heap[child + 1] < heap[child];
    if (!(heap[child] < e)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = e;
}
template <class E>
[[gnu::noinline]] void make_heap(E* heap, int64_t n) {
  for (int64_t at = n / 2 - 1; at >= 0; --at) sift(heap, n, at, heap[at]);
}
template <class E>
[[gnu::noinline]] void take_apart(E* heap, int64_t n) {
  for (int64_t last = n - 1; last > 0; --last) {
    const E e = heap[last];
    heap[last] = heap[0];
    sift(heap, last, 0, e);
  }
}

constexpr int64_t kAsked = 32;  // keys
template <class K>
[[gnu::always_inline]] inline bool any_above(const K* keys, int64_t n, K limit) {
  K any = 0;
  for (int64_t i = 0; i < n; ++i) any |= keys[i] > limit ? K(-1) : K(0);
  return any != 0;
}
// The keys of n <= kKeys elements, whose places begin at `place`, join a full heap of k.
template <class K>
[[gnu::noinline]] void join(const K* keys, int64_t n, int64_t place, Entry<K>* heap, int64_t k) {
  for (int64_t i = 0; i < n; i += kAsked) {
    const int64_t some = n - i < kAsked ? n - i : kAsked;
    const K limit = key_in<K>(heap[0]);
    if (!(some == kAsked ? any_above(keys + i, kAsked, limit) : any_above(keys + i, some, limit))) continue;
    for (int64_t j = i; j < i + some; ++j) {
      if (keys[j] > key_in<K>(heap[0])) sift(heap, k, 0, entry_of(keys[j], place + j));
    }
  }
}

// turned: all bits where the smallest are wanted, of which a NaN is the last.
template <class T, class K>
void keys_of(const T* x, int64_t inner, int64_t n, K turned, K* keys) {
  if constexpr (std::is_same_v<K, KeyOf<T>>) {
    if (inner == 1) {
      to_keys<true>(x, keys, n);
    } else {
      T line[kKeys];
      for (int64_t i = 0; i < n; ++i) line[i] = x[i * inner];
      to_keys<true>(line, keys, n);
    }
  } else {  // lines too long for places of 32 bits
    int32_t narrow[kKeys];
    keys_of(x, inner, n, int32_t(0), narrow);
    for (int64_t i = 0; i < n; ++i) keys[i] = narrow[i];
  }
  for (int64_t i = 0; i < n; ++i) keys[i] ^= turned;
}
// Of a line of n <= kShort elements: all of them in order.
template <class T, class K>
void top_of_short(const TopKArgs& a, const T* x, int64_t first) {
  const int64_t n = a.lines.n, inner = a.lines.inner;
  const K turned = a.largest ? K(0) : K(-1);
  Entry<K> sorted[kShort];
  for (int64_t i = 0; i < n; ++i) {
    const Entry<K> e = entry_of<K>(key_of<true, KeyOf<T>>(comparable(x[i * inner])) ^ static_cast<KeyOf<T>>(turned), i);
    int64_t at = i < a.k ? i : a.k - 1;  // where the k best so far end
    if (i >= a.k && e < sorted[at]) continue;
    for (; at > 0 && sorted[at - 1] < e; --at) sorted[at] = sorted[at - 1];
    sorted[at] = e;
  }
  for (int64_t i = 0; i < a.k; ++i) {
    const int64_t place = place_in<K>(sorted[i]);
    if (a.values != nullptr) static_cast<T*>(a.values)[first + i * inner] = x[place * inner];
    if (a.indices != nullptr) a.indices[first + i * inner] = place;
  }
}
template <class T, class K>
void top_of_line(const TopKArgs& a, const T* x, int64_t first) {
  const int64_t n = a.lines.n, inner = a.lines.inner;
  if (n <= kShort) return top_of_short<T, K>(a, x, first);
  auto* heap = static_cast<Entry<K>*>(a.heap);
  K keys[kKeys];
  for (int64_t i = 0; i < n;) {
    const int64_t end = i < a.k ? a.k : n, some = end - i < kKeys ? end - i : kKeys;
    keys_of(x + i * inner, inner, some, a.largest ? K(0) : K(-1), keys);
    if (i < a.k) {
      for (int64_t j = 0; j < some; ++j) heap[i + j] = entry_of(keys[j], i + j);
    } else {
      join(keys, some, i, heap, a.k);
    }
    i += some;
    if (i == a.k) make_heap(heap, a.k);
  }
  take_apart(heap, a.k);
  for (int64_t i = 0; i < a.k; ++i) {
    const int64_t place = place_in<K>(heap[i]);
    if (a.values != nullptr) static_cast<T*>(a.values)[first + i * inner] = x[place * inner];
    if (a.indices != nullptr) a.indices[first + i * inner] = place;
  }
}
template <class T>
void topk(const TopKArgs& a) {
  const int64_t inner = a.lines.inner;
  for (int64_t l = a.lines.begin; l < a.lines.end; ++l) {
    const int64_t outer = inner == 1 ? l : l / inner, column = inner == 1 ? 0 : l % inner;
    const T* x = static_cast<const T*>(a.x) + outer * a.lines.n * inner + column;
    const int64_t first = outer * a.k * inner + column;
    if constexpr (sizeof(T) <= 4) {
      if (!a.wide) {
        top_of_line<T, int32_t>(a, x, first);
        continue;
      }
    }
    top_of_line<T, int64_t>(a, x, first);
  }
}

template <class T>
constexpr KernelRow topk_row(const char* name, DType dtype) {
  return row<TopKArgs, topk<T>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<12> topk_any = {{
    topk_row<float>("topk/f32/" TERN_ISA_NAME, DType::f32),
    topk_row<double>("topk/f64/" TERN_ISA_NAME, DType::f64),
    topk_row<f16>("topk/f16/" TERN_ISA_NAME, DType::f16),
    topk_row<bf16>("topk/bf16/" TERN_ISA_NAME, DType::bf16),
    topk_row<int8_t>("topk/i8/" TERN_ISA_NAME, DType::i8),
    topk_row<int16_t>("topk/i16/" TERN_ISA_NAME, DType::i16),
    topk_row<int32_t>("topk/i32/" TERN_ISA_NAME, DType::i32),
    topk_row<int64_t>("topk/i64/" TERN_ISA_NAME, DType::i64),
    topk_row<uint8_t>("topk/u8/" TERN_ISA_NAME, DType::u8),
    topk_row<uint16_t>("topk/u16/" TERN_ISA_NAME, DType::u16),
    topk_row<uint32_t>("topk/u32/" TERN_ISA_NAME, DType::u32),
    topk_row<uint64_t>("topk/u64/" TERN_ISA_NAME, DType::u64),
}};

}  // namespace tern::TERN_ISA
