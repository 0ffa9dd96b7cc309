// Pooling of blocked f32 maps: sixteen channels a vector, windows clipped to the map. See pool.h.
#include "kernels/pool/pool.h"

#include "kernels/conv/halo.h"
#include "kernels/unroll.h"

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

template <bool kMean>
TERN_INLINE f32x16 join(f32x16 x, f32x16 v) {
  if constexpr (kMean) return v + x;
  else return max_nan(x, v);
}
// What the mean of a window is divided by.
TERN_INLINE f32x16 size_of(const BlockedPoolArgs& a, const Taps& h, const Taps& w) {
  return splat(static_cast<float>(a.include_pad ? h.padded * w.padded : (h.last - h.first) * (w.last - w.first)));
}

// N neighbours whose windows have the same taps inside x. `x`: the row of tap 0, at the first window's tap 0.
template <bool kMean, int N>
TERN_INLINE void pool(const BlockedPoolArgs& a, const float* x, const Taps& h, const Taps& w, float* y) {
  f32x16 v[N];
  unroll<N>([&](auto n) TERN_INLINE_CALL { v[n.v] = kMean ? zero() : splat(-__builtin_inff()); });
  for (int64_t i = h.first; i < h.last; ++i) {
    const float* from = x + i * a.dilation[0] * a.x_row + w.first * a.dilation[1] * 16;
    for (int64_t j = w.first; j < w.last; ++j, from += a.dilation[1] * 16) {
      unroll<N>([&](auto n) TERN_INLINE_CALL { v[n.v] = join<kMean>(load(from + n.v * a.stride[1] * 16), v[n.v]); });
    }
  }
  unroll<N>([&](auto n) TERN_INLINE_CALL { store(y + n.v * 16, kMean ? v[n.v] / size_of(a, h, w) : v[n.v]); });
}

// The outputs of a row whose windows lie in x as far as columns go.
struct Columns {
  int64_t first, last;
};
Columns inner_columns(const BlockedPoolArgs& a) {
  const int64_t s = a.stride[1], room = a.in[1] - (a.kernel[1] - 1) * a.dilation[1] + a.begin[1];
  const int64_t first = a.begin[1] <= 0 ? 0 : (a.begin[1] + s - 1) / s, last = room <= 0 ? 0 : (room + s - 1) / s;
  const int64_t end = last < a.out[1] ? last : a.out[1];
  return {first < end ? first : end, end};
}

template <bool kMean>
void pool_map(const BlockedPoolArgs& a, const float* x, float* y) {
  constexpr int kN = 4;  // windows at once: enough chains to hide what a comparison takes
  const Columns inner = inner_columns(a);
  const Taps all = {0, a.kernel[1], a.kernel[1], 0};
  clear_halo(a.halo, y - (a.halo.top * a.halo.width + a.halo.left) * 16);
  for (int64_t oh = 0; oh < a.out[0]; ++oh) {
    float* row = y + oh * a.y_row;
    const Taps h = taps(a, 0, oh);
    const float* from = x + h.at * a.x_row;
    for (int64_t ow = 0; ow < a.out[1];) {
      const float* window = from + (ow * a.stride[1] - a.begin[1]) * 16;
      if (ow < inner.first || ow >= inner.last) {
        pool<kMean, 1>(a, window, h, taps(a, 1, ow), row + ow * 16);
        ++ow;
      } else if (inner.last - ow < kN) {
        pool<kMean, 1>(a, window, h, all, row + ow * 16);
        ++ow;
      } else {
        pool<kMean, kN>(a, window, h, all, row + ow * 16);
        ow += kN;
      }
    }
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
    store_n(a.y + n * a.y_image + b * a.y_block, total / splat(static_cast<float>(a.height * a.width)), left < 16 ? left : 16);
  }
}

// As ReduceMean folds a run (../reduce/reduce.h): element i goes to lane i mod 64, past the last 64 to lane i mod 16; then a tree. Here a lane is sixteen channels.
void mean_blocks(const GlobalMeanArgs& a) {
  const int64_t whole = a.height * a.width / 64 * 64;
  for (int64_t i = a.first; i < a.last; ++i) {
    const int64_t n = i / a.blocks, b = i % a.blocks, left = a.channels - b * 16;
    const float* x = a.x + n * a.x_image + b * a.x_block;
    alignas(64) float lanes[64 * 16];
    clear(lanes, 64 * 16);
    for (int64_t h = 0, at = 0; h < a.height; ++h) {
      for (int64_t w = 0; w < a.width; ++w, ++at) {
        float* lane = lanes + (at < whole ? at % 64 : at % 16) * 16;
        store(lane, load(lane) + load(x + h * a.x_row + w * 16));
      }
    }
    auto lane = [&](int64_t l) { return load(lanes + l * 16); };
    for (int64_t l = 0; l < 16; ++l) store(lanes + l * 16, (lane(l) + lane(l + 16)) + (lane(l + 32) + lane(l + 48)));
    for (int64_t width = 8; width > 0; width /= 2) {
      for (int64_t l = 0; l < width; ++l) store(lanes + l * 16, lane(l) + lane(l + width));
    }
    store_n(a.y + n * a.y_image + b * a.y_block, lane(0) / splat(static_cast<float>(a.height * a.width)), left < 16 ? left : 16);
  }
}

}  // namespace

constinit const KernelRow mean_blocks_f32 = row<GlobalMeanArgs, mean_blocks>("mean_blocks/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow blocked_max_pool_f32 =
    row<BlockedPoolArgs, blocked_pool<false>>("max_pool_blocked/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow blocked_average_pool_f32 =
    row<BlockedPoolArgs, blocked_pool<true>>("average_pool_blocked/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);
constinit const KernelRow blocked_global_average_pool_f32 =
    row<GlobalMeanArgs, blocked_global_mean>("global_average_pool_blocked/f32/" TERN_ISA_NAME, DType::f32, Isa::TERN_ISA);

}  // namespace tern::TERN_ISA
