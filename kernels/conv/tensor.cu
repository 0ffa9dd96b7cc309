// Convolutions by tensor cores: see tensor.h. A block computes output channels times pixels. A stage of weights is copied, one of x is gathered,
// while the stage before it is multiplied: a thread has one pixel and some neighbouring k, keeps their rounded factors in registers, and stores them
// when the stage comes. Next: gemm/fragments.cuh.
#include "kernels/conv/pixel.cuh"
#include "kernels/conv/tensor.h"
#include "kernels/gemm/fragments.cuh"

namespace tern::cuda {
namespace {

template <Precision kPrecision>
constexpr int kFactors = kPrecision == Precision::tf32 ? 1 : 2;  // of a word
// Neighbouring k, rounded.
template <Precision kPrecision>
TERN_INLINE uint32_t word_of(const float (&v)[kFactors<kPrecision>]) {
  if constexpr (kPrecision == Precision::tf32) return to_tf32(v[0]).bits;
  else if constexpr (kPrecision == Precision::f16) return to_f16(v[0]).bits | static_cast<uint32_t>(to_f16(v[1]).bits) << 16;
  else return to_bf16(v[0]).bits | static_cast<uint32_t>(to_bf16(v[1]).bits) << 16;
}

template <Precision kPrecision, int BM, int BN, int kDown, int kAcross, bool kSpread>
struct ConvTensorTile : Fragments<kPrecision, BM, BN, kDown, kAcross> {
  using Base = Fragments<kPrecision, BM, BN, kDown, kAcross>;
  using Base::acc, Base::TM, Base::TN, Base::kThreads, Base::place;
  static constexpr int kEach = kFactors<kPrecision>;
  static constexpr int kStage = kStageBytes / 4 * kEach;            // k of a stage
  static constexpr int kWords = kStageBytes / 4 / (kThreads / BN);  // of a stage, of a thread
  static_assert(kThreads % BN == 0 && kWords % 4 == 0);
  uint32_t held[kWords];  // the factors that this thread stores next

  // Those of the stage from k on, of pixel p.
  __device__ __forceinline__ void gather(const ConvArgs& a, const Pixel& p, int k) {
    const int first = k + static_cast<int>(threadIdx.x) / BN * (kWords * kEach);
#pragma unroll
    for (int i = 0; i < kWords; ++i) {
      float v[kEach];
#pragma unroll
      for (int j = 0; j < kEach; ++j) {
        const int at = first + i * kEach + j;
        const bool known = at < a.k;
        bool there;
        const int4 tap = *reinterpret_cast<const int4*>(a.tap + (known ? at : 0));
        const float* from = under<kSpread>(a, p, tap, there);
        v[j] = there && known ? *from : 0.0f;
      }
      held[i] = word_of<kPrecision>(v);
    }
  }
  __device__ __forceinline__ void store(uint8_t* to) const {
    const int row = static_cast<int>(threadIdx.x) % BN, chunk = static_cast<int>(threadIdx.x) / BN * (kWords / 4);
#pragma unroll
    for (int i = 0; i < kWords / 4; ++i) {
      *reinterpret_cast<uint4*>(to + place(row, chunk + i)) = uint4{held[4 * i], held[4 * i + 1], held[4 * i + 2], held[4 * i + 3]};
    }
  }

  __device__ __forceinline__ void finish(const ConvArgs& a, int group, int first, int64_t first_column) const {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    const int channel = first + warp / kAcross * (TM * 16) + lane / 4, column = warp % kAcross * (TN * 8) + lane % 4 * 2;
    const int left = a.columns - first_column < BN ? static_cast<int>(a.columns - first_column) : BN;
    const bool rectify = a.epilogue.activation == Activation::relu, later = activates_later(a);
#pragma unroll
    for (int c = 0; c < TN * 2; ++c) {  // a pixel after the other: two that lie together need not be of one image
      if (column + c / 2 * 8 + c % 2 >= left) continue;
      const int64_t at = place_of(a, group, first_column, column + c / 2 * 8 + c % 2);
#pragma unroll
      for (int r = 0; r < TM * 2; ++r) {
        const int oc = channel + r * 8, each = group * a.ocs + oc;
        if (oc >= a.ocs) break;
        const int64_t y = at + static_cast<int64_t>(oc) * a.pixels;
        float v = acc[r / 2][c / 2][r % 2 * 2 + c % 2];
        if (a.bias != nullptr) v = v + a.bias[each];
        if (a.residual != nullptr) v = v + a.residual[y];
        if (rectify) v = relu(v);
        a.y[y] = later ? v : scaled(a, v, each);
      }
    }
    if (!later) return;
#pragma unroll 1
    for (int c = 0; c < TN * 2; ++c) {
      if (column + c / 2 * 8 + c % 2 >= left) continue;
      const int64_t at = place_of(a, group, first_column, column + c / 2 * 8 + c % 2);
#pragma unroll 1
      for (int oc = channel; oc < first + BM && oc < a.ocs && oc < channel + TM * 16; oc += 8) {
        float* y = a.y + at + static_cast<int64_t>(oc) * a.pixels;
        *y = scaled(a, activate(a.epilogue, f32x16{*y}).v, group * a.ocs + oc);
      }
    }
  }

