// Pools of plain maps. Windows: a row of y at a time; what a tap of neighbouring windows reads lies together (conv/dealt_rows.h), so that windows
// are the lanes of a vector, whatever the stride. Padding holds what changes no maximum and no sum; taps above and below x are left out. Whole maps
// (Global*): a search for the first largest element, and rows of sums side by side. See pool.h.
#include "kernels/conv/deal_rows.h"
#include "kernels/conv/turn.h"
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
  else v = pick((x > v) | (x != x), x, v);  // pool::takes_over
}

// The first n lanes; of other dtypes than float all of them: y has room.
TERN_INLINE void write_n(float* y, const f32x16& v, int64_t n) { store_first(y, v, n); }
template <class W, class V>
TERN_INLINE void write_n(W* y, const V& v, int64_t) {
  write(y, v);
}

// kVectors of them, every tap in order: tap t of the first window is x[taps[t]]. Sums are divided.
template <bool kMean, int kVectors, class W>
TERN_INLINE void pool_windows(const W* x, const int64_t* taps, int64_t count, int64_t at, int64_t out, W padding, const W* divisors, W* y) {
  using V = typename Windows<W>::Type;
  V v[kVectors];
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL { fill(padding, v[n.v]); });
  for (int64_t t = 0; t < count; ++t) {
    const W* from = x + taps[t] + at;
    unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
      V some;
      read(from + n.v * Windows<W>::kCount, some);
      join<kMean>(some, v[n.v]);
    });
  }
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
    const int64_t place = at + n.v * Windows<W>::kCount;
    if constexpr (kMean) {
      V divisor;
      read(divisors + place, divisor);
      v[n.v] = v[n.v] / divisor;
    }
    write_n(y + place, v[n.v], out - place);
  });
}

// y may be x, if no tap reads before it.
template <bool kMean, class W>
[[gnu::noinline]] void pool_row(const W* x, const int64_t* taps, int64_t count, int64_t out, W padding, const W* divisors, W* y) {
  constexpr int64_t kCount = Windows<W>::kCount;
  int64_t at = 0;
  for (; at + 3 * kCount < out; at += 4 * kCount) pool_windows<kMean, 4>(x, taps, count, at, out, padding, divisors, y);
  if (at + 2 * kCount < out) return pool_windows<kMean, 3>(x, taps, count, at, out, padding, divisors, y);
  if (at + kCount < out) return pool_windows<kMean, 2>(x, taps, count, at, out, padding, divisors, y);
  if (at < out) pool_windows<kMean, 1>(x, taps, count, at, out, padding, divisors, y);
}

// Each of `lines` rows, `size` apart, becomes its own maxima over the taps that lie in it, in place: none reads before it. out: whole vectors.
template <int kTaps, class W>
[[gnu::noinline]] void pool_lines(W* x, int64_t size, int64_t lines, const int64_t* taps, int64_t out) {
  for (; lines > 0; --lines, x += size) {
    for (int64_t at = 0; at < out; at += Windows<W>::kCount) {
      typename Windows<W>::Type v, some;
      read(x + at + taps[0], v);
      unroll<kTaps - 1>([&](auto t) TERN_INLINE_CALL {
        read(x + at + taps[t.v + 1], some);
        join<false>(some, v);
      });
      write(x + at, v);
    }
  }
}

// What the sums of a row are divided by: `rows` rows of taps by the columns of each window; 1 past them.
template <class W>
[[gnu::noinline]] void list_divisors(const double* columns, double rows, int64_t out, int64_t size, W* __restrict divisors) {
  for (int64_t i = 0; i < out; ++i) divisors[i] = static_cast<W>(rows * columns[i]);
  for (int64_t i = out; i < size; ++i) divisors[i] = 1;
}
template <class T, class W>
[[gnu::noinline]] void keep(const W* pooled, T* __restrict y, int64_t out) {
  for (int64_t i = 0; i < out; ++i) y[i] = pool::narrow<T>(pooled[i]);
}

