// Lines along one axis on a device.
//   arg        lines that lie across: a thread a line, neighbours read neighbours; along: a warp a line
//   cumulate   a running fold has one order: a thread a line. Lines that lie along pass through tiles of shared memory, a warp's 32 lines at a time
//   topk       rank: each element counts those that come before it, and the first k take their places. select: a block picks the k first one
//              after another, for a k far below the length
// See lines_device.h, and launch.cpp, which chooses.
#include "kernels/reduce/lines_device.h"
#include "kernels/reduce/reduce_portable.h"

namespace tern::cuda {
namespace {

constexpr unsigned kAll = 0xffffffffu;

// An element as something that compares and that threads can pass on: no narrower than 32 bits.
template <class T>
using Key = decltype(+comparable(T()));
template <class T>
__device__ Key<T> key(T v) {
  return comparable(v);
}

template <class T>
__device__ void arg_across(const ArgLaunch& g) {
  const ArgArgs& a = g.a;
  const int64_t line = static_cast<int64_t>(blockIdx.x) * kLinesBlock + threadIdx.x;
  if (line >= a.lines.end) return;
  const T* x = static_cast<const T*>(a.x) + a.lines.first(line);  // [n], inner apart
  Key<T> best = key(x[0]);
  int64_t at = 0;
  for (int64_t i = 1; i < a.lines.n; ++i) {
    const Key<T> v = key(x[i * a.lines.inner]);
    const bool take = arg_takes(g.max, a.last, v, best);
    best = take ? v : best;
    at = take ? i : at;
  }
  a.y[line] = at;
}

template <class T>
__device__ void arg_along(const ArgLaunch& g) {
  const ArgArgs& a = g.a;
  const int64_t line = static_cast<int64_t>(blockIdx.x) * (kLinesBlock / 32) + threadIdx.x / 32;
  const bool there = line < a.lines.end;                                     // warps past the last go along
  const T* x = static_cast<const T*>(a.x) + (there ? line : 0) * a.lines.n;  // [n]
  const int lane = threadIdx.x % 32;
  Key<T> best = key(x[0]);
  int64_t at = -1;  // none yet
  for (int64_t i = lane; i < a.lines.n; i += 32) {
    const Key<T> v = key(x[i]);
    const bool take = at < 0 || arg_takes(g.max, a.last, v, best);
    best = take ? v : best;
    at = take ? i : at;
  }
  for (int width = 16; width > 0; width /= 2) {
    const Key<T> v = __shfl_down_sync(kAll, best, width);
    const int64_t i = __shfl_down_sync(kAll, at, width);
    // whichever of the two comes first is asked whether the other takes its place
    const bool later = i > at;
    const bool second = arg_takes(g.max, a.last, later ? v : best, later ? best : v);
    const bool take = i >= 0 && (at < 0 || second == later);
    best = take ? v : best;
    at = take ? i : at;
  }
  if (there && lane == 0) a.y[line] = at;
}

template <class T>
__device__ portable::Folded<T> folded(bool product, portable::Folded<T> acc, T x) {
  return product ? portable::times(acc, portable::widen(x)) : portable::plus(acc, portable::widen(x));
}

template <class T>
__device__ void cumulate_across(const CumulateLaunch& g) {
  const CumulateArgs& a = g.a;
  const int64_t line = static_cast<int64_t>(blockIdx.x) * kLinesBlock + threadIdx.x;
  if (line >= a.lines.end) return;
  const int64_t first = a.lines.first(line), n = a.lines.n;
  const T* x = static_cast<const T*>(a.x) + first;
  T* y = static_cast<T*>(a.y) + first;
  auto acc = portable::Folded<T>(g.product ? 1 : 0);
  for (int64_t k = 0; k < n; ++k) {
    const int64_t i = (a.reverse ? n - 1 - k : k) * a.lines.inner;
    const auto before = acc;
    acc = folded<T>(g.product, acc, x[i]);
    y[i] = portable::narrow<T>(a.exclusive ? before : acc);
  }
}

// A warp a block.
template <class T>
__device__ void cumulate_along(const CumulateLaunch& g) {
  __shared__ T tile[32][33];  // [line, place]
  const CumulateArgs& a = g.a;
  const int lane = threadIdx.x;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * 32, n = a.lines.n;
  const T* x = static_cast<const T*>(a.x) + first * n;
  T* y = static_cast<T*>(a.y) + first * n;
  const int lines = a.lines.end - first < 32 ? static_cast<int>(a.lines.end - first) : 32;
  auto acc = portable::Folded<T>(g.product ? 1 : 0);
  for (int64_t k = 0; k < n; k += 32) {
    const int many = n - k < 32 ? static_cast<int>(n - k) : 32;
    const int64_t at = a.reverse ? n - k - many : k;
    for (int l = 0; l < lines; ++l) {
      if (lane < many) tile[l][lane] = x[l * n + at + lane];
    }
    __syncwarp();
    if (lane < lines) {
      for (int j = 0; j < many; ++j) {
        T& place = tile[lane][a.reverse ? many - 1 - j : j];
        const auto before = acc;
        acc = folded<T>(g.product, acc, place);
        place = portable::narrow<T>(a.exclusive ? before : acc);
      }
    }
    __syncwarp();
    for (int l = 0; l < lines; ++l) {
      if (lane < many) y[l * n + at + lane] = tile[l][lane];
    }
    __syncwarp();
  }
}

template <class T>
__device__ void put(const TopKArgs& a, int64_t line, int64_t rank, int64_t index) {
  const int64_t at = line / a.lines.inner * a.k * a.lines.inner + line % a.lines.inner + rank * a.lines.inner;
  if (a.values != nullptr) static_cast<T*>(a.values)[at] = static_cast<const T*>(a.x)[a.lines.first(line) + index * a.lines.inner];
  if (a.indices != nullptr) a.indices[at] = index;
}

template <class T>
__device__ void topk_rank(const TopKLaunch& g) {
  __shared__ Key<T> tile[kTopKTile];
  const TopKArgs& a = g.a;
  const int64_t line = blockIdx.x / g.chunks, i = blockIdx.x % g.chunks * kTopKTile + threadIdx.x, n = a.lines.n;
  const T* x = static_cast<const T*>(a.x) + a.lines.first(line);  // [n], inner apart
  const Key<T> mine = key(x[(i < n ? i : 0) * a.lines.inner]);
  int64_t rank = 0;
  for (int64_t j = 0; j < n; j += kTopKTile) {
    const int many = n - j < kTopKTile ? static_cast<int>(n - j) : kTopKTile;
    __syncthreads();
    if (threadIdx.x < many) tile[threadIdx.x] = key(x[(j + threadIdx.x) * a.lines.inner]);
    __syncthreads();
    for (int t = 0; t < many; ++t) rank += top_before(a.largest, tile[t], j + t, mine, i);
  }
  if (i < n && rank < a.k) put<T>(a, line, rank, i);
}

template <class T>
__device__ void topk_select(const TopKLaunch& g) {
  __shared__ Key<T> values[kLinesBlock / 32];
  __shared__ int64_t places[kLinesBlock / 32];
  const TopKArgs& a = g.a;
  const int64_t line = blockIdx.x, n = a.lines.n;
  const T* x = static_cast<const T*>(a.x) + a.lines.first(line);  // [n], inner apart
  Key<T> last = key(x[0]);
  int64_t last_at = -1;  // nothing picked yet
  for (int64_t rank = 0; rank < a.k; ++rank) {
    Key<T> best = last;
    int64_t at = -1;
    auto offer = [&](Key<T> v, int64_t i) {
      const bool take = i >= 0 && (at < 0 || top_before(a.largest, v, i, best, at));
      best = take ? v : best;
      at = take ? i : at;
    };
    for (int64_t i = threadIdx.x; i < n; i += kLinesBlock) {
      const Key<T> v = key(x[i * a.lines.inner]);
      offer(v, last_at < 0 || top_before(a.largest, last, last_at, v, i) ? i : -1);
    }
    for (int width = 16; width > 0; width /= 2) {
      const Key<T> v = __shfl_down_sync(kAll, best, width);
      offer(v, __shfl_down_sync(kAll, at, width));
    }
    __syncthreads();  // everyone has read what the last round left
    if (threadIdx.x % 32 == 0) {
      values[threadIdx.x / 32] = best;
      places[threadIdx.x / 32] = at;
    }
    __syncthreads();
    at = -1;
    for (int w = 0; w < kLinesBlock / 32; ++w) offer(values[w], places[w]);
    last = best;
    last_at = at;
    if (threadIdx.x == 0) put<T>(a, line, rank, at);
  }
}

}  // namespace

extern "C" {
__global__ void arg_across_f32(const ArgLaunch g) { arg_across<float>(g); }
__global__ void arg_along_f32(const ArgLaunch g) { arg_along<float>(g); }
__global__ void arg_across_f64(const ArgLaunch g) { arg_across<double>(g); }
__global__ void arg_along_f64(const ArgLaunch g) { arg_along<double>(g); }
__global__ void arg_across_f16(const ArgLaunch g) { arg_across<f16>(g); }
__global__ void arg_along_f16(const ArgLaunch g) { arg_along<f16>(g); }
__global__ void arg_across_bf16(const ArgLaunch g) { arg_across<bf16>(g); }
__global__ void arg_along_bf16(const ArgLaunch g) { arg_along<bf16>(g); }
__global__ void arg_across_i8(const ArgLaunch g) { arg_across<int8_t>(g); }
__global__ void arg_along_i8(const ArgLaunch g) { arg_along<int8_t>(g); }
__global__ void arg_across_i16(const ArgLaunch g) { arg_across<int16_t>(g); }
__global__ void arg_along_i16(const ArgLaunch g) { arg_along<int16_t>(g); }
__global__ void arg_across_i32(const ArgLaunch g) { arg_across<int32_t>(g); }
__global__ void arg_along_i32(const ArgLaunch g) { arg_along<int32_t>(g); }
__global__ void arg_across_i64(const ArgLaunch g) { arg_across<int64_t>(g); }
__global__ void arg_along_i64(const ArgLaunch g) { arg_along<int64_t>(g); }
__global__ void arg_across_u8(const ArgLaunch g) { arg_across<uint8_t>(g); }
__global__ void arg_along_u8(const ArgLaunch g) { arg_along<uint8_t>(g); }
__global__ void arg_across_u16(const ArgLaunch g) { arg_across<uint16_t>(g); }
__global__ void arg_along_u16(const ArgLaunch g) { arg_along<uint16_t>(g); }
__global__ void arg_across_u32(const ArgLaunch g) { arg_across<uint32_t>(g); }
__global__ void arg_along_u32(const ArgLaunch g) { arg_along<uint32_t>(g); }
__global__ void arg_across_u64(const ArgLaunch g) { arg_across<uint64_t>(g); }
__global__ void arg_along_u64(const ArgLaunch g) { arg_along<uint64_t>(g); }
__global__ void cumulate_across_f32(const CumulateLaunch g) { cumulate_across<float>(g); }
__global__ void cumulate_along_f32(const CumulateLaunch g) { cumulate_along<float>(g); }
__global__ void cumulate_across_f64(const CumulateLaunch g) { cumulate_across<double>(g); }
__global__ void cumulate_along_f64(const CumulateLaunch g) { cumulate_along<double>(g); }
__global__ void cumulate_across_f16(const CumulateLaunch g) { cumulate_across<f16>(g); }
__global__ void cumulate_along_f16(const CumulateLaunch g) { cumulate_along<f16>(g); }
__global__ void cumulate_across_bf16(const CumulateLaunch g) { cumulate_across<bf16>(g); }
__global__ void cumulate_along_bf16(const CumulateLaunch g) { cumulate_along<bf16>(g); }
__global__ void cumulate_across_i32(const CumulateLaunch g) { cumulate_across<int32_t>(g); }
__global__ void cumulate_along_i32(const CumulateLaunch g) { cumulate_along<int32_t>(g); }
__global__ void cumulate_across_i64(const CumulateLaunch g) { cumulate_across<int64_t>(g); }
__global__ void cumulate_along_i64(const CumulateLaunch g) { cumulate_along<int64_t>(g); }
__global__ void cumulate_across_u32(const CumulateLaunch g) { cumulate_across<uint32_t>(g); }
__global__ void cumulate_along_u32(const CumulateLaunch g) { cumulate_along<uint32_t>(g); }
__global__ void cumulate_across_u64(const CumulateLaunch g) { cumulate_across<uint64_t>(g); }
__global__ void cumulate_along_u64(const CumulateLaunch g) { cumulate_along<uint64_t>(g); }
__global__ void topk_rank_f32(const TopKLaunch g) { topk_rank<float>(g); }
__global__ void topk_select_f32(const TopKLaunch g) { topk_select<float>(g); }
__global__ void topk_rank_f64(const TopKLaunch g) { topk_rank<double>(g); }
__global__ void topk_select_f64(const TopKLaunch g) { topk_select<double>(g); }
__global__ void topk_rank_f16(const TopKLaunch g) { topk_rank<f16>(g); }
__global__ void topk_select_f16(const TopKLaunch g) { topk_select<f16>(g); }
__global__ void topk_rank_bf16(const TopKLaunch g) { topk_rank<bf16>(g); }
__global__ void topk_select_bf16(const TopKLaunch g) { topk_select<bf16>(g); }
__global__ void topk_rank_i8(const TopKLaunch g) { topk_rank<int8_t>(g); }
__global__ void topk_select_i8(const TopKLaunch g) { topk_select<int8_t>(g); }
__global__ void topk_rank_i16(const TopKLaunch g) { topk_rank<int16_t>(g); }
__global__ void topk_select_i16(const TopKLaunch g) { topk_select<int16_t>(g); }
__global__ void topk_rank_i32(const TopKLaunch g) { topk_rank<int32_t>(g); }
__global__ void topk_select_i32(const TopKLaunch g) { topk_select<int32_t>(g); }
__global__ void topk_rank_i64(const TopKLaunch g) { topk_rank<int64_t>(g); }
__global__ void topk_select_i64(const TopKLaunch g) { topk_select<int64_t>(g); }
__global__ void topk_rank_u8(const TopKLaunch g) { topk_rank<uint8_t>(g); }
__global__ void topk_select_u8(const TopKLaunch g) { topk_select<uint8_t>(g); }
__global__ void topk_rank_u16(const TopKLaunch g) { topk_rank<uint16_t>(g); }
__global__ void topk_select_u16(const TopKLaunch g) { topk_select<uint16_t>(g); }
__global__ void topk_rank_u32(const TopKLaunch g) { topk_rank<uint32_t>(g); }
__global__ void topk_select_u32(const TopKLaunch g) { topk_select<uint32_t>(g); }
__global__ void topk_rank_u64(const TopKLaunch g) { topk_rank<uint64_t>(g); }
__global__ void topk_select_u64(const TopKLaunch g) { topk_select<uint64_t>(g); }
}

}  // namespace tern::cuda
