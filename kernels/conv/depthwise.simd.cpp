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
TERN_INLINE void windows(const void* const* taps, const float* w, int64_t count, int64_t at, float bias, float* y, int64_t out) {
  f32x16 v[kVectors];
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL { v[n.v] = splat(bias); });
  for (int64_t t = 0; t < count; ++t) {
    const float* x = static_cast<const float*>(taps[t]) + at;
    const f32x16 weight = splat(w[t]);
    unroll<kVectors>([&](auto n) TERN_INLINE_CALL { v[n.v] = fma(load(x + n.v * 16), weight, v[n.v]); });
  }
  unroll<kVectors>([&](auto n) TERN_INLINE_CALL {
    const int64_t left = out - at - n.v * 16;
    store_n(y + at + n.v * 16, v[n.v], left < 16 ? left : 16);
  });
}
[[gnu::noinline]] void sums_of_row(const void* const* taps, const float* w, int64_t count, float bias, float* y, int64_t out) {
  int64_t at = 0;
  for (; at + 48 < out; at += 64) windows<4>(taps, w, count, at, bias, y, out);
  if (at + 32 < out) return windows<3>(taps, w, count, at, bias, y, out);
  if (at + 16 < out) return windows<2>(taps, w, count, at, bias, y, out);
  if (at < out) windows<1>(taps, w, count, at, bias, y, out);
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

// The taps of row oh of y, listed: where those inside x begin among the weights, and how many they are.
struct RowTaps {
  int64_t first, count;
};
RowTaps list_row(const DepthwiseArgs& a, const float* x, int64_t oh) {
  RowTaps taps{0, 0};
  for (int64_t k = 0; k < a.kernel; ++k) {
    const int64_t h = oh * a.stride - a.begin + k * a.dilation;
    if (h < 0 || h >= a.in) continue;
    if (taps.count == 0) taps.first = k * a.rows.kernel;
    const float* row = dealt_row(a.rows, x, h, 0, h, 0.0f, [](float v) TERN_INLINE_CALL { return v; });
    taps.count += list_taps(a.rows, row, a.rows.taps + taps.count);
  }
  return taps;
}

void depthwise(const DepthwiseArgs& a) {
  const bool finishes = a.residual != nullptr || a.scale != nullptr || a.activation.activation != Activation::none;
  for (int64_t i = a.first; i < a.last; ++i) {
    const int64_t c = i % a.ocs;
    const float* x = a.x + i / a.multiplier * a.in * a.rows.in;  // [in, row]
    const float* w = a.w + c * a.kernel * a.rows.kernel;         // [KH, KW]
    if (i == a.first || i % a.multiplier == 0) forget_rows(a.rows);
    for (int64_t oh = 0; oh < a.out[0]; ++oh) {
      const int64_t at = (i * a.out[0] + oh) * a.out[1];
      const RowTaps taps = list_row(a, x, oh);
      sums_of_row(a.rows.taps, w + taps.first, taps.count, a.bias == nullptr ? 0.0f : a.bias[c], a.y + at, a.out[1]);
      if (!finishes) continue;
      const float* residual = a.residual == nullptr ? nullptr : a.residual + at;
      with_activation(a.activation.activation, [&]<Activation A>() { finish_row<A>(a, c, residual, a.y + at); });
    }
  }
}

}  // namespace

constinit const KernelRow depthwise_f32 = row<DepthwiseArgs, depthwise>("depthwise/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
