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
    for (; oh < s.end; ++oh, at += a.out[1]) {
      const RowTaps t = taps_of_row(a, oh);
      sums_of_row(dealt + (t.row - s.first) * size, a.rows.taps, w + t.first * a.rows.kernel, (t.last - t.first) * a.rows.kernel, bias, a.y + at,
                  a.out[1]);
      if (!finishes) continue;
      const float* residual = a.residual == nullptr ? nullptr : a.residual + at;
      with_activation(a.activation.activation, [&]<Activation A>() { finish_row<A>(a, c, residual, a.y + at); });
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
