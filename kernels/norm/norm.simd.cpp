// The f32 kernels of the normalisations. See norm.h for what they compute, layer_norm.cpp for how they are bound.
#include "kernels/norm/norm.h"

#include "kernels/simd.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// Four sums at once: one dependency chain of shuffles instead of four, the same additions as reduce_add.
struct Four {
  float v[4];
};
#if defined(__AVX2__)
TERN_INLINE __m128 quarter(f32x16 a) {  // lane i with i + 8, then with i + 4
#if defined(__AVX512F__)
  // gcc 12 warns of its own headers when the halves are taken by intrinsics
  const __m256 half =
      _mm256_add_ps(__builtin_shufflevector(a.v, a.v, 0, 1, 2, 3, 4, 5, 6, 7), __builtin_shufflevector(a.v, a.v, 8, 9, 10, 11, 12, 13, 14, 15));
#else
  const __m256 half = _mm256_add_ps(a.lo, a.hi);
#endif
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
TERN_INLINE Four reduce_add4(const f32x16 (&s)[4]) {
  const __m128 a = quarter(s[0]), b = quarter(s[1]), c = quarter(s[2]), d = quarter(s[3]);
  const __m128 ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));  // a0+a2 a1+a3 b0+b2 b1+b3
  const __m128 cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
  Four r;
  _mm_storeu_ps(r.v, _mm_add_ps(_mm_shuffle_ps(ab, cd, _MM_SHUFFLE(2, 0, 2, 0)), _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1))));
  return r;
}
#else
TERN_INLINE Four reduce_add4(const f32x16 (&s)[4]) { return {{reduce_add(s[0]), reduce_add(s[1]), reduce_add(s[2]), reduce_add(s[3])}}; }
#endif

// The sums of R rows; sum[r] for r >= R is unused.
template <int R>
TERN_INLINE Four sums(const f32x16 (&s)[4]) {
  if constexpr (R == 1) return {{reduce_add(s[0]), 0, 0, 0}};
  return reduce_add4(s);
}

template <int R>
TERN_INLINE Four row_sums(const float* x, int64_t stride, int64_t n) {
  const int64_t whole = n & ~int64_t(15), tail = n - whole;
  f32x16 s[4] = {zero(), zero(), zero(), zero()};
  for (int64_t c = 0; c < whole; c += 16) {
    unroll<R>([&](auto r) TERN_INLINE_CALL { s[r.v] = s[r.v] + load(x + r.v * stride + c); });
  }
  if (tail != 0) {
    unroll<R>([&](auto r) TERN_INLINE_CALL { s[r.v] = s[r.v] + load_n(x + r.v * stride + whole, tail); });
  }
  return sums<R>(s);
}

// The sums of (x - mean)^2 of R rows; with kKeep the distances are left in `kept`, rows as x's.
template <int R, bool kKeep = false>
TERN_INLINE Four row_squares(const float* x, int64_t stride, int64_t n, const f32x16 (&mean)[4], [[maybe_unused]] float* kept = nullptr) {
  const int64_t whole = n & ~int64_t(15), tail = n - whole;
  f32x16 s[4] = {zero(), zero(), zero(), zero()};
  for (int64_t c = 0; c < whole; c += 16) {
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const f32x16 d = load(x + r.v * stride + c) - mean[r.v];
      if constexpr (kKeep) store(kept + r.v * stride + c, d);
      s[r.v] = fma(d, d, s[r.v]);
    });
  }
  if (tail != 0) {
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const f32x16 d = select(lanes_below(tail), load_n(x + r.v * stride + whole, tail) - mean[r.v], zero());
      if constexpr (kKeep) store_n(kept + r.v * stride + whole, d, tail);
      s[r.v] = fma(d, d, s[r.v]);
    });
  }
  return sums<R>(s);
}

TERN_INLINE f32x16 shift_and_scale(f32x16 x, float mean, float inv, f32x16 scale, f32x16 bias) {
  return fma((x - splat(mean)) * splat(inv), scale, bias);
}