// The planes and rows of x that a window has inside x, and where its taps read if they are listed.
struct Inside {
  pool::Taps<int64_t> planes, rows;
  int64_t plane_count() const { return planes.last - planes.first; }
  int64_t row_count() const { return rows.last - rows.first; }
  int64_t count() const { return plane_count() * row_count(); }
};

// Deals what a stripe of y reads. Of maxima, a row is then its own over the taps that lie in it, the first tap that is largest of them: the rows of a
// window are joined like taps. Of means every tap is read, since the order of a sum must stay.
template <class T, bool kMean, class W>
TERN_INLINE void deal_stripe(const PlainPoolArgs& a, const T* x, const pool::Taps<int64_t>& planes, const Stripe& s, W padding) {
  const PoolWindow<int64_t>& w = a.window;
  const int64_t size = a.rows.runs * a.rows.run, rows = s.last - s.first;
  constexpr int64_t kCount = Windows<W>::kCount;
  const int64_t out = (w.out[2] + kCount - 1) / kCount * kCount;  // whole vectors
  W* to = static_cast<W*>(a.rows.rows);
  for (int64_t i = planes.first; i < planes.last; ++i, to += a.rows.lines * size) {
    const T* plane = x + ((planes.at + i * w.dilation[0]) * w.in[1] + s.first) * w.in[2];
    deal_rows(plane, rows, to, a.rows, padding, [](T v) TERN_INLINE_CALL { return pool::widen(v); });
    if constexpr (kMean) continue;
    if (w.kernel[2] == 2) {
      pool_lines<2>(to, size, rows, a.rows.offsets, out);
    } else if (w.kernel[2] == 3) {
      pool_lines<3>(to, size, rows, a.rows.offsets, out);
    } else {
      for (int64_t h = 0; h < rows; ++h)
        pool_row<false>(to + h * size, a.rows.offsets, w.kernel[2], out, padding, static_cast<const W*>(nullptr), to + h * size);
    }
  }
}

// Where the taps of a window read, from the first of its rows on.
template <bool kMean>
TERN_INLINE int64_t list_taps(const PlainPoolArgs& a, const Inside& in) {
  const int64_t size = a.rows.runs * a.rows.run;
  int64_t count = 0;
  for (int64_t i = 0; i < in.plane_count(); ++i) {
    for (int64_t j = 0; j < in.row_count(); ++j) {
      const int64_t row = (i * a.rows.lines + j * a.window.dilation[1]) * size;
      if constexpr (!kMean) a.rows.taps[count++] = row;
      for (int64_t k = 0; kMean && k < a.rows.kernel; ++k) a.rows.taps[count++] = row + a.rows.offsets[k];
    }
  }
  return count;
}

template <class T, bool kMean>
void pool_map(const PlainPoolArgs& a, const T* x, T* y) {
  using W = pool::Wide<T>;
  const PoolWindow<int64_t>& w = a.window;
  const W padding = kMean ? W(0) : pool::kLowest<W>;
  const int64_t size = a.rows.runs * a.rows.run;
  W *row = static_cast<W*>(a.row), *divisors = row + a.rows.run;
  int64_t divided_by = -1;
  for (int64_t oz = 0; oz < w.out[0]; ++oz) {
    Inside in{pool::taps(w, 0, oz), {}};
    int64_t listed = -1, count = 0;
    for (int64_t oy = 0; oy < w.out[1];) {
      const Stripe s = stripe_at(a.rows, oy);
      deal_stripe<T, kMean>(a, x, in.planes, s, padding);
      for (; oy < s.end; ++oy, y += w.out[2]) {
        in.rows = pool::taps(w, 1, oy);
        if (in.row_count() != listed) count = list_taps<kMean>(a, in);
        listed = in.row_count();
        const int64_t rows = a.include_pad ? in.planes.padded * in.rows.padded : in.plane_count() * in.row_count();
        if (kMean && rows != divided_by) list_divisors(a.columns, static_cast<double>(rows), w.out[2], a.rows.run, divisors);
        divided_by = rows;
        const W* first = static_cast<const W*>(a.rows.rows) + (in.rows.at + in.rows.first * w.dilation[1] - s.first) * size;
        if constexpr (__is_same(T, float)) {
          pool_row<kMean>(first, a.rows.taps, count, w.out[2], padding, divisors, y);
        } else {
          pool_row<kMean>(first, a.rows.taps, count, w.out[2], padding, divisors, row);
          keep(row, y, w.out[2]);
        }
      }
    }
  }
}

