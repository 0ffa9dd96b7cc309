// Pooling of blocked f32 maps: sixteen channels a vector, windows clipped to the map. See pool.h.
#include "kernels/pool/pool.h"

#include "kernels/simd.h"

namespace tern::TERN_ISA {
namespace {

// The taps of one axis that fall inside x, for output o, and how many fall inside the padded x.
struct Taps {
  int64_t first, last, padded, at;  // at: input coordinate of tap 0
};
TERN_INLINE int64_t taps_below(const BlockedPoolArgs& a, int axis, int64_t room) {
  const int64_t n = room <= 0 ? 0 : (room + a.dilation[axis] - 1) / a.dilation[axis];
  return n < a.kernel[axis] ? n : a.kernel[axis];
}
TERN_INLINE Taps taps(const BlockedPoolArgs& a, int axis, int64_t o) {
  const int64_t at = o * a.stride[axis] - a.begin[axis], d = a.dilation[axis];
  const int64_t last = taps_below(a, axis, a.in[axis] - at), first = at < 0 ? (-at + d - 1) / d : 0;
  return {first < last ? first : last, last, taps_below(a, axis, a.in[axis] + a.end[axis] - at), at};
}

TERN_INLINE f32x16 larger(f32x16 x, f32x16 v) { return select(gt(x, v) | unordered(x, x), x, v); }

template <bool kMean>
TERN_INLINE f32x16 pool(const BlockedPoolArgs& a, const float* x, const Taps& h, const Taps& w) {
  f32x16 v = kMean ? zero() : splat(-__builtin_inff());
  for (int64_t i = h.first; i < h.last; ++i) {
    const float* row = x + (h.at + i * a.dilation[0]) * a.x_row + (w.at + w.first * a.dilation[1]) * 16;
    for (int64_t j = w.first; j < w.last; ++j, row += a.dilation[1] * 16) {
      if constexpr (kMean) v = v + load(row);
      else v = larger(load(row), v);
    }
  }
  if constexpr (kMean) {
    const int64_t n = a.include_pad ? h.padded * w.padded : (h.last - h.first) * (w.last - w.first);
    return v / splat(static_cast<float>(n));
  }
  return v;
}

void clear(float* p, int64_t floats) {
  for (int64_t i = 0; i < floats; i += 16) store(p + i, zero());
}

template <bool kMean>
void pool_map(const BlockedPoolArgs& a, const float* x, float* y) {
  clear(y - (a.top * a.y_row + a.left * 16), a.top * a.y_row);
  clear(y - a.left * 16 + a.out[0] * a.y_row, a.bottom * a.y_row);
  for (int64_t oh = 0; oh < a.out[0]; ++oh) {
    float* row = y + oh * a.y_row;
    const Taps h = taps(a, 0, oh);
    clear(row - a.left * 16, a.left * 16);
    for (int64_t ow = 0; ow < a.out[1]; ++ow) store(row + ow * 16, pool<kMean>(a, x, h, taps(a, 1, ow)));
    clear(row + a.out[1] * 16, a.right * 16);
  }
}

template <bool kMean>
void blocked_pool(const BlockedPoolArgs& a) {
  for (int64_t i = a.first; i < a.last; ++i) {
    const float* x = a.x + i / a.blocks * a.x_image + i % a.blocks * a.x_block;
    float* y = a.y + i / a.blocks * a.y_image + i % a.blocks * a.y_block;
    pool_map<kMean>(a, x, y);
  }
}

void blocked_global_mean(const GlobalMeanArgs& a) {
  for (int64_t i = a.first; i < a.last; ++i) {
    const int64_t n = i / a.blocks, b = i % a.blocks, left = a.channels - b * 16;
    const float* x = a.x + n * a.x_image + b * a.x_block;
    f32x16 total = zero();
    for (int64_t h = 0; h < a.height; ++h) {
      f32x16 sum = zero();
      for (int64_t w = 0; w < a.width; ++w) sum = sum + load(x + h * a.x_row + w * 16);
      total = total + sum;
    }
    store_n(a.y + n * a.channels + b * 16, total / splat(static_cast<float>(a.height * a.width)), left < 16 ? left : 16);
  }
}

}  // namespace

constinit const KernelRow blocked_max_pool_f32 =
    row<BlockedPoolArgs, blocked_pool<false>>("max_pool_blocked/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow blocked_average_pool_f32 =
    row<BlockedPoolArgs, blocked_pool<true>>("average_pool_blocked/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow blocked_global_average_pool_f32 =
    row<GlobalMeanArgs, blocked_global_mean>("global_average_pool_blocked/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