// R rows from x on; kCenter: with the mean (layer), without (RMS). A sum is one chain of additions in order: four rows at a time do not wait for each
// other. Distances from the mean are computed again where they are needed; to keep them in y costs more, all the more when the rows leave the first cache.
// One row alone keeps them: its sum waits for each addition anyway, and the last pass then has one stream less to read.
template <int R, bool kCenter>
void normalize_rows(const RowNormArgs& a, int64_t row) {
  const int64_t cols = a.cols, whole = cols & ~int64_t(15), tail = cols - whole;
  const float* x = a.x + row * cols;  // [R, cols]
  float* y = a.y + row * cols;        // [R, cols]
  const float n = static_cast<float>(cols);
  Four mean = {{0, 0, 0, 0}}, inv;
  f32x16 m[4] = {zero(), zero(), zero(), zero()}, factor[R];
  if constexpr (kCenter) {
    mean = row_sums<R>(x, cols, cols);
    for (int r = 0; r < R; ++r) mean.v[r] = mean.v[r] / n;
    unroll<R>([&](auto r) TERN_INLINE_CALL { m[r.v] = splat(mean.v[r.v]); });
  }
  constexpr bool kKeep = kCenter && R == 1;
  inv = row_squares<R, kKeep>(x, cols, cols, m, y);
  for (int r = 0; r < R; ++r) inv.v[r] = 1.0f / __builtin_sqrtf(inv.v[r] / n + a.epsilon);
  unroll<R>([&](auto r) TERN_INLINE_CALL { factor[r.v] = splat(inv.v[r.v]); });
  const auto scaled = [&](f32x16 v, int r, f32x16 scale, f32x16 bias)
                          TERN_INLINE_CALL { return fma((kKeep ? v : v - m[r]) * factor[r], scale, bias); };
  const float* from = kKeep ? y : x;  // [R, cols]
  for (int64_t c = 0; c < whole; c += 16) {
    const f32x16 scale = load(a.scale + c), bias = a.bias != nullptr ? load(a.bias + c) : zero();
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const int64_t at = r.v * cols + c;
      store(y + at, scaled(load(from + at), r.v, scale, bias));
    });
  }
  if (tail != 0) {
    const f32x16 scale = load_n(a.scale + whole, tail), bias = a.bias != nullptr ? load_n(a.bias + whole, tail) : zero();
    unroll<R>([&](auto r) TERN_INLINE_CALL {
      const int64_t at = r.v * cols + whole;
      store_n(y + at, scaled(load_n(from + at, tail), r.v, scale, bias), tail);
    });
  }
  for (int r = 0; r < R; ++r) {
    if (a.mean != nullptr) a.mean[row + r] = mean.v[r];
    if (a.inv != nullptr) a.inv[row + r] = inv.v[r];
  }
}

#if defined(__AVX512F__)  // 32 registers: four rows of six vectors or two of twelve, and what they are summed in
// The same for rows of at most V vectors, which stay in registers from the one load to the one store. The last kSome may be short, or not there.
template <int R, int V, bool kCenter>
void normalize_in_registers(const RowNormArgs& a, int64_t row) {
  constexpr int kSome = V > 6 ? 2 : 1;
  const int64_t cols = a.cols;
  const float* x = a.x + row * cols;  // [R, cols]
  float* y = a.y + row * cols;        // [R, cols]
  const float n = static_cast<float>(cols);
  const auto there = [&](int v) TERN_INLINE_CALL -> int64_t {
    const int64_t left = cols - v * 16;
    return v < V - kSome || left > 16 ? 16 : left < 0 ? 0 : left;
  };
  f32x16 d[R][V], s[4] = {zero(), zero(), zero(), zero()};
  const auto each = [](auto f) TERN_INLINE_CALL {
    unroll<V>([&](auto v) TERN_INLINE_CALL { unroll<R>([&](auto r) TERN_INLINE_CALL { f(r, v, r.v * int64_t(1), v.v * int64_t(16)); }); });
  };
  each([&](auto r, auto v, int64_t at, int64_t c) TERN_INLINE_CALL {
    d[r.v][v.v] = v.v < V - kSome ? load(x + at * cols + c) : load_n(x + at * cols + c, there(v.v));
    if constexpr (kCenter) s[r.v] = s[r.v] + d[r.v][v.v];
  });
  Four mean = {{0, 0, 0, 0}};
  if constexpr (kCenter) {
    mean = sums<R>(s);
    for (int r = 0; r < R; ++r) mean.v[r] = mean.v[r] / n;
    unroll<R>([&](auto r) TERN_INLINE_CALL { s[r.v] = zero(); });
  }
  each([&](auto r, auto v, int64_t, int64_t) TERN_INLINE_CALL {
    if constexpr (kCenter) d[r.v][v.v] = d[r.v][v.v] - splat(mean.v[r.v]);
    if (kCenter && v.v >= V - kSome) d[r.v][v.v] = select(lanes_below(there(v.v)), d[r.v][v.v], zero());
    s[r.v] = fma(d[r.v][v.v], d[r.v][v.v], s[r.v]);
  });
  Four inv = sums<R>(s);
  for (int r = 0; r < R; ++r) inv.v[r] = 1.0f / __builtin_sqrtf(inv.v[r] / n + a.epsilon);
  each([&](auto r, auto v, int64_t at, int64_t c) TERN_INLINE_CALL {
    const int64_t some = there(v.v);
    const f32x16 bias = a.bias != nullptr ? load_n(a.bias + c, some) : zero();
    store_n(y + at * cols + c, fma(d[r.v][v.v] * splat(inv.v[r.v]), load_n(a.scale + c, some), bias), some);
  });
  for (int r = 0; r < R; ++r) {
    if (a.mean != nullptr) a.mean[row + r] = mean.v[r];
    if (a.inv != nullptr) a.inv[row + r] = inv.v[r];
  }
}