// ---- rows of a few windows ----

// Of kMaps maps side by side.
template <int kMaps, class T, bool kMean>
void pool_maps(const PlainPoolArgs& a, const T* x, T* y) {
  using W = pool::Wide<T>;
  const PoolWindow<int64_t>& w = a.window;
  const int64_t in = w.in[0] * w.in[1] * w.in[2], out = w.out[0] * w.out[1] * w.out[2];
  auto window = [&](const pool::Taps<int64_t>& d, const pool::Taps<int64_t>& h, const pool::Taps<int64_t>& k) TERN_INLINE_CALL {
    W v[kMaps];
    unroll<kMaps>([&](auto m) TERN_INLINE_CALL { v[m.v] = kMean ? W(0) : pool::kLowest<W>; });
    pool::each_place(w, d, h, k, [&](int64_t place) TERN_INLINE_CALL {
      unroll<kMaps>([&](auto m) TERN_INLINE_CALL {
        const W some = pool::widen(x[m.v * in + place]);
        v[m.v] = kMean ? static_cast<W>(v[m.v] + some) : choose(pool::takes_over(some, v[m.v]), some, v[m.v]);
      });
    });
    const W taps = kMean ? static_cast<W>(pool::taps_of_mean(a.include_pad, d, h, k)) : W(1);
    unroll<kMaps>([&](auto m) TERN_INLINE_CALL { y[m.v * out] = pool::narrow<T>(kMean ? static_cast<W>(v[m.v] / taps) : v[m.v]); });
    ++y;
  };
  for (int64_t oz = 0; oz < w.out[0]; ++oz) {
    for (int64_t oy = 0; oy < w.out[1]; ++oy) {
      for (int64_t ox = 0; ox < w.out[2]; ++ox) window(pool::taps(w, 0, oz), pool::taps(w, 1, oy), pool::taps(w, 2, ox));
    }
  }
}

template <class T, bool kMean>
void plain_pool(const PlainPoolArgs& a) {
  constexpr int64_t kFew = 4, kMaps = 8;
  const PoolWindow<int64_t>& w = a.window;
  const int64_t in = w.in[0] * w.in[1] * w.in[2], out = w.out[0] * w.out[1] * w.out[2];
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  int64_t i = a.begin;
  if (w.out[2] < kFew) {
    for (; i + kMaps <= a.end; i += kMaps) pool_maps<kMaps, T, kMean>(a, x + i * in, y + i * out);
    for (; i < a.end; ++i) pool_maps<1, T, kMean>(a, x + i * in, y + i * out);
  }
  for (; i < a.end; ++i) pool_map<T, kMean>(a, x + i * in, y + i * out);
}

// ---- maxima and where they are ----

// Windows [at, at + lanes) of a row: the largest of their taps, and its place in the map. Before any tap is the first one inside x, or -1.
TERN_INLINE void find_windows(const PlainPoolArgs& a, const float* x, int64_t count, int32_t row, int64_t at, float* largest, int32_t* places) {
  typedef float Elements __attribute__((vector_size(kBytes)));
  typedef int32_t Places __attribute__((vector_size(kBytes)));
  constexpr int kLanes = kBytes / 4;
  const int32_t step = static_cast<int32_t>(a.window.stride[2]);
  Elements v = Elements{} - __builtin_inff();
  Places first, lane;
  read(a.firsts + at, first);
  for (int32_t l = 0; l < kLanes; ++l) lane[l] = (static_cast<int32_t>(at) + l) * step;
  Places place = (first < 0) | (count == 0 ? Places{} - 1 : first + row);
  for (int64_t t = 0; t < count; ++t) {
    Elements some;
    read(x + a.rows.taps[t] + at, some);
    const Places takes = (some > v) | (some != some);
    v = takes ? some : v;
    place = takes ? lane + (row + a.steps[t]) : place;
  }
  write(largest + at, v);
  write(places + at, place);
}
[[gnu::noinline]] void number_row(const int32_t* places, int64_t before, int64_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = before + (places[i] < 0 ? 0 : places[i]);
}

