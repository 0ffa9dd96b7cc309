// Depthwise convolution of plain maps, a row of y at a time: windows are lanes (dealt_rows.h), where the blocked form (core.simd.cpp) has channels.
// So a node alone in a model needs no reordering. Each sum is the same chain in the same order: bias, taps row by row, columns over padding with 0.
// See conv.h.
#include "kernels/conv/conv.h"
#include "kernels/conv/deal_rows.h"
#include "kernels/simd_activation.h"
#include "kernels/unroll.h"

namespace tern::TERN_ISA {
namespace {

// kVectors vectors of windows from `at`, their sums in registers; those past the row are not stored.
template <int kVectors>
TERN_INLINE void windows(const float* x, const int64_t* taps, const float* w, int64_t count, int64_t at, float bias, float* y, int64_t out) {
  f32x16 v[kVectors];
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL { v[n.v] = splat(bias); });
  for (int64_t t = 0; t < count; ++t) {
    const float* from = x + taps[t] + at;
    const f32x16 weight = splat(w[t]);
    unroll<kVectors>([&](auto n) TERN_INLINE_CALL { v[n.v] = fma(load(from + n.v * 16), weight, v[n.v]); });
  }
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
    const int64_t left = out - at - n.v * 16;
    store_first(y + at + n.v * 16, v[n.v], left);
  });
}
[[gnu::noinline]] void sums_of_row(const float* x, const int64_t* taps, const float* w, int64_t count, float bias, float* y, int64_t out) {
  int64_t at = 0;
  for (; at + 48 < out; at += 64) windows<4>(x, taps, w, count, at, bias, y, out);
  if (at + 32 < out) return windows<3>(x, taps, w, count, at, bias, y, out);
  if (at + 16 < out) return windows<2>(x, taps, w, count, at, bias, y, out);
  if (at < out) windows<1>(x, taps, w, count, at, bias, y, out);
}

// Two rows of y, the second one's windows a row of x further down: what both read is loaded once. Most loads cross a cache line, and cost two.
template <int kVectors>
TERN_INLINE void windows_of_two(const DepthwiseArgs& a, const float* x, const float* w, int64_t at, float bias, float* y) {
  const int64_t rows = a.kernel, cols = a.rows.kernel;
  f32x16 v[2][kVectors];
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL { v[0][n.v] = v[1][n.v] = splat(bias); });
  auto add_row = [&](auto upper, auto lower, const float* weights) TERN_INLINE_CALL {  // weights: of the upper one
    for (int64_t c = 0; c < cols; ++c) {
      const float* from = x + a.rows.offsets[c] + at;
      unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
        const f32x16 some = load(from + n.v * 16);
        if constexpr (decltype(upper)::v != 0) v[0][n.v] = fma(some, splat(weights[c]), v[0][n.v]);
        if constexpr (decltype(lower)::v != 0) v[1][n.v] = fma(some, splat(weights[c - cols]), v[1][n.v]);
      });
    }
    x += a.rows.runs * a.rows.run;
  };
  add_row(Index<1>{}, Index<0>{}, w);
  for (int64_t r = 1; r < rows; ++r) add_row(Index<1>{}, Index<1>{}, w + r * cols);
  add_row(Index<0>{}, Index<1>{}, w + rows * cols);
  unroll<2>([&](auto r) TERN_INLINE_CALL {
    unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
      const int64_t to = at + n.v * 16;
      store_first(y + r.v * a.out[1] + to, v[r.v][n.v], a.out[1] - to);
    });
  });
}
[[gnu::noinline]] void sums_of_two_rows(const DepthwiseArgs& a, const float* x, const float* w, float bias, float* y) {
  int64_t at = 0;
  for (; at + 16 < a.out[1]; at += 32) windows_of_two<2>(a, x, w, at, bias, y);
  if (at < a.out[1]) windows_of_two<1>(a, x, w, at, bias, y);
}

