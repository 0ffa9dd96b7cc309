// The f32 reductions on a device, in the order of reduce.simd.cpp: 64 lanes that take 64 elements at a time (their four vectors p q r s are what a
// warp holds in two registers), what is left to p, then merge(merge(p, q), merge(r, s)) and the tree. Columns run in order, a thread each.
//   short    runs below 64 elements: only p has work, half a warp an output
//   rows     a warp an output
//   long     a block an output, for few outputs: all threads fetch, one warp folds what they left in shared memory
//   columns  a thread an output, neighbours read neighbours
// launch.cpp chooses. Next: launch.cpp.
#include "kernels/reduce/folds.h"
#include "kernels/reduce/loops.h"

namespace tern::cuda {
namespace {

constexpr unsigned kAll = 0xffffffffu;

// The value in lane 0 of sixteen, to all of them.
__device__ float first_lane(float v) { return __shfl_sync(kAll, v, 0, 16); }
template <class Op>
__device__ float fold_lanes(float v) {
#pragma unroll
  for (int width = 8; width > 0; width /= 2) v = Op::merge1(v, __shfl_down_sync(kAll, v, width, 16));
  return first_lane(v);
}
template <class Op>
__device__ float step(float acc, float x, float m) {
  return Op::step(f32x16{acc}, f32x16{x}, f32x16{m}).v;
}
template <class Op>
__device__ float merge(float a, float b) {
  return Op::merge(f32x16{a}, f32x16{b}).v;
}
template <class Op>
__device__ float start() {
  return Op::start().v;
}

// What a warp's two registers hold of an output, to one number in all lanes of its lower half.
template <class Op>
__device__ float fold_warp(float low, float high) {
  const float q = __shfl_down_sync(kAll, low, 16), s = __shfl_down_sync(kAll, high, 16);
  return fold_lanes<Op>(merge<Op>(merge<Op>(low, q), merge<Op>(high, s)));
}

// What is left of a run after blocks of 64: vectors that all go to p.
template <class Op>
__device__ float fold_rest(float p, const float* row, int n, int lane16, bool mine, float m) {
  for (int i = lane16; i < n; i += 16) {
    if (mine) p = step<Op>(p, row[i], m);
  }
  return p;
}

template <class Op>
__device__ float fold_row(const float* x, const ReduceArgs& a, int64_t runs, float m) {
  const int lane = threadIdx.x % 32;
  float low = start<Op>(), high = low;
  for (int64_t k = 0; k < runs; ++k) {
    const float* row = x + offset_of(a.reduced, k);  // [run]
    const int64_t whole = a.run & ~int64_t(63);
#pragma unroll 4
    for (int64_t i = 0; i < whole; i += 64) {
      low = step<Op>(low, row[i + lane], m);
      high = step<Op>(high, row[i + 32 + lane], m);
    }
    low = fold_rest<Op>(low, row + whole, static_cast<int>(a.run - whole), lane % 16, lane < 16, m);
  }
  return fold_warp<Op>(low, high);
}
template <class Op>
__device__ float fold_short(const float* x, const ReduceArgs& a, int64_t runs, float m) {
  const int lane = threadIdx.x % 16;
  float p = start<Op>();
  for (int64_t k = 0; k < runs; ++k) p = fold_rest<Op>(p, x + offset_of(a.reduced, k), static_cast<int>(a.run), lane, true, m);
  const float rest = start<Op>();
  return fold_lanes<Op>(merge<Op>(merge<Op>(p, rest), merge<Op>(rest, rest)));
}

// A block fetches a chunk while its first warp folds the one before.
template <class Op>
__device__ float fold_long(const float* x, const ReduceArgs& a, int64_t runs, float m) {
  constexpr int kEach = kReduceChunk / kReduceLongBlock;
  __shared__ float chunk[kReduceChunk], result;
  const int64_t chunks = (a.run + kReduceChunk - 1) / kReduceChunk;  // of a run
  const int lane = threadIdx.x;
  float low = start<Op>(), high = low, next[kEach];
  auto fetch = [&](int64_t number) {
    const int64_t at = number % chunks * kReduceChunk + threadIdx.x;
    const float* row = x + offset_of(a.reduced, number / chunks);
#pragma unroll
    for (int i = 0; i < kEach; ++i) next[i] = at + i * kReduceLongBlock < a.run ? row[at + i * kReduceLongBlock] : 0.0f;
  };
  fetch(0);
  for (int64_t c = 0; c < runs * chunks; ++c) {
    __syncthreads();  // whoever folded the last chunk is done with it
#pragma unroll
    for (int i = 0; i < kEach; ++i) chunk[threadIdx.x + i * kReduceLongBlock] = next[i];
    __syncthreads();
    if (c + 1 < runs * chunks) fetch(c + 1);
    if (threadIdx.x < 32) {
      const int64_t left = a.run - c % chunks * kReduceChunk;
      const int n = left < kReduceChunk ? static_cast<int>(left) : kReduceChunk, whole = n & ~63;
      for (int i = 0; i < whole; i += 64) {
        low = step<Op>(low, chunk[i + lane], m);
        high = step<Op>(high, chunk[i + 32 + lane], m);
      }
      low = fold_rest<Op>(low, chunk + whole, n - whole, lane % 16, lane < 16, m);
    }
  }
  if (threadIdx.x < 32) {
    const float v = fold_warp<Op>(low, high);
    if (threadIdx.x == 0) result = v;
  }
  __syncthreads();
  return result;
}

template <class Op>
__device__ float fold_column(const float* x, const ReduceArgs& a, int64_t rows, float m) {
  float acc = start<Op>();
#pragma unroll 4
  for (int64_t k = 0; k < rows; ++k) acc = step<Op>(acc, x[offset_of(a.reduced, k)], m);
  return acc;
}

template <class Op>
__device__ float finish(float v, float m, const ReduceArgs& a) {
  return Op::finish(f32x16{v}, f32x16{m}, static_cast<float>(a.count)).v;
}
__device__ float finite_max(float m) { return finite_or_zero(f32x16{m}).v; }

// Outputs past the last go along with it, for the shuffles, and are not stored.
template <class Op, int kLanes>
__device__ void reduce_rows(const ReduceArgs& a) {
  const int64_t o = static_cast<int64_t>(blockIdx.x) * (kReduceBlock / kLanes) + threadIdx.x / kLanes;
  const float* x = static_cast<const float*>(a.x) + offset_of(a.kept, o < a.end ? o : a.end - 1);
  const int64_t runs = count_of(a.reduced);
  float m = 0;
  if (Op::kNeedsMax) {
    m = kLanes == 32 ? fold_row<Max>(x, a, runs, m) : fold_short<Max>(x, a, runs, m);
    m = finite_max(__shfl_sync(kAll, m, 0, kLanes));
  }
  const float v = finish<Op>(kLanes == 32 ? fold_row<Op>(x, a, runs, m) : fold_short<Op>(x, a, runs, m), m, a);
  if (o < a.end && threadIdx.x % kLanes == 0) static_cast<float*>(a.y)[o] = v;
}
template <class Op>
__device__ void reduce_long(const ReduceArgs& a) {
  const float* x = static_cast<const float*>(a.x) + offset_of(a.kept, blockIdx.x);
  const int64_t runs = count_of(a.reduced);
  const float m = Op::kNeedsMax ? finite_max(fold_long<Max>(x, a, runs, 0)) : 0;
  const float v = finish<Op>(fold_long<Op>(x, a, runs, m), m, a);
  if (threadIdx.x == 0) static_cast<float*>(a.y)[blockIdx.x] = v;
}
template <class Op>
__device__ void reduce_columns(const ReduceArgs& a) {
  const int64_t number = static_cast<int64_t>(blockIdx.x) * kReduceBlock + threadIdx.x;
  if (number >= a.end * a.inner) return;
  const int64_t o = number / a.inner, rows = count_of(a.reduced);
  const float* x = static_cast<const float*>(a.x) + offset_of(a.kept, o) + (number - o * a.inner);
  const float m = Op::kNeedsMax ? finite_max(fold_column<Max>(x, a, rows, 0)) : 0;
  static_cast<float*>(a.y)[number] = finish<Op>(fold_column<Op>(x, a, rows, m), m, a);
}

}  // namespace

extern "C" {
__global__ void reduce_sum_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Sum, 16>(a); }
__global__ void reduce_sum_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Sum, 32>(a); }
__global__ void reduce_sum_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<Sum>(a); }
__global__ void reduce_sum_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<Sum>(a); }
__global__ void reduce_mean_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Mean, 16>(a); }
__global__ void reduce_mean_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Mean, 32>(a); }
__global__ void reduce_mean_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<Mean>(a); }
__global__ void reduce_mean_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<Mean>(a); }
__global__ void reduce_max_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Max, 16>(a); }
__global__ void reduce_max_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Max, 32>(a); }
__global__ void reduce_max_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<Max>(a); }
__global__ void reduce_max_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<Max>(a); }
__global__ void reduce_min_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Min, 16>(a); }
__global__ void reduce_min_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Min, 32>(a); }
__global__ void reduce_min_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<Min>(a); }
__global__ void reduce_min_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<Min>(a); }
__global__ void reduce_prod_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Prod, 16>(a); }
__global__ void reduce_prod_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<Prod, 32>(a); }
__global__ void reduce_prod_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<Prod>(a); }
__global__ void reduce_prod_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<Prod>(a); }
__global__ void reduce_l1_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<L1, 16>(a); }
__global__ void reduce_l1_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<L1, 32>(a); }
__global__ void reduce_l1_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<L1>(a); }
__global__ void reduce_l1_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<L1>(a); }
__global__ void reduce_l2_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<L2, 16>(a); }
__global__ void reduce_l2_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<L2, 32>(a); }
__global__ void reduce_l2_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<L2>(a); }
__global__ void reduce_l2_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<L2>(a); }
__global__ void reduce_sum_square_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<SumSquare, 16>(a); }
__global__ void reduce_sum_square_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<SumSquare, 32>(a); }
__global__ void reduce_sum_square_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<SumSquare>(a); }
__global__ void reduce_sum_square_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<SumSquare>(a); }
__global__ void reduce_log_sum_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<LogSum, 16>(a); }
__global__ void reduce_log_sum_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<LogSum, 32>(a); }
__global__ void reduce_log_sum_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<LogSum>(a); }
__global__ void reduce_log_sum_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<LogSum>(a); }
__global__ void reduce_log_sum_exp_short_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<LogSumExp, 16>(a); }
__global__ void reduce_log_sum_exp_rows_f32(const __grid_constant__ ReduceArgs a) { reduce_rows<LogSumExp, 32>(a); }
__global__ void reduce_log_sum_exp_long_f32(const __grid_constant__ ReduceArgs a) { reduce_long<LogSumExp>(a); }
__global__ void reduce_log_sum_exp_columns_f32(const __grid_constant__ ReduceArgs a) { reduce_columns<LogSumExp>(a); }
}

}  // namespace tern::cuda
