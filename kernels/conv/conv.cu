// The f32 convolutions on a device: see launch.h for which there are. One chain an element in the order of conv.h, padding taps executed with x = 0.
// Next: launch.cpp.
#include "kernels/conv/pixel.cuh"
#include "kernels/ptx.cuh"

namespace tern::cuda {
namespace {

constexpr int kDepth = 16;  // k of a stage

// A block computes BM output channels of BN pixels, a thread TM channels times TN pixels, both in fours that lie 4 * (threads along that side) apart.
template <int BM, int BN, int TM, int TN, bool kSpread>
struct ConvTile {
  static constexpr int kColumns = BN / TN, kRows = BM / TM, kThreads = kColumns * kRows;
  static constexpr int kXStep = kThreads / BN, kWAcross = BM / 4, kWStep = kThreads / kWAcross;
  static_assert(TN % 4 == 0 && (TM == 2 || TM % 4 == 0) && kThreads % BN == 0 && kThreads % kWAcross == 0 && kDepth % kXStep == 0 &&
                kDepth % kWStep == 0);
  static constexpr int kPack = TM == 2 ? 2 : 4;  // channels that lie together
  struct alignas(16) Shared {
    float w[2][kDepth * BM];  // [kDepth, BM]
    float x[2][kDepth * BN];  // [kDepth, BN]
  };
  float acc[TM][TN];

  static __device__ __forceinline__ int channel(int r) {
    return r / kPack * kPack * kRows + static_cast<int>(threadIdx.x) / kColumns * kPack + r % kPack;
  }
  static __device__ __forceinline__ int column(int c) { return c / 4 * 4 * kColumns + static_cast<int>(threadIdx.x) % kColumns * 4 + c % 4; }

  // The kDepth terms from k on into buffer `to`.
  static __device__ __forceinline__ void load(const ConvArgs& a, const Pixel& p, const float* w, int channels, int k, Shared& s, int to) {
    const int x_row = static_cast<int>(threadIdx.x) / BN, x_column = static_cast<int>(threadIdx.x) % BN;
#pragma unroll(TM* TN > 16 ? 2 : 4)
    for (int i = 0; i < kDepth / kXStep; ++i) {
      const int row = x_row + i * kXStep;
      const bool known = k + row < a.k;
      bool there;
      const int4 tap = *reinterpret_cast<const int4*>(a.tap + (known ? k + row : 0));
      const float* from = under<kSpread>(a, p, tap, there);
      copy_async_4(&s.x[to][row * BN + x_column], from, there && known);
    }
    const int w_row = static_cast<int>(threadIdx.x) / kWAcross, w_column = static_cast<int>(threadIdx.x) % kWAcross * 4;
#pragma unroll
    for (int i = 0; i < kDepth / kWStep; ++i) {
      const int row = w_row + i * kWStep;
      copy_async_16(&s.w[to][row * BM + w_column], w + static_cast<int64_t>(k + row) * a.w_row + w_column, k + row < a.k && w_column < channels);
    }
    commit_copies();
  }

  template <bool kWhole>
  __device__ __forceinline__ void multiply(const float* w, const float* x, int left) {
#pragma unroll(TM* TN > 16 ? 2 : 8)
    for (int k = 0; k < kDepth; ++k) {
      if (!kWhole && k >= left) break;
      float ws[TM], xs[TN];
#pragma unroll
      for (int r = 0; r < TM; r += kPack) {
        if constexpr (kPack == 4) {
          const float4 v = *reinterpret_cast<const float4*>(w + k * BM + channel(r));
          ws[r] = v.x, ws[r + 1] = v.y, ws[r + 2] = v.z, ws[r + 3] = v.w;
        } else {
          const float2 v = *reinterpret_cast<const float2*>(w + k * BM + channel(r));
          ws[r] = v.x, ws[r + 1] = v.y;
        }
      }
#pragma unroll
      for (int c = 0; c < TN; c += 4) {
        const float4 v = *reinterpret_cast<const float4*>(x + k * BN + column(c));
        xs[c] = v.x, xs[c + 1] = v.y, xs[c + 2] = v.z, xs[c + 3] = v.w;
      }
#pragma unroll
      for (int r = 0; r < TM; ++r) {
#pragma unroll
        for (int c = 0; c < TN; ++c) acc[r][c] = fmaf(xs[c], ws[r], acc[r][c]);
      }
    }
  }