// Where the taps of a window read and, beginning at the element before which the row has no padding, where they are in the map.
TERN_INLINE int64_t list_places(const PlainPoolArgs& a, const Inside& in) {
  const PoolWindow<int64_t>& w = a.window;
  const int64_t count = list_taps<true>(a, in);
  for (int64_t t = 0; t < count; ++t) {
    const int64_t k = t % w.kernel[2], line = t / w.kernel[2], j = line % in.row_count(), i = line / in.row_count();
    a.steps[t] = static_cast<int32_t>((i * w.dilation[0] * w.in[1] + j * w.dilation[1]) * w.in[2] + k * w.dilation[2] - w.begin[2]);
  }
  return count;
}
void find_in_map(const PlainPoolArgs& a, const float* x, int64_t before, float* y, int64_t* indices) {
  const PoolWindow<int64_t>& w = a.window;
  const int64_t size = a.rows.runs * a.rows.run, out = w.out[2];
  float* row = static_cast<float*>(a.row);
  int32_t* places = reinterpret_cast<int32_t*>(row + a.rows.run);
  for (int64_t oz = 0; oz < w.out[0]; ++oz) {
    Inside in{pool::taps(w, 0, oz), {}};
    for (int64_t oy = 0; oy < w.out[1];) {
      const Stripe s = stripe_at(a.rows, oy);
      deal_stripe<float, true>(a, x, in.planes, s, -__builtin_inff());
      for (; oy < s.end; ++oy, y += out, indices += out) {
        in.rows = pool::taps(w, 1, oy);
        const int64_t count = list_places(a, in), h = in.rows.at + in.rows.first * w.dilation[1];
        const int64_t first = ((in.planes.at + in.planes.first * w.dilation[0]) * w.in[1] + h) * w.in[2];
        const float* from = static_cast<const float*>(a.rows.rows) + (h - s.first) * size;
        for (int64_t at = 0; at < out; at += kBytes / 4) find_windows(a, from, count, static_cast<int32_t>(first), at, row, places);
        keep(row, y, out);
        number_row(places, before, indices, out);
      }
    }
  }
}
void max_pool_places(const PlainPoolArgs& a) {
  const PoolWindow<int64_t>& w = a.window;
  const int64_t in = w.in[0] * w.in[1] * w.in[2], out = w.out[0] * w.out[1] * w.out[2];
  for (int64_t i = a.begin; i < a.end; ++i)
    find_in_map(a, static_cast<const float*>(a.x) + i * in, i * in, static_cast<float*>(a.y) + i * out, a.indices + i * out);
}

// ---- whole maps ----

// Of small maps of floats sixteen at once: turned, a map is a lane, and its elements come in their order.
constexpr int64_t kSmall = 128;  // elements of a map
template <bool kMean>
void reduce_sixteen(const float* x, int64_t rows, int64_t cols, float* y) {
  alignas(64) float turned[kSmall * 16];  // [rows, cols, 16]
  turn(x, rows * cols, turned, 16, 16, rows * cols);
  const f32x16 start = splat(kMean ? 0.0f : pool::kLowest<float>);
  f32x16 total = start;
  const float* at = turned;
  if constexpr (kMean) {
    for (int64_t r = 0; r < rows; ++r) {
      f32x16 v = start;
      for (int64_t c = 0; c < cols; ++c, at += 16) join<true>(load(at), v);
      join<true>(v, total);
    }
    total = total / splat(static_cast<float>(rows * cols));
  } else {  // a comparison and what it selects take as long as four of them side by side: a quarter of the map each, joined in order
    const int64_t count = rows * cols, quarter = count / 4;
    f32x16 v[4] = {start, start, start, start};
    for (int64_t i = 0; i < quarter; ++i, at += 16) {
      unroll<4>([&](auto q) TERN_INLINE_CALL { join<false>(load(at + q.v * quarter * 16), v[q.v]); });
    }
    for (int64_t i = 4 * quarter; i < count; ++i) join<false>(load(turned + i * 16), v[3]);
    unroll<4>([&](auto q) TERN_INLINE_CALL { join<false>(v[q.v], total); });
  }
  store(y, total);
}