template <int R, int V, bool kCenter>
void rows_in_registers(const RowNormArgs& a) {
  int64_t r = 0;
  for (; r + R <= a.rows; r += R) normalize_in_registers<R, V, kCenter>(a, r);
  for (; r < a.rows; ++r) normalize_in_registers<1, V, kCenter>(a, r);
}
// False: rows are more than registers hold, or take less time four at once from memory (tuned on Sapphire Rapids).
template <bool kCenter>
bool in_registers(const RowNormArgs& a) {
  const int64_t vectors = (a.cols + 15) / 16;
  if (vectors < 1 || vectors > 12 || (vectors > 6 && a.rows >= 4)) return false;
  if (vectors > 10) rows_in_registers<2, 12, kCenter>(a);
  else if (vectors > 8) rows_in_registers<2, 10, kCenter>(a);
  else if (vectors > 6) rows_in_registers<2, 8, kCenter>(a);
  else if (vectors > 5) rows_in_registers<4, 6, kCenter>(a);
  else if (vectors > 4) rows_in_registers<4, 5, kCenter>(a);
  else if (vectors > 3) rows_in_registers<4, 4, kCenter>(a);
  else if (vectors > 2) rows_in_registers<4, 3, kCenter>(a);
  else if (vectors > 1) rows_in_registers<4, 2, kCenter>(a);
  else rows_in_registers<4, 1, kCenter>(a);
  return true;
}
#endif

template <bool kCenter>
void row_norm(const RowNormArgs& given) {
  RowNormArgs a = given;
  if (a.scale_index != nullptr) {
    for (int64_t c = 0; c < a.cols; ++c) a.expanded[c] = a.scale[a.scale_index[c]];
    a.scale = a.expanded;
  }
  if (a.bias_index != nullptr) {
    for (int64_t c = 0; c < a.cols; ++c) a.expanded[a.cols + c] = a.bias[a.bias_index[c]];
    a.bias = a.expanded + a.cols;
  }
#if defined(__AVX512F__)
  if (in_registers<kCenter>(a)) return;
#endif
  int64_t r = 0;
  for (; r + 4 <= a.rows; r += 4) normalize_rows<4, kCenter>(a, r);
  for (; r + 2 <= a.rows; r += 2) normalize_rows<2, kCenter>(a, r);
  if (r < a.rows) normalize_rows<1, kCenter>(a, r);
}

// y[0..n) = fma((x - mean) * inv, scale, bias) with scalars.
void affine(const float* x, float* y, int64_t n, float mean, float inv, float scale, float bias) {
  const int64_t whole = n & ~int64_t(15), tail = n - whole;
  const f32x16 s = splat(scale), b = splat(bias);
  for (int64_t i = 0; i < whole; i += 16) store(y + i, shift_and_scale(load(x + i), mean, inv, s, b));
  if (tail != 0) store_n(y + whole, shift_and_scale(load_n(x + whole, tail), mean, inv, s, b), tail);
}

TERN_INLINE f32x16 by_channel(f32x16 x, f32x16 mean, f32x16 factor, f32x16 bias) { return fma(x - mean, factor, bias); }

// [n, channels] with one element a channel: lanes are channels.
void batch_norm_columns(const BatchNormArgs& a) {
  for (int64_t c = 0; c < a.channels; c += 16) {
    const int64_t n = a.channels - c < 16 ? a.channels - c : 16;
    const f32x16 mean = load_n(a.mean + c, n), bias = load_n(a.bias + c, n);
    const f32x16 factor = load_n(a.scale + c, n) / sqrt(load_n(a.var + c, n) + splat(a.epsilon));
    for (int64_t r = c; r < a.rows; r += a.channels) store_n(a.y + r, by_channel(load_n(a.x + r, n), mean, factor, bias), n);
  }
}

