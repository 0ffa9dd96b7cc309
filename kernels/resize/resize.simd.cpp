// The f32 resampling passes: rows of `inner` elements are weighted sums of rows; with inner = 1, elements of elements.
#include "kernels/resize/resize.h"

#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

void resample_rows(const float* x, float* y, const ResizePass& p, const int32_t* index, const float* weight) {
  for (int64_t j = 0; j < p.inner; j += 16) {
    const int64_t n = p.inner - j < 16 ? p.inner - j : 16;
    f32x16 acc = splat(weight[0]) * load_n(x + index[0] * p.inner + j, n);
    for (int64_t t = 1; t < p.taps; ++t) acc = acc + splat(weight[t]) * load_n(x + index[t] * p.inner + j, n);
    store_n(y + j, acc, n);
  }
}

// Elements of elements: y [out] from x, kTaps of them each (0: p.taps).
template <int kTaps>
TERN_INLINE void resample_elements(const float* x, float* y, const ResizePass& p) {
  const int64_t taps = kTaps == 0 ? p.taps : kTaps, out = p.out;
  const int32_t* index = p.index;
  const float* weight = p.weight;
  for (int64_t o = 0; o < out; ++o, index += taps, weight += taps) {
    float acc = weight[0] * x[index[0]];
    for (int64_t t = 1; t < taps; ++t) acc = acc + weight[t] * x[index[t]];
    y[o] = acc;
  }
}

void resample(const float* x, float* y, const ResizePass& p) {
  for (int64_t r = 0; r < p.outer; ++r, x += p.in * p.inner, y += p.out * p.inner) {
    if (p.inner > 1) {
      for (int64_t o = 0; o < p.out; ++o) resample_rows(x, y + o * p.inner, p, p.index + o * p.taps, p.weight + o * p.taps);
    } else if (p.taps == 2) {
      resample_elements<2>(x, y, p);
    } else if (p.taps == 4) {
      resample_elements<4>(x, y, p);
    } else {
      resample_elements<0>(x, y, p);
    }
  }
}

void resize(const ResizeArgs& a) {
  const float* from = static_cast<const float*>(a.x);
  for (int i = 0; i < a.passes; ++i) {
    float* to = static_cast<float*>(i + 1 == a.passes ? a.y : a.buffer[i % 2]);
    resample(from, to, a.pass[i]);
    from = to;
  }
  float* y = static_cast<float*>(a.y);
  for (int i = 0; i < a.outsides; ++i) {
    const ResizeArgs::Outside& s = a.outside[i];
    for (int64_t r = 0; r < s.outer * s.out; ++r) {
      if (s.is[r % s.out] == 0) continue;
      for (int64_t j = 0; j < s.inner; ++j) y[r * s.inner + j] = static_cast<float>(a.extrapolation);
    }
  }
}

}  // namespace

constinit const KernelRow resize_f32 = row<ResizeArgs, resize>("resize/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