// The maximum is the first largest element: what a chain of takes_over ends with (but for which NaN of several).
template <class T>
void global_max(const PoolArgs& a) {
  const int64_t count = a.window.in[0] * a.window.in[1] * a.window.in[2];
  int64_t i = a.begin;
  if constexpr (__is_same(T, float)) {
    for (; count > 0 && count <= kSmall && i + 16 <= a.end; i += 16)
      reduce_sixteen<false>(static_cast<const T*>(a.x) + i * count, 1, count, static_cast<T*>(a.y) + i);
  }
  for (; i < a.end; ++i) {
    const T* x = static_cast<const T*>(a.x) + i * count;
    static_cast<T*>(a.y)[i] = count == 0 ? pool::narrow<T>(pool::kLowest<pool::Wide<T>>) : x[place_of_largest<true, false>(x, count)];
  }
}

// The sum of a row is one chain: kRows of them side by side, `pitch` apart.
template <int kRows, class T, class W>
TERN_INLINE void sum_rows(const T* x, int64_t pitch, int64_t cols, W (&sum)[kRows]) {
  unroll<kRows>([&](auto r) TERN_INLINE_CALL { sum[r.v] = 0; });
  for (int64_t i = 0; i < cols; ++i) unroll<kRows>([&](auto r) TERN_INLINE_CALL { sum[r.v] += pool::widen(x[r.v * pitch + i]); });
}
// Of kMaps maps: a row of each at a time.
template <int kMaps, class T>
void mean_of_maps(const T* x, int64_t rows, int64_t cols, T* y) {
  using W = pool::Wide<T>;
  W total[kMaps] = {}, sum[kMaps];
  for (int64_t r = 0; r < rows; ++r) {
    sum_rows<kMaps>(x + r * cols, rows * cols, cols, sum);
    unroll<kMaps>([&](auto m) TERN_INLINE_CALL { total[m.v] += sum[m.v]; });
  }
  unroll<kMaps>([&](auto m) TERN_INLINE_CALL { y[m.v] = pool::narrow<T>(total[m.v] / static_cast<W>(rows * cols)); });
}
// Of one: eight rows at a time.
template <class T>
void mean_of_map(const T* x, int64_t rows, int64_t cols, T* y) {
  using W = pool::Wide<T>;
  W total = 0, sum[8], last[1];
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    sum_rows<8>(x + r * cols, cols, cols, sum);
    unroll<8>([&](auto n) TERN_INLINE_CALL { total += sum[n.v]; });
  }
  for (; r < rows; ++r) {
    sum_rows<1>(x + r * cols, cols, cols, last);
    total += last[0];
  }
  *y = pool::narrow<T>(total / static_cast<W>(rows * cols));
}
template <class T>
void global_mean(const PoolArgs& a) {
  const int64_t cols = a.window.in[2], rows = cols == 0 ? 0 : a.window.in[0] * a.window.in[1];
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  int64_t i = a.begin;
  if constexpr (__is_same(T, float)) {
    for (; rows * cols <= kSmall && i + 16 <= a.end; i += 16) reduce_sixteen<true>(x + i * rows * cols, rows, cols, y + i);
  }
  for (; rows < 32 && i + 8 <= a.end; i += 8) mean_of_maps<8>(x + i * rows * cols, rows, cols, y + i);
  for (; i < a.end; ++i) mean_of_map(x + i * rows * cols, rows, cols, y + i);
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
constinit const KernelRow plain_max_pool_places =
    row<PlainPoolArgs, max_pool_places>("max_pool_places/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
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
