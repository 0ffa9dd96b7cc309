// Kernels with one bug each, as template parameter M; M = 0 is right. A line where ptxsim may report mutant 3 says "finds 3"; a race has two ends.
#include <cuda_pipeline.h>

#include <cassert>

#define KERNEL     \
  template <int M> \
  __global__ void __launch_bounds__(256)

// 1 no barrier after a write, 2 none before the buffer is used again, 3 half of it is never written
KERNEL rotate(const float* x, float* y, int n) {
  __shared__ float t[128];
  const int i = threadIdx.x;
  for (int r = 0; r < n; ++r) {
    if (M != 3 || i < 64) t[i] = x[r * 128 + i];  // finds 1 2
    if (M != 1) __syncthreads();
    y[r * 128 + i] = t[(i + 33) % 128];  // finds 1 2 3
    if (M != 2) __syncthreads();
  }
}

// 4 a full-mask shuffle in half of the warp
KERNEL pairs(const float* x, float* y) {
  const int i = threadIdx.x;
  float v = x[i];
  if (M == 4) {
    if (i % 32 < 16) v += __shfl_xor_sync(0xffffffffu, v, 1);  // finds 4
  } else {
    v += __shfl_xor_sync(0xffffffffu, v, 1);
  }
  y[i] = v;
}

// 5 one element too far, 6 a barrier that only one warp comes to, 7 no guard of the tail, 12 a barrier in a branch of a warp
KERNEL shift(const float* x, float* y, int n) {
  __shared__ float t[128];
  const int i = blockIdx.x * 128 + threadIdx.x;
  const float v = i < n || M == 7 ? x[i] : 0.0f;  // finds 7
  t[threadIdx.x + (M == 5 ? 1 : 0)] = v;          // finds 5
  if (M == 6) {
    if (threadIdx.x < 32) __syncthreads();  // finds 6
  } else if (M == 12) {
    if (threadIdx.x % 32 < 8) __syncthreads();  // finds 12
  } else {
    __syncthreads();
  }
  if (M != 5 && M != 6 && M != 12 && i < n) y[i] = t[(threadIdx.x + 1) % 128];
  if ((M == 5 || M == 6 || M == 12) && i < n) y[i] = t[threadIdx.x];
}

// 8 no barrier at the end of a step of a tiled product
KERNEL tiled(const float* a, const float* b, float* c, int n) {
  __shared__ float ta[16][16], tb[16][16];
  float sum = 0;
  const int x = threadIdx.x, y = threadIdx.y;
  for (int k = 0; k < n; k += 16) {
    ta[y][x] = a[y * n + k + x];     // finds 8
    tb[y][x] = b[(k + y) * 16 + x];  // finds 8
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum = fmaf(ta[y][i], tb[i][x], sum);  // finds 8
    if (M != 8) __syncthreads();
  }
  c[y * 16 + x] = sum;
}

// a double buffer filled by cp.async: 9 one group too few is waited for, 10 no barrier before a buffer is filled again,
// 21 no barrier after the wait, 24 the source is overwritten before the copy was waited for
KERNEL stream(float* x, float* y, int steps) {
  __shared__ __align__(16) float t[2][512];
  const int i = threadIdx.x;
  __pipeline_memcpy_async(&t[0][i * 4], &x[i * 4], 16);  // finds 21
  __pipeline_commit();
  float sum = 0;
  for (int s = 0; s < steps; ++s) {
    if (s + 1 < steps) __pipeline_memcpy_async(&t[(s + 1) & 1][i * 4], &x[(s + 1) * 512 + i * 4], 16);  // finds 9 10 21
    __pipeline_commit();
    if (M == 24) x[s * 512 + i * 4] = 0.0f;  // finds 24
    __pipeline_wait_prior(M == 9 ? 2 : 1);
    if (M != 21) __syncthreads();
    sum += t[s & 1][(i * 7 + 5) % 512];  // finds 9 10 21
    if (M != 10) __syncthreads();
  }
  y[i] = sum;
}

