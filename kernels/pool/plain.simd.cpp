// Pools of plain maps. Windows: a row of y at a time; what a tap of neighbouring windows reads lies together (conv/dealt_rows.h), so that windows
// are the lanes of a vector, whatever the stride. Padding holds what changes no maximum and no sum; taps above and below x are left out. Whole maps
// (Global*): a search for the first largest element, and rows of sums side by side. See pool.h.
#include "kernels/conv/deal_rows.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/windows.h"
#include "kernels/reduce/largest.h"
#include "kernels/rows.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// A vector of windows, in whatever registers this ISA has for them.
#if defined(__AVX512F__)
constexpr int kBytes = 64;
#else
constexpr int kBytes = 32;
#endif
template <class W>
struct Windows {
  typedef W Type __attribute__((vector_size(kBytes)));
  static constexpr int64_t kCount = kBytes / static_cast<int64_t>(sizeof(W));
};

template <>
struct Windows<float> {
  using Type = f32x16;
  static constexpr int64_t kCount = 16;
};

TERN_INLINE void read(const float* x, f32x16& v) { v = load(x); }
TERN_INLINE void write(float* y, const f32x16& v) { store(y, v); }
TERN_INLINE void fill(float x, f32x16& v) { v = splat(x); }
template <class W, class V>
TERN_INLINE void read(const W* x, V& v) {
  __builtin_memcpy(&v, x, sizeof v);
}
template <class W, class V>
TERN_INLINE void write(W* y, const V& v) {
  __builtin_memcpy(y, &v, sizeof v);
}
template <class W, class V>
TERN_INLINE void fill(W x, V& v) {
  v = V{} + x;
}

template <bool kMean>
TERN_INLINE void join(const f32x16& x, f32x16& v) {
  v = kMean ? v + x : max_nan(x, v);
}
template <bool kMean, class V>
TERN_INLINE void join(const V& x, V& v) {
  if constexpr (kMean) v = v + x;
  else v = ((x > v) | (x != x)) ? x : v;  // pool::takes_over
}

// kVectors of them, every tap in order.
template <bool kMean, int kVectors, class W>
TERN_INLINE void pool_windows(const void* const* taps, int64_t count, int64_t at, W padding, W* y) {
  using V = typename Windows<W>::Type;
  V v[kVectors];
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL { fill(padding, v[n.v]); });
  for (int64_t t = 0; t < count; ++t) {
    const W* x = static_cast<const W*>(taps[t]) + at;
    unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
      V some;
      read(x + n.v * Windows<W>::kCount, some);
      join<kMean>(some, v[n.v]);
    });
  }
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL { write(y + at + n.v * Windows<W>::kCount, v[n.v]); });
}

template <bool kMean, class W>
[[gnu::noinline]] void pool_row(const void* const* taps, int64_t count, int64_t out, W padding, W* y) {
  constexpr int64_t kCount = Windows<W>::kCount;
  int64_t at = 0;
  for (; at + kCount < out; at += 2 * kCount) pool_windows<kMean, 2>(taps, count, at, padding, y);
  if (at < out) pool_windows<kMean, 1>(taps, count, at, padding, y);
}

// What the sums of a row are divided by: `rows` rows of taps by the columns of each window.
template <class T, class W>
[[gnu::noinline]] void divide(const W* sums, const double* columns, double rows, T* __restrict y, int64_t out) {
  for (int64_t i = 0; i < out; ++i) y[i] = pool::narrow<T>(sums[i] / static_cast<W>(rows * columns[i]));
}
template <class T, class W>
[[gnu::noinline]] void keep(const W* largest, T* __restrict y, int64_t out) {
  for (int64_t i = 0; i < out; ++i) y[i] = pool::narrow<T>(largest[i]);
}

template <class T, bool kMean>
void pool_map(const PlainPoolArgs& a, const T* x, T* y) {
  using W = pool::Wide<T>;
  const PoolWindow<int64_t>& w = a.window;
  const W padding = kMean ? W(0) : pool::kLowest<W>;
  W* row = static_cast<W*>(a.row);  // [out, and some more]
  forget_rows(a.rows);
  for (int64_t oz = 0; oz < w.out[0]; ++oz) {
    const auto d = pool::taps(w, 0, oz);
    for (int64_t oy = 0; oy < w.out[1]; ++oy, y += w.out[2]) {
      const auto h = pool::taps(w, 1, oy);
      int64_t count = 0;
      for (int64_t i = d.first; i < d.last; ++i) {
        const int64_t z = d.at + i * w.dilation[0];
        for (int64_t j = h.first; j < h.last; ++j) {
          const int64_t line = h.at + j * w.dilation[1];
          const W* dealt = dealt_row(a.rows, x, z * w.in[1] + line, z, line, padding, [](T v) TERN_INLINE_CALL { return pool::widen(v); });
          count += list_taps(a.rows, dealt, a.rows.taps + count);
        }
      }
      pool_row<kMean>(a.rows.taps, count, w.out[2], padding, row);
      const int64_t all = d.padded * h.padded, inside = (d.last - d.first) * (h.last - h.first);
      if constexpr (kMean) divide(row, a.columns, static_cast<double>(a.include_pad ? all : inside), y, w.out[2]);
      else keep(row, y, w.out[2]);
    }
  }
}

