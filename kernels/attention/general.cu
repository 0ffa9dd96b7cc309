// The general Attention on a device: a block a row, a thread a key and then a thread a column. See general_row.h. Next: general_launch.cpp.
#include "kernels/attention/general_row.h"
#include "kernels/attention/present.cuh"
#include "kernels/simd.h"

namespace tern::cuda {
namespace {

// The larger of a block's values, NaN if one is, in all threads.
TERN_INLINE double block_max(double v, double* each) {
  each[threadIdx.x] = v;
  __syncthreads();
  for (int width = kGeneralThreads / 2; width > 0; width /= 2) {
    if (static_cast<int>(threadIdx.x) < width) each[threadIdx.x] = portable::max_nan(each[threadIdx.x], each[threadIdx.x + width]);
    __syncthreads();
  }
  const double all = each[0];
  __syncthreads();
  return all;
}

template <class T>
TERN_INLINE void rows(const GeneralAttentionArgs& a) {
  __shared__ double each[kGeneralThreads];
  __shared__ double total;
  double* weights = a.weights + blockIdx.x * a.T;  // [T]
  for (int64_t row = a.begin + blockIdx.x; row < a.end; row += gridDim.x) {
    const general::RowPlace r = general::place_of(a, row);
    double most = -general::kInfinity, open = -general::kInfinity;  // the largest score, and the largest of what is added to scores
    for (int64_t j = threadIdx.x; j < a.T; j += kGeneralThreads) {
      const general::Score s = general::score<T>(a, r, row, j);
      weights[j] = s.masked;
      most = portable::max_nan(most, s.masked);
      open = portable::max_nan(open, s.bias);
    }
    most = block_max(most, each);
    open = block_max(open, each);
    const bool closed = open == -general::kInfinity;
    const double from = portable::select(most == -general::kInfinity, 0, most);
    for (int64_t j = threadIdx.x; j < a.T; j += kGeneralThreads) weights[j] = portable::exp(weights[j] - from);
    __syncthreads();
    if (threadIdx.x == 0) {
      double sum = 0;
      for (int64_t j = 0; j < a.T; ++j) sum += weights[j];
      total = sum;
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < a.T; j += kGeneralThreads) {
      weights[j] = portable::select(closed, 0, weights[j] / total);
      if (a.qk != nullptr && a.mode == 3) static_cast<T*>(a.qk)[row * a.T + j] = narrow<T>(weights[j]);
    }
    __syncthreads();
    T* y = static_cast<T*>(a.y) + a.y_at.at(r.b, r.h, r.s);  // [Dv]
    for (int64_t d = threadIdx.x; d < a.Dv; d += kGeneralThreads) {
      double sum = 0;
      for (int64_t j = 0; j < a.T; ++j) sum += portable::select(closed, 0, weights[j] * general::value<T>(a, r, j, d));
      y[d] = narrow<T>(sum);
    }
    __syncthreads();  // before the next row's weights
  }
}

template <class T>
TERN_INLINE void present(const GeneralAttentionArgs& a, const void* past, const void* now, const HeadLayout& at, int64_t width, void* to) {
  write_present(static_cast<T*>(to), static_cast<const T*>(past), static_cast<const T*>(now), at, a.batches * a.kv_heads, a.kv_heads, a.P, a.T,
                width);
}
template <class T>
TERN_INLINE void presents(const GeneralAttentionArgs& a) {
  if (a.present_key != nullptr) present<T>(a, a.past_key, a.k, a.k_at, a.D, a.present_key);
  if (a.present_value != nullptr) present<T>(a, a.past_value, a.v, a.v_at, a.Dv, a.present_value);
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kGeneralThreads) void attention_general_f32(const GeneralAttentionArgs a) { rows<float>(a); }
__global__ __launch_bounds__(kGeneralThreads) void attention_general_f64(const GeneralAttentionArgs a) { rows<double>(a); }
__global__ __launch_bounds__(kGeneralThreads) void attention_general_f16(const GeneralAttentionArgs a) { rows<f16>(a); }
__global__ __launch_bounds__(kGeneralThreads) void attention_general_bf16(const GeneralAttentionArgs a) { rows<bf16>(a); }
__global__ __launch_bounds__(kGeneralThreads) void attention_present_16(const GeneralAttentionArgs a) { presents<uint16_t>(a); }
__global__ __launch_bounds__(kGeneralThreads) void attention_present_32(const GeneralAttentionArgs a) { presents<uint32_t>(a); }
__global__ __launch_bounds__(kGeneralThreads) void attention_present_64(const GeneralAttentionArgs a) { presents<uint64_t>(a); }
}

}  // namespace tern::cuda