// 11 no __syncwarp between lanes of a warp, 27 an atomic and a plain read
KERNEL neighbours(const int* x, int* y) {
  __shared__ int t[64];
  __shared__ int count;
  const int i = threadIdx.x;
  if (i == 0) count = 0;
  t[i] = x[i];
  if (M != 11) __syncwarp();
  y[i] = t[i ^ 1];  // finds 11
  __syncthreads();
  atomicAdd(&count, 1);  // finds 27
  if (M != 27) __syncthreads();
  if (i == 40) y[64] = count;  // finds 27
}

// 13 a float4 at an odd place, 14 reads what nobody wrote, 15 a local array that is not filled, 25 an index past a local array
KERNEL wide(const float* x, float* y, const float* fresh, const int* index) {
  const int i = threadIdx.x;
  const float4 v = *reinterpret_cast<const float4*>(x + i * 4 + (M == 13 ? 1 : 0));  // finds 13
  float local[8];
  for (int k = 0; k < (M == 15 ? 4 : 8); ++k) local[(k + index[0]) & 7] = v.x * k;
  float w = local[(index[i] & 7) + (M == 25 ? 3 : 0)];  // finds 15 25
  if (M == 14) w += fresh[i];                           // finds 14
  y[i] = w + v.w;
}

// 16 two blocks write one word, 17 a block reads what another wrote, 29 no fence before the counter
__device__ unsigned done;
KERNEL blocks(const float* x, float* y, float* total) {
  if (threadIdx.x != 0) return;
  if (M == 16) y[0] = x[blockIdx.x];                                      // finds 16
  y[blockIdx.x + 1] = x[blockIdx.x];                                      // finds 17
  if (M == 17) y[blockIdx.x + 10] = y[(blockIdx.x + 1) % gridDim.x + 1];  // finds 17
  if (M != 29) __threadfence();
  if (atomicAdd(&done, 1u) == gridDim.x - 1) {
    __threadfence();
    float sum = 0;
    for (int b = 0; b < gridDim.x; ++b) sum += y[b + 1];  // finds 29
    *total = sum;
    done = 0;
  }
}

// blocks that stay, one buffer: 31 the second barrier of a step is missing
__device__ unsigned came;
__device__ void grid_barrier(unsigned& target) {
  __syncthreads();
  if (threadIdx.x == 0) {
    target += gridDim.x;
    __threadfence();
    atomicAdd(&came, 1u);
    while (*(volatile unsigned*)&came < target) {
    }
    __threadfence();
  }
  __syncthreads();
}
KERNEL stay(float* a, int steps) {
  const int n = gridDim.x * 32, i = blockIdx.x * 32 + threadIdx.x;
  unsigned target = 0;
  for (int s = 0; s < steps; ++s) {
    float sum = 0;
    for (int k = 0; k < n; ++k) sum += a[k];  // finds 31
    if (M == 31) __syncthreads();
    else grid_barrier(target);
    a[i] = sum;  // finds 31
    grid_barrier(target);
  }
}

// threads of a block hand over through global memory: 32 no barrier after the write, 33 none before the next one, 34 no __syncwarp
KERNEL handed(float* x, float* y, int steps) {
  const int i = threadIdx.x;
  for (int s = 0; s < steps; ++s) {
    x[i] = s + i;  // finds 32 33
    if (M != 32) __syncthreads();
    y[i] = x[(i + 40) % 128];  // finds 32 33
    if (M != 33) __syncthreads();
  }
  x[i] = 1.0f;  // finds 33
  if (M != 34) __syncwarp();
  y[i] += x[i ^ 1];  // finds 34
}

// 18 never ends, 19 an assertion, 20 a trap, 22 a shuffle from lanes that have left, 23 two threads write the same value
KERNEL endings(const int* x, int* y) {
  __shared__ int flag;
  const int i = threadIdx.x;
  int v = x[i];
  if (M == 18) {
    while (v >= 0) v = (v * 5 + 1) & 1023;  // finds 18
  }
  if (M == 19) assert(v < 40);       // finds 19
  if (M == 20 && v == 50) __trap();  // finds 20
  if (M == 22 && i % 32 >= 24) return;
  v += __shfl_down_sync(0xffffffffu, v, 8);   // finds 22
  if (M == 23 ? i < 2 : i == 0) flag = x[0];  // finds 23
  if (M != 22) __syncthreads();
  if (M != 22) v += flag;
  y[i] = v;
}