template <class T, bool kMean>
void plain_pool(const PlainPoolArgs& a) {
  const PoolWindow<int64_t>& w = a.window;
  const int64_t in = w.in[0] * w.in[1] * w.in[2], out = w.out[0] * w.out[1] * w.out[2];
  for (int64_t i = a.begin; i < a.end; ++i) pool_map<T, kMean>(a, static_cast<const T*>(a.x) + i * in, static_cast<T*>(a.y) + i * out);
}

// ---- whole maps ----

// The maximum is the first largest element: what a chain of takes_over ends with (but for which NaN of several).
template <class T>
void global_max(const PoolArgs& a) {
  const int64_t count = a.window.in[0] * a.window.in[1] * a.window.in[2];
  for (int64_t i = a.begin; i < a.end; ++i) {
    const T* x = static_cast<const T*>(a.x) + i * count;
    static_cast<T*>(a.y)[i] = count == 0 ? pool::narrow<T>(pool::kLowest<pool::Wide<T>>) : x[place_of_largest<true, false>(x, count)];
  }
}

// The sum of a row is one chain: kRows of them side by side.
template <int kRows, class T, class W>
TERN_INLINE void add_rows(const T* x, int64_t cols, W& total) {
  W sum[kRows];
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { sum[r.v] = 0; });
  for (int64_t i = 0; i < cols; ++i) unroll<kRows>([&](auto r) TERN_INLINE_CALL { sum[r.v] += pool::widen(x[r.v * cols + i]); });
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { total += sum[r.v]; });
}
template <class T>
void global_mean(const PoolArgs& a) {
  using W = pool::Wide<T>;
  const int64_t cols = a.window.in[2], rows = cols == 0 ? 0 : a.window.in[0] * a.window.in[1];
  for (int64_t i = a.begin; i < a.end; ++i) {
    const T* x = static_cast<const T*>(a.x) + i * rows * cols;
    W total = 0;
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) add_rows<8>(x + r * cols, cols, total);
    for (; r < rows; ++r) add_rows<1>(x + r * cols, cols, total);
    static_cast<T*>(a.y)[i] = pool::narrow<T>(total / static_cast<W>(rows * cols));
  }
}

template <class T, void (*kBody)(const PoolArgs&)>
constexpr KernelRow global_row(const char* name) {
  return row<PoolArgs, kBody>(name, dtype_of<T>(), Isa::TERN_ISA);
}

template <class T, bool kMean>
constexpr KernelRow pool_row_of(const char* name, DType dtype) {
  return row<PlainPoolArgs, plain_pool<T, kMean>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const Rows<6> plain_max_pool = {{
    pool_row_of<float, false>("max_pool_rows/f32/" TERN_ISA_NAME, DType::f32),
    pool_row_of<double, false>("max_pool_rows/f64/" TERN_ISA_NAME, DType::f64),
    pool_row_of<f16, false>("max_pool_rows/f16/" TERN_ISA_NAME, DType::f16),
    pool_row_of<bf16, false>("max_pool_rows/bf16/" TERN_ISA_NAME, DType::bf16),
    pool_row_of<int8_t, false>("max_pool_rows/i8/" TERN_ISA_NAME, DType::i8),
    pool_row_of<uint8_t, false>("max_pool_rows/u8/" TERN_ISA_NAME, DType::u8),
}};
constinit const Rows<4> plain_average_pool = {{
    pool_row_of<float, true>("average_pool_rows/f32/" TERN_ISA_NAME, DType::f32),
    pool_row_of<double, true>("average_pool_rows/f64/" TERN_ISA_NAME, DType::f64),
    pool_row_of<f16, true>("average_pool_rows/f16/" TERN_ISA_NAME, DType::f16),
    pool_row_of<bf16, true>("average_pool_rows/bf16/" TERN_ISA_NAME, DType::bf16),
}};
constinit const Rows<6> plain_global_max_pool = {{
    global_row<float, global_max<float>>("global_max_pool/f32/" TERN_ISA_NAME),
    global_row<double, global_max<double>>("global_max_pool/f64/" TERN_ISA_NAME),
    global_row<f16, global_max<f16>>("global_max_pool/f16/" TERN_ISA_NAME),
    global_row<bf16, global_max<bf16>>("global_max_pool/bf16/" TERN_ISA_NAME),
    global_row<int8_t, global_max<int8_t>>("global_max_pool/i8/" TERN_ISA_NAME),
    global_row<uint8_t, global_max<uint8_t>>("global_max_pool/u8/" TERN_ISA_NAME),
}};
constinit const Rows<4> plain_global_average_pool = {{
    global_row<float, global_mean<float>>("global_average_pool/f32/" TERN_ISA_NAME),
    global_row<double, global_mean<double>>("global_average_pool/f64/" TERN_ISA_NAME),
    global_row<f16, global_mean<f16>>("global_average_pool/f16/" TERN_ISA_NAME),
    global_row<bf16, global_mean<bf16>>("global_average_pool/bf16/" TERN_ISA_NAME),
}};

}  // namespace tern::TERN_ISA