  __device__ __forceinline__ void finish(const ConvArgs& a, int group, int first, int64_t first_column) const {
    const bool rectify = a.epilogue.activation == Activation::relu, later = activates_later(a);
#pragma unroll
    for (int c = 0; c < TN; c += 4) {
      const int left = a.columns - first_column < BN ? static_cast<int>(a.columns - first_column) : BN;
      if (a.wide_y && column(c) < left) {  // planes are multiples of 4
        const int64_t at = place_of(a, group, first_column, column(c));
#pragma unroll
        for (int r = 0; r < TM; ++r) {
          const int oc = first + channel(r), each = group * a.ocs + oc;
          if (oc >= a.ocs) break;
          const int64_t y = at + static_cast<int64_t>(oc) * a.pixels;
          float4 v = {acc[r][c], acc[r][c + 1], acc[r][c + 2], acc[r][c + 3]};
          if (a.residual != nullptr) {
            const float4 add = *reinterpret_cast<const float4*>(a.residual + y);
            v = {v.x + add.x, v.y + add.y, v.z + add.z, v.w + add.w};
          }
          if (rectify) v = {relu(v.x), relu(v.y), relu(v.z), relu(v.w)};
          if (!later) v = {scaled(a, v.x, each), scaled(a, v.y, each), scaled(a, v.z, each), scaled(a, v.w, each)};
          *reinterpret_cast<float4*>(a.y + y) = v;
        }
      } else if (!a.wide_y) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (column(c + i) >= left) break;
          const int64_t at = place_of(a, group, first_column, column(c + i));
#pragma unroll
          for (int r = 0; r < TM; ++r) {
            const int oc = first + channel(r);
            if (oc >= a.ocs) break;
            const int64_t y = at + static_cast<int64_t>(oc) * a.pixels;
            float v = acc[r][c + i];
            if (a.residual != nullptr) v = v + a.residual[y];
            if (rectify) v = relu(v);
            a.y[y] = later ? v : scaled(a, v, group * a.ocs + oc);
          }
        }
      }
    }
    if (!later) return;
#pragma unroll 1
    for (int c = 0; c < TN; ++c) {
      if (first_column + column(c) >= a.columns) continue;
      const int64_t at = place_of(a, group, first_column, column(c));
#pragma unroll 1
      for (int r = 0; r < TM; ++r) {
        const int oc = first + channel(r);
        if (oc >= a.ocs) break;
        float* y = a.y + at + static_cast<int64_t>(oc) * a.pixels;
        *y = scaled(a, activate(a.epilogue, f32x16{*y}).v, group * a.ocs + oc);
      }
    }
  }