template <int kQuarters>
TERN_INLINE f32x16 lrn_divisor(f32x16 s) {
  if constexpr (kQuarters == 4) return s;
  const f32x16 root = sqrt(s);
  if constexpr (kQuarters == 2) return root;
  return root * sqrt(root);
}

template <int kQuarters>
void lrn_rows(const LrnArgs& a) {
  for (int64_t row = a.first; row < a.first + a.rows; ++row) {
    const int64_t c = row % a.channels, low = c < a.before ? -c : -a.before, high = c + a.after < a.channels ? a.after : a.channels - 1 - c;
    const float* x = a.x + row * a.inner;  // [inner] of channel c; x + d * inner is channel c + d
    float* y = a.y + row * a.inner;        // [inner]
    for (int64_t i = 0; i < a.inner; i += 16) {
      const int64_t n = a.inner - i < 16 ? a.inner - i : 16;
      f32x16 sum = zero();
      for (int64_t d = low; d <= high; ++d) {
        const f32x16 v = load_n(x + d * a.inner + i, n);
        sum = fma(v, v, sum);
      }
      const f32x16 s = fma(splat(a.alpha_over_size), sum, splat(a.bias));
      store_n(y + i, load_n(x + i, n) / lrn_divisor<kQuarters>(s), n);
    }
  }
}

template <int R>
void group_norm_rows(const GroupNormArgs& a, int64_t row) {
  const int64_t n = a.channels_per_group * a.inner;
  const float* x = a.x + row * n;  // [R, channels_per_group, inner]
  float* y = a.y + row * n;        // [R, channels_per_group, inner]
  const float count = static_cast<float>(n);
  Four mean = row_sums<R>(x, n, n);
  f32x16 m[4] = {zero(), zero(), zero(), zero()};
  for (int r = 0; r < R; ++r) mean.v[r] = mean.v[r] / count;
  unroll<R>([&](auto r) TERN_INLINE_CALL { m[r.v] = splat(mean.v[r.v]); });
  const Four squares = row_squares<R>(x, n, n, m);
  for (int r = 0; r < R; ++r) {
    const float inv = 1.0f / __builtin_sqrtf(squares.v[r] / count + a.epsilon);
    const int64_t channel = (a.first + row + r) % a.groups * a.channels_per_group;
    for (int64_t c = 0; c < a.channels_per_group; ++c) {
      const int64_t at = r * n + c * a.inner;
      affine(x + at, y + at, a.inner, mean.v[r], inv, a.scale[channel + c], a.bias[channel + c]);
    }
  }
}
void group_norm(const GroupNormArgs& a) {
  int64_t r = 0;
  for (; r + 4 <= a.rows; r += 4) group_norm_rows<4>(a, r);
  for (; r < a.rows; ++r) group_norm_rows<1>(a, r);
}

void batch_norm(const BatchNormArgs& a) {
  if (a.inner == 1) return batch_norm_columns(a);
  const int64_t whole = a.inner & ~int64_t(15), tail = a.inner - whole;
  for (int64_t r = 0; r < a.rows; ++r) {
    const int64_t c = (a.first + r) % a.channels;
    const float* x = a.x + r * a.inner;  // [inner]
    float* y = a.y + r * a.inner;        // [inner]
    const f32x16 mean = splat(a.mean[c]), bias = splat(a.bias[c]), factor = splat(a.scale[c] / __builtin_sqrtf(a.var[c] + a.epsilon));
    for (int64_t i = 0; i < whole; i += 16) store(y + i, by_channel(load(x + i), mean, factor, bias));
    if (tail != 0) store_n(y + whole, by_channel(load_n(x + whole, tail), mean, factor, bias), tail);
  }
}

void lrn(const LrnArgs& a) {
  if (a.quarters == 2) return lrn_rows<2>(a);
  if (a.quarters == 3) return lrn_rows<3>(a);
  lrn_rows<4>(a);
}

}  // namespace

constinit const KernelRow layer_norm_f32 = row<RowNormArgs, row_norm<true>>("layer_norm/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow rms_norm_f32 = row<RowNormArgs, row_norm<false>>("rms_norm/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow group_norm_f32 = row<GroupNormArgs, group_norm>("group_norm/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow batch_norm_f32 = row<BatchNormArgs, batch_norm>("batch_norm/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow lrn_f32 = row<LrnArgs, lrn>("lrn/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
