// The f32 kernels on a device. Every sum has the CPU's order: sixteen lanes (c mod 16), then the tree, so the bits are the CPU's.
//   short   a row of at most kSoftmaxShort: half a warp, the row in registers; one read, one write
//   long    a block a row. Exponentials by all threads, the sum by sixteen of them, in order, from shared memory; one read, one write
//   huge    the same for rows that no shared memory holds: y keeps what lies between
//   across  rows that lie side by side (inner > 1): a thread a row, neighbours read neighbours
// launch.cpp chooses. Numbers are those of softmax.simd.cpp, step by step. Next: launch.cpp.
#include "kernels/simd_math.h"
#include "kernels/softmax/softmax.h"

namespace tern::cuda {
namespace {

TERN_INLINE float lowest() { return -kInfinity; }

template <bool kLog>
TERN_INLINE float result(float centred, float e, float last) {
  return kLog ? centred - last : e / last;
}
template <bool kLog>
TERN_INLINE float last_operand(float sum) {
  return kLog ? log(f32x16{sum}).v : sum;
}
TERN_INLINE float exp_of(float centred) { return exp_nonpositive(f32x16{centred}).v; }
TERN_INLINE float larger(float a, float b) { return a > b ? a : b; }

template <bool kLog>
TERN_INLINE void short_rows(const SoftmaxArgs& a) {
  constexpr int kEach = kSoftmaxShort / 16;  // elements of a row in a thread
  const int64_t r = static_cast<int64_t>(blockIdx.x) * (kSoftmaxBlock / 16) + threadIdx.x / 16;
  const bool row_there = r < a.outer;                            // threads past the last row go along, for the shuffles
  const float* x = static_cast<const float*>(a.x) + r * a.cols;  // [cols]
  float* y = static_cast<float*>(a.y) + r * a.cols;
  float v[kEach], m = lowest();
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int c = 16 * i + lane();
    v[i] = row_there && c < a.cols ? x[c] : lowest();
    m = larger(v[i], m);
  }
  m = reduce_max_raw(f32x16{m});
  float e[kEach], sum = 0;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    v[i] = v[i] - m;
    e[i] = exp_of(v[i]);
    if (16 * i + lane() < a.cols) sum = sum + e[i];
  }
  const float last = last_operand<kLog>(reduce_add(f32x16{sum}));
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int c = 16 * i + lane();
    if (row_there && c < a.cols) y[c] = result<kLog>(v[i], e[i], last);
  }
}

// The largest of a block's values, in all threads. `each`: a float a warp.
TERN_INLINE float block_max(float v, float* each) {
  v = reduce_max_raw(f32x16{v});
  const float other = __shfl_xor_sync(0xffffffffu, v, 16);
  v = larger(v, other);
  if (threadIdx.x % 32 == 0) each[threadIdx.x / 32] = v;
  __syncthreads();
  for (int w = 0; w < kSoftmaxBlock / 32; ++w) v = larger(each[w], v);
  return v;
}

// `kept` holds [cols] floats between the passes: shared memory, or y itself.
template <bool kLog>
TERN_INLINE void long_row(const float* x, float* y, int64_t cols, float* kept) {
  __shared__ float each[kSoftmaxBlock / 32], last_of_row;
  float m = lowest();
  for (int64_t c = threadIdx.x; c < cols; c += kSoftmaxBlock) {
    const float v = x[c];
    kept[c] = v;
    m = larger(v, m);
  }
  m = block_max(m, each);
  for (int64_t c = threadIdx.x; c < cols; c += kSoftmaxBlock) kept[c] = kept[c] - m;  // each thread its own: no barrier between
  __syncthreads();
  // Exponentials go into the same place for Softmax; LogSoftmax keeps what is centred, and its sum takes them again.
  if (!kLog) {
    for (int64_t c = threadIdx.x; c < cols; c += kSoftmaxBlock) kept[c] = exp_of(kept[c]);
    __syncthreads();
  }
  if (threadIdx.x < 32) {  // a whole warp, for the shuffles; its halves do the same
    float sum = 0;
    for (int64_t c = lane(); c < cols; c += 16) sum = sum + (kLog ? exp_of(kept[c]) : kept[c]);
    const float last = last_operand<kLog>(reduce_add(f32x16{sum}));
    if (threadIdx.x == 0) last_of_row = last;
  }
  __syncthreads();
  const float last = last_of_row;
  for (int64_t c = threadIdx.x; c < cols; c += kSoftmaxBlock) y[c] = result<kLog>(kept[c], kept[c], last);
}

template <bool kLog, bool kShared>
TERN_INLINE void long_rows(const SoftmaxArgs& a) {
  extern __shared__ float row[];  // [cols], where kShared
  const float* x = static_cast<const float*>(a.x) + blockIdx.x * a.cols;
  float* y = static_cast<float*>(a.y) + blockIdx.x * a.cols;
  if (kShared) {
    long_row<kLog>(x, y, a.cols, row);
  } else {
    long_row<kLog>(x, y, a.cols, y);
  }
}

template <bool kLog>
TERN_INLINE void across(const SoftmaxArgs& a) {
  const int64_t at = static_cast<int64_t>(blockIdx.x) * kSoftmaxBlock + threadIdx.x;
  if (at >= a.outer * a.inner) return;
  const int64_t first = at / a.inner * a.cols * a.stride + at % a.inner;
  const float* x = static_cast<const float*>(a.x) + first;  // [cols], stride apart
  float* y = static_cast<float*>(a.y) + first;
  float m = lowest(), sum = 0;
  for (int64_t c = 0; c < a.cols; ++c) m = larger(x[c * a.stride], m);
  for (int64_t c = 0; c < a.cols; ++c) {
    const float centred = x[c * a.stride] - m, e = exp_of(centred);
    y[c * a.stride] = kLog ? centred : e;
    sum = sum + e;
  }
  const float last = last_operand<kLog>(sum);
  for (int64_t c = 0; c < a.cols; ++c) y[c * a.stride] = result<kLog>(y[c * a.stride], y[c * a.stride], last);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(kSoftmaxBlock) softmax_short_f32(const SoftmaxArgs a) { short_rows<false>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) softmax_long_f32(const SoftmaxArgs a) { long_rows<false, true>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) softmax_huge_f32(const SoftmaxArgs a) { long_rows<false, false>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) softmax_across_f32(const SoftmaxArgs a) { across<false>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) log_softmax_short_f32(const SoftmaxArgs a) { short_rows<true>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) log_softmax_long_f32(const SoftmaxArgs a) { long_rows<true, true>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) log_softmax_huge_f32(const SoftmaxArgs a) { long_rows<true, false>(a); }
__global__ void __launch_bounds__(kSoftmaxBlock) log_softmax_across_f32(const SoftmaxArgs a) { across<true>(a); }
}

}  // namespace tern::cuda