  static __device__ __forceinline__ void run(const ConvArgs& a) {
    __shared__ Shared s;
    const int down = (a.ocs + BM - 1) / BM;
    const int64_t across = (a.columns + BN - 1) / BN, tiles = down * across * a.groups;
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
      const int first = static_cast<int>(tile % down) * BM, group = static_cast<int>(tile / down % a.groups);
      const int64_t first_column = tile / down / a.groups * BN;
      const Pixel p = pixel_of(a, first_column + threadIdx.x % BN, group);
      const float* w = a.w + group * a.w_group + first;
      ConvTile t;
#pragma unroll
      for (int r = 0; r < TM; ++r) {
        const int oc = first + channel(r);
        const float start = a.bias != nullptr && oc < a.ocs ? a.bias[group * a.ocs + oc] : 0;
#pragma unroll
        for (int c = 0; c < TN; ++c) t.acc[r][c] = start;
      }
      // As in gemm/gemm.cu: a stage is copied while the one before it is multiplied, one barrier a stage.
      if (a.k > 0) load(a, p, w, a.ocs - first, 0, s, 0);
      int buffer = 0;
      for (int k = 0; k < a.k; k += kDepth) {
        wait_copies<0>();
        __syncthreads();
        if (k + kDepth < a.k) load(a, p, w, a.ocs - first, k + kDepth, s, buffer ^ 1);
        if (a.k - k >= kDepth) t.template multiply<true>(s.w[buffer], s.x[buffer], kDepth);
        else t.template multiply<false>(s.w[buffer], s.x[buffer], a.k - k);
        buffer ^= 1;
      }
      t.finish(a, group, first, first_column);
      wait_copies<0>();
      __syncthreads();  // before the next tile's copies
    }
  }
};

template <bool kSpread>
TERN_INLINE void depthwise(const ConvArgs& a) {
  const int64_t total = a.columns * a.groups, step = static_cast<int64_t>(gridDim.x) * kDepthwiseBlock;
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * kDepthwiseBlock + threadIdx.x; at < total; at += step) {
    const int64_t plane = at / a.pixels, image = plane / a.groups;
    const int channel = static_cast<int>(plane - image * a.groups);
    const Pixel p = pixel_of(a, image * a.pixels + (at - plane * a.pixels), channel);
    const float* w = a.w + static_cast<int64_t>(channel) * a.w_row;  // [taps]
    float v = a.bias == nullptr ? 0 : a.bias[channel];
    for (int k = 0; k < a.k; ++k) {
      bool there;
      const int4 tap = *reinterpret_cast<const int4*>(a.tap + k);
      const float* x = under<kSpread>(a, p, tap, there);
      v = fmaf(there ? *x : 0.0f, w[a.mirrored ? a.k - 1 - k : k], v);
    }
    if (a.residual != nullptr) v = v + a.residual[at];
    a.y[at] = scaled(a, activate(a.epilogue, f32x16{v}).v, channel);
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(256, 2) void conv_128x128_f32(const ConvArgs a) { ConvTile<128, 128, 8, 8, false>::run(a); }
__global__ __launch_bounds__(256, 2) void conv_64x64_f32(const ConvArgs a) { ConvTile<64, 64, 4, 4, false>::run(a); }
__global__ __launch_bounds__(256, 2) void conv_64x64_spread_f32(const ConvArgs a) { ConvTile<64, 64, 4, 4, true>::run(a); }
__global__ __launch_bounds__(128, 4) void conv_32x64_f32(const ConvArgs a) { ConvTile<32, 64, 4, 4, false>::run(a); }
__global__ __launch_bounds__(128, 4) void conv_32x32_f32(const ConvArgs a) { ConvTile<32, 32, 2, 4, false>::run(a); }
__global__ __launch_bounds__(128, 4) void conv_32x32_spread_f32(const ConvArgs a) { ConvTile<32, 32, 2, 4, true>::run(a); }
__global__ __launch_bounds__(kDepthwiseBlock) void conv_depthwise_f32(const ConvArgs a) { depthwise<false>(a); }
__global__ __launch_bounds__(kDepthwiseBlock) void conv_depthwise_spread_f32(const ConvArgs a) { depthwise<true>(a); }

__global__ void conv_arrange_f32(const ConvArrangeArgs a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kConvArrangeBlock + threadIdx.x;
  if (i >= a.rows * a.w_row) return;
  const int64_t row = i / a.w_row, oc = i % a.w_row;
  a.to[i] = oc < a.ocs ? a.from[row / a.k * a.from_group + oc * a.from_oc + a.at[row % a.k]] : 0;
}
}

}  // namespace tern::cuda