// a warp fills, another reads, by a barrier of 64 threads: 28 the first does not come to it, 30 it comes before it has written
KERNEL handover(const int* x, int* y) {
  __shared__ int t[32];
  const int i = threadIdx.x % 32, warp = threadIdx.x / 32;
  if (warp == 0) {
    if (M == 30) asm volatile("bar.arrive 1, 64;" ::: "memory");
    t[i] = x[i];
    if (M != 28 && M != 30) asm volatile("bar.arrive 1, 64;" ::: "memory");
  } else {
    asm volatile("bar.sync 1, 64;" ::: "memory");  // finds 28
    y[i] = t[31 - i];                              // finds 30
  }
}

// 26 is rotate<0>'s sibling with dynamic shared memory, launched with too little of it
KERNEL dynamic(const float* x, float* y) {
  extern __shared__ float d[];
  d[threadIdx.x] = x[threadIdx.x];  // finds 26
  __syncthreads();
  y[threadIdx.x] = d[127 - threadIdx.x];
}

template __global__ void rotate<0>(const float*, float*, int);
template __global__ void rotate<1>(const float*, float*, int);
template __global__ void rotate<2>(const float*, float*, int);
template __global__ void rotate<3>(const float*, float*, int);
template __global__ void pairs<0>(const float*, float*);
template __global__ void pairs<4>(const float*, float*);
template __global__ void shift<0>(const float*, float*, int);
template __global__ void shift<5>(const float*, float*, int);
template __global__ void shift<6>(const float*, float*, int);
template __global__ void shift<7>(const float*, float*, int);
template __global__ void shift<12>(const float*, float*, int);
template __global__ void tiled<0>(const float*, const float*, float*, int);
template __global__ void tiled<8>(const float*, const float*, float*, int);
template __global__ void stream<0>(float*, float*, int);
template __global__ void stream<9>(float*, float*, int);
template __global__ void stream<10>(float*, float*, int);
template __global__ void stream<21>(float*, float*, int);
template __global__ void stream<24>(float*, float*, int);
template __global__ void neighbours<0>(const int*, int*);
template __global__ void neighbours<11>(const int*, int*);
template __global__ void neighbours<27>(const int*, int*);
template __global__ void wide<0>(const float*, float*, const float*, const int*);
template __global__ void wide<13>(const float*, float*, const float*, const int*);
template __global__ void wide<14>(const float*, float*, const float*, const int*);
template __global__ void wide<15>(const float*, float*, const float*, const int*);
template __global__ void wide<25>(const float*, float*, const float*, const int*);
template __global__ void blocks<0>(const float*, float*, float*);
template __global__ void blocks<16>(const float*, float*, float*);
template __global__ void blocks<17>(const float*, float*, float*);
template __global__ void blocks<29>(const float*, float*, float*);
template __global__ void stay<0>(float*, int);
template __global__ void stay<31>(float*, int);
template __global__ void handed<0>(float*, float*, int);
template __global__ void handed<32>(float*, float*, int);
template __global__ void handed<33>(float*, float*, int);
template __global__ void handed<34>(float*, float*, int);
template __global__ void endings<0>(const int*, int*);
template __global__ void endings<18>(const int*, int*);
template __global__ void endings<19>(const int*, int*);
template __global__ void endings<20>(const int*, int*);
template __global__ void endings<22>(const int*, int*);
template __global__ void endings<23>(const int*, int*);
template __global__ void handover<0>(const int*, int*);
template __global__ void handover<28>(const int*, int*);
template __global__ void handover<30>(const int*, int*);
template __global__ void dynamic<0>(const float*, float*);