// Residual, activation, scale of output channel c, on a row of y while it is in L1.
template <Activation A>
void finish_row(const DepthwiseArgs& a, int64_t c, const float* residual, float* y) {
  const bool scaled = a.scale != nullptr;
  const f32x16 scale = splat(scaled ? a.scale[c] : 1.0f), shift = splat(scaled ? a.shift[c] : 0.0f);
  for (int64_t at = 0; at < a.out[1]; at += 16) {
    const int64_t left = a.out[1] - at, n = left < 16 ? left : 16;
    f32x16 v = load_n(y + at, n);
    if (residual != nullptr) v = v + load_n(residual + at, n);
    v = activate<A>(v, a.activation.alpha, a.activation.beta);
    store_n(y + at, scaled ? fma(v, scale, shift) : v, n);
  }
}

// The rows of taps that row oh of y has inside x, and the row of x that the first of them reads.
struct RowTaps {
  int64_t first, last, row;
};
TERN_INLINE RowTaps taps_of_row(const DepthwiseArgs& a, int64_t oh) {
  RowTaps t{0, a.kernel, oh * a.stride - a.begin};
  for (; t.first < t.last && t.row < 0; ++t.first) t.row += a.dilation;
  while (t.last > t.first && t.row + (t.last - t.first - 1) * a.dilation >= a.in) --t.last;
  return t;
}

TERN_INLINE bool has_all(const DepthwiseArgs& a, const RowTaps& t) { return t.last - t.first == a.kernel; }

// One output channel: x is its map, w its taps, y its map; `at`: elements of y before it.
void depthwise_map(const DepthwiseArgs& a, int64_t c, const float* x, int64_t at) {
  const int64_t size = a.rows.runs * a.rows.run;
  const float* w = a.w + c * a.kernel * a.rows.kernel;  // [KH, KW]
  const float bias = a.bias == nullptr ? 0.0f : a.bias[c];
  const bool finishes = a.residual != nullptr || a.scale != nullptr || a.activation.activation != Activation::none;
  for (int64_t oh = 0; oh < a.out[0];) {
    const Stripe s = stripe_at(a.rows, oh);
    float* dealt = static_cast<float*>(a.rows.rows);
    deal_rows(x + s.first * a.rows.in, s.last - s.first, dealt, a.rows, 0.0f, [](float v) TERN_INLINE_CALL { return v; });
    while (oh < s.end) {
      const RowTaps t = taps_of_row(a, oh);
      const float* first = dealt + (t.row - s.first) * size;
      const bool two = a.stride == 1 && a.dilation == 1 && oh + 1 < s.end && has_all(a, t) && has_all(a, taps_of_row(a, oh + 1));
      if (two) sums_of_two_rows(a, first, w, bias, a.y + at);
      else sums_of_row(first, a.rows.taps, w + t.first * a.rows.kernel, (t.last - t.first) * a.rows.kernel, bias, a.y + at, a.out[1]);
      for (const int64_t end = oh + 1 + two; oh < end; ++oh, at += a.out[1]) {
        if (!finishes) continue;
        const float* residual = a.residual == nullptr ? nullptr : a.residual + at;
        with_activation(a.activation.activation, [&]<Activation A>() { finish_row<A>(a, c, residual, a.y + at); });
      }
    }
  }
}

void depthwise(const DepthwiseArgs& a) {
  for (int64_t k = 0; k < a.kernel; ++k) {
    for (int64_t i = 0; i < a.rows.kernel; ++i) a.rows.taps[k * a.rows.kernel + i] = k * a.dilation * a.rows.runs * a.rows.run + a.rows.offsets[i];
  }
  for (int64_t i = a.first; i < a.last; ++i) depthwise_map(a, i % a.ocs, a.x + i / a.multiplier * a.in * a.rows.in, i * a.out[0] * a.out[1]);
}

}  // namespace

constinit const KernelRow depthwise_f32 = row<DepthwiseArgs, depthwise>("depthwise/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