  static __device__ __forceinline__ void run(const ConvTensorArgs& t) {
    __shared__ __align__(128) typename Base::Shared s;  // its x: weights, its w: pixels
    const ConvArgs& a = t.conv;
    const int down = (a.ocs + BM - 1) / BM;
    const int64_t across = (a.columns + BN - 1) / BN, tiles = down * across * a.groups;
    for (int64_t i = blockIdx.x; i < tiles; i += gridDim.x) {
      const int first = static_cast<int>(i % down) * BM, group = static_cast<int>(i / down % a.groups);
      const int64_t first_column = i / down / a.groups * BN;
      const int rows = a.ocs - first < BM ? a.ocs - first : BM;
      const Pixel p = pixel_of(a, first_column + threadIdx.x % BN, group);
      const std::byte* w = t.w + group * t.group_bytes + first * t.row_bytes;
      ConvTensorTile tile;
      tile.clear();
      const auto load = [&](int k, int to) {
        Base::template copy<BM>(s.x[to], w + k / kEach * 4, rows, t.row_bytes);
        commit_copies();
        tile.gather(a, p, k);
      };
      if (a.k > 0) load(0, 0);
      int buffer = 0;
      // One barrier a stage: it says that weights and pixels have come, and that nobody reads what the next ones overwrite.
      for (int k = 0; k < a.k; k += kStage) {
        tile.store(s.w[buffer]);
        wait_copies<0>();
        __syncthreads();
        if (a.k - k > kStage) load(k + kStage, buffer ^ 1);
        tile.multiply(s.x[buffer], s.w[buffer]);
        buffer ^= 1;
      }
      tile.finish(a, group, first, first_column);
      __syncthreads();  // before the next tile's copies
    }
  }
};

template <Precision kPrecision, bool kSpread = false>
using Large = ConvTensorTile<kPrecision, 64, 64, 2, 4, kSpread>;
template <Precision kPrecision>
using Flat = ConvTensorTile<kPrecision, 16, 64, 1, 4, false>;

}  // namespace

extern "C" {
__global__ __launch_bounds__(256, 2) void conv_64x64_by_f16(const ConvTensorArgs a) { Large<Precision::f16>::run(a); }
__global__ __launch_bounds__(256, 2) void conv_64x64_spread_by_f16(const ConvTensorArgs a) { Large<Precision::f16, true>::run(a); }
__global__ __launch_bounds__(128) void conv_16x64_by_f16(const ConvTensorArgs a) { Flat<Precision::f16>::run(a); }
#if __CUDA_ARCH__ >= 800  // older cards have no such instructions: a session there is refused by the kernel's name
__global__ __launch_bounds__(256, 2) void conv_64x64_by_bf16(const ConvTensorArgs a) { Large<Precision::bf16>::run(a); }
__global__ __launch_bounds__(256, 2) void conv_64x64_spread_by_bf16(const ConvTensorArgs a) { Large<Precision::bf16, true>::run(a); }
__global__ __launch_bounds__(128) void conv_16x64_by_bf16(const ConvTensorArgs a) { Flat<Precision::bf16>::run(a); }
__global__ __launch_bounds__(256, 2) void conv_64x64_by_tf32(const ConvTensorArgs a) { Large<Precision::tf32>::run(a); }
__global__ __launch_bounds__(256, 2) void conv_64x64_spread_by_tf32(const ConvTensorArgs a) { Large<Precision::tf32, true>::run(a); }
__global__ __launch_bounds__(128) void conv_16x64_by_tf32(const ConvTensorArgs a) { Flat<Precision::tf32>::run(a); }
#endif
}

}  // namespace tern::cuda
